"""The model file: a zip of plain arrays and a JSON header, in which nothing can run."""

import contextlib
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gmmseg.errors import ModelFileError
from gmmseg.files import replacing

FORMAT = "gmmseg model"
FORMAT_VERSION = 1
HEADER_NAME = "header.json"
LARGEST_HEADER = 2**20  # bytes
LARGEST_MODEL = 2**31  # bytes in all arrays together
MOST_DIMENSIONS = 8  # of an array
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same model is the same bytes on every day

FilePath = str | PathLike[str]


def write_model(
    path: FilePath, *, kind: str, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write a model file; a reader sees the old file or the new one, never half.

    Parameters
    ----------
    path : str or path
        Where to write, by custom ending in ".gmm".
    kind : str
        What the model is, such as "gaussian-mixture"; `read_model` asks for it.
    header : mapping
        Everything that is not an array: numbers, texts, lists, as JSON knows them.
    arrays : mapping of str to ndarray
        Arrays of numbers.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    full_header = {"format": FORMAT, "format_version": FORMAT_VERSION, "kind": kind, **header}
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        text = json.dumps(full_header, indent=1, allow_nan=False)
        archive.writestr(zipfile.ZipInfo(HEADER_NAME, EPOCH), text)
        for name, array in arrays.items():
            buffer = io.BytesIO()
            npy.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), buffer.getvalue())


def read_model(path: FilePath, *, kind: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays of a model file of this kind.

    Sizes are checked before anything is allocated, and nothing in the file is ever run.

    Raises
    ------
    ModelFileError
        If the file is missing, no model file, damaged, of another kind, from a newer version, or
        asks for more memory than it holds.
    """
    path = Path(path)
    with _opened(path) as archive:
        header = _read_header(archive, path)
        _check_header(header, path, kind)
        return header, _read_arrays(archive, path)


def read_kind(path: FilePath) -> str:
    """Return the kind of model that a file says it holds.

    Raises
    ------
    ModelFileError
        If the file is missing, no model file or damaged.
    """
    path = Path(path)
    with _opened(path) as archive:
        return str(_read_header(archive, path).get("kind"))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a model file; whatever is wrong with it becomes a ModelFileError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise ModelFileError(f"{path} does not exist") from None
    except zipfile.BadZipFile as error:
        raise ModelFileError(f"{path} is not a gmmseg model file, or damaged: {error}") from None
    # The last two are how zipfile tells of features that it does not know, and of passwords.
    except (OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelFileError(f"{path} cannot be read: {error}") from None


def _read_header(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    if HEADER_NAME not in archive.namelist():
        raise ModelFileError(f"{path} is not a gmmseg model file: it has no {HEADER_NAME}")
    text = _read_member(archive, HEADER_NAME, path, LARGEST_HEADER)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelFileError(f"{path} is damaged: its {HEADER_NAME} is not JSON") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelFileError(
            f"{path} is not a gmmseg model file: its {HEADER_NAME} does not say so"
        )
    return header


def _check_header(header: dict[str, Any], path: Path, kind: str) -> None:
    version = header.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise ModelFileError(f"{path} is damaged: format_version is {version!r}")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format_version {version}, this gmmseg reads up to {FORMAT_VERSION}; "
            "upgrade gmmseg"
        )
    if header.get("kind") != kind:
        raise ModelFileError(
            f"{path} holds a model of kind {header.get('kind')!r}, wanted {kind!r}"
        )


def _read_arrays(archive: zipfile.ZipFile, path: Path) -> dict[str, NDArray[Any]]:
    members = [name.removesuffix(".npy") for name in archive.namelist()]
    if len(set(members)) != len(members):
        raise ModelFileError(f"{path} is damaged: it holds two members of one name")
    names = [name for name in archive.namelist() if name != HEADER_NAME]
    total = sum(archive.getinfo(name).file_size for name in names)
    if total > LARGEST_MODEL:
        raise ModelFileError(
            f"{path} claims {total} bytes of arrays, more than the limit of {LARGEST_MODEL}"
        )
    return {name.removesuffix(".npy"): _read_array(archive, name, path) for name in names}


def _read_array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    data = io.BytesIO(_read_member(archive, name, path, LARGEST_MODEL))
    try:
        version = npy.read_magic(data)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = reader(data)
    except (ValueError, EOFError, TypeError, RecursionError, MemoryError, SyntaxError) as error:
        raise ModelFileError(f"{path} is damaged: {name} is not an array ({error})") from None
    body = data.getbuffer()[data.tell() :]
    is_possible = len(shape) <= MOST_DIMENSIONS and all(
        type(length) is int and 0 <= length <= LARGEST_MODEL for length in shape
    )
    holds_it = is_possible and math.prod(shape) * dtype.itemsize == len(body)
    if dtype.kind not in "fiub" or not holds_it:
        raise ModelFileError(
            f"{path} is damaged: {name} claims shape {shape} of {dtype}, "
            f"and holds {len(body)} bytes"
        )
    return np.frombuffer(body, dtype).reshape(shape, order="F" if is_fortran else "C").copy()


def _read_member(archive: zipfile.ZipFile, name: str, path: Path, limit: int) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ModelFileError(
            f"{path} is damaged or hostile: {name} is compressed; models are stored plainly"
        )
    if info.file_size > limit:
        raise ModelFileError(f"{path} is damaged or hostile: {name} claims {info.file_size} bytes")
    return archive.read(name)
