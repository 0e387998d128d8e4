"""Numba kernels for pixels that their heaviest mode does not explain, one after the other.

They are few and far apart, so what is known of a pixel is reached by its place in the whole arrays:
a view of a part would cost more than all else that is done for one pixel.
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.video.pixel_model import (
    BACKGROUND_LABEL,
    MEAN,
    MOST_GAIN,
    MOVING_LABEL,
    ONE,
    SHADOW_LABEL,
    TOLERANCE,
    VARIANCE,
    WEIGHT,
    ZERO,
)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def list_strangers(nearest, threshold, out):
    """Fill ``out`` with the columns whose distance reaches the threshold; return how many."""
    n = 0
    for j in range(len(nearest)):
        out[n] = j
        n += nearest[j] >= threshold
    return n


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def judge_strangers(modes, feedback, row, pace, memory, n_strangers):
    """Label the listed pixels as their lighter modes see them, and learn nothing."""
    pixels, nearest, label = memory.pixels, memory.nearest, memory.label
    strangers = memory.strangers
    for i in range(n_strangers):
        j = strangers[i]
        if nearest[j] < pace.match:
            continue
        before, k = modes[row, 0, WEIGHT, j], 1  # weight of the heavier modes, which all sum to 1
        while k < modes.shape[1] and modes[row, k, WEIGHT, j] > ZERO and before < pace.background:
            distance = distance_to(modes, row, k, pixels, j) / feedback[row, TOLERANCE, j]
            nearest[j] = min(nearest[j], distance)
            before += modes[row, k, WEIGHT, j]
            k += 1
        if nearest[j] < pace.threshold:
            label[j] = BACKGROUND_LABEL


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def meet_strangers(modes, feedback, row, pace, memory, n_strangers):
    """Find or make a mode for every listed pixel that the heaviest mode does not own.

    Returned is the depth: how many modes the pixels met have at most.
    """
    pixels, nearest, label = memory.pixels, memory.nearest, memory.label
    rate, total, strangers = memory.rate, memory.total, memory.strangers
    depth = 1
    for i in range(n_strangers):
        j = strangers[i]
        if nearest[j] < pace.match:
            continue
        background = pace.background * total[j]
        before, owner, last = modes[row, 0, WEIGHT, j], -1, 1  # before: weight of the heavier modes
        while last < modes.shape[1] and modes[row, last, WEIGHT, j] > ZERO:
            distance = distance_to(modes, row, last, pixels, j) / feedback[row, TOLERANCE, j]
            if before < background:
                nearest[j] = min(nearest[j], distance)
            if owner < 0 and distance < pace.match:
                owner = last
            before += modes[row, last, WEIGHT, j]
            last += 1
        if nearest[j] < pace.threshold:
            label[j] = BACKGROUND_LABEL
        gain = rate[j]
        if owner < 0:
            gain = min(gain, pace.start)
            owner = min(last, modes.shape[1] - 1)
            total[j] -= modes[row, owner, WEIGHT, j] if last > owner else ZERO
            start_mode(modes, row, owner, pixels, j, pace.variance_init)
        else:
            learn_one(modes, row, owner, pixels, j, gain, pace.variance_min, pace.variance_max)
        modes[row, owner, WEIGHT, j] += gain
        total[j] += gain
        depth = max(depth, owner + 1)
        rise(modes, row, owner, j)
    return depth


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def distance_to(modes, row, k, pixels, j):
    """Return the squared distance of one pixel to a mode, in variances."""
    square = ZERO
    for c in range(pixels.shape[0]):
        dev = pixels[c, j] - modes[row, k, MEAN + c, j]
        square += dev * dev
    return square / (modes[row, k, VARIANCE, j] * np.float32(pixels.shape[0]))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def start_mode(modes, row, k, pixels, j, variance):
    """Turn a mode into a new one at a pixel, still without weight."""
    modes[row, k, WEIGHT, j] = ZERO
    modes[row, k, VARIANCE, j] = variance
    for c in range(pixels.shape[0]):
        modes[row, k, MEAN + c, j] = pixels[c, j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_one(modes, row, k, pixels, j, rate, low, high):
    """Let a lighter mode learn from one pixel; its variance stays between ``low`` and ``high``."""
    gain = rate / (modes[row, k, WEIGHT, j] + rate)
    variance = modes[row, k, VARIANCE, j]
    mean_square = distance_to(modes, row, k, pixels, j) * variance
    variance += min(gain, MOST_GAIN) * (mean_square - variance)
    modes[row, k, VARIANCE, j] = min(max(variance, low), high)
    for c in range(pixels.shape[0]):
        modes[row, k, MEAN + c, j] += gain * (pixels[c, j] - modes[row, k, MEAN + c, j])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def rise(modes, row, k, j):
    """Move one mode of a pixel up until no lighter one is before it."""
    while k > 0 and modes[row, k, WEIGHT, j] > modes[row, k - 1, WEIGHT, j]:
        for i in range(modes.shape[2]):
            higher = modes[row, k - 1, i, j]
            modes[row, k - 1, i, j] = modes[row, k, i, j]
            modes[row, k, i, j] = higher
        k -= 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_shadows(modes, row, pace, memory, n_strangers):
    """Relabel what is the background, only darker (Prati and others, 2003, equation 4)."""
    pixels, label, strangers = memory.pixels, memory.label, memory.strangers
    n_channels = pixels.shape[0]
    for i in range(n_strangers):
        j = strangers[i]
        if label[j] != MOVING_LABEL:
            continue
        dot, norm, square = ZERO, ZERO, ZERO
        for c in range(n_channels):
            dot += pixels[c, j] * modes[row, 0, MEAN + c, j]
            norm += modes[row, 0, MEAN + c, j] * modes[row, 0, MEAN + c, j]
        part = dot / max(norm, ONE)
        if part < pace.shadow or part > ONE:
            continue
        for c in range(n_channels):
            dev = pixels[c, j] - part * modes[row, 0, MEAN + c, j]
            square += dev * dev
        if square < n_channels * pace.threshold * modes[row, 0, VARIANCE, j] * part * part:
            label[j] = SHADOW_LABEL
