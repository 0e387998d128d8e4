"""What the kernels of the background share: places of numbers in arrays, and bundles of these."""

from typing import Any, NamedTuple

import numpy as np

BACKGROUND, SHADOW, MOVING = 0, 127, 255
WEIGHT, VARIANCE, MEAN = 0, 1, 2  # places of a mode; the means of its channels come last
TOLERANCE, BLINK, DISTANCE = 0, 1, 2  # places of the feedback
BLOCK = 4  # side of a block of the coarse picture, in pixels
ZERO, ONE, TINY = np.float32(0.0), np.float32(1.0), np.float32(1e-12)
BACKGROUND_LABEL, SHADOW_LABEL, MOVING_LABEL = map(np.uint8, (BACKGROUND, SHADOW, MOVING))
MOST_GAIN = np.float32(0.5)  # of a variance, which one pixel cannot tell
BLINK_MIN = np.float32(0.1)


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
    n_turns: Any  # once in so many frames,
    n_moving_turns: Any  # and what moves in one of so many of their turns


class Row(NamedTuple):
    """Working memory for one row of pixels, all (cols,) but the pixels; float32."""

    pixels: Any  # (n_channels, cols)
    rate: Any
    square: Any  # squared distance to the heaviest mode; then, of strangers, to a lighter one
    gain: Any  # how much of the pixel its mode takes up; 0 if it takes none
    nearest: Any  # squared distance to the nearest background mode, in variances
    label: Any
    total: Any  # weight of all modes
    strangers: Any  # whole numbers: columns of pixels that the heaviest mode does not own; and
    owner: Any  # of each of these the mode that does, or 0,
    used: Any  # how many modes it has,
    before: Any  # the weight of the heavier modes, and
    near: Any  # its squared distance to the nearest background mode, in variances
    movers: Any  # whole numbers: columns of pixels that no background mode explains


def row_memory(n_channels: int, cols: int) -> Row:
    """Return working memory for rows of so many pixels."""
    rate, square, gain, nearest, total, before, near = np.empty((7, cols), np.float32)
    pixels, label = np.empty((n_channels, cols), np.float32), np.empty(cols, np.uint8)
    owner, used = np.empty((2, cols), np.int32)
    strangers, movers = np.empty((2, cols), np.uint32)
    judged = rate, square, gain, nearest, label, total
    return Row(pixels, *judged, strangers, owner, used, before, near, movers)
