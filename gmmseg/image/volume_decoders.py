"""Turn the bytes of one volume file into a `Volume`, one function per format.

Every decoder takes ``(path, max_voxels)`` and looks at the size in the header before it allocates
anything. A file it recognises and refuses raises InputError; a damaged one raises whatever the
library raises.
"""

import gzip
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError, MissingExtraError
from gmmseg.image.decoders import only_image_series, plain_tiff_colors, split_alpha
from gmmseg.image.opening import silent_log
from gmmseg.image.tiff_spacing import tiff_spacing

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

# NIfTI gives the unit of its lengths a number; most files say mm or nothing, which means mm.
_MILLIMETRES = {"meter": 1e3, "micron": 1e-3}


@dataclass(frozen=True, eq=False)
class Volume:
    """The voxels of a volume, the distances between them, and where in the world they lie.

    Parameters
    ----------
    values : ndarray of shape (planes, rows, cols) or (planes, rows, cols, channels)
        The voxels. A NIfTI file's axes i, j, k are cols, rows, planes.
    spacing : tuple of three floats
        Distance of neighbouring planes, rows and columns, in mm; 1 where the file does not say.
    affine : ndarray of shape (4, 4), optional
        NIfTI: takes (i, j, k, 1) to millimetres right, anterior and superior.
    header : nibabel header, optional
        NIfTI: the header of the file, for labels to be written alike.

    Examples
    --------
    >>> volume = Volume(np.zeros((20, 64, 64)), spacing=(3.0, 1.0, 1.0))
    >>> volume.grid
    (20, 64, 64)
    """

    values: NDArray[Any]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    affine: NDArray[np.float64] | None = None
    header: Any = None

    @property
    def grid(self) -> tuple[int, int, int]:
        """Numbers of planes, rows and columns."""
        planes, rows, cols = self.values.shape[:3]
        return planes, rows, cols


def import_nibabel() -> Any:
    """Return the library nibabel, which is optional."""
    try:
        import nibabel
    except ImportError as error:
        raise MissingExtraError(
            "a NIfTI file needs nibabel, which is not installed; pip install 'gmmseg[volume]'"
        ) from error
    return nibabel


def check_volume(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], max_voxels: int) -> None:
    """Refuse what is no volume of numbers, and more than `max_voxels` values, from the header."""
    if len(shape) not in (3, 4) or 0 in shape:
        raise InputError(
            f"{path} must have shape (planes, rows, cols) or (planes, rows, cols, channels), "
            f"got {shape}{_advice(shape)}"
        )
    if dtype.kind not in "buif":
        raise InputError(f"{path} has dtype {dtype}; a volume must be boolean, integer or floating")
    if math.prod(shape) > max_voxels:
        raise InputError(
            f"{path} has {' x '.join(map(str, shape))} values, more than the limit of "
            f"{max_voxels}; it may be a decompression bomb "
            "(max_voxels of read_volume raises the limit)"
        )


def _advice(shape: tuple[int, ...]) -> str:
    """Say what to do with a plane, or with too many axes."""
    if len(shape) == 2:
        return "; it is one plane, read it as an image (read_image)"
    return "; save one volume of it as a file of its own" if len(shape) > 4 else ""


def is_nifti(prefix: bytes) -> bool:
    """Return whether a file begins as NIfTI 1 or 2 does; it may be one of a pair."""
    return prefix[344:348] in (b"n+1\0", b"ni1\0") or prefix[4:8] in (b"n+2\0", b"ni2\0")


