"""Lay many pictures on one sheet, each with its name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.report.figures import picture_as_rgb
from gmmseg.report.lettering import paste, sheet_of_paper, shortened, text_line

_GAP = 12  # white between two pictures, in pixels


def contact_sheet(
    pictures: Sequence[ArrayLike],
    names: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    width: int = 320,
) -> NDArray[np.uint8]:
    """Lay pictures beside and below each other, scaled down to one size, with names.

    Parameters
    ----------
    pictures : sequence of array_like of uint8 of shape (rows, cols) or (rows, cols, 3)
        Gray or RGB pictures, of any sizes.
    names : sequence of str, optional
        What is written under each picture; its middle is left out where it is too long.
    columns : int, optional
        Pictures in a line; if None, so many that the sheet is a little wider than high.
    width : int
        How wide a picture may be, in pixels; it may be three quarters as high. Larger ones are
        scaled down.

    Returns
    -------
    sheet : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture.

    Raises
    ------
    InputError
        If there is no picture, one is not uint8 gray or RGB, there are not as many names, or an
        option cannot be used.

    Examples
    --------
    >>> black = np.zeros((30, 40), dtype=np.uint8)
    >>> contact_sheet([black] * 6, columns=3, width=40).shape
    (96, 168, 3)
    """
    if len(pictures) == 0:
        raise InputError("pictures must be at least one, got none")
    if names is not None and len(names) != len(pictures):
        raise InputError(f"names must be {len(pictures)}, one for each picture, got {len(names)}")
    check_number("width", width, least=1, is_whole=True)
    if columns is None:
        columns = int(np.ceil(np.sqrt(len(pictures) * 1.2)))
    check_number("columns", columns, least=1, is_whole=True)
    columns = min(columns, len(pictures))
    small = [scaled_into(picture_as_rgb(p, "a picture"), width) for p in pictures]
    lines = []
    for start in range(0, len(small), columns):
        parts = small[start : start + columns]
        lines.append(_line(parts, names and names[start : start + columns], columns, width))
    end = sheet_of_paper(_GAP, lines[0].shape[1])
    return np.concatenate([*lines, end])


def scaled_into(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Return a picture scaled down to at most a width, and three quarters of it as height."""
    share = min(1.0, width / picture.shape[1], 0.75 * width / len(picture))
    if share == 1.0:
        return picture
    from PIL import Image

    size = max(1, round(picture.shape[1] * share)), max(1, round(len(picture) * share))
    scaled = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(scaled, dtype=np.uint8)


def _line(
    pictures: list[NDArray[np.uint8]], names: Sequence[str] | None, columns: int, width: int
) -> NDArray[np.uint8]:
    """Return one line of pictures, standing on their names."""
    size = int(np.clip(round(width / 22), 13, 32))
    height = max(len(picture) for picture in pictures)
    caption = round(1.8 * size) if names is not None else 0
    line = sheet_of_paper(_GAP + height + caption, columns * (width + _GAP) + _GAP)
    for index, picture in enumerate(pictures):
        col = _GAP + index * (width + _GAP)
        left = col + (width - picture.shape[1]) // 2
        paste(line, picture, _GAP + height - len(picture), left)
        if names is not None:
            words = text_line(shortened(names[index], size, width), size)
            col += (width - words.shape[1]) // 2
            paste(line, words, _GAP + height + size // 6, col)
    return line
