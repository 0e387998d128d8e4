"""Numba kernels for pixels that their heaviest mode does not explain.

They are listed, and compared with a mode all at once; then each learns by itself. What is known of
a pixel is reached by its place in the whole arrays: a view of a part would cost more than all else
that is done for one pixel.
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

FAR = np.float32(1e30)  # squared distance to what a pixel does not have
NONE, ANOTHER = np.int32(0), np.int32(1)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def list_strangers(nearest, least, out):
    """Fill ``out`` with the columns whose distance is at least so much; return how many."""
    n = 0
    for j in range(len(nearest)):
        out[n] = j
        n += nearest[j] >= least
    return n


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def has_light(modes, row, background, strangers, n_strangers):
    """Return whether the heaviest mode of a listed pixel is not all there is of its background."""
    n_light = 0
    for i in range(n_strangers):
        n_light += modes[row, 0, WEIGHT, strangers[i]] < background
    return n_light > 0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def compare_strangers(modes, feedback, row, depth, pace, memory, n_strangers):
    """Compare the listed pixels with all modes but the heaviest, and label them.

    Filled are, per pixel in the list, ``owner``, the heaviest mode that the pixel matches (0 is
    none), and ``used``, how many modes it has.
    """
    strangers, owner, used = memory.strangers, memory.owner, memory.used
    before, near, square = memory.before, memory.near, memory.square
    for i in range(n_strangers):
        owner[i], used[i] = 0, 1
        before[i] = modes[row, 0, WEIGHT, strangers[i]]
        near[i] = memory.nearest[strangers[i]]
    for k in range(1, depth):
        stranger_squares(modes, row, k, memory.pixels, strangers, n_strangers, square)
        compare_with(modes, feedback, row, k, pace, memory, n_strangers)
    for i in range(n_strangers):
        j = strangers[i]
        memory.nearest[j] = near[i]
        memory.label[j] = BACKGROUND_LABEL if near[i] < pace.threshold else MOVING_LABEL


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def stranger_squares(modes, row, k, pixels, strangers, n_strangers, out):
    """Fill ``out`` with the mean squared distances of the listed pixels to a mode."""
    part = ONE / np.float32(pixels.shape[0])
    for c in range(pixels.shape[0]):
        for i in range(n_strangers):
            j = strangers[i]
            dev = pixels[c, j] - modes[row, k, MEAN + c, j]
            out[i] = (out[i] if c > 0 else ZERO) + dev * dev * part


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def compare_with(modes, feedback, row, k, pace, memory, n_strangers):
    """Find out which of the listed pixels match a mode, and which are background because of it."""
    strangers, owner, used, total = memory.strangers, memory.owner, memory.used, memory.total
    before, near, square = memory.before, memory.near, memory.square
    match, background, number = pace.match, pace.background, np.int32(k)
    for i in range(n_strangers):
        j = strangers[i]
        weight = modes[row, k, WEIGHT, j]
        variance = modes[row, k, VARIANCE, j] * feedback[row, TOLERANCE, j]
        distance = square[i] / variance if weight > ZERO else FAR
        is_background = before[i] < background * total[j]  # of the heavier modes together
        near[i] = min(near[i], distance if is_background else FAR)
        owner[i] = number if (owner[i] == NONE) & (distance < match) else owner[i]
        used[i] += ANOTHER if weight > ZERO else NONE
        before[i] += weight


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_strangers(modes, row, pace, memory, n_strangers):
    """Let the listed pixels' own modes learn from them, or make new ones; return the depth.

    That is how many modes these pixels have at most. Where there may be but one mode it is never
    another's: it learns, slowly, even what it does not match.
    """
    pixels, rate, total, strangers = memory.pixels, memory.rate, memory.total, memory.strangers
    low, high = pace.variance_min, pace.variance_max
    depth = 1
    for i in range(n_strangers):
        j, k, gain = strangers[i], memory.owner[i], rate[strangers[i]]
        if gain == ZERO:
            continue
        if k == NONE and modes.shape[1] > 1:
            gain = min(gain, pace.start)
            k = min(memory.used[i], modes.shape[1] - 1)
            total[j] -= modes[row, k, WEIGHT, j]  # of the lightest, where there is no place left
            start_mode(modes, row, k, pixels, j, pace.variance_init)
        else:
            learn_one(modes, row, k, pixels, j, gain, low, high)
        modes[row, k, WEIGHT, j] += gain
        total[j] += gain
        depth = max(depth, k + 1)
        rise(modes, row, k, j)
    return depth


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def start_mode(modes, row, k, pixels, j, variance):
    """Turn a mode into a new one at a pixel, still without weight."""
    modes[row, k, WEIGHT, j] = ZERO
    modes[row, k, VARIANCE, j] = variance
    for c in range(pixels.shape[0]):
        modes[row, k, MEAN + c, j] = pixels[c, j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_one(modes, row, k, pixels, j, rate, low, high):
    """Let a mode learn from one pixel without haste.

    Its variance stays between ``low`` and ``high``.
    """
    gain = rate / (modes[row, k, WEIGHT, j] + rate)
    square = ZERO
    for c in range(pixels.shape[0]):
        dev = pixels[c, j] - modes[row, k, MEAN + c, j]
        modes[row, k, MEAN + c, j] += gain * dev
        square += dev * dev
    variance = modes[row, k, VARIANCE, j]
    variance += min(gain, MOST_GAIN) * (square / np.float32(pixels.shape[0]) - variance)
    modes[row, k, VARIANCE, j] = min(max(variance, low), high)


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
def find_shadows(modes, row, pace, memory):
    """Relabel what is the background, only darker (Prati and others, 2003, equation 4)."""
    pixels, label, movers = memory.pixels, memory.label, memory.movers
    n_channels = pixels.shape[0]
    for i in range(list_strangers(memory.nearest, pace.threshold, movers)):
        j = movers[i]
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
