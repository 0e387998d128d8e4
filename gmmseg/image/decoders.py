"""Turn the bytes of one image file into an array and its alpha channel, one function per reader.

Every decoder takes ``(path, max_pixels)``, looks at the size in the header before it allocates
anything, and returns ``(pixels, alpha)``: upright, channels last, alpha apart or None. A file it
recognises and refuses raises InputError; a damaged one raises whatever the library raises.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError
from gmmseg.image.opening import silent_log

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile
    from tifffile import TiffFile, TiffPage, TiffPageSeries

Decoded: TypeAlias = tuple[NDArray[Any], NDArray[Any] | None]

# No format whose Pillow plugin starts another program (EPS) or accepts almost any bytes (TGA).
PILLOW_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "JPEG2000", "GIF", "BMP", "PPM", "SGI")

MANY_CHANNELS = 32  # if a picture has but three or four rows, these are its cols
GDAL_NODATA = 42113  # the tag in which GeoTIFF files note a value that means nothing is known
TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the latter two: BigTIFF

# Pillow mode -> the mode that holds the same pixels without palette, packing or print colours.
_PLAIN_MODES = {
    "1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "RGBX": "RGB",
    "CMYK": "RGB", "YCbCr": "RGB", "LAB": "RGB", "HSV": "RGB",
}  # fmt: skip

# Pillow has no 16-bit colour mode and keeps the high bytes only. The same decoder told that the
# samples are little-endian keeps the low bytes; 16-bit grey + alpha has the layout of 8-bit RGBA.
_PNG_16_BIT = {
    "RGB;16B": ("RGB;16B", "RGB;16L"),
    "RGBA;16B": ("RGBA;16B", "RGBA;16L"),
    "LA;16B": ("RGBA",),
}


def check_size(path: Path, shape: tuple[int, ...], max_pixels: int) -> None:
    """Refuse an image of more than `max_pixels` pixels, from its header alone.

    Channels beyond four count as further pixels, since they take as much memory.
    """
    rows, cols, *channels = shape
    if rows * cols * max(4, math.prod(channels)) > 4 * max_pixels:
        size = f"{cols} x {rows} pixels" + "".join(f" of {n} channels" for n in channels if n > 1)
        raise InputError(
            f"{path} has {size}, more than the limit of {max_pixels} pixels; it may be a "
            "decompression bomb (max_pixels of read_image raises the limit)"
        )


def decode_npy(path: Path, max_pixels: int) -> Decoded:
    """Decode a NumPy file of shape (rows, cols) or (rows, cols, channels)."""
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "object" in str(error).lower():
            raise InputError(
                f"{path} holds Python objects; save numbers, for example image.astype(np.float32)"
            ) from error
        raise
    if mapped.dtype.kind not in "buif":
        raise InputError(
            f"{path} has dtype {mapped.dtype}; an image must be boolean, integer or floating"
        )
    if mapped.ndim not in (2, 3):
        raise InputError(
            f"{path} must have shape (rows, cols) or (rows, cols, channels), got {mapped.shape}"
        )
    refuse_channels_first(path, mapped.shape)
    check_size(path, mapped.shape, max_pixels)
    return np.array(mapped, dtype=mapped.dtype.newbyteorder("=")), None


def refuse_channels_first(path: Path, shape: tuple[int, ...]) -> None:
    """Refuse a picture of three or four rows and very many channels: these are its channels."""
    if len(shape) == 3 and shape[0] in (3, 4) and min(shape[1:]) >= MANY_CHANNELS:
        raise InputError(
            f"{path} has shape {shape}, which looks like {shape[0]} channels before rows and cols; "
            "save it with the channels last, as np.moveaxis(image, 0, -1), or read planes as a "
            "volume (--volume, or read_volume)"
        )


def refuse_volume(path: Path, _max_pixels: int) -> Decoded:
    """Say where a NIfTI file, or a compressed one, belongs."""
    raise InputError(
        f"{path} is no image; if it is a NIfTI volume, read it as one (--volume, or read_volume)"
    )


def decode_tiff(path: Path, max_pixels: int) -> Decoded:
    """Decode a TIFF of one page, with tifffile, or with Pillow what only Pillow can unpack."""
    import tifffile

    with silent_log("tifffile"), tifffile.TiffFile(path) as tiff:
        series = only_image_series(path, tiff)
        check_one_page(path, series)
        page = series.keyframe
        size = dict(zip(series.axes, series.shape, strict=True))
        n_channels = math.prod(size.values()) // (size["Y"] * size["X"])
        check_size(path, (size["Y"], size["X"], n_channels), max_pixels)
        try:
            stored = series.asarray()
        except Exception as error:
            if "imagecodecs" not in str(error):
                raise
            if page.bitspersample > 8 and page.samplesperpixel > 1:  # Pillow would cut to 8 bits
                compression = getattr(page.compression, "name", page.compression)
                raise InputError(
                    f"{path} is compressed with {compression}, which for "
                    f"{page.bitspersample}-bit colour needs the package imagecodecs; "
                    "pip install imagecodecs, or save the file without compression"
                ) from error
            pixels, alpha = decode_with_pillow(path, max_pixels, formats=("TIFF",))
            return without_no_data(pixels, alpha, page)
        pixels = np.moveaxis(stored, [series.axes.index(a) for a in "YX"], [0, 1])
        pixels, alpha = split_alpha(pixels.reshape(*pixels.shape[:2], -1), page)
        pixels = plain_tiff_colors(pixels, page)
        orientation = int(page.tags.valueof(274, default=1))
    return upright(pixels, orientation), None if alpha is None else upright(alpha, orientation)


def only_image_series(path: Path, tiff: "TiffFile") -> "TiffPageSeries":
    """Return the one image or stack of a TIFF; thumbnails and pyramid levels do not count."""
    images = [s for s in tiff.series if s is tiff.series[0] or not s.keyframe.is_reduced]
    if len(images) > 1:
        raise InputError(
            f"{path} holds {len(images)} images; save one of them as a file of its own"
        )
    return images[0]


def check_one_page(path: Path, series: "TiffPageSeries") -> None:
    """Refuse a stack of pages."""
    n_pages = [n for axis, n in zip(series.axes, series.shape, strict=True) if axis not in "YXSC"]
    if n_pages or ("S" in series.axes and "C" in series.axes):
        raise InputError(
            f"{path} is a stack with axes {series.axes} and shape {series.shape}; "
            "read it as a volume (--volume, or read_volume), or give one page, for example saved "
            'with tifffile.imwrite("page.tif", tifffile.imread(path, key=0))'
        )


def split_alpha(pixels: NDArray[Any], page: "TiffPage") -> Decoded:
    """Split the alpha channel off ``pixels[row, col, channel]``, and take out what is no data."""
    first_extra = pixels.shape[2] - len(page.extrasamples)
    alpha = None
    for offset, kind in enumerate(page.extrasamples):
        if kind in (1, 2) and first_extra > 0:  # associated, unassociated alpha
            channel = first_extra + offset
            pixels, alpha = np.delete(pixels, channel, axis=2), pixels[:, :, channel]
            break
    return without_no_data(pixels, alpha, page)


def without_no_data(pixels: NDArray[Any], alpha: NDArray[Any] | None, page: "TiffPage") -> Decoded:
    """Make the value that GDAL notes for no data NaN, or where integers are that, transparent."""
    try:
        value = float(page.tags.valueof(GDAL_NODATA, default="nan"))
    except (TypeError, ValueError):  # damaged: no number
        return pixels, alpha
    with np.errstate(over="ignore"):
        is_empty = pixels == value
    if not is_empty.any():
        return pixels, alpha
    if pixels.dtype.kind == "f":
        return np.where(is_empty, pixels.dtype.type(np.nan), pixels), alpha
    if pixels.ndim == 3:
        is_empty = is_empty.all(axis=2)
    if alpha is None:
        alpha = np.full(is_empty.shape, 255, dtype=np.uint8)
    return pixels, np.where(is_empty, alpha.dtype.type(0), alpha)


def plain_tiff_colors(pixels: NDArray[Any], page: "TiffPage") -> NDArray[Any]:
    """Undo white-is-zero, palette and CMYK, and drop a single channel's axis."""
    from tifffile import PHOTOMETRIC

    if pixels.dtype == bool:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    if pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.dtype.kind != "u":
        return pixels
    largest = np.iinfo(pixels.dtype).max
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        pixels = largest - pixels
    elif page.photometric == PHOTOMETRIC.PALETTE and page.colormap is not None:
        pixels = (page.colormap >> 8).astype(np.uint8).T[pixels]
    elif page.photometric == PHOTOMETRIC.SEPARATED and pixels.shape[2:] == (4,):
        light = (1 - pixels[:, :, :3] / largest) * (1 - pixels[:, :, 3:] / largest)
        pixels = np.rint(light * largest).astype(pixels.dtype)
    return pixels


