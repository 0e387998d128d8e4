from .features import pixel_features
from .io import read_image, write_labels
from .segmentation import segment_image
from .segmenter import ImageSegmenter
from .small_regions import merge_small_regions
from .volume_decoders import Volume
from .volumes import read_volume, write_volume

__all__ = [
    "ImageSegmenter",
    "Volume",
    "merge_small_regions",
    "pixel_features",
    "read_image",
    "read_volume",
    "segment_image",
    "write_labels",
    "write_volume",
]
