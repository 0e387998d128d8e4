"""Sound at another sampling rate."""

import numpy as np
from numpy.typing import NDArray


def resampled(y: NDArray[np.float32], *, sr: int, to: int) -> NDArray[np.float32]:
    """Return the same sound at the rate `to`, in Hz; soxr's high quality, as in `read_audio`."""
    if sr == to:
        return y
    import soxr

    return soxr.resample(y, sr, to, quality="HQ")
