"""The sigma filter: means over the neighbours that differ by no more than noise, so edges stay.

Lee (1983), "Digital image smoothing and the sigma filter".
"""

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Cells = tuple[NDArray[np.intp], ...]

REACH = {2: 2, 3: 1}  # pixels on either side: 25 in a plane, 27 in a volume
MOST_NOISE = 2.5  # standard deviations by which alike neighbours differ at most


def alike_means(
    pixels: NDArray[Any], use: NDArray[np.bool_], cells: Cells, noise: NDArray[Any]
) -> Array:
    """Return the mean of the pixels in use around each cell that are like it, (n_cells, channels).

    The noise is the standard deviation in each channel. Channels are taken by themselves.
    """
    own = pixels[cells].astype(np.float64)
    dev_sum, count = np.zeros_like(own), np.zeros_like(own)
    reach = REACH[use.ndim]
    for step in itertools.product(range(-reach, reach + 1), repeat=use.ndim):
        dev, is_used = deviations(pixels, use, cells, step)
        is_alike = is_used[:, np.newaxis] & (np.abs(dev) <= MOST_NOISE * noise)
        dev_sum += np.where(is_alike, dev, 0.0)
        count += is_alike
    return own + dev_sum / count


def neighbour_noise(pixels: NDArray[Any], use: NDArray[np.bool_], cells: Cells) -> Array:
    """Return the standard deviation of the noise in each channel, by how much neighbours differ.

    Most neighbours are of one thing, so that the median of how far they differ is that of noise.
    """
    sizes = list[Array]()
    for step in np.eye(use.ndim, dtype=np.intp):
        dev, is_used = deviations(pixels, use, cells, tuple(step))
        sizes.append(np.abs(dev[is_used]))
    every = np.concatenate(sizes)
    if not len(every):
        return np.zeros(pixels.shape[-1])
    noise: Array = np.median(every, axis=0) / (0.6745 * math.sqrt(2))
    return noise


def deviations(
    pixels: NDArray[Any], use: NDArray[np.bool_], cells: Cells, step: tuple[int, ...]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return how much pixels a step away differ from the cells, and which of them are in use."""
    places = [index + by for index, by in zip(cells, step, strict=True)]
    at = tuple(np.clip(i, 0, n - 1) for i, n in zip(places, use.shape, strict=True))
    is_used = use[at]
    for place, index in zip(places, at, strict=True):
        is_used &= place == index
    other = np.where(is_used[:, np.newaxis], pixels[at], 0).astype(np.float64)
    return other - pixels[cells], is_used
