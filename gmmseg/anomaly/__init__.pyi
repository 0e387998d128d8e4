from .fused import FusedDetector
from .table import AnomalyDetector

__all__ = ["AnomalyDetector", "FusedDetector"]
