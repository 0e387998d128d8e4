"""Light that changes everywhere: one tone curve per channel takes a frame back to the background.

Cameras adapt exposure and white balance, lamps dim and clouds pass: all change what a level of the
background looks like now. The shift of each level is the median over the blocks that have it.
"""

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.coarse_kernels import (
    REACH,
    TONE_WIDTH,
    median_shifts,
    shift_histograms,
    tone_residual,
)
from gmmseg.video.pixel_model import MEAN

N_BINS = 256 // TONE_WIDTH
CENTRES = (np.arange(N_BINS) + 0.5) * TONE_WIDTH
LEVELS = np.arange(256.0)
BETWEEN_CENTRES = np.stack([np.interp(LEVELS, CENTRES, one) for one in np.eye(N_BINS)])
ENOUGH = 2_500  # blocks
TOGETHER = 50.0  # neighbouring blocks err together: so many are one piece of evidence
STEEPNESS = 1e-3  # least slope of a curve, so that it has an inverse
NO_FURTHER = 1.02  # times the last gap without a curve: there is still no need of one
SIMPLER = 0.95  # a curve must explain the picture this much better than none

Picture = NDArray[np.float32]
Blocks = NDArray[np.bool_]


def find_tone(
    picture: Picture, background: Picture, *, calm: Blocks, use: Blocks
) -> NDArray[np.float64]:
    """Return by how much each level of the background is brighter now.

    Where things move the light cannot be told, and when the light has just changed all seems to
    move: so there is one estimate from the calm blocks and one from all, and the one counts that
    explains more of the picture; or none, if no curve helps.

    Parameters
    ----------
    picture, background : ndarray of float32, shape (rows, cols, n_channels)
        Block means, 0…255.
    calm, use : ndarray of bool, shape (rows, cols)
        Blocks where nothing moved in the last frame; blocks that count at all.

    Returns
    -------
    shifts : ndarray of shape (n_channels, 16)
        In levels, for backgrounds of 8, 24, … 248.
    """
    step = _step(picture)
    counts = np.empty((2, picture.shape[2], N_BINS, 2 * REACH + 1), np.int32)
    shift_histograms(picture, background, use, calm, step, counts)
    candidates = np.zeros((3, *counts.shape[1:3]))  # the first is none
    median_shifts(counts[1], TOGETHER / step, candidates[1])
    median_shifts(counts[0] + counts[1], TOGETHER / step, candidates[2])
    residuals = [
        tone_residual(picture, background, use, step, shifts)
        for shifts in candidates.astype(np.float32)
    ]
    best = int(np.argmin([SIMPLER * residuals[0], *residuals[1:]]))
    return candidates[best]


def light_gap(picture: Picture, background: Picture, use: Blocks) -> float:
    """Return how far the picture is from the background, in levels, cut and summed.

    Parameters
    ----------
    picture, background : ndarray of float32, shape (rows, cols, n_channels)
        Block means, 0…255.
    use : ndarray of bool, shape (rows, cols)
        Blocks that count.
    """
    none = np.zeros((picture.shape[2], N_BINS), np.float32)
    return float(tone_residual(picture, background, use, _step(picture), none))


def _step(picture: Picture) -> int:
    """Return of how many rows of blocks one is looked at: some tell as much as all."""
    return int(max(picture.shape[0] * picture.shape[1] // ENOUGH, 1))


def relight_model(modes: NDArray[np.float32], shifts: NDArray[np.float64]) -> None:
    """Make the light of a frame that of the modes."""
    for c, curve in enumerate(np.clip(forward_curves(shifts), 0.0, 255.0)):
        modes[:, :, MEAN + c] = np.interp(modes[:, :, MEAN + c], LEVELS, curve)


def forward_curves(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the levels 0…255 of the background look like now, (n_channels, 256), rising."""
    moved = LEVELS + shifts @ BETWEEN_CENTRES
    return np.maximum.accumulate(moved, axis=1) + STEEPNESS * LEVELS


def inverse_table(shifts: NDArray[np.float64], levels: NDArray[np.float64]) -> Picture:
    """Return what the levels of a frame stand for in the light of the background.

    Parameters
    ----------
    shifts : ndarray of shape (n_channels, 16)
        In levels.
    levels : ndarray of shape (n_levels,)
        What the values 0, 1, 2, … of a frame mean on the scale 0…255.

    Returns
    -------
    table : ndarray of float32, shape (n_channels, n_levels)
        On the scale 0…255.
    """
    if not shifts.any():
        return np.tile(levels.astype(np.float32), (len(shifts), 1))
    curves = forward_curves(shifts)
    return np.stack([np.interp(levels, curve, LEVELS) for curve in curves]).astype(np.float32)
