"""Sums over pairs of features, compiled: one way through memory for what takes numpy many.

Where features are many, what the M-step waits for is memory.
"""

from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def spell_out(dev2_sum, scale, shift, resp_sum, dev_sum):
    """Turn lower triangles of scaled sums, in place, into symmetric matrices of exact ones.

    They were taken about means at ``-shift[k]`` from those they are wanted about. ``dev_sum`` is
    in exact units already.
    """
    for k in range(shift.shape[0]):
        for i in range(shift.shape[1]):
            for j in range(i + 1):
                cross = shift[k, i] * dev_sum[k, j] + shift[k, j] * dev_sum[k, i]
                square = resp_sum[k] * (shift[k, i] * shift[k, j])
                value = dev2_sum[k, i, j] * (scale[i] * scale[j]) + (cross + square)
                dev2_sum[k, i, j] = value
                dev2_sum[k, j, i] = value


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def scatter_of(dev2_sum, resp_sum, shift, apart, out):
    """Fill ``out[k]`` with ``dev2_sum / resp_sum - shift shift' + apart apart'`` of component k."""
    for k in range(shift.shape[0]):
        for i in range(shift.shape[1]):
            for j in range(i + 1):
                between = shift[k, i] * shift[k, j] - apart[k, i] * apart[k, j]
                value = dev2_sum[k, i, j] / resp_sum[k] - between
                out[k, i, j] = value
                out[k, j, i] = value
