"""Pictures of recordings and of what was found in them, as the commands about sound write them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gmmseg.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gmmseg.audio import Segment

SUFFIX = ".png"
LONGEST = 3600.0  # seconds: the whole sound is in memory while it is drawn
RATE = 16000  # Hz: up to 8 kHz there is all of a voice


def check_plotting() -> None:
    """Stop before any work where pictures cannot be drawn."""
    from gmmseg.report.plotting import check_matplotlib

    check_matplotlib("--picture")


def write_picture(
    path: Path,
    recording: Path,
    tracks: "Mapping[str, Sequence[Segment]]",
    *,
    probabilities: "NDArray[np.float32] | None" = None,
    threshold: float | None = None,
) -> None:
    """Draw waveform, spectrogram, probabilities if any, and the segments of tracks."""
    from gmmseg.audio.io import audio_info, read_audio
    from gmmseg.files import replacing
    from gmmseg.report import plot_timeline

    seconds = audio_info(recording).seconds
    if seconds > LONGEST:
        raise InputError(
            f"{recording} lasts {seconds / 60:.0f} minutes, and a picture shows at most "
            f"{LONGEST / 60:.0f}: its results are written, but no {path}; draw parts of it"
        )
    y, sr = read_audio(recording, sr=RATE)
    figure = plot_timeline(
        y, sr=sr, tracks=tracks, probabilities=probabilities, threshold=threshold
    )
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
