"""Claims about what each kind of image file becomes, and which are refused."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps

from gmmseg.errors import InputError
from gmmseg.image.io import read_image, write_image
from gmmseg.image.lazy import open_image


def png_chunk(kind, content):
    """Return one chunk of a PNG file."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_bytes(*, rows, cols, depth, color_type, content, extra=b""):
    """Return a PNG file, also one that Pillow cannot write or that lies about its size."""
    header = struct.pack(">IIBBBBB", cols, rows, depth, color_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(content))
        + png_chunk(b"IEND", b"")
    )


def png_16_bit(pixels, extra=b""):
    """Return ``pixels[row, col, channel]`` as a 16-bit PNG file."""
    rows, cols, n_channels = pixels.shape
    content = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    color_type = {1: 0, 2: 4, 3: 2, 4: 6}[n_channels]
    return png_bytes(
        rows=rows, cols=cols, depth=16, color_type=color_type, content=content, extra=extra
    )


def photo(rng, rows=24, cols=32):
    return rng.integers(0, 256, size=(rows, cols, 3), dtype=np.uint8)


# ------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tif", ".webp"])
def test_a_losslessly_saved_photograph_is_read_back_equal(tmp_path, rng, suffix):
    image = photo(rng)
    Image.fromarray(image).save(tmp_path / f"photo{suffix}", lossless=True)
    read, mask = read_image(tmp_path / f"photo{suffix}")
    assert_array_equal(read, image)
    assert mask is None


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_gray_image_keeps_its_depth(tmp_path, rng, suffix, dtype):
    image = rng.integers(0, np.iinfo(dtype).max, size=(5, 7), dtype=dtype, endpoint=True)
    Image.fromarray(image).save(tmp_path / f"gray{suffix}")
    read, mask = read_image(tmp_path / f"gray{suffix}")
    assert read.dtype == dtype
    assert_array_equal(read, image)
    assert mask is None


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4])
def test_a_16_bit_png_keeps_all_16_bits(tmp_path, rng, n_channels):
    pixels = rng.integers(0, 65536, size=(5, 7, n_channels), dtype=np.uint16)
    pixels[0, 0, -1] = 0
    (tmp_path / "deep.png").write_bytes(png_16_bit(pixels))
    read, mask = read_image(tmp_path / "deep.png")
    assert read.dtype == np.uint16
    n_colors = {1: 1, 2: 1, 3: 3, 4: 3}[n_channels]
    assert_array_equal(read, pixels[..., :n_colors].squeeze())
    if n_channels in (2, 4):
        assert_array_equal(mask, pixels[..., -1] > 0)
    else:
        assert mask is None


def test_the_transparent_colour_of_a_16_bit_png_is_compared_in_16_bits(tmp_path):
    pixels = np.array([[[258, 2, 3], [259, 2, 3]]], dtype=np.uint16)
    key = png_chunk(b"tRNS", struct.pack(">HHH", 258, 2, 3))
    (tmp_path / "key.png").write_bytes(png_16_bit(pixels, key))
    read, mask = read_image(tmp_path / "key.png")
    assert_array_equal(read, pixels)
    assert_array_equal(mask, [[False, True]])


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".pbm", ".tif"])
def test_a_one_bit_image_becomes_0_and_255(tmp_path, suffix):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / f"bits{suffix}")
    read, _ = read_image(tmp_path / f"bits{suffix}")
    assert read.dtype == np.uint8
    assert_array_equal(read, [[255, 0]])


def test_a_palette_becomes_its_colours(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "palette.png")
    read, mask = read_image(tmp_path / "palette.png")
    assert_array_equal(read, [[[10, 20, 30], [40, 50, 60]]])
    assert mask is None
    picture.save(tmp_path / "clear.png", transparency=1)
    read, mask = read_image(tmp_path / "clear.png")
    assert_array_equal(read, [[[10, 20, 30], [40, 50, 60]]])
    assert_array_equal(mask, [[True, False]])


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=100)
    read, _ = read_image(tmp_path / "print.jpg")
    assert read.shape == (8, 8, 3)
    assert np.abs(read - np.array([255.0, 0.0, 0.0])).max() < 5


