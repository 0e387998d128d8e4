"""Clean a mask: majority of a window, small gaps closed, holes filled, specks removed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.cleanup_kernels import majority, replace_small
from gmmseg.video.video_kernels import MOVING, SHADOW

RADIUS = 2  # of the window whose majority counts: 5 x 5
SMALLEST_SHARE = 0.0005  # of the picture: what moves and is smaller is a speck
LARGEST_HOLE = 0.002  # of the picture: a smaller gap in what moves is filled

Mask = NDArray[np.uint8]


class Cleaner:
    """Clean masks of one size, in memory that is taken once.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the masks.
    min_area : int or None
        Areas of fewer pixels are specks; None is 0.05 % of the picture.
    """

    def __init__(self, shape: tuple[int, int], *, min_area: int | None) -> None:
        rows, cols = shape
        share = int(SMALLEST_SHARE * rows * cols)
        self._least = max(share, 1) if min_area is None else min_area
        self._largest_hole = int(LARGEST_HOLE * rows * cols)
        self._first, self._second = np.empty((2, rows, cols), np.uint8)
        n_runs = rows * (cols // 2 + 1)
        starts, ends, places, parents = np.empty((4, n_runs), np.int32)
        first = np.empty(rows + 1, np.int64)
        self._memory: Any = (starts, ends, places, first, parents, np.empty(n_runs, np.int64))

    def clean(self, raw: Mask, out: Mask) -> None:
        """Fill ``out`` with the cleaned mask of ``raw``, both 0, 127 and 255."""
        rows = (0, len(raw))
        moving, other = self._first, self._second
        window = (2 * RADIUS + 1) ** 2
        if majority(raw, MOVING, RADIUS, window // 2 + 1, moving, rows):
            used = np.flatnonzero(moving.max(axis=1))
            # Two rows more on either side: closing reaches one, and holes end in the other.
            near = slice(max(used[0] - 2, 0), used[-1] + 3)
            part, grown = moving[near], other[near]
            lines = (0, len(part))
            majority(part, 1, 1, 1, grown, lines)  # what touches it
            majority(grown, 1, 1, 9, part, lines)  # what lies within that
            replace_small(part, 0, 1, self._largest_hole, True, self._memory)  # noqa: FBT003
            replace_small(part, 1, 0, self._least, False, self._memory)  # noqa: FBT003
        np.multiply(moving, np.uint8(MOVING), out=out)
        if SHADOW in (raw[:: RADIUS + 1, :: RADIUS + 1]):
            majority(raw, SHADOW, RADIUS, window // 2 + 1, other, rows)
            np.putmask(out, (other == 1) & (moving == 0), SHADOW)
