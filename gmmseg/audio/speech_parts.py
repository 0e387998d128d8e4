"""Where to look for speakers when nobody says where speech is."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.features import frame_features
from gmmseg.audio.timeline import Segment, drop_short, fill_gaps
from gmmseg.audio.timeline_frames import segments_from_frames


def speech_parts(y: NDArray[np.float32], *, sr: int) -> list[Segment]:
    """Return the parts of a recording that are well above its noise."""
    energy = frame_features(y, sr=sr, kind="voice")[:, 40]
    floor = np.percentile(energy, 10)
    parts = segments_from_frames(
        (energy > floor + 10) & (energy > -60), hop=0.01, duration=len(y) / sr
    )
    return drop_short(fill_gaps(parts, 0.5), 0.2)