def test_16_bit_pgm_stays_16_bit(tmp_path):
    (tmp_path / "deep.pgm").write_bytes(b"P5 2 1 65535\n" + struct.pack(">HH", 1, 65535))
    read, _ = read_image(tmp_path / "deep.pgm")
    assert read.dtype == np.uint16
    assert_array_equal(read, [[1, 65535]])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_alpha_becomes_the_mask_and_is_no_channel(tmp_path, rng, mode, suffix):
    pixels = rng.integers(0, 256, size=(4, 5, len(mode)), dtype=np.uint8)
    pixels[..., -1] = rng.choice([0, 1, 255], size=(4, 5))
    Image.fromarray(pixels).save(tmp_path / f"clear{suffix}")
    read, mask = read_image(tmp_path / f"clear{suffix}")
    assert_array_equal(read, pixels[..., :-1].squeeze())
    assert mask.dtype == bool
    assert_array_equal(mask, pixels[..., -1] > 0)


def test_an_opaque_alpha_channel_is_no_mask(tmp_path):
    Image.new("RGBA", (3, 2), (1, 2, 3, 255)).save(tmp_path / "opaque.png")
    read, mask = read_image(tmp_path / "opaque.png")
    assert read.shape == (2, 3, 3)
    assert mask is None


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_picture_taken_with_the_camera_turned_is_upright(tmp_path, rng, orientation, suffix):
    path = tmp_path / f"turned{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(photo(rng)).save(path, exif=exif, quality=95)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    read, _ = read_image(path)
    assert_array_equal(read, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_upright_with_its_mask(tmp_path, rng, orientation):
    pixels = rng.integers(0, 256, size=(4, 6, 4), dtype=np.uint8)
    pixels[:2, :, 3] = 0
    path = tmp_path / "turned.tif"
    tifffile.imwrite(
        path,
        pixels,
        photometric="rgb",
        extrasamples=["unassalpha"],
        extratags=[(274, "H", 1, orientation, True)],
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "turned.png")))
    read, mask = read_image(path)
    assert_array_equal(read, expected[..., :3])
    assert_array_equal(mask, expected[..., 3] > 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, ">u2", np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((5, 6), {}),
        ((1, 1), {}),
        ((5, 6, 3), {"photometric": "rgb"}),
        ((1, 6, 3), {"photometric": "rgb", "compression": "zlib"}),
        ((5, 6, 7), {"photometric": "minisblack", "planarconfig": "contig"}),
    ],
)
def test_a_tiff_keeps_shape_dtype_and_values(tmp_path, rng, *, dtype, shape, options):
    image = rng.integers(0, 256, size=shape).astype(dtype)
    tifffile.imwrite(tmp_path / "image.tif", image, **options)
    read, mask = read_image(tmp_path / "image.tif")
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert read.dtype.isnative
    assert_array_equal(read, image)
    assert mask is None


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "minisblack", "planarconfig": "separate"},
        {"photometric": "minisblack", "metadata": {"axes": "CYX"}},
        {"photometric": "minisblack", "metadata": {"axes": "CYX"}, "ome": True},
        {"photometric": "minisblack", "metadata": {"axes": "CYX"}, "imagej": True},
    ],
)
def test_the_channels_of_a_planar_tiff_come_last(tmp_path, rng, options):
    planes = rng.integers(0, 256, size=(7, 5, 6), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "planar.tif", planes, **options)
    read, _ = read_image(tmp_path / "planar.tif")
    assert_array_equal(read, np.moveaxis(planes, 0, -1))


