"""Much changes in one frame: a lamp shows the same things in new light, a new scene does not."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.coarse_kernels import slope_products
from gmmseg.video.moving_kernels import BRIGHTEN, TAKE

SUDDEN = 0.04  # share of the picture that must begin to move at once
FLAT_SUDDEN = 0.25  # and where it is too flat to tell light from things
NEW_SCENE = 0.6
STILL_NEW = 0.3  # once there was a new scene: with less it is the old one again
SETTLED = 5  # frames in a row that show a new scene: fewer are bad frames, and forgotten
ALIKE = 0.6  # correlation of slopes above which things are the same
FLAT = 4.0  # squared levels: slopes between blocks of nothing but noise
SMOOTHNESS = 6.0  # blocks: over such a distance the light is alike
MOST_GAIN = 8.0


class Event(StrEnum):
    """What happened to the whole picture in one frame."""

    NOTHING = ""
    LIGHT = "light changed"
    SCENE = "scene changed"
    SHAKE = "camera moved"


def judge_jump(
    picture: NDArray[np.float32],
    background: NDArray[np.float32],
    fresh: NDArray[np.bool_],
    *,
    n_blocks: int | None = None,
) -> Event:
    """Return what made many blocks move at once.

    Parameters
    ----------
    picture, background : ndarray of shape (rows, cols)
        Grey block means.
    fresh : ndarray of bool, shape (rows, cols)
        Blocks that move and did not in the frame before.
    n_blocks : int or None
        How many blocks are looked at; None is all.

    Returns
    -------
    event : Event
        LIGHT, SCENE, or NOTHING where things may have moved.
    """
    share = np.count_nonzero(fresh) / (n_blocks or fresh.size)
    if share < SUDDEN:
        return Event.NOTHING
    own, mixed, other, n_pairs = slope_products(picture, background, fresh)
    if n_pairs and mixed > ALIKE * np.sqrt(own * other) and other > FLAT * n_pairs:
        return Event.LIGHT
    is_flat = n_pairs and max(own, other) < FLAT * n_pairs
    if is_flat and share > FLAT_SUDDEN:
        return Event.LIGHT
    return Event.SCENE if share > NEW_SCENE else Event.NOTHING


def relight_orders(
    picture: NDArray[np.float32],
    background: NDArray[np.float32],
    *,
    fresh: NDArray[np.bool_],
    busy: NDArray[np.bool_],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return what to do with each block when the light has changed, and how much brighter it is.

    Behind what moved already the background cannot be seen: it is brightened as its surroundings.

    Parameters
    ----------
    picture, background : ndarray of shape (rows, cols, n_channels)
        Block means.
    fresh, busy : ndarray of bool, shape (rows, cols)
        Blocks that began to move, and those that moved before.

    Returns
    -------
    orders : ndarray of uint8, shape (rows, cols)
        Of `moving_kernels`: LEAVE, TAKE or BRIGHTEN.
    gains : ndarray of float32, shape (rows, cols, n_channels)
        Factors for blocks to brighten.
    """
    from scipy.ndimage import gaussian_filter

    seen = (~busy).astype(np.float32)[:, :, np.newaxis]
    scale = (SMOOTHNESS, SMOOTHNESS, 0)
    now = gaussian_filter(picture * seen, scale) + 1e-3
    before = gaussian_filter(background * seen, scale) + 1e-3
    gains = np.clip(now / before, 1 / MOST_GAIN, MOST_GAIN).astype(np.float32)
    orders = np.zeros(fresh.shape, np.uint8)
    orders[busy] = BRIGHTEN
    orders[fresh] = TAKE
    return orders, gains
