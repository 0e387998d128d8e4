"""Say under or beside an overlay which colour is which label, and how much of the image it has."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.report.figures import check_labels, color_of_label, picture_as_rgb
from gmmseg.report.lettering import (
    FAINT_INK,
    INK,
    letter_size,
    paste,
    sheet_of_paper,
    shortened,
    text_line,
    text_width,
)

MOST_ENTRIES = 30  # there are no more colours


def add_legend(
    picture: ArrayLike,
    labels: ArrayLike,
    *,
    names: list[str] | None = None,
    side: Literal["below", "right"] = "below",
) -> NDArray[np.uint8]:
    """Add a legend to an overlay: a chip of colour, the label, and its share of the area.

    Parameters
    ----------
    picture : array_like of uint8 of shape (rows, cols) or (rows, cols, 3)
        Picture that `overlay_labels` made, also if it was scaled or laid beside another.
    labels : array_like of int, of any shape
        Its labels 1…n, and 0 where masked out, which has no share.
    names : list of str, optional
        ``names[k]`` says what label ``k + 1`` is.
    side : {"below", "right"}
        Where the legend is put.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, cols, 3)
        The picture on a larger sheet. If there are more than 30 labels, the 29 of largest area
        are told, and how many others there are.

    Raises
    ------
    InputError
        If the picture is not uint8 gray or RGB, the labels are not integers of at least 0, there
        are too few names, or `side` is another word.

    Examples
    --------
    >>> picture = np.zeros((100, 200, 3), dtype=np.uint8)
    >>> add_legend(picture, [[1, 1, 2]], names=["sky", "sea"]).shape[1]
    200
    """
    picture = picture_as_rgb(picture, "picture")
    if side not in ("below", "right"):
        raise InputError(f"side must be below or right, got {side!r}")
    entries = _entries(check_labels(labels), names)
    size = letter_size(max(picture.shape[:2]))
    if side == "below":
        room = picture.shape[1]
        strip = _laid_out(entries, size, room, n_columns=_columns_that_fit(entries, size, room))
        return np.concatenate([picture, strip])
    room = _column_width(entries, size) + size // 2
    strip = _laid_out(entries, size, room, n_columns=1)
    sheet = sheet_of_paper(max(len(picture), len(strip)), picture.shape[1] + room)
    paste(sheet, picture, 0, 0)
    paste(sheet, strip, 0, picture.shape[1])
    return sheet


class _Entry(NamedTuple):
    """One line of a legend; label 0 stands for all that have no line of their own."""

    label: int
    words: str
    share: str


def _entries(labels: NDArray[Any], names: list[str] | None) -> list[_Entry]:
    """Return what the legend says."""
    found, counts = np.unique(labels[labels > 0], return_counts=True)
    if names is not None and found.size and found[-1] > len(names):
        raise InputError(f"names must be those of all labels up to {found[-1]}, got {len(names)}")
    shares = counts / counts.sum()
    order = np.arange(len(found))
    if len(found) > MOST_ENTRIES:
        order = np.sort(np.argsort(-counts, kind="stable")[: MOST_ENTRIES - 1])
    entries = []
    for label, share in zip(found[order].tolist(), shares[order].tolist(), strict=True):
        words = str(label) if names is None else f"{label} {names[label - 1]}"
        entries.append(_Entry(label, words, _percent(share)))
    if len(order) < len(found):
        n_others = len(found) - len(order)
        entries.append(_Entry(0, f"{n_others} others", _percent(1 - shares[order].sum())))
    return entries


def _percent(share: float) -> str:
    """Return a share as people say it: 0.3 %, 4.2 %, 42 %."""
    percent = 100 * share
    if percent < 0.1:
        return "<0.1 %"
    return f"{percent:.1f} %" if percent < 9.95 else f"{percent:.0f} %"


def _column_width(entries: list[_Entry], size: int) -> int:
    """Return the width of the widest entry: chip, space, words, space, share, space."""
    widest = max((text_width(entry.words + entry.share, size) for entry in entries), default=0)
    return widest + round(3.9 * size)


def _columns_that_fit(entries: list[_Entry], size: int, room: int) -> int:
    """Return how many entries lie beside each other, as equal in every line as can be."""
    most = max(1, min(len(entries), room // _column_width(entries, size)))
    n_lines = -(-len(entries) // most)
    return max(1, -(-len(entries) // max(n_lines, 1)))


def _laid_out(entries: list[_Entry], size: int, room: int, *, n_columns: int) -> NDArray[np.uint8]:
    """Return the strip with all entries, line by line."""
    height, width = round(1.7 * size), _column_width(entries, size)
    n_lines = -(-len(entries) // n_columns)
    strip = sheet_of_paper(n_lines * height + 2 * (size // 2) if entries else 0, room)
    for index, (label, words, share) in enumerate(entries):
        row = size // 2 + index // n_columns * height
        col = size // 2 + index % n_columns * width
        chip = _chip(label, size)
        paste(strip, chip, row + (height - len(chip)) // 2, col)
        col += round(2.1 * size)
        left = room - col - text_width(share, size) - size
        for text, ink in ((shortened(words, size, left), INK), (share, FAINT_INK)):
            line = text_line(text, size, ink)
            paste(strip, line, row + (height - len(line)) // 2, col)
            col += line.shape[1] + round(0.5 * size)
    return strip


def _chip(label: int, size: int) -> NDArray[np.uint8]:
    """Return a little picture in the colour of a label with a thin frame; others: a row of dots."""
    side = round(1.15 * size)
    chip = sheet_of_paper(side, round(1.4 * side))
    if label == 0:
        dot = max(2, side // 7)
        for index in range(3):
            col = round((index + 1) * chip.shape[1] / 4) - dot // 2
            chip[(side - dot) // 2 : (side + dot) // 2 + 1, col : col + dot] = INK
        return chip
    chip[:] = np.rint(0.55 * np.array(color_of_label(label)) + 0.45 * np.array(INK))
    chip[1:-1, 1:-1] = color_of_label(label)
    return chip
