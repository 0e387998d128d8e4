"""What there is to cut: pixels as a volume, what is known of them, and the same at half size."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.grids import block_sums
from gmmseg.smoothing.grid import GridField, contrast_field

UNKNOWN, BACKGROUND, FOREGROUND = -1, 0, 1
SMALLEST_SIDE = 16  # in pixels: a shorter side is not halved
CONNECTIVITY = 2  # 8 neighbours in a plane, 18 in a volume


@dataclass(frozen=True, eq=False)
class CutGrid:
    """Pixels to be cut, as a volume; a picture is a volume of one plane.

    Parameters
    ----------
    features : ndarray of float32 of shape (planes, rows, cols, n_features)
        The channels, of mean 0 and spread about 1; 0 where a pixel is not in use.
    usable : ndarray of bool of shape (planes, rows, cols)
        True at the pixels in use.
    known : ndarray of int8 of shape (planes, rows, cols)
        `UNKNOWN`, `BACKGROUND` or `FOREGROUND`; pixels not in use are background.
    coupled : ndarray of bool of shape (planes, rows, cols)
        True at the pixels in use that a border between them and their neighbours counts for.
    spacing : tuple of float
        Length of a step along the three axes.
    """

    features: NDArray[np.float32]
    usable: NDArray[np.bool_]
    known: NDArray[np.int8]
    coupled: NDArray[np.bool_]
    spacing: tuple[float, float, float]

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """True where the label is to be found."""
        return self.known == UNKNOWN

    def field(self, n_jobs: int | None) -> GridField:
        """Return how strongly neighbours are coupled."""
        is_plane = len(self.features) == 1
        return contrast_field(
            self.features[0] if is_plane else self.features,
            inside=self.coupled[0] if is_plane else self.coupled,
            connectivity=CONNECTIVITY,
            spacing=self.spacing[1:] if is_plane else self.spacing,
            n_jobs=n_jobs,
        )

    def without_walls(self) -> "CutGrid":
        """Return the same with borders for nothing beside what is known to be background."""
        return replace(self, coupled=self.coupled & (self.known != BACKGROUND))

    def halved(self) -> "CutGrid":
        """Return the same at half size: means of the pixels in use, and what most of them are.

        Pixels known and unknown side by side count as known where they are half or more.
        """
        factors = self.factors()
        n_used = block_sums(self.usable.astype(np.float32), factors)
        sums = block_sums(self.features, factors)
        votes = block_sums(np.where(self.known == 1, 1, 0) - (self.known == 0) * 1, factors)
        in_block = block_sums(np.ones(self.known.shape), factors)
        is_known = 2 * np.abs(votes) >= in_block
        return CutGrid(
            features=(sums / np.maximum(n_used, 1)[..., np.newaxis]).astype(np.float32),
            usable=n_used > 0,
            known=np.where(is_known, votes > 0, UNKNOWN).astype(np.int8),
            coupled=block_sums(self.coupled.astype(np.float32), factors) > 0,
            spacing=tuple(s * f for s, f in zip(self.spacing, factors, strict=True)),  # type: ignore[arg-type]
        )

    def factors(self) -> tuple[int, ...]:
        """Return by how much each axis shrinks at half size."""
        return tuple(2 if n >= 2 * SMALLEST_SIDE else 1 for n in self.known.shape)

    def doubled(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return labels found at half size at the size of these pixels."""
        for axis, factor in enumerate(self.factors()):
            labels = labels.repeat(factor, axis=axis)
        planes, rows, cols = self.known.shape
        return labels[:planes, :rows, :cols]


def scaled_channels(pixels: NDArray[Any], usable: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the channels about their means, in units of their common spread; 0 if not usable."""
    used = pixels[usable].astype(np.float64)
    used -= used.mean(axis=0)
    spread = np.sqrt(np.mean(used**2))
    features = np.zeros(pixels.shape, dtype=np.float32)
    features[usable] = used / spread if spread > 0 else 0.0
    return features
