"""Numba kernel: what a smoothed image says about the neighbourhood of every pixel."""

import math

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

VARIANCE_FLOOR = np.float32(1e-5)
"""Local variance that is hardly more than noise, of an image whose local mean is 1."""
SLOPE_FLOOR = np.float32(1e-3)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def write_point_features(mean, square, wider, scale, step, out):
    """Fill ``out[i, j]`` with the seven features of ``mean[step * i, step * j]``.

    ``mean`` is the image under a Gaussian of ``scale`` pixels, ``square`` its squares under the
    same, ``wider`` the image under a wider one. The features: mean, log of spread, difference of
    Gaussians, the two eigenvalues of the Hessian, log of slope, log ratio of slopes.
    """
    rows, cols = mean.shape
    half, quarter, two = np.float32(0.5), np.float32(0.25), np.float32(2.0)
    for i in range(out.shape[0]):
        r = i * step
        above, below = max(r - 1, 0), min(r + 1, rows - 1)
        for j in range(out.shape[1]):
            c = j * step
            left, right = max(c - 1, 0), min(c + 1, cols - 1)
            here = mean[r, c]
            slope_r = half * scale * (mean[below, c] - mean[above, c])
            slope_c = half * scale * (mean[r, right] - mean[r, left])
            bend_r = scale * scale * (mean[below, c] - two * here + mean[above, c])
            bend_c = scale * scale * (mean[r, right] - two * here + mean[r, left])
            corners = mean[below, right] + mean[above, left] - mean[below, left]
            twist = quarter * scale * scale * (corners - mean[above, right])
            apart = half * (bend_r - bend_c)
            root = math.sqrt(apart * apart + twist * twist)
            middle = half * (bend_r + bend_c)
            variance = max(square[r, c] - here * here, np.float32(0.0))
            slope = math.sqrt(slope_r * slope_r + slope_c * slope_c)
            out[i, j, 0] = here
            out[i, j, 1] = half * math.log(variance + VARIANCE_FLOOR)
            out[i, j, 2] = here - wider[r, c]
            out[i, j, 3] = middle + root
            out[i, j, 4] = middle - root
            out[i, j, 5] = math.log(slope + SLOPE_FLOOR)
            out[i, j, 6] = math.log((abs(slope_c) + SLOPE_FLOOR) / (abs(slope_r) + SLOPE_FLOOR))
