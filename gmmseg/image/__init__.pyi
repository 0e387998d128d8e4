from .features import pixel_features
from .io import read_image, write_labels
from .segmentation import segment_image
from .segmenter import ImageSegmenter
from .small_regions import merge_small_regions

__all__ = [
    "ImageSegmenter",
    "merge_small_regions",
    "pixel_features",
    "read_image",
    "segment_image",
    "write_labels",
]
