from . import timeline
from .anomaly import AudioAnomalyDetector
from .anomaly_explanation import AudioExplanation
from .features import frame_features
from .frame_stream import FrameStream
from .io import AudioInfo, audio_blocks, audio_info, read_audio
from .ranking import ranked_means
from .segment_files import read_segments, write_segments
from .signal_files import read_signal
from .timeline import Segment
from .timeline_frames import frame_table, frames_from_segments, segments_from_frames

__all__ = [
    "AudioAnomalyDetector",
    "AudioExplanation",
    "AudioInfo",
    "FrameStream",
    "Segment",
    "audio_blocks",
    "audio_info",
    "frame_features",
    "frame_table",
    "frames_from_segments",
    "ranked_means",
    "read_audio",
    "read_segments",
    "read_signal",
    "segments_from_frames",
    "timeline",
    "write_segments",
]
