"""Noise of a picture that regions are to be found in: how much there is, and how to be rid of it.

A person looks through noise, but Gaussians of regions are as wide as it is, and hide that two
differ. Texture, which is to count, is in lightness: noise is what is in all colours.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gmmseg.image.region_features import Floats, Mask
from gmmseg.image.sigma_filter import alike_means

# Rows plus columns of it: it answers to no plane, and to white noise with six times its spread.
LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
QUIET = 0.1  # the share of an image that is taken for even, of which all that is left is noise
WINDOW = 15  # side of what is looked at, in pixels
VISIBLE = 1.0  # the least standard deviation, of 100, that each colour of a noisy picture has


def without_noise(colors: Floats, inside: Mask) -> Floats:
    """Return colours without their noise, or as they are if one has little, or there is but one."""
    noise = quiet_noise(colors, inside)
    if len(noise) == 1 or noise.min() < VISIBLE:
        return colors
    cells = np.nonzero(inside)
    means = colors.copy()
    means[cells] = alike_means(colors, inside, cells, noise)
    return means


def quiet_noise(colors: Floats, inside: Mask) -> NDArray[np.float64]:
    """Return the standard deviation of each colour's noise, by where an image is quietest.

    It is what is left of second differences there (Immerkær 1996, "Fast noise variance
    estimation"); noise whose neighbours are alike is not seen.
    """
    noise = np.zeros(colors.shape[2])
    known = ndimage.minimum_filter(inside, 3, mode="constant")
    share = ndimage.uniform_filter(known.astype(np.float32), WINDOW, mode="constant")
    is_seen = inside & (share > 0.5)
    if not is_seen.any():
        return noise
    for channel in range(len(noise)):
        filled = np.where(inside, colors[:, :, channel], np.float32(0))
        square = np.where(known, ndimage.convolve(filled, LAPLACIAN) ** 2, np.float32(0))
        mean = ndimage.uniform_filter(square, WINDOW, mode="constant")[is_seen] / share[is_seen]
        noise[channel] = np.sqrt(np.quantile(mean, QUIET)) / 6
    return noise
