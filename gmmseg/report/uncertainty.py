"""Show where a segmentation is sure of itself and where it is not."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError

_MASKED = (128, 128, 128)
_BLOCK_PIXELS = 2**18


def picture_uncertainty(probabilities: ArrayLike) -> NDArray[np.uint8]:
    """Colour every pixel by the entropy of its probabilities, from dark (sure) to light.

    The colours grow lighter evenly to the eye, from dark blue over red to pale yellow, so that
    they keep their order in print and with every kind of colour vision.

    Parameters
    ----------
    probabilities : array_like of float of shape (rows, cols, n_segments)
        Probability of every segment; all 0 where masked out, which becomes gray.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture: darkest where one segment has probability 1, lightest where all are alike.

    Raises
    ------
    InputError
        If `probabilities` has another shape, or an entry that is negative or not finite.

    Examples
    --------
    >>> picture_uncertainty([[[1.0, 0.0], [0.5, 0.5]]])[0].max(axis=1) > 128  # dark, light
    array([False,  True])
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 3 or probabilities.size == 0 or probabilities.dtype.kind not in "fui":
        raise InputError(
            "probabilities must be numbers of shape (rows, cols, n_segments), "
            f"got {probabilities.dtype} of shape {probabilities.shape}"
        )
    rows, cols, n_segments = probabilities.shape
    flat = probabilities.reshape(-1, n_segments)
    picture = np.empty((len(flat), 3), dtype=np.uint8)
    for start in range(0, len(flat), _BLOCK_PIXELS):
        block = slice(start, start + _BLOCK_PIXELS)
        entropy, total = _relative_entropy(flat[block])
        picture[block] = uncertainty_colors()[np.rint(255 * entropy).astype(np.intp)]
        picture[block][total == 0] = _MASKED
    return picture.reshape(rows, cols, 3)


def _relative_entropy(
    probabilities: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the entropy, 1 where all segments are alike, and the sum of the probabilities."""
    p = probabilities.astype(np.float32)
    if not (np.isfinite(p) & (p >= 0)).all():
        raise InputError("probabilities must be finite and at least 0; give masked-out pixels 0")
    total = p.sum(axis=1)
    p /= np.where(total > 0, total, 1)[:, np.newaxis]
    entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1)
    largest = np.log(max(p.shape[1], 2))
    return np.clip(entropy / np.float32(largest), 0, 1), total


@cache
def uncertainty_colors() -> NDArray[np.uint8]:
    """Return 256 colours (256, 3), evenly lighter: a path through Lab once round by way of red."""
    from skimage.color import lab2rgb

    share = np.linspace(0, 1, 256)
    hue = np.deg2rad(285 + 165 * share)
    chroma = 62 * np.sin(np.pi * (0.2 + 0.66 * share))
    lab = np.stack([7 + 88 * share, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    for _ in range(40):  # where a screen cannot show a colour, a paler one of the same lightness
        outside = np.abs(_lightness_of(lab) - lab[:, 0]) > 0.5
        lab[outside, 1:] *= 0.95
    colors: NDArray[np.uint8] = np.rint(255 * lab2rgb(lab[np.newaxis])[0]).astype(np.uint8)
    return colors


def _lightness_of(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lightness of Lab colours as a screen shows them, (n,)."""
    import warnings

    from skimage.color import lab2rgb, rgb2lab

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about colours out of range: the point here
        shown: NDArray[np.float64] = rgb2lab(lab2rgb(lab[np.newaxis]))[0, :, 0]
    return shown