def decode_nifti(path: Path, max_voxels: int, file: IO[bytes] | gzip.GzipFile) -> Volume:
    """Decode a NIfTI file of one part, opened so that its compression, if any, is undone."""
    nibabel = import_nibabel()
    file.seek(0)
    prefix = file.read(348)
    if prefix[344:347] == b"ni1" or prefix[4:7] == b"ni2":
        raise InputError(
            f"{path} is the header of a NIfTI pair (.hdr and .img); "
            "save the volume as one .nii or .nii.gz file"
        )
    kind = nibabel.Nifti1Image if prefix[344:347] == b"n+1" else nibabel.Nifti2Image
    file.seek(0)
    with silent_log("nibabel.global"):
        image = kind.from_stream(file)
        color = image.get_data_dtype()
        # A series of one and a single channel are no axes of their own.
        extra = tuple(n for n in image.shape[3:] if n != 1)
        channels = (len(color.fields),) if color.fields else ()  # RGB and RGBA
        plain = color[0] if color.fields else color
        check_volume(path, image.shape[2::-1] + extra + channels, plain, max_voxels)
        stored = np.asarray(image.dataobj.get_unscaled())
    stored = stored.reshape(image.shape[:3] + extra, order="F").swapaxes(0, 2)
    stored = np.array(stored, dtype=stored.dtype.newbyteorder("="), order="C")
    slope, inter = float(image.dataobj.slope), float(image.dataobj.inter)
    if color.fields:
        stored = stored.view(plain).reshape(stored.shape + channels)[..., :3]
    if (slope, inter) != (1.0, 0.0):
        exact = np.float64 if stored.dtype.itemsize > 4 else np.float32
        stored = stored * exact(slope) + exact(inter)
    return Volume(stored, _nifti_spacing(image.header), image.affine, image.header)


def _nifti_spacing(header: Any) -> tuple[float, float, float]:
    """Return the distance of planes, rows and columns in mm, 1 where the header has none."""
    scale = _MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)
    cols, rows, planes = (
        float(zoom) * scale if np.isfinite(zoom) and zoom > 0 else 1.0
        for zoom in header.get_zooms()[:3]
    )
    return planes, rows, cols


@dataclass(frozen=True, eq=False)
class PageStack:
    """Images of one TIFF that are alike, as a program leaves them that writes page by page."""

    images: "list[TiffPageSeries]"

    @property
    def keyframe(self) -> "TiffPage":
        """The page that tells what all pages are like."""
        return self.images[0].keyframe

    @property
    def axes(self) -> str:
        """Letters of the axes, that of the images first."""
        return f"I{self.images[0].axes}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return len(self.images), *self.images[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels."""
        return self.images[0].dtype

    def asarray(self) -> NDArray[Any]:
        """Return the pixels of all images."""
        return np.stack([image.asarray() for image in self.images])


def stack_of(path: Path, tiff: "TiffFile") -> "TiffPageSeries | PageStack":
    """Return the one stack of a TIFF, be it of one image of many pages or of images of one each."""
    images = [s for s in tiff.series if s is tiff.series[0] or not s.keyframe.is_reduced]
    kinds = {(s.axes, s.shape, s.dtype, s.keyframe.photometric) for s in images}
    is_paged = len(kinds) == 1 and all(len(s.pages) == 1 for s in images)
    if len(images) > 1 and is_paged:
        return PageStack(images)
    return only_image_series(path, tiff)


def decode_tiff_stack(path: Path, max_voxels: int) -> Volume:
    """Decode a TIFF of several pages; an alpha channel is left out."""
    import tifffile

    with silent_log("tifffile"), tifffile.TiffFile(path) as tiff:
        series = stack_of(path, tiff)
        order = _stack_axes(path, series)
        shape = tuple(series.shape[axis] for axis in order)
        check_volume(path, shape, series.dtype, max_voxels)
        values = stack_pixels(path, series).transpose(order)
        # As one high image, whose colours can be made plain.
        pixels = values.reshape(shape[0] * shape[1], shape[2], -1)
        pixels, _ = split_alpha(pixels, series.keyframe)
        pixels = plain_tiff_colors(pixels, series.keyframe)
        spacing = _spacing_of(tiff)
    return Volume(pixels.reshape(*shape[:3], *pixels.shape[2:]), spacing)


