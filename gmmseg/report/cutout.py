"""Show what was cut out: the foreground as it is, the background dimmed, a line between them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.image.features import LUMA, lightness
from gmmseg.report.figures import draw_lines, line_strength, stretch

_BACKGROUND_LIGHT = 0.38  # of the lightness it had
_BACKGROUND_COLOR = 0.25  # of the colour it had


def overlay_mask(image: ArrayLike, mask: ArrayLike) -> NDArray[np.uint8]:
    """Dim everything but the foreground, and outline it.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of any boolean, integer or floating dtype. It is shown in its colours if it is uint8
        with three or four channels, else in gray, its contrast stretched.
    mask : array_like of bool of shape (rows, cols)
        True (or not 0) in the foreground.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> image = np.full((1, 2, 3), 200, dtype=np.uint8)
    >>> overlay_mask(image, [[False, False]])[0, :, 0]
    array([76, 76], dtype=uint8)
    """
    image = np.asarray(image)
    foreground: NDArray[np.bool_] = np.asarray(mask) != 0
    if foreground.shape != image.shape[:2] or foreground.size == 0:
        raise InputError(
            f"mask must have the image's shape {image.shape[:2]}, got {foreground.shape}"
        )
    picture = plain_picture(image)
    background = picture[~foreground].astype(np.float32)
    gray = (background @ LUMA)[:, np.newaxis]
    dimmed = _BACKGROUND_LIGHT * (gray + _BACKGROUND_COLOR * (background - gray))
    picture[~foreground] = np.rint(np.clip(dimmed, 0, 255))
    draw_lines(picture, line_strength(foreground.astype(np.uint8)))
    return picture


def plain_picture(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image as a new RGB picture: in its colours, or in gray with stretched contrast."""
    if image.dtype == np.uint8 and image.shape[2:] in ((3,), (4,)):
        return np.array(image[:, :, :3])
    light = lightness(image)
    gray = np.rint(255 * stretch(light, np.isfinite(light))).astype(np.uint8)
    return np.stack([gray] * 3, axis=2)
