"""Show what was cut out: the foreground as it is, the background dimmed, a line between them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.image.color import LUMA
from gmmseg.image.features import lightness
from gmmseg.image.volume_decoders import Volume
from gmmseg.report.figures import draw_lines, line_strength, stretch
from gmmseg.report.slices import gray_volume, sheet_of

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


def cutout_sheet(volume: Volume, mask: ArrayLike, *, n_slices: int = 5) -> NDArray[np.uint8]:
    """Lay slices of a volume on one sheet, everything dimmed but the foreground, and outline it.

    The slices are those of `volume_sheet`, spread over the foreground. The contrast is that of the
    foreground and of what lies around it, so that organs can be told apart beside bone and air.

    Parameters
    ----------
    volume : Volume
        The volume, as `read_volume` gave it.
    mask : array_like of bool of shape (planes, rows, cols)
        True (or not 0) in the foreground.
    n_slices : int
        Slices along each axis; fewer where there are not so many.

    Returns
    -------
    sheet : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture.

    Raises
    ------
    InputError
        If the shapes differ, or `n_slices` is below 1.

    Examples
    --------
    >>> volume = Volume(np.arange(24.0).reshape(2, 3, 4))
    >>> cutout_sheet(volume, volume.values > 11).shape[2]
    3
    """
    foreground: NDArray[np.bool_] = np.asarray(mask) != 0
    if foreground.shape != volume.grid:
        raise InputError(f"mask must have the volume's shape {volume.grid}, got {foreground.shape}")
    check_number("n_slices", n_slices, least=1, is_whole=True)
    gray = gray_volume(volume, around(foreground))
    return sheet_of(volume, gray, foreground.astype(np.uint8), n_slices=n_slices, opacity=0)


def around(foreground: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a box twice as long as the foreground along every axis, or everything without any."""
    inside = np.zeros_like(foreground)
    box = []
    for axis, length in enumerate(foreground.shape):
        others = tuple(other for other in range(foreground.ndim) if other != axis)
        places = np.flatnonzero(foreground.any(axis=others))
        first, last = (places[0], places[-1] + 1) if places.size else (0, length)
        margin = -((first - last) // 2)
        box.append(slice(max(first - margin, 0), last + margin))
    inside[tuple(box)] = True
    return inside


def plain_picture(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image as a new RGB picture: in its colours, or in gray with stretched contrast."""
    if image.dtype == np.uint8 and image.shape[2:] in ((3,), (4,)):
        return np.array(image[:, :, :3])
    light = lightness(image)
    gray = np.rint(255 * stretch(light, np.isfinite(light))).astype(np.uint8)
    return np.stack([gray] * 3, axis=2)