def _stack_axes(path: Path, series: "TiffPageSeries | PageStack") -> list[int]:
    """Return which axis of a series holds planes, rows, columns and, if any, channels."""
    others = [i for i, name in enumerate(series.axes) if name not in "YX" and series.shape[i] > 1]
    channels = [i for i in others if series.axes[i] in "SC"]
    planes = [i for i in others if i not in channels]
    if not planes and len(channels) == 1 and series.axes[channels[0]] == "C":
        planes, channels = channels, []  # pages that are called channels: what else is a plane?
    if len(planes) != 1 or len(channels) > 1:
        what = "it is one plane, read it as an image (read_image)"
        if len(planes) > 1 or len(channels) > 1:
            what = "save one volume of it as a file of its own"
        raise InputError(
            f"{path} must have planes, rows, columns and at most one axis of channels, "
            f"got axes {series.axes} and shape {series.shape}; {what}"
        )
    ones = [i for i, name in enumerate(series.axes) if name not in "YX" and i not in others]
    return [*planes, series.axes.index("Y"), series.axes.index("X"), *channels, *ones]


def stack_pixels(path: Path, series: "TiffPageSeries | PageStack") -> NDArray[Any]:
    """Return the pixels of a series as they are stored."""
    try:
        return series.asarray()
    except Exception as error:
        if "imagecodecs" not in str(error):
            raise
        raise InputError(
            f"{path} has a compression that needs the package imagecodecs; "
            "pip install imagecodecs, or save the file without compression"
        ) from error


def _spacing_of(tiff: "TiffFile") -> tuple[float, float, float]:
    """Return the spacing that a TIFF tells of, or 1 where it is told in no way we know."""
    try:
        return tiff_spacing(tiff)
    except Exception:  # noqa: BLE001 (damaged remarks are no reason to refuse good pixels)
        return 1.0, 1.0, 1.0


def decode_npy_volume(path: Path, max_voxels: int) -> Volume:
    """Decode a NumPy file of three or four axes."""
    with path.open("rb") as file:
        check_npy(path, file, max_voxels)
        file.seek(0)
        return Volume(_native(np.lib.format.read_array(file, allow_pickle=False)))


def decode_npz(path: Path, max_voxels: int, key: str | None) -> Volume:
    """Decode one array of a NumPy archive: the only one that may be a volume, or the named one."""
    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        if not names:
            raise InputError(
                f"{path} is a zip archive without NumPy arrays; give an .npz file, or unpack it"
            )
        if key is None:
            fitting = [name for name in names if _n_axes(archive, name) in (3, 4)]
            if not fitting:
                raise InputError(
                    f"{path} has no array of three or four axes among {', '.join(names)}; if one "
                    "is a picture, save it by itself, as .npy"
                )
            if len(fitting) > 1:
                raise InputError(
                    f"{path} has {len(fitting)} arrays of three or four axes among "
                    f"{', '.join(names)}; say which one (key of read_volume)"
                )
            key = fitting[0]
        elif key not in names:
            raise InputError(f"{path} has no array {key!r}; it has {', '.join(names)}")
        with archive.open(f"{key}.npy") as file:
            check_npy(path, file, max_voxels)
        with archive.open(f"{key}.npy") as file:
            return Volume(_native(np.lib.format.read_array(file, allow_pickle=False)))


def _n_axes(archive: zipfile.ZipFile, name: str) -> int:
    with archive.open(f"{name}.npy") as file:
        return len(_npy_header(file)[0])


def check_npy(path: Path, file: IO[bytes], max_voxels: int) -> None:
    """Refuse an array that is no volume, from its header."""
    shape, dtype = _npy_header(file)
    if dtype.hasobject:
        raise InputError(
            f"{path} holds Python objects; save numbers, for example volume.astype(np.float32)"
        )
    check_volume(path, shape, dtype, max_voxels)


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and dtype of an array in NumPy's format."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_2_0
    if version == (1, 0):
        read = np.lib.format.read_array_header_1_0
    shape, _, dtype = read(file)
    return shape, dtype


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values in C order and in this machine's byte order."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
