"""Draw segments over the image they came from, for people to look at."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.image.color import LUMA
from gmmseg.image.features import lightness

# Ten colours that stay apart with every common colour blindness: under simulated protanopia,
# deuteranopia and tritanopia (Machado et al. 2009, DOI 10.1109/TVCG.2009.113) the nearest two
# are 16.8 apart in Lab, as in the palette of Okabe and Ito with its seven.
PALETTE = (
    "3B5BA5", "E87A5D", "1B998B", "F3B941", "7FB7E6",
    "9A50E6", "7A3038", "BDEB9B", "F0D8D8", "603060",
)  # fmt: skip

_MASKED_DIMMING = 0.45
_LINE_OPACITY = 0.9
_LINE_SHADOW = 0.3
# A border pixel is outlined if at least this share of its neighbourhood bears its own label, on
# both sides: specks and hairs have no inside that a line could enclose.
_LEAST_SUPPORT = 7 / 25
# Where more of the neighbourhood than this is border, lines fade out: they would hide the image.
_FADE_FROM, _FADE_TO = 0.2, 0.3


def overlay_labels(
    image: ArrayLike, labels: ArrayLike, *, opacity: float = 0.45
) -> NDArray[np.uint8]:
    """Tint every segment in a colour of its own, with the image visible beneath.

    The lightness of the image runs from black over the segment's colour to white, so that
    shadows and highlights keep their shape. Segments are outlined in white, except where they
    are too thin or too speckled for a line to help. Colours repeat darker from label 11,
    lighter from 21, and as they were from 31.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of any boolean, integer or floating dtype. Unless it is uint8 RGB its contrast is
        stretched, from the 1st to the 99th percentile of the labelled pixels.
    labels : array_like of int of shape (rows, cols)
        Labels 1…n; pixels with label 0 (masked out) are dimmed and left gray.
    opacity : float
        From 0, the image in gray, to 1, flat colours.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture.

    Raises
    ------
    InputError
        If the shapes differ, the labels are not integers of at least 0, or `opacity` lies
        outside 0…1.

    Examples
    --------
    >>> image = np.full((2, 2), 255, dtype=np.uint8)
    >>> overlay_labels(image, [[1, 1], [1, 1]], opacity=1)[0, 0]  # the first colour, 3B5BA5
    array([ 59,  91, 165], dtype=uint8)
    """
    image, labels = np.asarray(image), np.asarray(labels)
    light = lightness(image)
    if labels.shape != light.shape:
        raise InputError(f"labels must have the image's shape {light.shape}, got {labels.shape}")
    check_labels(labels)
    if not 0 <= opacity <= 1:
        raise InputError(f"opacity must lie in 0…1, got {opacity}")
    if image.dtype != np.uint8 or image.shape[2:] != (3,):
        light = stretch(light, labels > 0)
    gray = np.rint(light * 255).astype(np.intp)
    table = _tone_table(opacity)
    tone = np.where(labels > 0, (labels.astype(np.intp) - 1) % (len(table) - 1) + 1, 0)
    picture = table[tone, gray]
    # Neighbours with labels 1 and 31 are two segments, though they share a colour.
    draw_lines(picture, line_strength(labels))
    return picture


def side_by_side(left: ArrayLike, right: ArrayLike, *, gap: int = 8) -> NDArray[np.uint8]:
    """Put two pictures beside each other at equal height, on white.

    The higher picture is scaled down to the height of the other.

    Parameters
    ----------
    left, right : array_like of uint8 of shape (rows, cols) or (rows, cols, 3)
        Gray or RGB pictures.
    gap : int
        Width of the white strip between them, in pixels.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, left_cols + gap + right_cols, 3)
        RGB picture.

    Raises
    ------
    InputError
        If a picture is not uint8 gray or RGB, or `gap` is negative.

    Examples
    --------
    >>> black = np.zeros((4, 5), dtype=np.uint8)
    >>> side_by_side(black, black, gap=2).shape
    (4, 12, 3)
    """
    if gap < 0:
        raise InputError(f"gap must be at least 0 pixels, got {gap}")
    pictures = [picture_as_rgb(left, "left"), picture_as_rgb(right, "right")]
    rows = min(len(picture) for picture in pictures)
    first, second = (_scale_to_height(picture, rows) for picture in pictures)
    white = np.full((rows, gap, 3), 255, dtype=np.uint8)
    return np.concatenate([first, white, second], axis=1)


def check_labels(labels: ArrayLike) -> NDArray[Any]:
    """Return the labels as an array if they are some, integers of at least 0."""
    labels = np.asarray(labels)
    if labels.dtype.kind not in "ui" or labels.size == 0 or labels.min() < 0:
        smallest = labels.min() if labels.size else "none"
        raise InputError(
            "labels must be integers of at least 0, "
            f"got dtype {labels.dtype} and smallest {smallest}"
        )
    return labels


def color_of_label(label: int) -> tuple[int, int, int]:
    """Return the colour of a label, RGB: that of flat overlays, of opacity 1."""
    tones = _label_colors()
    red, green, blue = np.rint(255 * tones[(label - 1) % len(tones)]).astype(int).tolist()
    return red, green, blue


def stretch(light: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Stretch contrast to 0…1 by the percentiles inside; what is not finite becomes black."""
    finite = np.isfinite(light)
    known = light[finite & inside]
    if not known.size:
        return np.zeros_like(light)
    low, high = np.percentile(known[:: max(1, known.size // 100_000)], [1, 99])
    if low == high:  # a flat image: show it as it is, or as the middle gray
        return np.full_like(light, low if 0 <= low <= 1 else 0.5)
    return np.interp(np.where(finite, light, low), [low, high], [0, 1]).astype(np.float32)


def _label_colors() -> NDArray[np.float64]:
    """Return the colours of labels 1 to 30, (30, 3), in 0…1."""
    colors = np.array([list(bytes.fromhex(color)) for color in PALETTE]) / 255
    return np.concatenate([colors, 0.6 * colors, 0.5 + 0.5 * colors])


def _tone_table(opacity: float) -> NDArray[np.uint8]:
    """Return ``table[tone, gray]``, an RGB colour; tone 0 is for masked-out pixels."""
    colors = _label_colors()[:, np.newaxis]
    gray = np.linspace(0, 1, 256)[:, np.newaxis]
    own_gray = (colors @ LUMA)[..., np.newaxis]
    tint = np.where(
        gray < own_gray,
        colors * gray / own_gray,
        1 - (1 - colors) * (1 - gray) / (1 - own_gray),
    )
    tinting = min(1.0, 2 * opacity)
    shaded = (1 - tinting) * gray + tinting * tint
    tones = (1 - opacity) * shaded + opacity * colors
    masked = np.broadcast_to(_MASKED_DIMMING * gray, (1, 256, 3))
    table: NDArray[np.uint8] = np.rint(np.concatenate([masked, tones]) * 255).astype(np.uint8)
    return table


def line_strength(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Return how opaque the outline is at every pixel, 0…1."""
    width = 1 + int(labels.size > 1e6) + int(labels.size > 6e6)
    radius = 4 * width
    supported = _support(labels, radius, step=2 * width) >= _LEAST_SUPPORT
    border = np.zeros(labels.shape, dtype=bool)
    border[:, :-1] = (labels[:, :-1] != labels[:, 1:]) & supported[:, :-1] & supported[:, 1:]
    border[:-1] |= (labels[:-1] != labels[1:]) & supported[:-1] & supported[1:]
    crowding = _box_mean(border, radius)
    fading = np.clip((_FADE_TO - crowding) / (_FADE_TO - _FADE_FROM), 0, 1)
    strength = np.where(border, fading, 0).astype(np.float32)
    thick = strength.copy()
    for shift in range(1, width):
        np.maximum(thick[:, shift:], strength[:, :-shift], out=thick[:, shift:])
        np.maximum(thick[shift:], strength[:-shift], out=thick[shift:])
    return thick


def _support(labels: NDArray[Any], radius: int, *, step: int) -> NDArray[np.float32]:
    """Return the share of every pixel's neighbourhood that bears its own label."""
    rows, cols = labels.shape
    around = np.pad(labels, radius, mode="edge")
    same = np.zeros(labels.shape, dtype=np.uint8)
    offsets = range(0, 2 * radius + 1, step)
    for row in offsets:
        for col in offsets:
            same += around[row : row + rows, col : col + cols] == labels
    share: NDArray[np.float32] = np.divide(same, len(offsets) ** 2, dtype=np.float32)
    return share


def _box_mean(border: NDArray[np.bool_], radius: int) -> NDArray[np.float32]:
    """Return the share of True in the square of ``2 * radius + 1`` pixels around every pixel."""
    side = 2 * radius + 1
    sums = np.pad(border, (radius + 1, radius)).cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    mean: NDArray[np.float32] = np.divide(inside, side**2, dtype=np.float32)
    return mean


def draw_lines(picture: NDArray[np.uint8], strength: NDArray[np.float32]) -> None:
    """Draw the outlines into the picture: white, with a soft shadow on either side."""
    shadow = np.zeros_like(strength)
    np.maximum(shadow[1:], strength[:-1], out=shadow[1:])
    np.maximum(shadow[:-1], strength[1:], out=shadow[:-1])
    np.maximum(shadow[:, 1:], strength[:, :-1], out=shadow[:, 1:])
    np.maximum(shadow[:, :-1], strength[:, 1:], out=shadow[:, :-1])
    beside = (shadow > 0) & (strength == 0)
    picture[beside] = np.rint(picture[beside] * (1 - _LINE_SHADOW * shadow[beside][:, None]))
    on = strength > 0
    opacity = _LINE_OPACITY * strength[on][:, np.newaxis]
    picture[on] = np.rint(picture[on] * (1 - opacity) + 255 * opacity)


def picture_as_rgb(picture: ArrayLike, name: str) -> NDArray[np.uint8]:
    """Return a gray or RGB picture as RGB."""
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.size == 0 or picture.shape[2:] not in ((), (3,)):
        raise InputError(
            f"{name} must be uint8 of shape (rows, cols) or (rows, cols, 3), "
            f"got {picture.dtype} of shape {picture.shape}"
        )
    return picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2)


def _scale_to_height(picture: NDArray[np.uint8], rows: int) -> NDArray[np.uint8]:
    """Scale an RGB picture to a number of rows, keeping its proportions."""
    if len(picture) == rows:
        return picture
    from PIL import Image

    cols = max(1, round(picture.shape[1] * rows / len(picture)))
    scaled = Image.fromarray(picture).resize((cols, rows), Image.Resampling.LANCZOS)
    return np.asarray(scaled, dtype=np.uint8)
