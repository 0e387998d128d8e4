from . import timeline
from .segment_files import read_segments, write_segments
from .timeline import Segment
from .timeline_frames import frame_table, frames_from_segments, segments_from_frames

__all__ = [
    "Segment",
    "frame_table",
    "frames_from_segments",
    "read_segments",
    "segments_from_frames",
    "timeline",
    "write_segments",
]