def decode_with_pillow(
    path: Path, max_pixels: int, *, formats: tuple[str, ...] = PILLOW_FORMATS
) -> Decoded:
    """Decode everything that is neither TIFF nor NumPy."""
    with path.open("rb") as file:
        picture = _open_with_pillow(file, path, formats)
        check_size(path, (picture.height, picture.width), max_pixels)
        n_frames = getattr(picture, "n_frames", 1)
        if n_frames > 1 and picture.format != "MPO":  # MPO: a photograph and its previews
            raise InputError(
                f"{path} has {n_frames} frames; save one of them as a file of its own, or all as a "
                "TIFF stack to be read as a volume (--volume, or read_volume)"
            )
        raw_modes = _PNG_16_BIT.get(str(picture.tile[0].args)) if picture.tile else None
        if picture.format == "PNG" and raw_modes is not None:
            reopen = partial(_open_with_pillow, file, path, formats)
            pixels, alpha = _decode_png_16_bit(picture, reopen, raw_modes)
        else:
            pixels, alpha = _decode_plain(picture)
        orientation = _exif_orientation(picture)
    return upright(pixels, orientation), None if alpha is None else upright(alpha, orientation)


def _open_with_pillow(file: BinaryIO, path: Path, formats: tuple[str, ...]) -> "ImageFile":
    """Do the work of PIL.Image.open, but leave the limit of pixels to `check_size`.

    PIL.Image.open warns above one fixed limit and raises above another, and both can be changed
    only for the whole process.
    """
    from PIL import Image

    Image.preinit()
    if any(name not in Image.OPEN for name in formats):
        Image.init()
    file.seek(0)
    prefix = file.read(16)
    for name in formats:
        if name not in Image.OPEN:  # this Pillow was built without it
            continue
        factory, accepts = Image.OPEN[name]
        # A plugin answers with a string when it knows the format but was built without it.
        if accepts is None or accepts(prefix) is not True:
            continue
        file.seek(0)
        try:
            return factory(file, str(path))
        except SyntaxError:  # Pillow's word for "not mine after all", or for a damaged header
            if name != "PPM":  # many a text begins with its two letters
                raise
    raise InputError(
        f"{path} is not an image in a known format, it starts with {prefix!r}; "
        f"give a TIFF, .npy, {', '.join(formats[:-1])} or {formats[-1]} file"
    )


