from .features import frame_features
from .frame_stream import FrameStream
from .io import AudioInfo, audio_blocks, audio_info, read_audio
from .timeline import Segment

__all__ = [
    "AudioInfo",
    "FrameStream",
    "Segment",
    "audio_blocks",
    "audio_info",
    "frame_features",
    "read_audio",
]
