from . import timeline
from .anomaly import AudioAnomalyDetector
from .anomaly_explanation import AudioExplanation
from .diarization import diarization_windows, diarize
from .features import frame_features
from .frame_stream import FrameStream
from .io import AudioInfo, audio_blocks, audio_info, read_audio
from .ranking import ranked_means
from .segment_files import read_segments, write_segments
from .signal_files import read_signal
from .speaker_answers import Identification, Verification
from .speakers import SpeakerRecognizer
from .speech_frames import speaker_frames
from .timeline import Segment
from .timeline_frames import frame_table, frames_from_segments, segments_from_frames
from .voice import VoiceActivityDetector, detect_voice
from .voice_stream import VoiceStream

__all__ = [
    "AudioAnomalyDetector",
    "AudioExplanation",
    "AudioInfo",
    "FrameStream",
    "Identification",
    "Segment",
    "SpeakerRecognizer",
    "Verification",
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
    "ranked_means",
    "read_audio",
    "read_segments",
    "read_signal",
    "segments_from_frames",
    "speaker_frames",
    "timeline",
    "write_segments",
]
