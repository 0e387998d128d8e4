"""A camera that shakes a little: the shift of the whole picture, found on its block means."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gmmseg.video.coarse_kernels import motion_sums
from gmmseg.video.video_kernels import BLOCK

STILL = 0.4  # pixels: less is no shake
LEAST_EXPLAINED = 0.1  # share of the squared differences that a shake must explain at first sight
BETTER = 0.6  # half of all tiles must have less than this share of their squared differences left
TILE = 8  # blocks along a side
N_ROUNDS = 3
FEWEST = 5  # blocks along a side; smaller pictures are left alone
LEAST_SLOPE = 0.05  # squared levels per block, in the direction in which there is least

Grey = NDArray[np.float32]
Blocks = NDArray[np.bool_]
Shift = tuple[int, int]


def find_shift(
    moved_back: Callable[[Shift], Grey], background: Grey, *, use: Blocks, limit: float
) -> Shift:
    """Return how many whole pixels down and right the picture lies of the background.

    Least squares tell a still camera at once; else phase correlation (Kuglin and Hines, 1975)
    finds the shift to a block, and least squares refine it, each round on block means of the frame
    itself moved back, so that no error grows; by whole pixels, because
    what lies between them would be blurred. Branches that wave in a part of the picture are no
    shake: most of its tiles must agree.

    Parameters
    ----------
    moved_back : function
        From a shift to the grey block means of the frame moved back by it.
    background : ndarray of shape (rows, cols)
        Grey block means, in the same light.
    use : ndarray of bool, shape (rows, cols)
        Blocks where nothing moves.
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
    >>> find_shift(lambda shift: ramp, ramp, use=everywhere, limit=8.0)
    (0, 0)
    """
    picture = moved_back((0, 0))
    if min(picture.shape) < FEWEST:
        return 0, 0
    step, explained = small_shift(picture, background, use)
    if np.abs(step).max() < STILL or explained < LEAST_EXPLAINED:
        return 0, 0
    best = _phase_correlation(picture, background, limit)
    for _ in range(N_ROUNDS):
        shift = int(np.rint(best[0])), int(np.rint(best[1]))
        best = shift + small_shift(moved_back(shift), background, use)[0]
    shift = int(np.rint(best[0])), int(np.rint(best[1]))
    is_small = 0 < max(abs(shift[0]), abs(shift[1])) <= limit
    if not is_small or not _is_better(picture, moved_back(shift), background, use):
        return 0, 0
    return shift


def small_shift(picture: Grey, background: Grey, use: Blocks) -> tuple[NDArray[np.float64], float]:
    """Return the shift of less than a block that explains the picture best, and how much it does.

    The shift is in pixels, what it explains a share of the squared differences in another light; 0
    where the background has no slopes in both directions to tell it by.
    """
    sums = np.empty((3, 4))
    square = motion_sums(picture, background, use, sums)
    n_blocks = sums[2, 2]
    if n_blocks < FEWEST**2:
        return np.zeros(2), 0.0
    means = sums[:, 2] / n_blocks
    rows, mixed, cols = (sums[i, j] - sums[i, 2] * means[j] for i, j in ((0, 0), (0, 1), (1, 1)))
    down, right = sums[:2, 3] - means[:2] * sums[2, 3]
    determinant = rows * cols - mixed**2
    # The product of both eigenvalues, over their sum, is at most the smaller of them.
    if determinant < LEAST_SLOPE * n_blocks * (rows + cols):
        return np.zeros(2), 0.0
    step = np.array([cols * down - mixed * right, rows * right - mixed * down]) / determinant
    square -= sums[2, 3] ** 2 / n_blocks
    explained = (step[0] * down + step[1] * right) / max(square, 1e-9)
    # A picture that lies further down is the background minus the shift times its slope.
    return -BLOCK * np.clip(step, -1.0, 1.0), float(explained)


def _phase_correlation(picture: Grey, background: Grey, limit: float) -> NDArray[np.float64]:
    """Return the shift, in pixels but to a block, at which the phases of two pictures agree."""
    from scipy.fft import irfft2, rfft2

    rows, cols = picture.shape
    window = np.outer(np.hanning(rows), np.hanning(cols))
    product = rfft2((picture - picture.mean()) * window) * np.conj(
        rfft2((background - background.mean()) * window)
    )
    agreement = irfft2(product / np.maximum(np.abs(product), 1e-9), s=picture.shape)
    reach = int(np.ceil(limit / BLOCK)) + 1
    down, right = np.fft.fftfreq(rows, 1 / rows), np.fft.fftfreq(cols, 1 / cols)
    is_near = np.logical_and.outer(np.abs(down) <= reach, np.abs(right) <= reach)
    row, col = np.unravel_index(np.where(is_near, agreement, -np.inf).argmax(), agreement.shape)
    return BLOCK * np.array([down[row], right[col]])


def _is_better(before: Grey, after: Grey, background: Grey, use: Blocks) -> bool:
    """Return whether most tiles are explained better after the shift than before."""
    tiles = [_tile_squares(picture, background, use) for picture in (before, after)]
    is_seen = tiles[0] > 0.0
    return bool(is_seen.any() and np.median(tiles[1][is_seen] / tiles[0][is_seen]) < BETTER)


def _tile_squares(picture: Grey, background: Grey, use: Blocks) -> NDArray[np.float64]:
    """Return the squared differences, but for the mean one, summed over tiles of blocks."""
    change = np.where(use, picture - background, 0.0)
    squares = np.where(use, (change - change.sum() / max(use.sum(), 1)) ** 2, 0.0)
    inner = squares[1:-1, 1:-1]  # the border shows what came into view
    rows, cols = (np.arange(0, n, TILE) for n in inner.shape)
    sums: NDArray[np.float64] = np.add.reduceat(np.add.reduceat(inner, rows, 0), cols, 1)
    return sums
