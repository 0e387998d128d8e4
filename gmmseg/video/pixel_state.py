"""All that a background subtractor has learned: arrays that a file can hold as they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.coarse_kernels import Coarse, block_background, coarse_memory
from gmmseg.video.lighting import N_BINS, inverse_table
from gmmseg.video.pixel_model import BLINK, BLINK_MIN, BLOCK, MEAN, TOLERANCE, VARIANCE, WEIGHT
from gmmseg.video.pixel_model import PixelModel as Model

N_FEEDBACK = 3


@dataclass(eq=False)
class PixelState:
    """What is known after some frames.

    Parameters
    ----------
    model : PixelModel
        The modes, the feedback and the last masks of all pixels.
    coarse : Coarse
        The background, a block a cell, and memory for a frame.
    moving : ndarray of bool, shape (rows / 4, cols / 4)
        Blocks most of which moved in the last frame.
    shifts : ndarray of shape (n_channels, 16)
        By how much the levels of the background were brighter in the last frame.
    light_gap : float
        How far the picture was from the background, `lighting.light_gap`, when no curve was better
        than one; 0 if one was in the last frame.
    noise : float
        Variance of the noise of a pixel, in squared levels; 0 until a second frame tells it.
    n_strange : int
        How many frames in a row, up to the last one, showed another scene.
    n_frames, n_seen : int
        Frames learned since the last new scene, and frames seen at all.
    dtype : dtype
        Type of the frames: uint8 or uint16.
    """

    model: Model
    coarse: Coarse
    moving: NDArray[np.bool_]
    shifts: NDArray[np.float64]
    light_gap: float
    noise: float
    n_strange: int
    n_frames: int
    n_seen: int
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, columns and channels of a frame."""
        rows, _, n_values, cols = self.model.modes.shape
        return rows, cols, n_values - MEAN

    def refresh(self) -> None:
        """Look at the background anew."""
        coarse = self.coarse
        for block in range(len(coarse.background)):
            block_background(self.model.modes, block, coarse.background, coarse.grey_background)


def begin(
    levels: NDArray[Any], values: NDArray[np.float64], *, n_modes: int, variance: float
) -> PixelState:
    """Return what one frame teaches: every pixel has one mode, at what the pixel shows."""
    rows, cols, n_channels = levels.shape
    modes = np.zeros((rows, n_modes, MEAN + n_channels, cols), np.float32)
    kept, raw = np.zeros((2, rows, cols), np.uint8)
    model = Model(
        modes, np.zeros((rows, N_FEEDBACK, cols), np.float32), kept, raw, np.ones(rows, np.int64)
    )
    state = PixelState(
        model,
        coarse_memory(levels.shape),
        np.zeros((rows // BLOCK, cols // BLOCK), bool),
        np.zeros((n_channels, N_BINS)),
        light_gap=0.0,
        noise=0.0,
        n_strange=0,
        n_frames=0,
        n_seen=0,
        dtype=levels.dtype,
    )
    restart(state, levels, values, variance=variance)
    return state


def restart(
    state: PixelState, levels: NDArray[Any], values: NDArray[np.float64], *, variance: float
) -> None:
    """Forget everything and learn one frame."""
    model = state.model
    model.modes[:] = 0.0
    model.modes[:, 0, WEIGHT] = 1.0
    model.modes[:, 0, VARIANCE] = variance
    state.shifts[:], state.light_gap = 0.0, 0.0
    table = inverse_table(state.shifts, values)
    for c in range(levels.shape[2]):
        model.modes[:, 0, MEAN + c] = table[c, levels[:, :, c]]
    model.feedback[:] = 0.0
    model.feedback[:, TOLERANCE] = 1.0
    model.feedback[:, BLINK] = BLINK_MIN
    model.kept[:], model.raw[:], model.depth[:] = 0, 0, 1
    state.refresh()
    state.moving[:] = False
    state.n_strange, state.n_frames = 0, 1


def mean_picture(state: PixelState) -> NDArray[np.uint8]:
    """Return the means of the heaviest modes, (rows, cols[, n_channels])."""
    means = state.model.modes[:, 0, MEAN:].transpose(0, 2, 1)
    picture = np.clip(np.rint(means), 0, 255).astype(np.uint8)
    return picture[:, :, 0] if picture.shape[2] == 1 else picture
