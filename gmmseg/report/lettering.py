"""Write words into pictures, with the font that Pillow brings along."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

INK = (51, 51, 68)
FAINT_INK = (120, 120, 132)
PAPER = (255, 255, 255)


@cache
def font_of(size: int) -> "FreeTypeFont | ImageFont":
    """Return Pillow's own font, its letters so many pixels high."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> int:
    """Return how many pixels a line of text takes."""
    return int(np.ceil(font_of(size).getlength(text)))


def text_line(text: str, size: int, ink: tuple[int, int, int] = INK) -> NDArray[np.uint8]:
    """Return a line of text as an RGB picture on white, 1.5 sizes high."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (text_width(text, size) + 1, round(1.5 * size)), PAPER)
    middle = 0.75 * size
    # Letters sit on one line whatever they are: "lm" takes the height of the font.
    ImageDraw.Draw(picture).text((0, middle), text, ink, font=font_of(size), anchor="lm")
    return np.asarray(picture, dtype=np.uint8)


def shortened(text: str, size: int, width: int) -> str:
    """Return the text, or its ends with dots between them where it is wider than so many pixels."""
    if text_width(text, size) <= width:
        return text
    kept = len(text) - 1
    while kept > 0:
        begin = (kept + 1) // 2
        short = text[:begin] + "…" + text[len(text) - kept + begin :]
        if text_width(short, size) <= width:
            return short
        kept -= 1
    return ""


def letter_size(width: int) -> int:
    """Return a size of letters that suits a picture so many pixels wide."""
    return int(np.clip(round(width / 54), 13, 48))


def paste(paper: NDArray[np.uint8], picture: NDArray[np.uint8], row: int, col: int) -> None:
    """Lay a picture on paper, its first pixel at a row and column; what reaches beyond is cut."""
    room = paper[row:, col:]
    rows, cols = min(len(picture), len(room)), min(picture.shape[1], room.shape[1])
    paper[row : row + rows, col : col + cols] = picture[:rows, :cols]


def sheet_of_paper(rows: int, cols: int) -> NDArray[np.uint8]:
    """Return a white picture."""
    return np.full((rows, cols, 3), PAPER, dtype=np.uint8)