def test_white_is_zero_in_a_tiff_is_undone(tmp_path):
    image = np.array([[0, 255]], dtype=np.uint8)
    tifffile.imwrite(tmp_path / "white.tif", image, photometric="miniswhite")
    assert_array_equal(read_image(tmp_path / "white.tif")[0], [[255, 0]])


def test_the_palette_of_a_tiff_becomes_its_colours(tmp_path):
    colors = np.zeros((3, 256), dtype=np.uint16)
    colors[:, 200] = [0x0100, 0x0200, 0x0300]
    image = np.array([[0, 200]], dtype=np.uint8)
    tifffile.imwrite(tmp_path / "p.tif", image, photometric="palette", colormap=colors)
    assert_array_equal(read_image(tmp_path / "p.tif")[0], [[[0, 0, 0], [1, 2, 3]]])


def test_a_cmyk_tiff_becomes_rgb(tmp_path):
    inks = np.array([[[0, 255, 255, 0], [0, 0, 0, 255]]], dtype=np.uint8)
    tifffile.imwrite(tmp_path / "print.tif", inks, photometric="separated")
    assert_array_equal(read_image(tmp_path / "print.tif")[0], [[[255, 0, 0], [0, 0, 0]]])


def test_a_thumbnail_in_a_tiff_is_no_second_image(tmp_path, rng):
    image = photo(rng)
    with tifffile.TiffWriter(tmp_path / "camera.tif") as tiff:
        tiff.write(image, photometric="rgb")
        tiff.write(image[::4, ::4, 0], photometric="minisblack", subfiletype=1)
    assert_array_equal(read_image(tmp_path / "camera.tif")[0], image)


NO_DATA = 42113  # the tag of GDAL


def test_what_a_floating_tiff_calls_no_data_is_nan(tmp_path, rng):
    pixels = rng.random((24, 32)).astype(np.float32)
    pixels[:5] = -9999
    tags = [(NO_DATA, "s", 0, "-9999", True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=tags)
    read, mask = read_image(tmp_path / "a.tif")
    assert mask is None
    assert_array_equal(read, np.where(pixels == -9999, np.nan, pixels))


def test_what_a_tiff_of_integers_calls_no_data_is_masked_where_all_channels_are_that(tmp_path, rng):
    pixels = rng.integers(1, 256, size=(24, 32, 3), dtype=np.uint8)
    pixels[:5] = 0
    pixels[5:9, :, 1] = 0
    tags = [(NO_DATA, "s", 0, "0", True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extratags=tags)
    read, mask = read_image(tmp_path / "a.tif")
    assert_array_equal(read, pixels)
    assert_array_equal(mask, np.arange(24)[:, None] >= np.full(32, 5))


def test_no_data_and_transparency_are_both_masked(tmp_path, rng):
    pixels = rng.integers(1, 256, size=(24, 32, 2), dtype=np.uint8)
    pixels[:5, :, 0] = 77
    pixels[5:, :, 0] = 78
    pixels[:, :4, 1] = 0
    tags = [(NO_DATA, "s", 0, "77", True)]
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, extratags=tags, photometric="minisblack",
        planarconfig="contig", extrasamples=["unassalpha"],
    )  # fmt: skip
    assert_array_equal(
        read_image(tmp_path / "a.tif")[1], (pixels[..., 0] == 78) & (pixels[..., 1] > 0)
    )


def test_no_data_is_known_in_what_pillow_unpacks(tmp_path, rng):
    pixels = rng.random((24, 32)).astype(np.float32)
    pixels[:5] = -9999
    picture = Image.fromarray(pixels)
    picture.save(tmp_path / "a.tif", compression="tiff_lzw", tiffinfo={NO_DATA: "-9999"})
    assert_array_equal(read_image(tmp_path / "a.tif")[0], np.where(pixels == -9999, np.nan, pixels))


@pytest.mark.parametrize("value", ["none", "-9999", "1e99", "0.5", "nan"])
def test_no_data_that_no_pixel_can_be_changes_nothing(tmp_path, rng, value):
    tags = [(NO_DATA, "s", 0, value, True)]
    tifffile.imwrite(tmp_path / "a.tif", photo(rng), photometric="rgb", extratags=tags)
    assert read_image(tmp_path / "a.tif")[1] is None


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_the_common_compressions_of_8_bit_tiff_are_read(tmp_path, rng, compression):
    image = photo(rng)
    Image.fromarray(image).save(tmp_path / "packed.tif", compression=compression)
    assert_array_equal(read_image(tmp_path / "packed.tif")[0], image)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int32, ">f4", np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 7)])
