"""Numba kernels over the samples of frames: decimation, and the peak of the autocorrelation."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def decimate(samples, first, step, taps, out):
    """Fill ``out[i]`` with the filtered sample ``first + i * step``; outside the sound is 0."""
    half = len(taps) // 2
    for i in range(len(out)):
        start = first + i * step - half
        low = max(0, -start)
        high = max(low, min(len(taps), len(samples) - start))
        # Views: the compiler makes vectors of loops whose indices need no offset.
        heard, weights = samples[start + low : start + high], taps[low:high]
        value = np.float32(0.0)
        for k in range(len(heard)):
            value += weights[k] * heard[k]
        out[i] = value


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def _correlate(x, shortest, out):
    """Fill ``out[j]`` with the normalised correlation of ``x`` with itself ``shortest + j`` later.

    From the longest lag down the energies of both parts grow sample by sample: nothing cancels.
    """
    length, longest = len(x), shortest + len(out) - 1
    head = np.float32(0.0)
    tail = np.float32(0.0)
    for i in range(length - longest - 1):
        head += x[i] * x[i]
        tail += x[i + longest + 1] * x[i + longest + 1]
    for j in range(len(out) - 1, -1, -1):
        head += x[length - shortest - j - 1] ** 2
        tail += x[shortest + j] ** 2
        # Each energy is rooted by itself: their product could leave the range of float32.
        out[j] = max(np.sqrt(head) * np.sqrt(tail), np.float32(1e-20))
    for j in range(len(out)):
        later = x[shortest + j :]
        product = np.float32(0.0)
        for i in range(len(later)):
            product += x[i] * later[i]
        out[j] = product / out[j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def _best_peak(correlations, costs):
    """Return place and height of the peak that is highest after costs; 0 and 0 without any."""
    best, place, height = np.float32(-1.0), np.float32(0.0), np.float32(0.0)
    for j in range(1, len(costs) - 1):
        before, here, after = correlations[j - 1], correlations[j], correlations[j + 1]
        if here <= np.float32(0.0) or here < before or here <= after:
            continue
        # The parabola through three points has its top so far from the middle one.
        shift = np.float32(0.5) * (before - after) / (before - here - here + after)
        top = here - np.float32(0.25) * (before - after) * shift
        if top - costs[j] > best:
            best, place, height = top - costs[j], np.float32(j) + shift, top
    return place, min(height, np.float32(1.0))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def correlation_peaks(x, starts, shortest, costs, work, correlations, peaks, lags):
    """Fill height and lag of the best peak of every frame, ``x`` from ``starts[t]`` on.

    ``costs[j]`` is taken from the correlation at the lag ``shortest + j`` while peaks compete, not
    from the height that is told. Without any peak both are 0. ``work`` has the length of a frame.
    """
    length = len(work)
    for t in range(len(starts)):
        mean = np.float32(0.0)
        for i in range(length):
            mean += x[starts[t] + i]
        mean /= np.float32(length)
        for i in range(length):
            work[i] = x[starts[t] + i] - mean
        _correlate(work, shortest, correlations)
        place, peaks[t] = _best_peak(correlations, costs)
        lags[t] = np.float32(shortest) + place if peaks[t] > np.float32(0.0) else np.float32(0.0)
