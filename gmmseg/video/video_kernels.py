"""Numba kernels of the mixture in every pixel: compare a row with its modes, learn, and judge.

The adaptive mixture is that of Zivkovic (2004), "Improved adaptive Gaussian mixture model for
background subtraction", equations 8 to 12, but distances are means over channels, so that a grey
picture and its three equal channels mean the same. The feedback of threshold and rate follows
St-Charles, Bilodeau and Bergevin (2015), "SuBSENSE", equations 6 to 9. A row of pixels is worked on
at once: the heaviest mode explains nearly all, and what concerns it alone compiles to vector
instructions; hence the many short loops over few arrays.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH

BACKGROUND, SHADOW, MOVING = 0, 127, 255
WEIGHT, VARIANCE, MEAN = 0, 1, 2  # places of a mode; the means of its channels come last
TOLERANCE, BLINK, DISTANCE = 0, 1, 2  # places of the feedback
BLOCK = 4  # side of a block of the coarse picture, in pixels
ZERO, ONE, TINY = np.float32(0.0), np.float32(1.0), np.float32(1e-12)
BACKGROUND_LABEL, MOVING_LABEL = np.uint8(BACKGROUND), np.uint8(MOVING)
MOST_RATE = np.float32(0.1)  # of a pixel that blinks
MOST_GAIN = np.float32(0.5)  # of a variance, which one pixel cannot tell
BLINK_STEP, BLINK_MIN, BLINK_MAX = np.float32(0.1), np.float32(0.1), np.float32(8.0)


class PixelModel(NamedTuple):
    """What is known of every pixel, in the place where the camera stood at first."""

    modes: Any  # (rows, n_modes, 2 + n_channels, cols): weight, variance, means; heaviest first
    feedback: Any  # (rows, 3, cols): tolerance, blinking, mean distance
    kept: Any  # (rows, cols) uint8: the last mask, after the clean-up
    raw: Any  # (rows, cols) uint8: the last mask, before it
    depth: Any  # (rows,) whole numbers: how many modes the pixels of a row have at most


class Pace(NamedTuple):
    """How fast a frame is learned, and how far a pixel may be from what is known; all float32."""

    rate: Any  # weight of this frame where nothing moved
    moving_rate: Any  # and where something did
    start: Any  # weight of a new mode at most
    hurry: Any  # how much the rate grows with the blinking
    feedback: Any  # step of the feedback
    most_tolerance: Any  # the feedback multiplies thresholds by 1 to this
    threshold: Any  # squared distance, in variances, up to which a pixel is background
    match: Any  # and up to which a mode learns from it
    background: Any  # the heaviest modes that weigh this much together are background
    prior: Any  # weight that every mode loses in favour of fewer modes, times the rate
    variance_init: Any
    variance_min: Any
    variance_max: Any
    haste: Any  # a mean takes up at least this many rates of a pixel
    shadow: Any  # a shadow is no darker than this part of the background; 1 is no shadow
    turn: Any  # whole numbers: rows learn in turn, four at a time,
    n_turns: Any  # once in so many frames


class Row(NamedTuple):
    """Working memory for one row of pixels, all (cols,) but the pixels; float32."""

    pixels: Any  # (n_channels, cols)
    rate: Any
    square: Any  # squared distance to the heaviest mode
    gain: Any  # how much of the pixel its mode takes up; 0 if it takes none
    nearest: Any  # distance to the nearest background mode, in thresholds
    label: Any
    total: Any  # weight of all modes


def row_memory(n_channels: int, cols: int) -> Row:
    """Return working memory for rows of so many pixels."""
    rate, square, gain, nearest, total = np.empty((5, cols), np.float32)
    pixels, label = np.empty((n_channels, cols), np.float32), np.empty(cols, np.uint8)
    return Row(pixels, rate, square, gain, nearest, label, total)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def update_rows(frame, table, model, pace, row_memory, coarse, lines):
    """Compare a range of rows of a frame with their modes, learn from them, and fill ``raw``.

    ``table`` (n_channels, n_levels) tells what a value in the frame stands for; ``coarse``
    (ceil(rows / 4), n_channels, cols) gets the sums of background over four rows.
    """
    for row in range(lines[0], lines[1]):
        modes, feedback = model.modes[row], model.feedback[row]
        look_up(frame[row], table, row_memory.pixels)
        square_distances(row_memory.pixels, modes[0], row_memory.square)
        n_strangers = judge_first(modes[0], feedback[TOLERANCE], pace, row_memory)
        learns = (row // BLOCK + pace.turn) % pace.n_turns == 0
        if learns:
            choose_rates(model.kept[row], feedback[BLINK], pace, row_memory.rate)
            learn_first(modes[0], pace, row_memory)
            move_means(modes[0], row_memory.pixels, row_memory.gain)
            learn_others(model, row, n_strangers, pace, row_memory)
        elif n_strangers > 0:
            judge_strangers(modes, feedback[TOLERANCE], pace, row_memory)
        if n_strangers > 0 and pace.shadow < ONE:
            find_shadows(modes[0], pace, row_memory)
        if learns and pace.feedback > ZERO:
            feed_back(feedback, model.raw[row], model.kept[row], pace, row_memory)
        store(row_memory.label, model.raw[row])
        if learns:
            add_background(modes[0], row % BLOCK == 0, coarse[row // BLOCK])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_others(model, row, n_strangers, pace, row_memory):
    """Let the lighter modes of a row fade, and learn from the pixels that the heaviest is not."""
    modes, depth = model.modes[row], model.depth[row]
    if depth == 1 and n_strangers == 0:
        modes[0, WEIGHT] = ONE
        return
    fade(modes, depth, pace, row_memory)
    if n_strangers > 0:
        tolerance = model.feedback[row, TOLERANCE]
        depth = max(depth, meet_strangers(modes, tolerance, pace, row_memory))
    model.depth[row] = normalise(modes, depth, row_memory.total)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def look_up(frame, table, out):
    """Fill ``out[channel, col]`` with what the values in a row of the frame stand for."""
    for c in range(table.shape[0]):
        for j in range(out.shape[1]):
            out[c, j] = table[c, frame[j, c]]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def choose_rates(kept, blink, pace, out):
    """Fill ``out[col]`` with the rate at which each pixel learns: those that blink learn faster."""
    step = pace.rate * pace.hurry
    for j in range(len(out)):
        calm_rate = min(pace.rate + step * blink[j], MOST_RATE)
        out[j] = pace.moving_rate if kept[j] == MOVING_LABEL else max(calm_rate, pace.rate)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def square_distances(pixels, mode, out):
    """Fill ``out[col]`` with the mean squared distance of each pixel to a mode, over channels."""
    inverse = ONE / np.float32(pixels.shape[0])
    for j in range(len(out)):
        out[j] = ZERO
    for c in range(pixels.shape[0]):
        for j in range(len(out)):
            dev = pixels[c, j] - mode[MEAN + c, j]
            out[j] += dev * dev
    for j in range(len(out)):
        out[j] *= inverse


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def judge_first(mode, tolerance, pace, row):
    """Label the pixels as the heaviest mode sees them; return how many it does not own."""
    for j in range(len(row.square)):
        row.nearest[j] = row.square[j] / (mode[VARIANCE, j] * tolerance[j])
    n_strangers = 0
    for j in range(len(row.square)):
        row.label[j] = BACKGROUND_LABEL if row.nearest[j] < pace.threshold else MOVING_LABEL
        n_strangers += row.nearest[j] >= pace.match
    return n_strangers


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_first(mode, pace, row):
    """Let the heaviest mode learn from the pixels that are its own."""
    for j in range(len(row.rate)):
        row.gain[j] = row.rate[j] if row.nearest[j] < pace.match else ZERO
    for j in range(len(row.rate)):
        w = mode[WEIGHT, j] - row.rate[j] * (mode[WEIGHT, j] + pace.prior) + row.gain[j]
        mode[WEIGHT, j] = max(w, ZERO)
    for j in range(len(row.rate)):
        row.gain[j] *= max(ONE / max(mode[WEIGHT, j], TINY), pace.haste)
    for j in range(len(row.rate)):
        gain = min(row.gain[j], MOST_GAIN)
        v = mode[VARIANCE, j] + gain * (row.square[j] - mode[VARIANCE, j])
        mode[VARIANCE, j] = min(max(v, pace.variance_min), pace.variance_max)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def judge_strangers(modes, tolerance, pace, row):
    """Label the pixels that the heaviest mode does not own, and learn nothing."""
    for j in range(len(row.nearest)):
        before, k = modes[0, WEIGHT, j], 1  # weight of the heavier modes, which all sum to 1
        if row.nearest[j] < pace.match:
            continue
        while k < modes.shape[0] and modes[k, WEIGHT, j] > ZERO and before < pace.background:
            distance = distance_to(modes[k], row.pixels, j) / tolerance[j]
            row.nearest[j] = min(row.nearest[j], distance)
            before += modes[k, WEIGHT, j]
            k += 1
        if row.nearest[j] < pace.threshold:
            row.label[j] = BACKGROUND_LABEL


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def move_means(mode, pixels, gain):
    """Move the means of a mode towards the pixels."""
    for c in range(pixels.shape[0]):
        for j in range(len(gain)):
            mode[MEAN + c, j] += gain[j] * (pixels[c, j] - mode[MEAN + c, j])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def fade(modes, depth, pace, row):
    """Let the lighter modes lose weight, and sum the weights of all."""
    for j in range(len(row.total)):
        row.total[j] = modes[0, WEIGHT, j]
    for k in range(1, depth):
        for j in range(len(row.total)):
            w = modes[k, WEIGHT, j]
            w = max(w - row.rate[j] * (w + pace.prior), ZERO)
            modes[k, WEIGHT, j] = w
            row.total[j] += w


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def meet_strangers(modes, tolerance, pace, row):
    """Find or make a mode for every pixel that the heaviest mode does not own; return the depth."""
    depth = 1
    for j in range(len(row.gain)):
        if row.gain[j] > ZERO:
            continue
        before = modes[0, WEIGHT, j]  # weight of the heavier modes
        owner, last = -1, 1
        while last < modes.shape[0] and modes[last, WEIGHT, j] > ZERO:
            distance = distance_to(modes[last], row.pixels, j) / tolerance[j]
            if before < pace.background * row.total[j]:
                row.nearest[j] = min(row.nearest[j], distance)
            if owner < 0 and distance < pace.match:
                owner = last
            before += modes[last, WEIGHT, j]
            last += 1
        if row.nearest[j] < pace.threshold:
            row.label[j] = BACKGROUND
        gain = row.rate[j]
        if owner < 0:
            gain = min(gain, pace.start)
            owner = min(last, modes.shape[0] - 1)
            row.total[j] -= modes[owner, WEIGHT, j] if last > owner else ZERO
            start_mode(modes[owner], row.pixels, j, pace.variance_init)
        else:
            learn_one(modes[owner], row, j, pace)
        modes[owner, WEIGHT, j] += gain
        row.total[j] += gain
        depth = max(depth, owner + 1)
        rise(modes, owner, j)
    return depth


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def distance_to(mode, pixels, j):
    """Return the squared distance of one pixel to a mode, in variances."""
    square = ZERO
    for c in range(pixels.shape[0]):
        dev = pixels[c, j] - mode[MEAN + c, j]
        square += dev * dev
    return square / (mode[VARIANCE, j] * np.float32(pixels.shape[0]))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def start_mode(mode, pixels, j, variance):
    """Turn a mode into a new one at a pixel, still without weight."""
    mode[WEIGHT, j] = ZERO
    mode[VARIANCE, j] = variance
    for c in range(pixels.shape[0]):
        mode[MEAN + c, j] = pixels[c, j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_one(mode, row, j, pace):
    """Let a lighter mode learn from one pixel."""
    n_channels = row.pixels.shape[0]
    gain = row.rate[j] / (mode[WEIGHT, j] + row.rate[j])
    mean_square = distance_to(mode, row.pixels, j) * mode[VARIANCE, j]
    v = mode[VARIANCE, j] + min(gain, MOST_GAIN) * (mean_square - mode[VARIANCE, j])
    mode[VARIANCE, j] = min(max(v, pace.variance_min), pace.variance_max)
    for c in range(n_channels):
        mode[MEAN + c, j] += gain * (row.pixels[c, j] - mode[MEAN + c, j])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def rise(modes, k, j):
    """Move one mode of a pixel up until no lighter one is before it."""
    while k > 0 and modes[k, WEIGHT, j] > modes[k - 1, WEIGHT, j]:
        for i in range(modes.shape[1]):
            modes[k, i, j], modes[k - 1, i, j] = modes[k - 1, i, j], modes[k, i, j]
        k -= 1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def normalise(modes, depth, total):
    """Let the weights of every pixel sum to 1; return how many modes are still in use."""
    for j in range(len(total)):
        total[j] = ONE / total[j]
    deepest = 1
    for k in range(depth):
        weight = ZERO
        for j in range(len(total)):
            modes[k, WEIGHT, j] *= total[j]
            weight += modes[k, WEIGHT, j]
        if weight > ZERO:
            deepest = k + 1
    return deepest


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_shadows(mode, pace, row):
    """Relabel what is the background, only darker (Prati and others, 2003, equation 4)."""
    n_channels = row.pixels.shape[0]
    for j in range(len(row.label)):
        if row.label[j] != MOVING:
            continue
        dot, norm, square = ZERO, ZERO, ZERO
        for c in range(n_channels):
            dot += row.pixels[c, j] * mode[MEAN + c, j]
            norm += mode[MEAN + c, j] * mode[MEAN + c, j]
        part = dot / max(norm, ONE)
        if part < pace.shadow or part > ONE:
            continue
        for c in range(n_channels):
            dev = row.pixels[c, j] - part * mode[MEAN + c, j]
            square += dev * dev
        if square < n_channels * pace.threshold * mode[VARIANCE, j] * part * part:
            row.label[j] = SHADOW


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def feed_back(feedback, raw, kept, pace, row):
    """Raise the tolerance of pixels that blink far from their modes, lower that of the others."""
    inverse = ONE / pace.threshold
    for j in range(len(raw)):
        near = min(row.nearest[j] * inverse, ONE)
        feedback[DISTANCE, j] += pace.rate * (near - feedback[DISTANCE, j])
    for j in range(len(raw)):
        has_blinked = (raw[j] != row.label[j]) and (kept[j] != MOVING_LABEL)
        blink = feedback[BLINK, j]
        blink = min(blink + ONE, BLINK_MAX) if has_blinked else max(blink - BLINK_STEP, BLINK_MIN)
        feedback[BLINK, j] = blink
    for j in range(len(raw)):
        blink, tolerance = feedback[BLINK, j], feedback[TOLERANCE, j]
        is_low = tolerance < ONE + blink * feedback[DISTANCE, j]
        tolerance += pace.feedback * blink if is_low else -pace.feedback / blink
        feedback[TOLERANCE, j] = min(max(tolerance, ONE), pace.most_tolerance)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def store(label, out):
    """Store labels in a mask."""
    for j in range(len(out)):
        out[j] = label[j]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_background(mode, is_first, out):
    """Add the means of the heaviest mode to sums over rows, or begin these with them."""
    for c in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[c, j] = mode[MEAN + c, j] if is_first else out[c, j] + mode[MEAN + c, j]
