"""Sound at another sampling rate."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def resampled(y: NDArray[Any], *, sr: int, to: int) -> NDArray[Any]:
    """Return the same sound at the rate `to`, in Hz; soxr's high quality, as in `read_audio`."""
    if sr == to:
        return y
    import soxr

    return soxr.resample(y, sr, to, quality="HQ")


def resampled_blocks(
    blocks: Iterable[NDArray[np.float32]], *, sr: int, to: int
) -> Iterator[NDArray[np.float32]]:
    """Yield what `resampled` makes of consecutive mono blocks, without seams."""
    if sr == to:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(sr, to, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
