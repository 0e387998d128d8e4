"""Views of a clip's rank-weighted means, all of them linear: one set of sums serves all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clip_recipe import N_BANDS, RATIOS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClipView:
    """Take some rows of a clip, with its level or without.

    Parameters
    ----------
    rows : tuple of int
        Numbers of the ratios, as in `RATIOS`.
    has_level : bool
        Whether the clip's mean level stays in; else a clip that is louder as a whole is the same.
    weight : float
        Share of the view in a score.
    """

    rows: tuple[int, ...]
    has_level: bool
    weight: float

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and bands."""
        return len(self.rows), N_BANDS

    def apply(self, X: Array) -> Array:
        """Return the view of clips (n_clips, n_features), row after row."""
        tables = X.reshape(len(X), len(RATIOS), N_BANDS)
        taken = tables[:, list(self.rows)]
        if not self.has_level:
            taken = taken - tables[:, -1].mean(axis=1)[:, np.newaxis, np.newaxis]
        return taken.reshape(len(X), -1)

    @property
    def matrix(self) -> Array:
        """The map as a matrix (n_features of the view, n_features)."""
        return np.ascontiguousarray(self.apply(np.eye(len(RATIOS) * N_BANDS)).T)


def _views() -> tuple[ClipView, ...]:
    """Return all ratios together, and each by itself, with level and without."""
    everything = tuple(range(len(RATIOS)))
    single = 0.5 / (2 * len(RATIOS))
    alone = [ClipView((row,), level, single) for row in everything for level in (True, False)]
    return (ClipView(everything, has_level=True, weight=0.5), *alone)


VIEWS = _views()
"""Together they see what is strange about how ratios differ; alone each sees its own."""
