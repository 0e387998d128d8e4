"""Ghosts: what the background was learned with and has walked away still seems to move.

A thing that moves has edges in the frame where the background has none; a ghost has edges in the
background where the frame has none.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.moving_kernels import LEAVE, TAKE
from gmmseg.video.pixel_state import PixelState
from gmmseg.video.relighting import take_blocks
from gmmseg.video.workers import Workers

EVERY = 10  # frames: ghosts are looked for so often
ACROSS = 2  # blocks from the inside of an area to its outside: the one between is of both
CLEARER = 2.0  # edges in the background must be so much stronger than in the frame
LEAST_EDGE = 25.0  # levels: of a thing like the wall parts are seen, with fainter edges
FEWEST = 8  # pairs of blocks across the border of an area that tell of it

Places = NDArray[np.intp]


def find_ghosts(
    picture: NDArray[np.float32], background: NDArray[np.float32], moving: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the moving blocks in whose place the frame shows nothing that stands out.

    Parameters
    ----------
    picture, background : ndarray of float32, shape (rows, cols, n_channels)
        Block means. Their lights may differ by a little: only edges are compared.
    moving : ndarray of bool, shape (rows, cols)
        Blocks that move.

    Returns
    -------
    ghosts : ndarray of bool, shape (rows, cols)
        Whole areas of `moving`.

    Examples
    --------
    >>> wall, moving = np.full((12, 12, 1), 100.0), np.zeros((12, 12), bool)
    >>> moving[4:8, 4:8] = True
    >>> with_thing = np.where(moving[:, :, np.newaxis], 30.0, wall)
    >>> int(find_ghosts(wall, with_thing, moving).sum())
    16
    >>> int(find_ghosts(with_thing, wall, moving).sum())
    0
    """
    from scipy.ndimage import label

    areas, n_areas = label(moving)
    inside, outside = across_borders(moving)
    which, n_channels = areas.ravel()[inside], picture.shape[2]
    n_pairs = np.bincount(which, minlength=n_areas + 1)
    in_picture, in_background = (
        np.bincount(which, edges(shown.reshape(-1, n_channels), inside, outside), n_areas + 1)
        for shown in (picture, background)
    )
    is_ghost = (in_background > CLEARER * in_picture) & (in_background > LEAST_EDGE * n_pairs)
    return (is_ghost & (n_pairs >= FEWEST))[areas] & moving


def across_borders(moving: NDArray[np.bool_]) -> tuple[Places, Places]:
    """Return places of moving blocks, and of those that do not move on the other side of a border.

    A place counts the blocks before it, row after row.
    """
    places = np.arange(moving.size).reshape(moving.shape)
    insides, outsides = [], []
    for one, other in (
        (np.s_[:-ACROSS], np.s_[ACROSS:]),
        (np.s_[:, :-ACROSS], np.s_[:, ACROSS:]),
    ):
        for inside, outside in ((one, other), (other, one)):
            is_border = moving[inside] & ~moving[outside]
            insides.append(places[inside][is_border])
            outsides.append(places[outside][is_border])
    return np.concatenate(insides), np.concatenate(outsides)


def edges(blocks: NDArray[np.float32], inside: Places, outside: Places) -> NDArray[np.float32]:
    """Return how far apart pairs of blocks are, in levels, a mean over channels."""
    return np.asarray(np.abs(blocks[inside] - blocks[outside]).mean(axis=1))


def lay_ghosts(
    state: PixelState,
    levels: NDArray[Any],
    table: NDArray[np.float32],
    *,
    workers: Workers,
) -> None:
    """Learn at once what a frame shows where there are ghosts; look for them now and then."""
    from scipy.ndimage import binary_dilation

    if state.n_frames % EVERY != 0 or not state.moving.any():
        return
    ghosts = find_ghosts(state.coarse.picture, state.coarse.background, state.moving)
    if not ghosts.any():
        return
    around = binary_dilation(ghosts, np.ones((3, 3)))  # a ghost has a part of the blocks beside it
    taken = around & (ghosts | ~state.moving)
    gains = np.ones((*taken.shape, levels.shape[2]), np.float32)
    orders = np.where(taken, TAKE, LEAVE).astype(np.uint8)
    take_blocks(state, levels, table, orders=orders, gains=gains, workers=workers)
    state.moving &= ~ghosts
