from . import timeline
from .timeline import Segment
from .timeline_frames import frame_table, frames_from_segments, segments_from_frames

__all__ = [
    "Segment",
    "frame_table",
    "segments_from_frames",
    "timeline",
]
