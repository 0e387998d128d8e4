"""Superpixels: small even patches between edges, and the borders they share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.region_features import Floats, Mask


def superpixels(strength: Floats, inside: Mask) -> NDArray[np.int32]:
    """Return the catchment basins of an edge map, numbered from 1, and 0 outside, (rows, cols).

    Each is 4-connected, grown from a local minimum of the edge strength up to its crests (Meyer
    1994, "Topographic distance and watershed lines").
    """
    from skimage.measure import label
    from skimage.morphology import local_minima
    from skimage.segmentation import watershed

    walled = np.where(inside, strength, np.float32(2))  # no edge is as strong
    markers = label(
        local_minima(np.pad(walled, 1, constant_values=2), connectivity=1)[1:-1, 1:-1],
        connectivity=1,
    )
    basins = watershed(walled, np.where(inside, markers, 0), mask=inside)
    return np.asarray(basins, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Borders:
    """Pairs of regions that touch, each once.

    Parameters
    ----------
    pairs : ndarray of intp of shape (n_borders, 2)
        The two regions, numbered from 0, the lower first.
    lengths : ndarray of float64 of shape (n_borders,)
        Number of pairs of neighbouring pixels, one on each side.
    strength_sums : ndarray of float64 of shape (n_borders,)
        Sum of the edge strength over these pairs, each the mean of its two pixels.
    """

    pairs: NDArray[np.intp]
    lengths: NDArray[np.float64]
    strength_sums: NDArray[np.float64]

    @classmethod
    def between(cls, labels: NDArray[np.int32], strength: Floats) -> "Borders":
        """Return the borders between regions numbered from 1; 0 is no region."""
        across = (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])
        keys, values = [], []
        size = int(labels.max())
        for one, other in across:
            first, second = labels[one], labels[other]
            is_border = (first != second) & (first > 0) & (second > 0)
            low = np.minimum(first, second)[is_border].astype(np.int64) - 1
            high = np.maximum(first, second)[is_border].astype(np.int64) - 1
            keys.append(low * size + high)
            values.append(0.5 * (strength[one][is_border] + strength[other][is_border]))
        key, place = np.unique(np.concatenate(keys), return_inverse=True)
        lengths = np.bincount(place, minlength=len(key)).astype(np.float64)
        sums = np.bincount(place, np.concatenate(values), minlength=len(key)).astype(np.float64)
        return cls(np.stack([key // size, key % size], axis=1), lengths, sums)
