"""Relight the model where a lamp was switched on or off, and keep what it looked like before."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.video import scene
from gmmseg.video.frames import grey
from gmmseg.video.moving_kernels import TAKE, relight_rows
from gmmseg.video.pixel_model import BACKGROUND, BLOCK
from gmmseg.video.pixel_state import PixelState
from gmmseg.video.scene import Event
from gmmseg.video.settings import first_variance
from gmmseg.video.workers import Workers


def relight(
    state: PixelState,
    levels: NDArray[Any],
    table: NDArray[np.float32],
    *,
    picture: NDArray[np.float32],
    fresh: NDArray[np.bool_],
    busy: NDArray[np.bool_],
    n_blocks: int,
    workers: Workers,
) -> Event:
    """Return what happened; if it was the light, what it fell on is background at once.

    Parameters
    ----------
    state : PixelState
        What is known; changed.
    levels : ndarray of uint8 or uint16, shape (rows, cols, n_channels)
        The frame.
    table : ndarray of float32, shape (n_channels, n_levels)
        What its values stand for.
    picture : ndarray of float32, shape (rows / 4, cols / 4, n_channels)
        Block means in the light of the background.
    fresh, busy : ndarray of bool, shape (rows / 4, cols / 4)
        Blocks that began to move, and those that moved before.
    n_blocks : int
        How many blocks are looked at.
    workers : Workers
        Threads.

    Returns
    -------
    event : Event
        LIGHT, SCENE or NOTHING; a new scene is left to the caller.
    """
    background = state.coarse.background
    event = scene.judge_jump(grey(picture), grey(background), fresh, n_blocks=n_blocks)
    if event is not Event.LIGHT:
        return event
    orders, gains = scene.relight_orders(picture, background, fresh=fresh, busy=busy)
    take_blocks(state, levels, table, orders=orders, gains=gains, workers=workers)
    state.moving &= busy
    return event


def take_blocks(
    state: PixelState,
    levels: NDArray[Any],
    table: NDArray[np.float32],
    *,
    orders: NDArray[np.uint8],
    gains: NDArray[np.float32],
    workers: Workers,
) -> None:
    """Do with every block what is ordered; what the frame shows where it is taken moves no more."""
    variance = np.float32(first_variance(state.noise))
    workers.run(
        lambda lines: relight_rows(levels, table, state.model, orders, gains, variance, lines)
    )
    state.refresh()
    lit = np.kron(orders == TAKE, np.ones((BLOCK, BLOCK), bool))
    kept = state.model.kept
    beyond = [(0, pixels - blocks) for pixels, blocks in zip(kept.shape, lit.shape, strict=True)]
    kept[np.pad(lit, beyond, mode="edge")] = BACKGROUND  # as `relight_rows` does beyond the blocks


def seen_through(table: NDArray[np.float32], picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what block means, in values of the frame, stand for."""
    values = picture.astype(np.intp)
    return np.stack([own[values[:, :, c]] for c, own in enumerate(table)], axis=2)
