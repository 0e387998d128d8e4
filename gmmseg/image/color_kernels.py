"""Numba kernel of the conversion from sRGB to CIE Lab, by tables: exact to 1e-3 in every value."""

import math

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

# The curve of sRGB is nearly straight, the cube root is steep near 0 and needs the finer table.
N_GAMMA, N_ROOT = 4096, 16384

# Linear RGB to XYZ for D65 (IEC 61966-2-1), divided by the white point of the 2° observer.
_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
MATRIX = (_TO_XYZ / _WHITE[:, np.newaxis]).astype(np.float32)


def lab_tables():
    """Return the curve of sRGB over 0…1 and the cube root of Lab over 0…1.25, as float32."""
    stored = np.linspace(0, 1, N_GAMMA + 1)
    linear = np.where(stored > 0.04045, ((stored + 0.055) / 1.055) ** 2.4, stored / 12.92)
    ratio = np.linspace(0, 1.25, N_ROOT + 1)
    root = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return linear.astype(np.float32), root.astype(np.float32)


@njit(cache=True, nogil=True, inline="always", fastmath=FASTMATH, error_model="numpy")
def _look_up(table, position):
    """Return the table between its entries: ``position`` counts entries."""
    index = min(max(int(position), 0), len(table) - 2)
    share = position - np.float32(index)
    return table[index] + share * (table[index + 1] - table[index])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def lab_of_rgb(rgb, linear, root, matrix, out):
    """Fill ``out`` (n, 3) with L*, a*, b* of ``rgb`` (n, 3) in 0…1; NaN where not finite."""
    n_gamma, per_ratio = np.float32(len(linear) - 1), np.float32((len(root) - 1) / 1.25)
    for i in range(len(rgb)):
        if not (math.isfinite(rgb[i, 0]) and math.isfinite(rgb[i, 1]) and math.isfinite(rgb[i, 2])):
            out[i, 0] = out[i, 1] = out[i, 2] = np.nan
            continue
        r = _look_up(linear, rgb[i, 0] * n_gamma)
        g = _look_up(linear, rgb[i, 1] * n_gamma)
        b = _look_up(linear, rgb[i, 2] * n_gamma)
        x = (matrix[0, 0] * r + matrix[0, 1] * g + matrix[0, 2] * b) * per_ratio
        y = (matrix[1, 0] * r + matrix[1, 1] * g + matrix[1, 2] * b) * per_ratio
        z = (matrix[2, 0] * r + matrix[2, 1] * g + matrix[2, 2] * b) * per_ratio
        fx, fy, fz = _look_up(root, x), _look_up(root, y), _look_up(root, z)
        out[i, 0] = np.float32(116) * fy - np.float32(16)
        out[i, 1] = np.float32(500) * (fx - fy)
        out[i, 2] = np.float32(200) * (fy - fz)
