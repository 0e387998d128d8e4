"""A camera that shakes a little: by how many whole pixels the picture lies off the background."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.coarse_kernels import motion_sums, solve_motion
from gmmseg.video.moving_kernels import TILE, shift_residuals
from gmmseg.video.pixel_model import BLOCK
from gmmseg.video.pixel_state import PixelState

BETTER = 0.9  # a shift must leave less than this share of the residual
STILL = 0.5  # pixels: less is no shake
LEAST_EXPLAINED = 0.03  # share of the squared differences that a shake must explain at first sight
MUCH = 25.0  # squared levels between blocks: a large shift explains little at first sight
CLEAR = 0.04  # share of its residual by which a tile must change to have a say
AGREEING = 0.75  # share of the tiles with a say that must be better off
SEVERAL = 6  # tiles must have a say: one thing that moves before a flat wall is no shake
FEWEST = 5  # blocks along a side; smaller pictures are left alone
LEAST_SLOPE = 0.05  # squared levels per block, in the direction in which there is least
SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))

Grey = NDArray[np.float32]
Blocks = NDArray[np.bool_]
Shift = tuple[int, int]
Residuals = Callable[[Shift], NDArray[np.float64]]


def shift_of_frame(
    state: PixelState,
    levels: NDArray[Any],
    table: NDArray[np.float32],
    *,
    use: Blocks,
    limit: float,
) -> Shift:
    """Return how many pixels down and right a frame lies of what is known.

    Parameters
    ----------
    state : PixelState
        What is known, the frame as seen from afar included.
    levels : ndarray of uint8 or uint16, shape (rows, cols, n_channels)
        The frame.
    table : ndarray of float32, shape (n_channels, n_levels)
        What its values stand for.
    use : ndarray of bool, shape (rows / 4, cols / 4)
        Blocks that count.
    limit : float
        Largest shift, in pixels; more is no shake.

    Returns
    -------
    down, right : int
        In pixels.
    """
    rows, cols, _ = levels.shape

    def residuals(shift: Shift) -> NDArray[np.float64]:
        out = np.empty((-(-rows // TILE), -(-cols // TILE)))
        shift_residuals(levels, table, state.model.modes, state.moving, shift, out)
        return out

    coarse, calm = state.coarse, use & ~state.moving
    return find_shift(
        coarse.grey_picture, coarse.grey_background, use=calm, residuals=residuals, limit=limit
    )


def find_shift(
    picture: Grey, background: Grey, *, use: Blocks, residuals: Residuals, limit: float
) -> Shift:
    """Return how many whole pixels down and right the picture lies of the background.

    Least squares on block means tell a still camera at once. Else the search goes from there, or
    from where phase correlation (Kuglin and Hines, 1975) leads if the shift may be large, down to
    the least residual of the pixels themselves. Branches that wave in a part of the picture are no
    shake: most of its tiles must agree. Only whole pixels, because what lies between them would be
    blurred.

    Parameters
    ----------
    picture, background : ndarray of float32, shape (rows, cols)
        Grey block means in the same light.
    use : ndarray of bool, shape (rows, cols)
        Blocks where nothing moves.
    residuals : function
        From a shift to how far the frame moved back by it is from the background, per tile.
    limit : float
        Largest shift, in pixels; more is no shake.

    Returns
    -------
    down, right : int
        In pixels; 0 where no shift explains the picture.

    Examples
    --------
    >>> ramp = np.add.outer(np.arange(20.0) ** 2, 3.0 * np.arange(30.0)).astype(np.float32)
    >>> everywhere = np.ones((20, 30), bool)
    >>> find_shift(ramp, ramp, use=everywhere, residuals=lambda _: np.zeros(1), limit=8.0)
    (0, 0)
    """
    if min(picture.shape) < FEWEST:
        return 0, 0
    step, explained, square = small_shift(picture, background, use)
    length = max(abs(step[0]), abs(step[1]))
    is_plain = length >= STILL and explained >= LEAST_EXPLAINED
    if not is_plain and square < MUCH:
        return 0, 0
    known = {(0, 0): residuals((0, 0))}
    is_large = square >= MUCH or length >= BLOCK
    for is_second in (False, True) if is_large else (False,):
        start = _phase_correlation(picture, background, limit) if is_second else step
        best = _descend(_whole(start), residuals, known, limit)
        # Where the residual still falls beyond the limit, it was the light that slopes, or a pan.
        is_small = max(abs(best[0]), abs(best[1])) <= limit
        if is_small and _agree(known[0, 0], known[best]):
            return best
    return 0, 0


def _whole(shift: tuple[float, float]) -> Shift:
    return round(shift[0]), round(shift[1])


def _descend(
    shift: Shift, residuals: Residuals, known: dict[Shift, NDArray[np.float64]], limit: float
) -> Shift:
    """Go from a shift to neighbours with a smaller residual, as long as there are some."""

    def cost(shift: Shift) -> float:
        if max(abs(shift[0]), abs(shift[1])) > limit + 1:
            return np.inf
        if shift not in known:
            known[shift] = residuals(shift)
        return float(known[shift].sum())

    best = shift if cost(shift) < np.inf else (0, 0)
    if cost(best) > cost((0, 0)):  # it only seemed so
        return 0, 0
    while True:
        near = [(best[0] + down, best[1] + right) for down, right in SIDES]
        nearest = min(near, key=cost)
        if not cost(nearest) < cost(best):
            return best
        best = nearest


def _agree(before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
    """Return whether a shift helps, and most of the tiles that it makes a difference to agree."""
    has_say = np.abs(after - before) > CLEAR * before
    is_less = after.sum() < BETTER * before.sum()  # a lamp leaves nearly as much at any shift
    is_enough = has_say.sum() >= SEVERAL
    return bool(is_less and is_enough and (after < before)[has_say].mean() > AGREEING)


def small_shift(
    picture: Grey, background: Grey, use: Blocks
) -> tuple[tuple[float, float], float, float]:
    """Return the shift of less than a block that explains the picture best, and how much it does.

    The shift is in pixels, what it explains a share of the mean squared difference, which comes
    last and is 0 where the background has no slopes in both directions to tell a shift by.
    """
    sums = np.empty((3, 4))
    square = motion_sums(picture, background, use, sums)
    if sums[2, 2] < FEWEST**2:
        return (0.0, 0.0), 0.0, 0.0
    down, right, explained, mean_square = solve_motion(sums, square, LEAST_SLOPE)
    step = BLOCK * min(max(down, -1.0), 1.0), BLOCK * min(max(right, -1.0), 1.0)
    return step, explained, mean_square


def _phase_correlation(picture: Grey, background: Grey, limit: float) -> tuple[float, float]:
    """Return the shift, in pixels but to a block, at which the phases of two pictures agree."""
    from scipy.fft import irfft2, rfft2

    rows, cols = picture.shape
    window = np.outer(np.hanning(rows), np.hanning(cols))
    product = rfft2((picture - picture.mean()) * window) * np.conj(
        rfft2((background - background.mean()) * window)
    )
    agreement = irfft2(product / np.maximum(np.abs(product), 1e-9), s=picture.shape)
    reach = np.ceil(limit / BLOCK) + 1
    down, right = np.fft.fftfreq(rows, 1 / rows), np.fft.fftfreq(cols, 1 / cols)
    is_near = np.logical_and.outer(np.abs(down) <= reach, np.abs(right) <= reach)
    row, col = np.unravel_index(np.where(is_near, agreement, -np.inf).argmax(), agreement.shape)
    return BLOCK * float(down[row]), BLOCK * float(right[col])
