"""PlaceSample: some places of every image, whose number stays bounded however many images come."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PER_IMAGE = 2_000
MOST_ROWS = 60_000


class PlaceSample:
    """Collect an equal number of places from every image.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    most_rows : int
        Number of places that are kept; beyond it all images give up half of theirs.
    """

    def __init__(self, rng: np.random.Generator, most_rows: int = MOST_ROWS) -> None:
        self._rng = rng
        self._most = most_rows
        self._per_image = PER_IMAGE
        self._parts: list[Floats] = []
        self.n_places = 0
        self.largest = 0

    def add(self, features: Floats) -> None:
        """Draw from the features of one image, (rows, cols, n_features)."""
        rows = features.reshape(-1, features.shape[-1])
        self.n_places += len(rows)
        self.largest = max(self.largest, len(rows))
        self._parts.append(self._drawn(rows))
        while sum(map(len, self._parts)) > self._most and self._per_image > 1:
            self._per_image //= 2
            self._parts = [self._drawn(part) for part in self._parts]

    def rows(self) -> Floats:
        """Return what was drawn, (n_rows, n_features)."""
        return np.concatenate(self._parts)

    def _drawn(self, rows: Floats) -> Floats:
        if len(rows) <= self._per_image:
            return rows
        return rows[self._rng.choice(len(rows), self._per_image, replace=False)]
