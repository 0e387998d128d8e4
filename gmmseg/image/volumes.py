"""Read volumes (NIfTI, TIFF stacks, NumPy) and write labels that lie where their volume lies."""

import gzip
import os
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.files import first_bytes, replacing
from gmmseg.image.decoders import TIFF_MAGICS
from gmmseg.image.opening import damage_told_in_one_line
from gmmseg.image.volume_decoders import (
    Volume,
    decode_nifti,
    decode_npy_volume,
    decode_npz,
    decode_tiff_stack,
    import_nibabel,
    is_nifti,
)

SUFFIXES = (".nii", ".nii.gz", ".tif", ".tiff", ".npy", ".npz")
_GZIP = b"\x1f\x8b"


def read_volume(
    path: str | os.PathLike[str], *, key: str | None = None, max_voxels: int = 2**30
) -> Volume:
    """Read a volume file, with the distances between its voxels.

    The content decides how a file is read, not its suffix: NIfTI 1 and 2, also compressed, with
    nibabel; TIFF stacks with tifffile; ``.npy`` and ``.npz`` with NumPy.

    Parameters
    ----------
    path : path-like
        File to read.
    key : str, optional
        Name of the array in an ``.npz`` file; not needed if only one has three or four axes.
    max_voxels : int
        Largest number of values, voxels times channels, that is decoded. It is compared with
        the file's header before memory is taken, so that a small file cannot fill the machine.

    Returns
    -------
    volume : Volume
        Voxels in the file's own dtype, or as floating numbers where a NIfTI file scales them.
        Voxels may be NaN, where nothing was measured, but not all of them.

    Raises
    ------
    InputError
        If there is no such file, or it may not be read, is no volume of one to many channels,
        is damaged, is not finite anywhere, or has more than `max_voxels` values.
    MissingExtraError
        If the file is NIfTI and nibabel is not installed.

    Examples
    --------
    >>> volume = read_volume("data/brain_phantom.nii.gz")
    >>> volume.values.shape, volume.spacing
    ((40, 56, 48), (4.0, 3.0, 3.0))
    """
    path = Path(path)
    with damage_told_in_one_line(path):
        volume = _decode(path, key, max_voxels)
    if volume.values.dtype.kind == "f" and not np.isfinite(volume.values).any():
        raise InputError(f"{path} has no finite voxel: all are NaN or infinite")
    return volume


def _decode(path: Path, key: str | None, max_voxels: int) -> Volume:
    """Decode a file by what it begins with."""
    prefix = first_bytes(path, 352)
    if prefix.startswith(b"PK\3\4"):
        return decode_npz(path, max_voxels, key)
    if key is not None:
        raise InputError(f"{path} is no .npz file and has no named arrays; leave out key={key!r}")
    if prefix.startswith(b"\x93NUMPY"):
        return decode_npy_volume(path, max_voxels)
    if prefix.startswith(TIFF_MAGICS):
        return decode_tiff_stack(path, max_voxels)
    if prefix.startswith(_GZIP):
        with gzip.open(path) as unpacked:
            if is_nifti(unpacked.read(352)):
                return decode_nifti(path, max_voxels, unpacked)
    elif is_nifti(prefix):
        with path.open("rb") as file:
            return decode_nifti(path, max_voxels, file)
    raise InputError(
        f"{path} is not a volume in a known format, it starts with {prefix[:16]!r}; "
        "give a NIfTI (.nii, .nii.gz), TIFF stack, .npy or .npz file"
    )


def write_volume(path: str | os.PathLike[str], labels: ArrayLike, *, like: Volume) -> None:
    """Write the labels of a volume, atomically, in the smallest unsigned dtype that holds them.

    A NIfTI file takes affine and header of the volume, so that viewers lay the labels over it.

    Parameters
    ----------
    path : path-like
        File to write; its suffix is ``.nii``, ``.nii.gz``, ``.tif``, ``.tiff``, ``.npy`` or
        ``.npz`` (in which the array is called labels).
    labels : array_like of int of shape (planes, rows, cols)
        Labels 1…n, and 0 where masked out.
    like : Volume
        The volume that the labels belong to, as `read_volume` gave it.

    Raises
    ------
    InputError
        If `labels` is not an integer array of the volume's shape within 0…4294967295 (65535 in
        a TIFF file), or the file cannot be written.
    MissingExtraError
        If a NIfTI file is wanted and nibabel is not installed.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "labels.npy")
    >>> write_volume(path, [[[1, 2]]], like=Volume(np.zeros((1, 1, 2))))
    >>> read_volume(path).values
    array([[[1, 2]]], dtype=uint8)
    >>> folder.cleanup()
    """
    suffix = _suffix_of(path)
    labels = _smallest_unsigned(np.asarray(labels), like)
    if suffix in (".tif", ".tiff") and labels.dtype.itemsize > 2:
        raise InputError(
            f"labels in a TIFF file must lie in 0…65535, got {labels.max()}; "
            "write .nii.gz, .npy or .npz"
        )
    _write(path, labels, suffix, like)


