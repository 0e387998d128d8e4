"""Sound at another sampling rate."""

from typing import Any

from numpy.typing import NDArray


def resampled(y: NDArray[Any], *, sr: int, to: int) -> NDArray[Any]:
    """Return the same sound at the rate `to`, in Hz; soxr's high quality, as in `read_audio`."""
    if sr == to:
        return y
    import soxr

    return soxr.resample(y, sr, to, quality="HQ")
