from .bias_field import estimate_bias_field
from .cut import cut_foreground
from .defect_detector import ImageAnomalyDetector, Inspection
from .features import pixel_features
from .io import read_image, write_image, write_labels, write_map, write_probabilities
from .lazy import LazyImage, open_image, sample_pixels, sample_regions
from .matte import soften_mask
from .prior_files import PriorMaps, read_prior
from .regions import segment_regions
from .segmentation import segment_image
from .segmenter import ImageSegmenter
from .small_regions import merge_small_regions
from .strange_regions import StrangeRegion
from .summary import SegmentSummary, summarize_segments
from .tiling import label_file, label_in_tiles, tiles
from .volume_decoders import Volume
from .volumes import read_volume, write_volume, write_volume_probabilities

__all__ = [
    "ImageAnomalyDetector",
    "ImageSegmenter",
    "Inspection",
    "LazyImage",
    "PriorMaps",
    "SegmentSummary",
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
    "read_prior",
    "read_volume",
    "sample_pixels",
    "sample_regions",
    "segment_image",
    "segment_regions",
    "soften_mask",
    "summarize_segments",
    "tiles",
    "write_image",
    "write_labels",
    "write_map",
    "write_probabilities",
    "write_volume",
    "write_volume_probabilities",
]
