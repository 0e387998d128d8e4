"""EdgeScale: what is usual near the edge of an image, where more may be going on.

A zone is given credit for what normal images show there, and is never judged more strictly than
the whole: an even background would make of every speck of noise a defect.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LIMITS = (4, 8, 16, 32)  # pixels from the edge: where one zone ends and the next begins
LEAST_SPREAD = 1e-3
LEAST_PLACES = 100  # of a zone that has a scale of its own


@dataclass(frozen=True)
class EdgeScale:
    """Bring maps of normal images to median 0 and quartiles 1 apart, at most, in every zone.

    Parameters
    ----------
    centers, spreads : tuple of float
        Median and distance of the quartiles in each zone, from the edge inwards; the spreads
        above 0. With a single entry all places are one zone.
    """

    centers: tuple[float, ...] = (0.0,)
    spreads: tuple[float, ...] = (1.0,)

    @classmethod
    def of(cls, maps: Sequence[Floats], step: int) -> "EdgeScale":
        """Return the scale of maps of normal images, whose places are ``step`` pixels wide."""
        zones = [zones_of(values.shape, step).ravel() for values in maps]
        zone, values = np.concatenate(zones), np.concatenate([own.ravel() for own in maps])
        whole = np.quantile(values, [0.25, 0.5, 0.75])
        quartiles = []
        for number in range(len(LIMITS) + 1):
            inside = values[zone == number]
            few = len(inside) < LEAST_PLACES
            quartiles.append(whole if few else np.quantile(inside, [0.25, 0.5, 0.75]))
        least = max(float(whole[2] - whole[0]), LEAST_SPREAD)
        centers = tuple(max(float(center), float(whole[1])) for _, center, _ in quartiles)
        spreads = tuple(max(float(high - low), least) for low, _, high in quartiles)
        return cls(centers, spreads)

    def apply(self, values: Floats, step: int) -> Floats:
        """Return a map on this scale."""
        zones = zones_of(values.shape, step)
        if len(self.centers) == 1:
            zones = np.zeros_like(zones)
        centers, spreads = (np.array(own, np.float32) for own in (self.centers, self.spreads))
        scaled: Floats = (values - centers[zones]) / spreads[zones]
        return scaled


def zones_of(shape: tuple[int, ...], step: int) -> NDArray[np.intp]:
    """Return the zone of every place, 0 at the edge."""
    from_edge = [np.minimum(np.arange(n), np.arange(n)[::-1]) * step for n in shape]
    return np.digitize(np.minimum.outer(*from_edge), LIMITS)
