"""Numba kernels of the mixture in every pixel: compare a row with its modes, learn, and judge.

The adaptive mixture is that of Zivkovic (2004), "Improved adaptive Gaussian mixture model for
background subtraction", equations 8 to 12, but distances are means over channels, so that a grey
picture and its three equal channels mean the same. The feedback of threshold and rate follows
St-Charles, Bilodeau and Bergevin (2015), "SuBSENSE", equations 6 to 9. A row of pixels is worked on
at once: the heaviest mode explains nearly all, and what concerns it alone compiles to vector
instructions. A kernel is given whole arrays and the number of a row, and takes what it needs out of
its bundles before it loops: a view, and a field read in a loop, cost more than the arithmetic.
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.core.turns import next_turn
from gmmseg.video.coarse_kernels import block_background
from gmmseg.video.pixel_model import (
    BACKGROUND_LABEL,
    BLINK,
    BLINK_MIN,
    BLOCK,
    DISTANCE,
    MEAN,
    MOST_GAIN,
    MOVING_LABEL,
    ONE,
    TINY,
    TOLERANCE,
    VARIANCE,
    WEIGHT,
    ZERO,
)
from gmmseg.video.stranger_kernels import (
    compare_strangers,
    find_shadows,
    has_light,
    learn_strangers,
    list_strangers,
)

RGB, N_BYTES = 3, 256
STEP, THREE = np.uint64(1), np.uint64(3)
ROWS_IN_TURN = 2 * BLOCK  # rows that a thread takes at a time
FEEDBACK_TURNS = 2  # the feedback comes in one of so many turns in which a row learns,
SO_MUCH = np.float32(FEEDBACK_TURNS)  # and so much at once
MOST_RATE = np.float32(0.1)  # of a pixel that blinks
BLINK_STEP, BLINK_MAX = np.float32(0.1), np.float32(8.0)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def update_in_turns(frame, table, model, pace, memory, coarse, turns):
    """Update rows of a frame, some at a time, until all threads together have done all.

    ``turns`` counts what is taken, from 0.
    """
    first = ROWS_IN_TURN * next_turn(turns)
    while first < len(frame):
        lines = first, min(first + ROWS_IN_TURN, len(frame))
        update_rows(frame, table, model, pace, memory, coarse, lines)
        first = ROWS_IN_TURN * next_turn(turns)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def update_rows(frame, table, model, pace, memory, coarse, lines):
    """Compare a range of rows of a frame with their modes, learn from them, and fill ``raw``.

    ``table`` (n_channels, n_levels) tells what a value in the frame stands for; ``coarse`` gets the
    background. The range begins with a block.
    """
    modes, feedback = model.modes, model.feedback
    is_plain = len(table) == RGB and stands_for_itself(table)
    for row in range(lines[0], lines[1]):
        if is_plain:
            separate(frame[row].reshape(frame.shape[1] * RGB), memory.pixels)
        else:
            look_up(frame, row, table, memory.pixels)
        square_distances(modes, row, memory.pixels, memory.square)
        has_strangers = judge_first(modes, feedback, row, pace, memory)
        is_alone = not has_strangers and model.depth[row] == 1
        turn = row // BLOCK + pace.turn
        learns = turn % pace.n_turns == 0
        if learns:
            all_learn = turn // pace.n_turns % pace.n_moving_turns == 0
            choose_rates(model.kept, feedback, row, all_learn, pace, memory.rate)
            if is_alone:
                learn_alone(modes, row, pace, memory)
            else:
                learn_first(modes, row, pace, memory)
            move_means(modes, row, memory.pixels, memory.gain)
        if has_strangers or (learns and not is_alone):
            meet_others(model, row, learns, has_strangers, pace, memory)
        if learns and pace.feedback > ZERO and turn // pace.n_turns % FEEDBACK_TURNS == 0:
            feed_back(model, row, pace, memory)
        store(memory.label, model.raw, row)
        if learns and row % BLOCK == BLOCK - 1:
            block_background(modes, row // BLOCK, coarse.background, coarse.grey_background)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def meet_others(model, row, learns, has_strangers, pace, memory):
    """Judge the pixels of a row that its heaviest modes do not own by the lighter ones.

    Where it ``learns``, lighter modes fade, and these pixels' own learn from them.
    """
    modes, depth, total = model.modes, model.depth[row], memory.total
    n_strangers = list_strangers(memory.nearest, pace.match, memory.strangers)
    if learns:
        fade(modes, row, depth, pace, memory.rate, total)
    else:
        total[:] = ONE
    if learns or has_light(modes, row, pace.background, memory.strangers, n_strangers):
        compare_strangers(modes, model.feedback, row, depth, pace, memory, n_strangers)
    if has_strangers and pace.shadow < ONE:  # before the background learns what throws them
        find_shadows(modes, row, pace, memory)
    if learns:
        deepest = learn_strangers(modes, row, pace, memory, n_strangers)
        model.depth[row] = normalise(modes, row, max(depth, deepest), total)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def stands_for_itself(table):
    """Return whether the values 0…255 stand for themselves: the light is that of the background."""
    n_others = 0
    for c in range(table.shape[0]):
        for i in range(min(table.shape[1], N_BYTES)):
            n_others += table[c, i] != np.float32(i)
    return table.shape[1] == N_BYTES and n_others == 0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def separate(line, out):
    """Fill ``out[channel, col]`` with a line of three channels, four times as fast as `look_up`."""
    red, green, blue = out[0], out[1], out[2]
    for j in range(np.uint64(out.shape[1])):  # without a sign, so that no place is before the first
        place = THREE * j
        red[j] = np.float32(line[place])
        green[j] = np.float32(line[place + STEP])
        blue[j] = np.float32(line[place + STEP + STEP])


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def look_up(frame, row, table, out):
    """Fill ``out[channel, col]`` with what the values in a row of the frame stand for."""
    for c in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[c, j] = table[c, frame[row, j, c]]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def choose_rates(kept, feedback, row, all_learn, pace, out):
    """Fill ``out[col]`` with the rate at which each pixel learns: those that blink learn faster.

    What moved in the last frame learns slowly, or not at all unless ``all_learn``.
    """
    rate, step = pace.rate, pace.rate * pace.hurry
    moving_rate = pace.moving_rate if all_learn else ZERO
    for j in range(len(out)):
        calm_rate = min(rate + step * feedback[row, BLINK, j], MOST_RATE)
        out[j] = moving_rate if kept[row, j] == MOVING_LABEL else max(calm_rate, rate)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def square_distances(modes, row, pixels, out):
    """Fill ``out[col]`` with the mean squared distance to the heaviest mode, over channels."""
    inverse = ONE / np.float32(pixels.shape[0])
    for c in range(pixels.shape[0]):
        for j in range(len(out)):
            dev = pixels[c, j] - modes[row, 0, MEAN + c, j]
            out[j] = (out[j] if c > 0 else ZERO) + dev * dev * inverse


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def judge_first(modes, feedback, row, pace, memory):
    """Label the pixels as the heaviest mode sees them; return whether it leaves any."""
    square, nearest, label, threshold = memory.square, memory.nearest, memory.label, pace.threshold
    n_strangers = 0
    for j in range(len(square)):
        distance = square[j] / (modes[row, 0, VARIANCE, j] * feedback[row, TOLERANCE, j])
        nearest[j] = distance
        label[j] = BACKGROUND_LABEL if distance < threshold else MOVING_LABEL
    for j in range(len(square)):
        n_strangers += nearest[j] >= threshold
    return n_strangers > 0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_first(modes, row, pace, memory):
    """Let the heaviest mode learn from the pixels that are its own."""
    rate, nearest, square, gain = memory.rate, memory.nearest, memory.square, memory.gain
    match, prior, haste = pace.match, pace.prior, pace.haste
    low, high = pace.variance_min, pace.variance_max
    for j in range(len(rate)):
        w, v = modes[row, 0, WEIGHT, j], modes[row, 0, VARIANCE, j]
        g = rate[j] if nearest[j] < match else ZERO
        w = max(w - rate[j] * (w + prior) + g, ZERO)
        g *= max(ONE / max(w, TINY), haste)
        v += min(g, MOST_GAIN) * (square[j] - v)
        modes[row, 0, WEIGHT, j] = w
        modes[row, 0, VARIANCE, j] = min(max(v, low), high)
        gain[j] = min(g, ONE)  # a mean does not go beyond its pixel


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def learn_alone(modes, row, pace, memory):
    """Let the heaviest modes learn where they own all pixels and have all the weight."""
    rate, square, gain = memory.rate, memory.square, memory.gain
    haste, low, high = max(pace.haste, ONE), pace.variance_min, pace.variance_max
    for j in range(len(rate)):
        g, v = rate[j] * haste, modes[row, 0, VARIANCE, j]
        v += min(g, MOST_GAIN) * (square[j] - v)
        modes[row, 0, VARIANCE, j] = min(max(v, low), high)
        gain[j] = min(g, ONE)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def move_means(modes, row, pixels, gain):
    """Move the means of the heaviest mode towards the pixels."""
    for c in range(pixels.shape[0]):
        for j in range(len(gain)):
            mean = modes[row, 0, MEAN + c, j]
            modes[row, 0, MEAN + c, j] = mean + gain[j] * (pixels[c, j] - mean)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def fade(modes, row, depth, pace, rate, total):
    """Let the lighter modes lose weight, and sum the weights of all."""
    prior = pace.prior
    for j in range(len(total)):
        total[j] = modes[row, 0, WEIGHT, j]
    for k in range(1, depth):
        for j in range(len(total)):
            w = modes[row, k, WEIGHT, j]
            w = max(w - rate[j] * (w + prior), ZERO)
            modes[row, k, WEIGHT, j] = w
            total[j] += w


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def normalise(modes, row, depth, total):
    """Let the weights of every pixel sum to 1; return how many modes are still in use."""
    for j in range(len(total)):
        total[j] = ONE / total[j]
    deepest = 1
    for k in range(depth):
        weight = ZERO
        for j in range(len(total)):
            w = modes[row, k, WEIGHT, j] * total[j]
            modes[row, k, WEIGHT, j] = w
            weight += w
        if weight > ZERO:
            deepest = k + 1
    return deepest


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def feed_back(model, row, pace, memory):
    """Raise the tolerance of pixels that blink far from their modes, lower that of the others."""
    feedback, raw, kept = model.feedback, model.raw, model.kept
    nearest, label = memory.nearest, memory.label
    rate, step = pace.rate * SO_MUCH, pace.feedback * SO_MUCH
    most, inverse = pace.most_tolerance, ONE / pace.threshold
    for j in range(len(label)):
        distance = feedback[row, DISTANCE, j]
        distance += rate * (min(nearest[j] * inverse, ONE) - distance)
        has_blinked = (raw[row, j] != label[j]) & (kept[row, j] != MOVING_LABEL)
        blink = feedback[row, BLINK, j]
        blink = min(blink + ONE, BLINK_MAX) if has_blinked else max(blink - BLINK_STEP, BLINK_MIN)
        tolerance = feedback[row, TOLERANCE, j]
        is_low = tolerance < ONE + blink * distance
        tolerance += step * blink if is_low else -step / blink
        feedback[row, TOLERANCE, j] = min(max(tolerance, ONE), most)
        feedback[row, BLINK, j] = blink
        feedback[row, DISTANCE, j] = distance


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def store(label, out, row):
    """Store labels in a row of a mask."""
    for j in range(len(label)):
        out[row, j] = label[j]
