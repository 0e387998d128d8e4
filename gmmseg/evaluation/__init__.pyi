from .detection import DetectionError, detection_error
from .diarization import DiarizationError, diarization_error, match_speakers
from .jaccard import JaccardError, jaccard_error
from .ranking import roc_auc
from .verification import ErrorCurve, OperatingPoint, cllr, equal_error_rate, error_curve, min_dcf

__all__ = [
    "DetectionError",
    "DiarizationError",
    "ErrorCurve",
    "JaccardError",
    "OperatingPoint",
    "cllr",
    "detection_error",
    "diarization_error",
    "equal_error_rate",
    "error_curve",
    "jaccard_error",
    "match_speakers",
    "min_dcf",
    "roc_auc",
]