def write_volume_probabilities(
    path: str | os.PathLike[str], probabilities: ArrayLike, *, like: Volume
) -> None:
    """Write how likely every segment is at every voxel as float32, atomically.

    Parameters
    ----------
    path : path-like
        File to write; its suffix is one of those of `write_volume`.
    probabilities : array_like of float of shape (planes, rows, cols, n_segments)
        Probabilities. In NIfTI files the segments lie along the fourth axis, in TIFF files they
        are the channels, in NumPy files the last axis.
    like : Volume
        The volume that they belong to, as `read_volume` gave it.

    Raises
    ------
    InputError
        If `probabilities` is not a floating array of the volume's shape and one axis more, or the
        file cannot be written.
    MissingExtraError
        If a NIfTI file is wanted and nibabel is not installed.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "probabilities.npy")
    >>> write_volume_probabilities(path, [[[[0.25, 0.75]]]], like=Volume(np.zeros((1, 1, 1))))
    >>> read_volume(path).values
    array([[[[0.25, 0.75]]]], dtype=float32)
    >>> folder.cleanup()
    """
    suffix = _suffix_of(path)
    maps = np.asarray(probabilities)
    if maps.ndim != 4 or maps.shape[:3] != like.grid or maps.dtype.kind != "f":
        raise InputError(
            f"probabilities must be floating of the volume's shape {like.grid} and one axis more, "
            f"got {maps.dtype} of shape {maps.shape}"
        )
    _write(path, np.ascontiguousarray(maps, np.float32), suffix, like)


def _write(path: str | os.PathLike[str], array: NDArray[Any], suffix: str, like: Volume) -> None:
    """Write labels, or with an axis more probabilities, in the format of the suffix."""
    # Before a file is made: nibabel may be missing.
    content = _nifti_image(array, like) if suffix.startswith(".nii") else array
    with replacing(path) as temporary:
        _save(temporary, content, suffix, like)


def _suffix_of(path: str | os.PathLike[str]) -> str:
    """Return the suffix that says the format, in lower case."""
    name = Path(path).name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return suffix
    raise InputError(
        f"cannot write {path}: its name must end in {', '.join(SUFFIXES[:-1])} or "
        f"{SUFFIXES[-1]}, got {Path(path).suffix or 'no suffix'!r}"
    )


def _smallest_unsigned(labels: NDArray[Any], like: Volume) -> NDArray[Any]:
    """Check the labels and return them in the smallest unsigned dtype."""
    if labels.shape != like.grid:
        raise InputError(f"labels must have the volume's shape {like.grid}, got {labels.shape}")
    if labels.dtype.kind not in "ui":
        raise InputError(
            f"labels must be integers, got dtype {labels.dtype}; use labels.astype(np.int32)"
        )
    smallest, largest = int(labels.min()), int(labels.max())
    if smallest < 0 or largest >= 2**32:
        raise InputError(
            f"labels must lie in 0…{2**32 - 1}, got {smallest if smallest < 0 else largest}; "
            "number the segments 1…n and give masked-out voxels 0"
        )
    return np.ascontiguousarray(labels, dtype=np.min_scalar_type(largest))


def _nifti_image(array: NDArray[Any], like: Volume) -> Any:
    """Return labels or probabilities as a NIfTI image with affine and header of the volume."""
    nibabel = import_nibabel()
    affine = like.affine
    if affine is None:
        affine = np.diag([*like.spacing[::-1], 1.0])
    is_second = isinstance(like.header, nibabel.Nifti2Header)
    kind = nibabel.Nifti2Image if is_second else nibabel.Nifti1Image
    image = kind(array.swapaxes(0, 2), affine, header=like.header, dtype=array.dtype)
    if like.header is None:
        image.header.set_xyzt_units("mm")
    image.header.set_intent("label" if array.ndim == 3 else "none")
    image.header["cal_min"] = image.header["cal_max"] = 0  # the range to show was the volume's
    return image


def _save(path: Path, content: Any, suffix: str, like: Volume) -> None:
    """Write a file in the format of the suffix."""
    if suffix == ".nii":
        path.write_bytes(content.to_bytes())
    elif suffix == ".nii.gz":
        # Without name and time, so that the same labels are the same bytes.
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
            content.to_stream(cast("Any", file))
    elif suffix == ".npy":
        np.save(path, content)
    elif suffix == ".npz":
        np.savez_compressed(path, **{"labels" if content.ndim == 3 else "probabilities": content})
    else:
        _save_stack(path, content, like)


def _save_stack(path: Path, array: NDArray[Any], like: Volume) -> None:
    """Write one page per plane; ImageJ and its kin are told the distances between voxels."""
    import tifffile

    planes, rows, cols = like.spacing
    tifffile.imwrite(
        path,
        array if array.ndim == 3 else np.ascontiguousarray(np.moveaxis(array, 3, 1)),
        imagej=True,
        photometric="minisblack",
        compression="zlib",
        resolution=(1 / cols, 1 / rows),
        metadata={"axes": "ZYX" if array.ndim == 3 else "ZCYX", "spacing": planes, "unit": "mm"},
    )
