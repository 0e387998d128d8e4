"""Read image files into arrays, and write labels, pictures and probabilities."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.files import first_bytes, replacing
from gmmseg.image.arrays import as_array
from gmmseg.image.decoders import (
    TIFF_MAGICS,
    Decoded,
    decode_npy,
    decode_tiff,
    decode_with_pillow,
    refuse_volume,
)
from gmmseg.image.opening import damage_told_in_one_line

_DECODERS: dict[bytes, Callable[[Path, int], Decoded]] = {
    b"\x93NUMPY": decode_npy,
    **dict.fromkeys(TIFF_MAGICS, decode_tiff),
    # gzip, and the sizes of the headers of NIfTI 1 and 2 in either byte order.
    **dict.fromkeys((b"\x1f\x8b", b"\x5c\1\0\0", b"\0\0\1\x5c"), refuse_volume),
    **dict.fromkeys((b"\x1c\2\0\0", b"\0\0\2\x1c"), refuse_volume),
}


def read_image(
    path: str | os.PathLike[str], *, max_pixels: int = 2**28
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Read an image file, with its transparency as a mask.

    The content decides how a file is read, not its suffix: TIFF with tifffile, ``.npy`` with
    NumPy, everything else (PNG, JPEG, WebP, AVIF, JPEG 2000, GIF, BMP, PPM, SGI) with Pillow.
    The picture is turned upright as its EXIF or TIFF orientation says.

    Parameters
    ----------
    path : path-like
        File to read.
    max_pixels : int
        Largest number of pixels, rows times columns, that is decoded. It is compared with the
        file's header before memory is taken, so that a small file cannot fill the machine.

    Returns
    -------
    image : ndarray of shape (rows, cols) or (rows, cols, channels)
        Pixels in the file's own dtype. One-bit pictures become uint8 0 and 255; palettes, CMYK
        and the like become RGB. The alpha channel is not among the channels. What a floating
        TIFF notes as no data, as GDAL does, is NaN.
    mask : ndarray of bool of shape (rows, cols), or None
        True where alpha is above 0, and a TIFF of integers does not note all channels as no data.
        None if that is so everywhere.

    Raises
    ------
    InputError
        If there is no such file, or it may not be read, is no image, is damaged, holds several
        pages or frames, or has more than `max_pixels` pixels.

    Notes
    -----
    PNG keeps its 16 bits in grey and in colour. Colour deeper than 8 bits in JPEG 2000, AVIF
    and PPM is rounded to 8 bits by Pillow; save such pictures as TIFF or PNG.
    TIFF compressions other than deflate, LZMA and PackBits need the package imagecodecs for
    colour deeper than 8 bits.

    Examples
    --------
    >>> image, mask = read_image("data/coffee.png")
    >>> image.shape, image.dtype.name, mask
    ((400, 600, 3), 'uint8', None)
    """
    path = Path(path)
    prefix = first_bytes(path)
    decode = next((_DECODERS[m] for m in _DECODERS if prefix.startswith(m)), decode_with_pillow)
    with damage_told_in_one_line(path):
        image, alpha = decode(path, max_pixels)
    return image, None if alpha is None else mask_of(alpha)


