"""Read prior maps from one file: how likely every segment is in every place."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError
from gmmseg.files import first_bytes
from gmmseg.image.decoders import TIFF_MAGICS
from gmmseg.image.opening import damage_told_in_one_line, silent_log
from gmmseg.image.volume_decoders import (
    PageStack,
    Volume,
    check_volume,
    is_nifti,
    stack_of,
    stack_pixels,
)
from gmmseg.image.volumes import read_volume

if TYPE_CHECKING:
    from tifffile import TiffPageSeries

_ARRAYS = (b"\x93NUMPY", b"PK\3\4", b"\x1f\x8b")  # .npy, .npz, and compressed NIfTI
_AXES = ("plane", "row", "column")
_KINDS = (
    "a TIFF with a page per map, an .npy or .npz file with the maps along its last axis, or a "
    "NIfTI file with them along its fourth"
)


@dataclass(frozen=True, eq=False)
class PriorMaps:
    """Maps of how likely every segment is.

    Parameters
    ----------
    path : Path
        The file that they were read from.
    values : ndarray of shape (rows, cols, n_maps) or (planes, rows, cols, n_maps)
        Finite and at least 0.
    volume : Volume or None
        The file as a volume, which knows where it lies; None for a TIFF.

    Examples
    --------
    >>> PriorMaps(Path("tissues.npy"), np.full((20, 30, 3), 1 / 3)).n_maps
    3
    """

    path: Path
    values: NDArray[Any]
    volume: Volume | None = None

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return int(self.values.shape[-1])


def read_prior(path: str | os.PathLike[str], *, max_voxels: int = 2**30) -> PriorMaps:
    """Read prior maps, one per segment, in the order of the segments.

    A TIFF has a page per map; where a volume has maps, they are its channels. NumPy files have the
    maps along the last of three or four axes, NIfTI files along the fourth.

    Parameters
    ----------
    path : path-like
        File to read.
    max_voxels : int
        Largest number of values that is decoded.

    Returns
    -------
    prior : PriorMaps
        Maps in the file's own dtype: ``prior.values`` is what `segment_image` takes for `prior`.

    Raises
    ------
    InputError
        If the file cannot be read, has fewer than two maps, or a map is negative or not finite.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "left_and_right.npy")
    >>> np.save(path, [[[0.75, 0.25], [0.25, 0.75]]])
    >>> prior = read_prior(path)
    >>> prior.n_maps, prior.values[0, 0]
    (2, array([0.75, 0.25]))
    >>> folder.cleanup()
    """
    path = Path(path)
    prefix = first_bytes(path, 352)
    if not prefix.startswith((*TIFF_MAGICS, *_ARRAYS)) and not is_nifti(prefix):
        raise InputError(
            f"{path} holds no prior maps in a known format, it starts with {prefix[:16]!r}; give "
            f"{_KINDS}"
        )
    if prefix.startswith(TIFF_MAGICS):
        with damage_told_in_one_line(path):
            prior = PriorMaps(path, _tiff_maps(path, max_voxels))
    else:
        volume = read_volume(path, max_voxels=max_voxels)
        values = volume.values
        if volume.affine is not None and values.ndim == 3:
            values = values[..., np.newaxis]
        prior = PriorMaps(path, values, volume)
    _check_maps(prior)
    return prior


def _tiff_maps(path: Path, max_voxels: int) -> NDArray[Any]:
    """Return the pages of a TIFF as they are stored, whatever colour they are said to be."""
    import tifffile

    with silent_log("tifffile"), tifffile.TiffFile(path) as tiff:
        series = stack_of(path, tiff)
        order = _map_axes(path, series)
        check_volume(path, tuple(series.shape[axis] for axis in order), series.dtype, max_voxels)
        values = stack_pixels(path, series)
    ones = [axis for axis in range(values.ndim) if axis not in order]
    return np.ascontiguousarray(
        values.transpose(*ones, *order).reshape([values.shape[axis] for axis in order]),
        dtype=values.dtype.newbyteorder("="),
    )


def _map_axes(path: Path, series: "TiffPageSeries | PageStack") -> list[int]:
    """Return which axis of a series holds planes, if any, rows, columns and maps."""
    others = [i for i, name in enumerate(series.axes) if name not in "YX" and series.shape[i] > 1]
    maps = [i for i in others if series.axes[i] in "SC"] if len(others) > 1 else others
    if len(maps) != 1 or len(others) > 2:
        raise InputError(
            f"{path} must have a page per map, of a volume a channel per map, got axes "
            f"{series.axes} and shape {series.shape}; for example "
            "tifffile.imwrite(path, maps, metadata={'axes': 'ZCYX'})"
        )
    planes = [i for i in others if i not in maps]
    return [*planes, series.axes.index("Y"), series.axes.index("X"), *maps]


def _check_maps(prior: PriorMaps) -> None:
    """Refuse what is no prior for two segments or more."""
    n_maps, path = prior.n_maps, prior.path
    if n_maps < 2:
        raise InputError(
            f"{path} holds one map, and every segment needs one; give one file of all: {_KINDS}"
        )
    for number in range(1, n_maps + 1):
        one = prior.values[..., number - 1]
        # NaN is neither at least 0 nor below it.
        is_bad = ~(one >= 0) | ~np.isfinite(one)
        if is_bad.any():
            place = np.unravel_index(is_bad.argmax(), one.shape)
            where = ", ".join(
                f"{name} {index}" for name, index in zip(_AXES[-one.ndim :], place, strict=True)
            )
            raise InputError(
                f"{path}: map {number} of {n_maps} is negative, NaN or infinite at "
                f"{np.count_nonzero(is_bad)} of {one.size} places, first {one[place]} at {where}; "
                "replace what is by 0"
            )
    if not prior.values.any():
        raise InputError(f"{path}: all {n_maps} maps are 0 everywhere; leave the prior out")