def test_an_npy_file_is_read_as_it_is(tmp_path, rng, dtype, shape):
    array = rng.integers(0, 100, size=shape).astype(dtype)
    np.save(tmp_path / "array.npy", array)
    read, mask = read_image(tmp_path / "array.npy")
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert type(read) is np.ndarray
    assert_array_equal(read, array)
    assert mask is None


def test_the_content_decides_not_the_suffix(tmp_path, rng):
    image = photo(rng)
    tifffile.imwrite(tmp_path / "photo.png", image, photometric="rgb")
    assert_array_equal(read_image(str(tmp_path / "photo.png"))[0], image)


# ------------------------------------------------------------------------------------ refusing


def write_bomb(folder, kind, rows, cols):
    """Write a small file whose header promises rows x cols pixels."""
    path = folder / f"bomb.{kind}"
    if kind == "png":
        path.write_bytes(png_bytes(rows=rows, cols=cols, depth=8, color_type=2, content=b"\0" * 9))
    elif kind == "npy":
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(rows, cols))  # sparse
    elif kind == "tif":
        tifffile.imwrite(path, np.zeros((10, 10), np.uint8))
        with tifffile.TiffFile(path, mode="r+") as tiff:
            tiff.pages[0].tags["ImageWidth"].overwrite(cols)
            tiff.pages[0].tags["ImageLength"].overwrite(rows)
            tiff.pages[0].tags["ImageDescription"].overwrite("")
    else:
        path.write_bytes(f"P5 {cols} {rows} 255\n".encode())
    return path


@pytest.mark.parametrize("kind", ["png", "tif", "npy", "pgm"])
def test_a_decompression_bomb_is_refused_with_its_size(tmp_path, kind):
    path = write_bomb(tmp_path, kind, rows=20_000, cols=30_000)
    with pytest.raises(
        InputError,
        match=rf"bomb\.{kind} has 30000 x 20000 pixels, more than the limit of 268435456 "
        r"pixels; it may be a decompression bomb \(max_pixels of read_image raises the limit\)$",
    ):
        read_image(path)


def test_the_limit_of_pixels_is_inclusive(tmp_path):
    write_image(tmp_path / "small.png", np.zeros((4, 5), np.uint8))
    assert read_image(tmp_path / "small.png", max_pixels=20)[0].shape == (4, 5)
    with pytest.raises(InputError, match=r"small\.png has 5 x 4 pixels, more than the limit of 19"):
        read_image(tmp_path / "small.png", max_pixels=19)


@pytest.mark.parametrize("side", [10_000, 14_000])
def test_pillows_own_limits_neither_warn_nor_raise(tmp_path, side):
    # 100 million pixels make PIL.Image.open warn, 196 million make it raise. Header alone is
    # read here: the file ends before its pixels.
    path = write_bomb(tmp_path, "pgm", rows=side, cols=side)
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(InputError, match=r"bomb\.pgm cannot be decoded \(image file is truncated"):
        read_image(path)
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (
            "ZYX",
            (
                r"is a stack with axes ZYX and shape \(7, 5, 6\); read it as a volume \(--volume, "
                r"or read_volume\), or give one page, for example saved with tifffile"
            ),
        ),
        (
            "TYX",
            (
                r"is a stack with axes TYX and shape \(7, 5, 6\); read it as a volume \(--volume, "
                r"or read_volume\), or give one page, for example saved with tifffile"
            ),
        ),
        (
            None,
            (
                r"is a stack with axes QYX and shape \(7, 5, 6\); read it as a volume \(--volume, "
                r"or read_volume\), or give one page, for example saved with tifffile"
            ),
        ),
    ],
)
def test_a_stack_of_pages_is_refused(tmp_path, axes, message):
    pages = np.zeros((7, 5, 6), dtype=np.uint8)
    metadata = {"axes": axes} if axes else {}
    tifffile.imwrite(tmp_path / "s.tif", pages, photometric="minisblack", metadata=metadata)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / "s.tif")


