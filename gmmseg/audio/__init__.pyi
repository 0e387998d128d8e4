from .features import frame_features
from .frame_stream import FrameStream
from .io import AudioInfo, audio_blocks, audio_info, read_audio
from .speakers import SpeakerRecognizer
from .timeline import Segment

__all__ = [
    "AudioInfo",
    "FrameStream",
    "Segment",
    "SpeakerRecognizer",
    "audio_blocks",
    "audio_info",
    "frame_features",
    "read_audio",
]
