"""Read frames, one after the other: from folders, stacks, arrays, streams and video files."""

import itertools
import re
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError, MissingExtraError
from gmmseg.video.streams import raw_frames, y4m_video

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
ANIMATIONS = {".gif", ".webp", ".png", ".apng"}
STDIN = "-"
DAMAGED = (
    OSError, EOFError, ValueError, SyntaxError, IndexError, KeyError, TypeError, struct.error
)  # fmt: skip

Frame = NDArray[Any]
FilePath = str | PathLike[str]


@dataclass(frozen=True, eq=False)
class Video:
    """Frames that come one after the other, and what is known of them beforehand.

    Parameters
    ----------
    frames : iterator of (str, ndarray)
        Name of each frame, by which its mask can be called, and the frame: (rows, cols) or
        (rows, cols, 3). It can be gone through once.
    fps : float or None
        Frames per second, if the file says so.
    n_frames : int or None
        How many frames there are, if that is known beforehand.

    Examples
    --------
    >>> video = Video(iter([("first", np.zeros((9, 9)))]), fps=25.0)
    >>> [name for name, _ in video.frames]
    ['first']
    """

    frames: Iterator[tuple[str, Frame]]
    fps: float | None = None
    n_frames: int | None = None


def open_video(path: FilePath, *, size: tuple[int, int] | None = None) -> Video:
    """Open a folder of frames, a stack, a stream or a video file.

    Video files need PyAV (``pip install 'gmmseg[video]'``). PyAV itself is BSD; the FFmpeg that
    its wheels bring is under LGPL or GPL, and some of its codecs (H.264, HEVC) are patented in
    some countries.

    Parameters
    ----------
    path : str or path
        A folder of pictures, in the order of their names, numbers in them counting as such; a TIFF
        or GIF stack; an ``.npy`` of shape (n_frames, rows, cols[, 3]); a ``.y4m`` stream; "-" for
        stdin, as Y4M or, with `size`, raw; or a video file.
    size : tuple of int, optional
        Columns and rows of raw RGB frames of 8 bit.

    Returns
    -------
    video : Video
        Its frames are read as they are asked for.

    Raises
    ------
    InputError
        If there is nothing to read; while the frames are gone through, if one is damaged, of
        another size than those before, or cut off.
    MissingExtraError
        If it is a video file and PyAV is not installed.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "clip.npy")
    >>> np.save(path, np.zeros((3, 16, 20, 3), np.uint8))
    >>> [(name, frame.shape) for name, frame in open_video(path).frames][-1]
    ('000003', (16, 20, 3))
    >>> folder.cleanup()
    """
    if str(path) == STDIN:
        return _open_stream(sys.stdin.buffer, "stdin", size)
    file = Path(path)
    if not file.exists():
        raise InputError(f"{file} does not exist; give a folder of frames or a video file")
    video = _open_folder(file) if file.is_dir() else _open_file(file, size)
    return Video(_same_size(video.frames, file), video.fps, video.n_frames)


def _open_file(file: Path, size: tuple[int, int] | None) -> Video:
    suffix = file.suffix.lower()
    if file.stat().st_size == 0:
        raise InputError(f"{file} is empty")
    if size is not None or suffix == ".y4m":
        return _open_stream(file.open("rb"), str(file), size)
    if suffix == ".npy":
        return _open_array(file)
    if suffix in {".tif", ".tiff"}:
        return _open_tiff(file)
    if suffix in ANIMATIONS:
        return _open_animation(file)
    return _open_with_av(file)


def _open_folder(folder: Path) -> Video:
    files = sorted(
        (file for file in folder.iterdir() if file.suffix.lower() in PICTURES), key=_natural
    )
    if not files:
        raise InputError(
            f"{folder} holds no frames; give a folder of pictures ({', '.join(sorted(PICTURES))})"
        )
    for before, file in itertools.pairwise(files):
        if before.stem == file.stem:
            raise InputError(
                f"{before} and {file} have one name, so their masks would too; keep one of them"
            )
    return Video(((file.stem, _read_picture(file)) for file in files), None, len(files))


def _natural(file: Path) -> tuple[Any, ...]:
    """Return a key by which frame2 comes before frame10."""
    parts = re.split(r"(\d+)", file.stem)
    return (*((int(part), "") if part.isdigit() else (-1, part) for part in parts), file.name)