def _decode_plain(picture: "ImageFile") -> Decoded:
    """Decode an opened picture of at most 8 bits per channel, or of one channel."""
    picture.load()
    mode = _PLAIN_MODES.get(picture.mode, picture.mode)
    key = picture.info.get("transparency")
    if key is not None and picture.mode in ("1", "L", "RGB", "P"):
        mode = "LA" if mode == "L" else "RGBA"
    pixels = np.asarray(picture if mode == picture.mode else picture.convert(mode))
    if mode == "LA":
        return pixels[:, :, 0], pixels[:, :, 1]
    if mode == "RGBA":
        return pixels[:, :, :3], pixels[:, :, 3]
    if mode == "I" and picture.format == "PPM":  # Pillow widens 16-bit PGM to 32 bits
        pixels = pixels.astype(np.uint16)
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return pixels, None if key is None else _alpha_of_key(pixels, key)


def _decode_png_16_bit(
    picture: "ImageFile", reopen: Callable[[], "ImageFile"], raw_modes: tuple[str, ...]
) -> Decoded:
    """Decode a 16-bit colour PNG in full depth, by one or two passes of the 8-bit decoder."""
    passes = []
    for opened, raw_mode in zip((picture, reopen()), raw_modes, strict=False):
        opened.tile = [opened.tile[0]._replace(args=raw_mode)]
        opened.load()
        passes.append(np.asarray(opened).astype(np.uint16))
    if len(passes) == 1:  # grey and alpha: high, low, high, low byte
        samples = passes[0][:, :, 0::2] << 8 | passes[0][:, :, 1::2]
        return samples[:, :, 0], samples[:, :, 1]
    samples = passes[0] << 8 | passes[1]
    if samples.shape[2] == 4:
        return samples[:, :, :3], samples[:, :, 3]
    key = picture.info.get("transparency")
    return samples, None if key is None else _alpha_of_key(samples, key)


def _alpha_of_key(pixels: NDArray[Any], key: Any) -> NDArray[np.uint8]:
    """Return alpha for a PNG in which one value or one colour means transparent."""
    shown = (pixels != np.asarray(key)).reshape(*pixels.shape[:2], -1).any(axis=2)
    return np.where(shown, np.uint8(255), np.uint8(0))


def _exif_orientation(picture: "ImageFile") -> int:
    """Return the orientation 1…8; damaged EXIF data is no reason to refuse a good picture."""
    try:
        return int(picture.getexif().get(0x0112, 1))
    except Exception:  # noqa: BLE001 (Pillow's parser raises anything on damaged data)
        return 1


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn stored pixels the way the EXIF / TIFF orientation 1…8 says they are to be seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
