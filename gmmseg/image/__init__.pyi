from .bias_field import estimate_bias_field
from .cut import cut_foreground
from .defect_detector import ImageAnomalyDetector, Inspection
from .features import pixel_features
from .io import read_image, write_labels
from .lazy import LazyImage, open_image, sample_pixels, sample_regions
from .matte import soften_mask
from .regions import segment_regions
from .segmentation import segment_image
from .segmenter import ImageSegmenter
from .small_regions import merge_small_regions
from .strange_regions import StrangeRegion
from .tiling import label_file, label_in_tiles, tiles
from .volume_decoders import Volume
from .volumes import read_volume, write_volume, write_volume_probabilities

__all__ = [
    "ImageAnomalyDetector",
    "ImageSegmenter",
    "Inspection",
    "LazyImage",
    "StrangeRegion",
    "Volume",
    "cut_foreground",
    "estimate_bias_field",
    "label_file",
    "label_in_tiles",
    "merge_small_regions",
    "open_image",
    "pixel_features",
    "read_image",
    "read_volume",
    "sample_pixels",
    "sample_regions",
    "segment_image",
    "segment_regions",
    "soften_mask",
    "tiles",
    "write_labels",
    "write_volume",
    "write_volume_probabilities",
]