@contextmanager
def _telling(file: Path, what: str = "") -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data into one line."""
    try:
        yield
    except InputError:
        raise
    except DAMAGED as error:
        raise InputError(f"{file}{what} cannot be read: {error}") from error


def _read_picture(file: Path) -> Frame:
    from PIL import Image

    with _telling(file):
        if file.suffix.lower() in {".tif", ".tiff"}:
            import tifffile

            return _plain(tifffile.imread(file))
        with Image.open(file) as picture:
            return _as_array(picture)


def _as_array(picture: Any) -> Frame:
    """Return a picture of Pillow as grey or RGB."""
    if picture.mode in ("I;16", "I;16L", "I;16B"):
        return np.asarray(picture).astype(np.uint16)
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"))


def _plain(values: Frame) -> Frame:
    """Return a page without its alpha channel, in the byte order of this machine."""
    if values.ndim == 3 and values.shape[2] in (2, 4):
        values = values[:, :, :-1]
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _open_array(file: Path) -> Video:
    with _telling(file):
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    if array.ndim not in (3, 4) or (array.ndim == 3 and array.shape[2] in (1, 3)):
        raise InputError(
            f"{file} has shape {array.shape}; frames are (n_frames, rows, cols[, channels])"
        )
    frames = ((_number(i), np.asarray(array[i])) for i in range(len(array)))
    return Video(frames, None, len(array))


def _open_tiff(file: Path) -> Video:
    import tifffile

    with _telling(file), tifffile.TiffFile(file) as tiff:
        n_frames = len(tiff.pages)

    def pages() -> Iterator[tuple[str, Frame]]:
        for i in range(n_frames):
            with _telling(file, f", page {i + 1},"):
                page = _plain(tifffile.imread(file, key=i))
            yield _number(i), page

    return Video(pages(), None, n_frames)


def _open_animation(file: Path) -> Video:
    from PIL import Image

    with _telling(file), Image.open(file) as picture:
        n_frames, duration = getattr(picture, "n_frames", 1), picture.info.get("duration", 0)

    def frames() -> Iterator[tuple[str, Frame]]:
        with Image.open(file) as picture:
            for i in range(n_frames):
                with _telling(file, f", frame {i + 1},"):
                    picture.seek(i)
                    frame = _as_array(picture)
                yield _number(i), frame

    return Video(frames(), 1000.0 / duration if duration else None, n_frames)


def _open_stream(stream: BinaryIO, name: str, size: tuple[int, int] | None) -> Video:
    if size is not None:
        frames, fps = raw_frames(stream, name, size), None
    else:
        frames, fps = y4m_video(stream, name)
    return Video(((_number(i), frame) for i, frame in enumerate(frames)), fps, None)


def _open_with_av(file: Path) -> Video:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError(
            f"{file} is a video file, and to read it needs PyAV, which is not installed; "
            "pip install 'gmmseg[video]'"
        ) from error
    with _telling(file):
        container = av.open(str(file))
    if not container.streams.video:
        raise InputError(f"{file} has no pictures in it: it is cut off, or sound alone")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"

    def frames() -> Iterator[tuple[str, Frame]]:
        with container:
            decoded, i = container.decode(stream), 0
            while True:
                with _telling(file, f", frame {i + 1},"):
                    frame = next(decoded, None)
                if frame is None:
                    _check_whole(file, i, stream.frames)
                    return
                yield _number(i), frame.to_ndarray(format="rgb24")
                i += 1

    fps = float(stream.average_rate) if stream.average_rate else None
    return Video(frames(), fps, stream.frames or None)


def _check_whole(file: Path, n_frames: int, n_promised: int) -> None:
    """Refuse a video that ends early; how many frames there are is told to one in fifty at best."""
    if n_frames < n_promised - max(n_promised // 50, 2):
        raise InputError(
            f"{file} is cut off: it ends after {n_frames} of {n_promised} frames; "
            "what was found in these is kept"
        )


def _number(i: int) -> str:
    """Return the name of a frame that has none."""
    return f"{i + 1:06d}"


def _same_size(frames: Iterator[tuple[str, Frame]], path: Path) -> Iterator[tuple[str, Frame]]:
    """Yield the frames, and stop at one of another size or type."""
    first = None
    for name, frame in frames:
        kind = frame.shape, frame.dtype
        if first is None:
            first = kind
        if kind != first:
            raise InputError(
                f"{path}: frame {name} has shape {frame.shape} of {frame.dtype}, those before "
                f"{first[0]} of {first[1]}; all frames must have one size"
            )
        yield name, frame
