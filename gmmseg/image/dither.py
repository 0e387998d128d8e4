"""Undo the rounding of stored values: a number of segments must not be chosen by gray levels.

A Gaussian on each of a few levels would be ever more likely the narrower it is. Values spread
evenly over the step that they were rounded to have no such levels.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.color import scaled
from gmmseg.image.pixels import Pixels, Region

FEWEST_LEVELS = 16  # that rounded values have


def dithered(pixels: Pixels, steps: NDArray[np.float32], seed: int) -> Pixels:
    """Return pixels of floating channels, each value moved by up to half a step of its channel."""

    def read(region: Region) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        values, inside = pixels.read(region)
        channels = scaled(values)
        moved = np.empty_like(channels)
        for i, step in enumerate(steps):
            shift = pixels.uniform(region, seed + i) - np.float32(0.5)
            moved[..., i] = channels[..., i] + step * shift
        is_share = (channels >= 0) & (channels <= 1)  # as colours are, and have to stay
        return np.where(is_share, np.clip(moved, 0, 1), moved), inside

    return replace(pixels, read=read)


def steps_of(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the step that each channel of a sample (n, n_channels) was rounded to, (n_channels,).

    It is the smallest difference of values; but a few levels far apart are things, as in a drawing.
    """
    return np.array([_smallest_step(channel) for channel in channels.T], dtype=np.float32)


def _smallest_step(values: NDArray[np.float32]) -> float:
    levels = np.unique(values)
    gaps = np.diff(levels)
    # Levels that are one but for rounding are one.
    gaps = gaps[gaps > 1e-5 * np.abs(levels).max()] if len(levels) else gaps
    return float(min(gaps.min(), np.ptp(levels) / FEWEST_LEVELS)) if len(gaps) else 0.0