def test_a_tiff_of_several_images_is_refused(tmp_path, rng):
    with tifffile.TiffWriter(tmp_path / "two.tif") as tiff:
        tiff.write(photo(rng), photometric="rgb")
        tiff.write(photo(rng)[:4], photometric="rgb")
    with pytest.raises(
        InputError, match=r"two\.tif holds 2 images; save one of them as a file of its own$"
    ):
        read_image(tmp_path / "two.tif")


def test_an_animation_is_refused(tmp_path, rng):
    frames = [Image.fromarray(photo(rng)) for _ in range(3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(
        InputError,
        match=r"moving\.gif has 3 frames; save one of them as a file of its own, or all as a TIFF "
        r"stack to be read as a volume \(--volume, or read_volume\)$",
    ):
        read_image(tmp_path / "moving.gif")


def test_a_compression_that_would_cost_depth_is_refused_with_its_remedy(tmp_path):
    path = tmp_path / "deep.tif"
    tifffile.imwrite(path, np.zeros((4, 5, 3), dtype=np.uint16), photometric="rgb")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(5)
    with pytest.raises(
        InputError,
        match=r"deep\.tif is compressed with LZW, which for 16-bit colour needs the package "
        r"imagecodecs; pip install imagecodecs, or save the file without compression$",
    ):
        read_image(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.array([[None]]),
            r"a\.npy holds Python objects; save numbers, for example image\.astype\(np\.float32\)$",
        ),
        (
            np.zeros((2, 2), complex),
            r"a\.npy has dtype complex128; an image must be boolean, integer or floating$",
        ),
        (
            np.zeros(3),
            r"a\.npy must have shape \(rows, cols\) or \(rows, cols, channels\), got \(3,\)$",
        ),
    ],
)
def test_an_npy_file_that_is_no_image_is_refused(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / "a.npy")


def test_channels_beyond_four_count_as_pixels(tmp_path):
    path = tmp_path / "deep.npy"
    np.save(path, np.zeros((6, 6, 300), dtype=np.uint8))
    message = r"deep\.npy has 6 x 6 pixels of 300 channels, more than the limit of 1000 pixels; "
    with pytest.raises(InputError, match=message):
        read_image(path, max_pixels=1000)
    assert read_image(path, max_pixels=2700)[0].shape == (6, 6, 300)


def opened(path):
    with open_image(path) as image:
        return image


@pytest.mark.parametrize("read", [read_image, opened])
def test_channels_before_rows_are_refused_with_what_to_do(tmp_path, read):
    np.save(tmp_path / "first.npy", np.zeros((3, 40, 50), np.uint8))
    message = (
        r"first\.npy has shape \(3, 40, 50\), which looks like 3 channels before rows and cols; "
        r"save it with the channels last, as np\.moveaxis\(image, 0, -1\), or read planes as a "
        r"volume \(--volume, or read_volume\)$"
    )
    with pytest.raises(InputError, match=message):
        read(tmp_path / "first.npy")


@pytest.mark.parametrize("shape", [(3, 40, 5), (3, 5, 40), (5, 40, 50)])
def test_few_rows_of_few_channels_are_read(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    assert read_image(tmp_path / "a.npy")[0].shape == shape