def mask_of(alpha: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return where alpha lets anything through, or None if it lets everything through."""
    opaque = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1
    return None if bool((alpha >= opaque).all()) else alpha > 0


def write_labels(path: str | os.PathLike[str], labels: ArrayLike) -> None:
    """Write a label image, atomically: uint8 up to label 255, uint16 above.

    Parameters
    ----------
    path : path-like
        File to write; its suffix is ``.png``, ``.tif`` or ``.tiff``.
    labels : array_like of int of shape (rows, cols)
        Labels 1…n, and 0 where masked out.

    Raises
    ------
    InputError
        If `labels` is not a two-dimensional integer array within 0…65535, or the file cannot
        be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "labels.png")
    >>> write_labels(path, [[1, 1], [2, 300]])
    >>> read_image(path)[0]
    array([[  1,   1],
           [  2, 300]], dtype=uint16)
    >>> folder.cleanup()
    """
    labels = as_array(labels, "labels")
    _check_suffix(path, ".png", ".tif", ".tiff")
    if labels.ndim != 2 or labels.size == 0:
        raise InputError(f"labels must have shape (rows, cols), got {labels.shape}")
    if labels.dtype.kind not in "ui":
        raise InputError(
            f"labels must be integers, got dtype {labels.dtype}; use labels.astype(np.int32)"
        )
    smallest, largest = int(labels.min()), int(labels.max())
    if smallest < 0 or largest > 65535:
        offender = smallest if smallest < 0 else largest
        raise InputError(
            f"labels must lie in 0…65535, got {offender}; "
            "number the segments 1…n and give masked-out pixels 0"
        )
    labels = labels.astype(np.uint8 if largest <= 255 else np.uint16)
    with replacing(path) as temporary:
        if temporary.suffix.lower() == ".png":
            _save_png(temporary, labels)
        else:
            _save_tiff(temporary, labels, axes="YX")


def write_image(path: str | os.PathLike[str], image: ArrayLike) -> None:
    """Write a picture as PNG, atomically.

    Parameters
    ----------
    path : path-like
        File to write; its suffix is ``.png``.
    image : array_like of uint8 of shape (rows, cols) or (rows, cols, 3)
        Grey or RGB picture.

    Raises
    ------
    InputError
        If `image` has another dtype or shape, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "grey.png")
    >>> write_image(path, np.array([[0, 255]], dtype=np.uint8))
    >>> read_image(path)[0]
    array([[  0, 255]], dtype=uint8)
    >>> folder.cleanup()
    """
    image = as_array(image, "image")
    _check_suffix(path, ".png")
    if image.dtype != np.uint8 or image.shape[2:] not in ((), (3,)) or image.ndim < 2:
        raise InputError(
            "image must be uint8 of shape (rows, cols) or (rows, cols, 3), "
            f"got {image.dtype} of shape {image.shape}"
        )
    if image.size == 0:
        raise InputError(f"image has no pixels, its shape is {image.shape}")
    with replacing(path) as temporary:
        _save_png(temporary, image)


def write_probabilities(path: str | os.PathLike[str], probabilities: ArrayLike) -> None:
    """Write the probability of each segment as one float32 page of a TIFF, atomically.

    Parameters
    ----------
    path : path-like
        File to write; its suffix is ``.tif`` or ``.tiff``.
    probabilities : array_like of float of shape (rows, cols, n_segments)
        Probabilities: page ``k`` of the file is ``probabilities[:, :, k]``.

    Raises
    ------
    InputError
        If `probabilities` is not a three-dimensional floating array, or the file cannot be
        written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "probabilities.tif")
    >>> write_probabilities(path, [[[0.25, 0.75]]])
    >>> read_image(path)[0]
    array([[[0.25, 0.75]]], dtype=float32)
    >>> folder.cleanup()
    """
    probabilities = as_array(probabilities, "probabilities")
    _check_suffix(path, ".tif", ".tiff")
    if probabilities.ndim != 3 or probabilities.size == 0:
        raise InputError(
            f"probabilities must have shape (rows, cols, n_segments), got {probabilities.shape}"
        )
    if probabilities.dtype.kind != "f":
        raise InputError(f"probabilities must be floating, got dtype {probabilities.dtype}")
    pages = np.moveaxis(probabilities, -1, 0).astype(np.float32)
    with replacing(path) as temporary:
        _save_tiff(temporary, pages, axes="CYX")


def write_map(path: str | os.PathLike[str], values: ArrayLike) -> None:
    """Write a value per pixel as a float32 TIFF, atomically.

    Parameters
    ----------
    path : path-like
        File to write; its suffix is ``.tif`` or ``.tiff``.
    values : array_like of float of shape (rows, cols)
        Values.

    Raises
    ------
    InputError
        If `values` is not a two-dimensional floating array, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "strangeness.tif")
    >>> write_map(path, [[0.5, 2.0]])
    >>> read_image(path)[0]
    array([[0.5, 2. ]], dtype=float32)
    >>> folder.cleanup()
    """
    values = as_array(values, "values")
    _check_suffix(path, ".tif", ".tiff")
    if values.ndim != 2 or values.size == 0 or values.dtype.kind != "f":
        raise InputError(
            f"values must be floating of shape (rows, cols), got {values.dtype} of shape "
            f"{values.shape}"
        )
    with replacing(path) as temporary:
        _save_tiff(temporary, values.astype(np.float32), axes="YX")


def _check_suffix(path: str | os.PathLike[str], *suffixes: str) -> None:
    """Refuse to write a format that the name does not say."""
    if Path(path).suffix.lower() not in suffixes:
        raise InputError(
            f"cannot write {path}: its name must end in {' or '.join(suffixes)}, "
            f"got {Path(path).suffix or 'no suffix'!r}"
        )


def _save_png(path: Path, pixels: NDArray[Any]) -> None:
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(pixels)).save(path, format="PNG", compress_level=4)


def _save_tiff(path: Path, pixels: NDArray[Any], *, axes: str) -> None:
    import tifffile

    tifffile.imwrite(
        path, pixels, photometric="minisblack", compression="zlib", metadata={"axes": axes}
    )
