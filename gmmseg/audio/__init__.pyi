from . import timeline
from .diarization import diarization_windows, diarize
from .features import frame_features
from .frame_stream import FrameStream
from .io import AudioInfo, audio_blocks, audio_info, read_audio
from .segment_files import read_segments, write_segments
from .timeline import Segment
from .timeline_frames import frame_table, frames_from_segments, segments_from_frames
from .voice import VoiceActivityDetector, detect_voice
from .voice_stream import VoiceStream

__all__ = [
    "AudioInfo",
    "FrameStream",
    "Segment",
    "VoiceActivityDetector",
    "VoiceStream",
    "audio_blocks",
    "audio_info",
    "detect_voice",
    "diarization_windows",
    "diarize",
    "frame_features",
    "frame_table",
    "frames_from_segments",
    "read_audio",
    "read_segments",
    "segments_from_frames",
    "timeline",
    "write_segments",
]
