from .anomaly_maps import OverlapCurve, aupro, pixel_auc, region_overlap_curve
from .borders import BoundaryScores, boundary_scores
from .classes import ClassScores, class_scores, match_labels
from .detection import DetectionError, detection_error
from .diarization import DiarizationError, diarization_error, match_speakers
from .jaccard import JaccardError, jaccard_error
from .masks import MaskScores, mask_scores
from .partitions import RegionScores, region_scores
from .ranking import roc_auc
from .verification import ErrorCurve, OperatingPoint, cllr, equal_error_rate, error_curve, min_dcf

__all__ = [
    "BoundaryScores",
    "ClassScores",
    "DetectionError",
    "DiarizationError",
    "ErrorCurve",
    "JaccardError",
    "MaskScores",
    "OperatingPoint",
    "OverlapCurve",
    "RegionScores",
    "aupro",
    "boundary_scores",
    "class_scores",
    "cllr",
    "detection_error",
    "diarization_error",
    "equal_error_rate",
    "error_curve",
    "jaccard_error",
    "mask_scores",
    "match_labels",
    "match_speakers",
    "min_dcf",
    "pixel_auc",
    "region_overlap_curve",
    "region_scores",
    "roc_auc",
]
