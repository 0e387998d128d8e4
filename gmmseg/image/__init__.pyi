from .cut import cut_foreground
from .features import pixel_features
from .io import read_image, write_labels
from .matte import soften_mask
from .segmentation import segment_image
from .segmenter import ImageSegmenter

__all__ = [
    "ImageSegmenter",
    "cut_foreground",
    "pixel_features",
    "read_image",
    "segment_image",
    "soften_mask",
    "write_labels",
]
