from .bias_field import estimate_bias_field
from .features import pixel_features
from .io import read_image, write_labels
from .segmentation import segment_image
from .segmenter import ImageSegmenter

__all__ = [
    "ImageSegmenter",
    "estimate_bias_field",
    "pixel_features",
    "read_image",
    "segment_image",
    "write_labels",
]
