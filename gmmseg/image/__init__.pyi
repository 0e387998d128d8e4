from .features import pixel_features
from .io import read_image, write_labels
from .regions import segment_regions
from .segmentation import segment_image
from .segmenter import ImageSegmenter

__all__ = [
    "ImageSegmenter",
    "pixel_features",
    "read_image",
    "segment_image",
    "segment_regions",
    "write_labels",
]
