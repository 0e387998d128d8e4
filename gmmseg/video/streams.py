"""Uncompressed video as a stream of bytes: Y4M, which tells its own size, and raw RGB."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError

LONGEST_LINE = 1000  # bytes
MOST_PIXELS = 2**28
# Halving of the chroma planes: rows, columns. "mono" has none.
CHROMA = {"420": (2, 2), "422": (1, 2), "444": (1, 1), "mono": (0, 0)}
# From Y, Cb, Cr in studio range to RGB (ITU-R BT.601).
TO_RGB = np.array([[1.164, 0.0, 1.596], [1.164, -0.392, -0.813], [1.164, 2.017, 0.0]], np.float32)
OFFSET = np.array([16.0, 128.0, 128.0], np.float32)

Frame = NDArray[Any]


def raw_frames(stream: BinaryIO, name: str, size: tuple[int, int]) -> Iterator[Frame]:
    """Yield RGB frames of 8 bit, with so many columns and rows, that follow each other bare."""
    cols, rows = _checked_size(size, name)
    number = 0
    while (data := _read(stream, rows * cols * 3, name, number + 1)) is not None:
        yield np.frombuffer(data, np.uint8).reshape(rows, cols, 3)
        number += 1
    if number == 0:
        raise InputError(f"{name} is empty")


def y4m_video(stream: BinaryIO, name: str) -> tuple[Iterator[Frame], float | None]:
    """Return the frames of a Y4M stream as RGB or grey, and how many there are per second."""
    words = _line(stream, name).split()
    if not words or words[0] != "YUV4MPEG2":
        raise InputError(
            f"{name} is no Y4M stream; make one with ffmpeg -i … -f yuv4mpegpipe -, "
            "or give --size for raw RGB"
        )
    fields = {word[0]: word[1:] for word in words[1:]}
    try:
        size = int(fields["W"]), int(fields["H"])
        rate = Fraction(fields.get("F", "0:1").replace(":", "/"))
    except (KeyError, ValueError, ZeroDivisionError):
        raise InputError(f"{name} has a damaged Y4M header: {' '.join(words)}") from None
    cols, rows = _checked_size(size, name)
    color = fields.get("C", "420")
    kind = next((kind for kind in CHROMA if color.startswith(kind)), None)
    if kind is None or "p1" in color or "alpha" in color or color in ("mono16",):
        raise InputError(
            f"{name} has colours {color}; convert it to 8 bit with ffmpeg -pix_fmt yuv420p"
        )
    return _y4m_frames(stream, name, (rows, cols), CHROMA[kind]), float(rate) or None


def _y4m_frames(
    stream: BinaryIO, name: str, shape: tuple[int, int], halving: tuple[int, int]
) -> Iterator[Frame]:
    rows, cols = shape
    is_grey = halving == (0, 0)
    chroma = (0, 0) if is_grey else (-(-rows // halving[0]), -(-cols // halving[1]))
    n_luma, n_chroma = rows * cols, chroma[0] * chroma[1]
    number = 0
    while header := _line(stream, name):
        if not header.startswith("FRAME"):
            raise InputError(f"{name} is damaged: frame {number + 1} does not begin with FRAME")
        data = _read(stream, n_luma + 2 * n_chroma, name, number + 1)
        if data is None:
            raise InputError(_cut_off(name, number + 1, 0, n_luma + 2 * n_chroma))
        values = np.frombuffer(data, np.uint8)
        luma = values[:n_luma].reshape(shape)
        if is_grey:
            yield luma
        else:
            planes = [values[n_luma + i * n_chroma :][:n_chroma].reshape(chroma) for i in (0, 1)]
            yield _to_rgb(
                luma, [plane.repeat(halving[0], 0).repeat(halving[1], 1) for plane in planes]
            )
        number += 1
    if number == 0:
        raise InputError(f"{name} has a Y4M header and no frames")


def _to_rgb(luma: Frame, chroma: list[Frame]) -> Frame:
    rows, cols = luma.shape
    planes = np.stack([luma, *(plane[:rows, :cols] for plane in chroma)], axis=2)
    rgb = (planes.astype(np.float32) - OFFSET) @ TO_RGB.T
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def _checked_size(size: tuple[int, int], name: str) -> tuple[int, int]:
    cols, rows = size
    if cols < 1 or rows < 1 or cols * rows > MOST_PIXELS:
        raise InputError(f"{name}: frames of {cols} x {rows} pixels cannot be")
    return cols, rows


def _line(stream: BinaryIO, name: str) -> str:
    """Return the next line, empty at the end of the stream."""
    line = stream.readline(LONGEST_LINE)
    if line and not line.endswith(b"\n"):
        raise InputError(f"{name} is no Y4M stream, or cut off: it has a line without an end")
    return line.decode("latin-1").rstrip("\n")


def _read(stream: BinaryIO, size: int, name: str, number: int) -> bytes | None:
    """Return the bytes of a frame, None at the end of the stream."""
    data = stream.read(size)
    if not data:
        return None
    if len(data) < size:
        raise InputError(_cut_off(name, number, len(data), size))
    return data


def _cut_off(name: str, number: int, got: int, wanted: int) -> str:
    return (
        f"{name} ends in the middle of frame {number}: {got} of {wanted} bytes; "
        f"the {number - 1} frames before it are whole"
    )
