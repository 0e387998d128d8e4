"""Read one signal, whatever it came in: a sound file, or numbers of a sensor with their rate."""

import csv
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio import suffixes
from gmmseg.audio.io import audio_info, read_audio
from gmmseg.errors import InputError

RATE_NAMES = ("sr", "rate", "fs")
LARGEST = 2**32  # bytes of numbers in one file


def is_numbers(path: str | os.PathLike[str]) -> bool:
    """Return whether a file holds plain numbers, by its name."""
    return Path(path).suffix.lower() in suffixes.NUMBERS


def read_signal(
    path: str | os.PathLike[str], *, sr: float | None = None
) -> tuple[NDArray[Any], float]:
    """Read a sound file, or a record of a sensor as numbers.

    Parameters
    ----------
    path : path-like
        A sound file; or ``.npy``, samples; or ``.npz``, samples and by custom their rate as
        ``sr``; or ``.csv``, one line per sample, of several columns the last, and with a column
        ``time`` (in seconds) its own rate.
    sr : float, optional
        Rate of a file that does not tell its own, in Hz.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_channels, n_samples)
        Samples, in the unit of the file.
    sr : float
        Their rate, in Hz.

    Raises
    ------
    InputError
        If the file cannot be read, or neither it nor ``sr`` tells the rate.

    Examples
    --------
    >>> y, sr = read_signal("data/conversation.flac")
    >>> sr
    16000
    """
    path = Path(path)
    if not is_numbers(path):
        return read_audio(path)
    _check_size(path)
    try:
        y, own = _READERS[path.suffix.lower()](path)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError) as error:
        raise InputError(f"{path} cannot be read as numbers: {error}") from None
    rate = own if own is not None else sr
    if rate is None:
        raise InputError(
            f"{path} does not tell its sampling rate; give it in Hz as sr (--rate), "
            "or save an .npz with the samples and sr"
        )
    return y, rate


def signal_length(path: str | os.PathLike[str], *, sr: float | None = None) -> tuple[float, float]:
    """Return seconds and rate of a file, without decoding it if it is sound."""
    if is_numbers(path):
        y, rate = read_signal(path, sr=sr)
        return y.shape[-1] / rate, rate
    info = audio_info(path)
    return info.seconds, info.sr


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the name and the folder") from None
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}") from None
    if size == 0 or size > LARGEST:
        raise InputError(f"{path} must hold from 1 to {LARGEST} bytes, got {size}")


def _read_npy(path: Path) -> tuple[NDArray[Any], None]:
    return np.load(path, allow_pickle=False), None


def _read_npz(path: Path) -> tuple[NDArray[Any], float | None]:
    """Return the largest array and the rate, if one is named so."""
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(entry.file_size for entry in archive.infolist())
        if n_bytes > LARGEST:
            raise InputError(f"it claims {n_bytes} bytes, more than the limit of {LARGEST}")
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    rates = [arrays.pop(name) for name in RATE_NAMES if name in arrays]
    if len(arrays) > 1 and "y" in arrays:
        arrays = {"y": arrays["y"]}
    if len(arrays) != 1:
        raise InputError(f"it must hold one array of samples, or name it y, got {sorted(arrays)}")
    if rates and rates[0].size != 1:
        raise InputError("its sampling rate must be one number")
    return next(iter(arrays.values())), float(rates[0].ravel()[0]) if rates else None


def _read_csv(path: Path) -> tuple[NDArray[np.float64], float | None]:
    """Return the last column, and the rate if there is a column of times."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = [line for line in csv.reader(file) if line and not line[0].startswith("#")]
    names: list[str] = []
    if lines and not _is_number(lines[0][0]):
        names = [name.strip().lower() for name in lines.pop(0)]
    if not lines:
        raise InputError("it has no samples")
    table = np.array([[float(cell) for cell in line] for line in lines])
    if "time" not in names or len(table) < 2:
        return table[:, -1], None
    times = table[:, names.index("time")]
    span = times[-1] - times[0]
    step = span / (len(times) - 1)
    if not span > 0.0 or np.abs(np.diff(times) - step).max() > 0.5 * step:
        raise InputError("its times must grow evenly")
    return table[:, -1], 1.0 / step


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_READERS: dict[str, Any] = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv}
