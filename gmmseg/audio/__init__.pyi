from .timeline import Segment

__all__ = [
    "Segment",
]
