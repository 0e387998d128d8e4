"""Clean a mask: majority of a window, small gaps closed, holes filled, specks removed."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.cleanup_kernels import (
    NOTHING,
    ONE,
    find_gaps,
    find_runs,
    majority,
    put,
    replace_small,
    rows_with,
    run_memory,
    spread,
)
from gmmseg.video.pixel_model import BACKGROUND_LABEL, MOVING_LABEL, SHADOW_LABEL

SPECK = 0.1  # pixels, per pixel of the picture's side: what moves and is smaller is a speck
LARGEST_HOLE = 0.002  # of the picture: a smaller gap in what moves is filled
MARGIN = 4  # rows

Mask = NDArray[np.uint8]


class Cleaner:
    """Clean masks of one size, in memory that is taken once.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the masks.
    min_area : int or None
        Areas of fewer pixels are specks; None is a tenth of the picture's side, in pixels: larger
        pictures show more of the same things, and more specks, but not of a size to match.
    """

    def __init__(self, shape: tuple[int, int], *, min_area: int | None) -> None:
        rows, cols = shape
        usual = max(int(SPECK * np.sqrt(rows * cols)), 1)
        self._least = usual if min_area is None else min_area
        self._largest_hole = int(LARGEST_HOLE * rows * cols)
        self._first, self._second = np.zeros((2, rows, cols), np.uint8)
        self._runs, self._gaps = run_memory(rows, cols), run_memory(rows, cols)

    def clean(self, raw: Mask, out: Mask) -> None:
        """Fill ``out`` with the cleaned mask of ``raw``, both 0, 127 and 255."""
        out[:] = BACKGROUND_LABEL
        for value in (SHADOW_LABEL, MOVING_LABEL):
            first, end = rows_with(raw, value)
            if end > 0:
                # Rows more on either side: a window reaches two, closing one, holes end in another.
                near = slice(max(first - MARGIN, 0), end + MARGIN)
                self._clean_part(raw[near], value, out[near])

    def _clean_part(self, raw: Mask, value: np.uint8, out: Mask) -> None:
        """Set the value where it is to be, in rows beyond which it is not to be found."""
        found = self._first[: len(raw)]
        majority(raw, value, found)
        if value == MOVING_LABEL:
            self._close_and_fill(found, self._second[: len(raw)])
        put(found, value, out)

    def _close_and_fill(self, moving: Mask, grown: Mask) -> None:
        """Close gaps of a pixel, fill holes and remove specks."""
        spread(moving, ONE, grown)
        spread(grown, NOTHING, moving)
        find_runs(moving, self._runs)
        find_gaps(self._runs, moving.shape, self._gaps)
        if replace_small(moving, self._gaps, ONE, self._largest_hole, True):  # noqa: FBT003
            find_runs(moving, self._runs)
        replace_small(moving, self._runs, NOTHING, self._least, False)  # noqa: FBT003
