"""Claims about images that are read region by region: the same pixels as read whole."""

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.errors import InputError
from gmmseg.image import lazy, tiff_regions
from gmmseg.image.io import read_image
from gmmseg.image.lazy import open_image, sample_pixels, sample_regions

REGIONS = [
    (slice(0, 70), slice(0, 90)),
    (slice(13, 50), slice(5, 89)),
    (slice(69, 70), slice(89, 90)),
    (slice(20, 40), slice(17, 18)),
]
TIFFS = {
    "mapped": {},
    "big-endian": {"byteorder": ">"},
    "strips": {"rowsperstrip": 7, "compression": "zlib"},
    "tiles": {"tile": (32, 16), "compression": "zlib"},
    "tiles-uncompressed": {"tile": (16, 32)},
    "predictor": {"rowsperstrip": 9, "compression": "zlib", "predictor": False},
    "bigtiff": {"bigtiff": True, "tile": (16, 16)},
}


def tiff(path, pixels, **options):
    photometric = "rgb" if pixels.shape[2:] in ((3,), (4,)) else "minisblack"
    options = ({"planarconfig": "contig"} if pixels.ndim == 3 else {}) | options
    tifffile.imwrite(path, pixels, photometric=photometric, **options)
    return path


def check_regions(path):
    """Hold every region of a file to the same region of the whole."""
    whole, mask = read_image(path)
    with open_image(path) as image:
        assert image.shape == whole.shape
        assert image.dtype == whole.dtype
        for region in REGIONS:
            pixels, opaque = image.read(region)
            assert pixels.dtype == whole.dtype
            assert_array_equal(pixels, whole[region])
            expected = None if mask is None or mask[region].all() else mask[region]
            if expected is None:
                assert opaque is None or opaque.all()
            else:
                assert_array_equal(opaque, expected)


@pytest.mark.parametrize("kind", TIFFS)
@pytest.mark.parametrize("shape", [(70, 90), (70, 90, 3), (70, 90, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_region_of_a_tiff_is_that_of_the_whole(tmp_path, rng, monkeypatch, *, kind, shape, dtype):
    pixels = rng.integers(0, 256, size=shape).astype(dtype)
    path = tiff(tmp_path / "a.tif", pixels, **TIFFS[kind])
    check_regions(path)

    def refuse(*_args, **_options):
        raise AssertionError("the file was read whole")

    monkeypatch.setattr(lazy, "read_image", refuse)
    with open_image(path) as image:
        assert_array_equal(image.read(REGIONS[1])[0], pixels[REGIONS[1]])


@pytest.mark.parametrize("options", [{}, {"tile": (16, 32), "compression": "zlib"}])
def test_colours_that_lie_apart_in_the_file_come_together(tmp_path, rng, options):
    pixels = rng.integers(0, 256, size=(3, 70, 90), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", planarconfig="separate", **options)
    check_regions(path)
    assert_array_equal(read_image(path)[0], np.moveaxis(pixels, 0, 2))


@pytest.mark.parametrize("options", [{}, {"tile": (16, 32)}])
def test_transparency_is_a_mask_in_every_region(tmp_path, rng, options):
    pixels = rng.integers(0, 256, size=(70, 90, 4), dtype=np.uint8)
    pixels[..., 3] = 255 * (rng.random((70, 90)) > 0.1)
    check_regions(tiff(tmp_path / "a.tif", pixels, extrasamples=["unassalpha"], **options))


def test_white_is_zero_and_palettes_are_undone(tmp_path, rng):
    pixels = rng.integers(0, 256, size=(70, 90), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "w.tif", pixels, photometric="miniswhite")
    check_regions(tmp_path / "w.tif")
    colors = rng.integers(0, 65536, size=(3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "p.tif", pixels, photometric="palette", colormap=colors)
    check_regions(tmp_path / "p.tif")


def test_a_tile_that_was_left_out_is_zero(tmp_path):
    def some():
        yield np.ones((16, 16), np.uint8)
        for _ in range(29):
            yield None

    tifffile.imwrite(
        tmp_path / "a.tif", some(), shape=(70, 90), dtype=np.uint8, tile=(16, 16),
        photometric="minisblack",
    )  # fmt: skip
    check_regions(tmp_path / "a.tif")


@pytest.mark.parametrize(("dtype", "value"), [(np.float32, "-9999"), (np.uint8, "7")])
def test_what_is_no_data_is_left_out_in_every_region(tmp_path, dtype, value):
    def some():
        yield np.arange(256, dtype=dtype).reshape(16, 16)
        for _ in range(29):
            yield None

    tifffile.imwrite(
        tmp_path / "a.tif", some(), shape=(70, 90), dtype=dtype, tile=(16, 16),
        photometric="minisblack", extratags=[(42113, "s", 0, value, True)],
    )  # fmt: skip
    check_regions(tmp_path / "a.tif")
    pixels, mask = read_image(tmp_path / "a.tif")
    inside = np.isfinite(pixels) & (True if mask is None else mask)
    assert inside.sum() == (256 if dtype == np.float32 else 255)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(70, 90), (70, 90, 2)])
@pytest.mark.parametrize("dtype", ["u1", ">f4", "?"])
def test_a_region_of_a_numpy_file_is_that_of_the_whole(tmp_path, rng, *, order, shape, dtype):
    np.save(
        tmp_path / "a.npy", np.asarray(rng.integers(0, 2, size=shape).astype(dtype), order=order)
    )
    check_regions(tmp_path / "a.npy")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_what_must_be_decoded_whole_gives_the_same_regions(tmp_path, rng, suffix):
    picture = Image.fromarray(rng.integers(0, 256, size=(70, 90, 3), dtype=np.uint8))
    options = {"compression": "tiff_lzw"} if suffix == ".tif" else {}
    picture.save(tmp_path / f"a{suffix}", **options)
    check_regions(tmp_path / f"a{suffix}")


def test_a_turned_picture_is_turned_upright(tmp_path, rng):
    pixels = rng.integers(0, 256, size=(90, 70), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, extratags=[(274, 3, 1, 6, True)])
    check_regions(tmp_path / "a.tif")


def test_one_huge_strip_is_decoded_whole_and_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_regions, "_MOST_PIXELS", 6299)
    path = tiff(
        tmp_path / "a.tif", np.zeros((70, 90), np.uint8), rowsperstrip=70, compression="zlib"
    )
    check_regions(path)
    with (
        pytest.raises(InputError, match=r"more than the limit of 100 pixels"),
        open_image(path, max_pixels=100),
    ):
        pass


def test_a_read_region_is_a_copy_and_writeable(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 5)))
    with open_image(tmp_path / "a.npy") as image:
        image.read((slice(0, 4), slice(0, 5)))[0][:] = 1
        assert not image.read((slice(0, 4), slice(0, 5)))[0].any()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.tif", r"none\.tif does not exist; check the name and the folder$"),
        ("empty.npy", r"empty\.npy is empty \(0 bytes\); copy or save it again$"),
        ("text.npy", r"text\.npy is not an image in a known format"),
        ("stack.tif", r"stack\.tif is a stack with axes QYX and shape \(7, 5, 6\); read it as a v"),
        ("deep.npy", r"deep\.npy must have shape \(rows, cols\) or \(rows, cols, channels\), got"),
    ],
)
def test_what_cannot_be_opened_is_refused_as_it_is_by_read_image(tmp_path, name, message):
    (tmp_path / "empty.npy").touch()
    (tmp_path / "text.npy").write_text("Good morning!")
    tifffile.imwrite(
        tmp_path / "stack.tif", np.zeros((7, 5, 6), np.uint8), photometric="minisblack"
    )
    np.save(tmp_path / "deep.npy", np.zeros((2, 2, 2, 2)))
    with pytest.raises(InputError, match=message), open_image(tmp_path / name):
        pass


def test_a_damaged_strip_is_told_when_it_is_read(tmp_path, rng):
    pixels = rng.integers(0, 256, size=(70, 90), dtype=np.uint8)
    path = tiff(tmp_path / "a.tif", pixels, rowsperstrip=7, compression="zlib")
    with tifffile.TiffFile(path) as file:
        offset = file.pages.first.dataoffsets[5]
    content = bytearray(path.read_bytes())
    content[offset : offset + 20] = b"\xff" * 20
    path.write_bytes(content)
    with open_image(path) as image:
        assert_array_equal(image.read((slice(0, 35), slice(0, 90)))[0], pixels[:35])
        with pytest.raises(InputError, match=r"a\.tif cannot be decoded \(.+\); it may be damaged"):
            image.read((slice(34, 36), slice(0, 90)))


# ------------------------------------------------------------------------------------ samples


@pytest.mark.parametrize("shape", [(37, 38), (38, 37)])
def test_there_may_be_fewer_blocks_along_the_longer_side(shape):
    # Rounding cuts this nearly square image into more cells along its shorter side.
    for n_pixels in range(100, 1000):
        regions = sample_regions(shape, n_pixels, np.random.default_rng(0), side=1)
        assert all(0 <= r.start < r.stop <= shape[0] for r, _ in regions)
        assert all(0 <= c.start < c.stop <= shape[1] for _, c in regions)


@given(
    rows=st.integers(1, 3000),
    cols=st.integers(1, 3000),
    n_pixels=st.integers(1, 10**5),
    side=st.integers(1, 64),
)
def test_blocks_lie_inside_apart_and_hold_about_as_many_pixels(rows, cols, n_pixels, side):
    regions = sample_regions((rows, cols), n_pixels, np.random.default_rng(0), side=side)
    times = np.zeros((rows, cols), np.uint8)
    for region in regions:
        assert region[0].stop <= rows
        assert region[1].stop <= cols
        times[region] += 1
    assert times.max() == 1
    assert len({(r.stop - r.start, c.stop - c.start) for r, c in regions}) == 1
    block = times[regions[0]].size
    wanted = min(n_pixels, rows * cols)
    assert 0.4 * wanted - block <= times.sum() <= 1.6 * wanted + block


@given(rows=st.integers(40, 900), cols=st.integers(40, 900), seed=st.integers(0, 99))
def test_a_transposed_image_is_sampled_at_the_same_places(rows, cols, seed):
    here, there = (
        sample_regions(shape, 5000, np.random.default_rng(seed), side=16)
        for shape in [(rows, cols), (cols, rows)]
    )
    starts = {(r.start, c.start) for r, c in here}
    assert starts == {(c.start, r.start) for r, c in there}


def test_every_place_may_be_sampled(rng):
    times = np.zeros((50, 60), int)
    for _ in range(3000):
        for region in sample_regions(times.shape, 500, rng, side=10):
            times[region] += 1
    assert times.min() > 0


def test_a_sample_has_the_colours_of_the_image(tmp_path, rng):
    pixels = np.where(rng.random((300, 400, 1)) < 0.3, [[[9, 8, 7]]], [[[200, 100, 50]]])
    np.save(tmp_path / "a.npy", pixels.astype(np.uint8))
    with open_image(tmp_path / "a.npy") as image:
        sample, mask = sample_pixels(image, 20_000, rng)
    assert mask is None
    assert sample.shape[0] * sample.shape[1] == pytest.approx(20_000, rel=0.2)
    assert (sample[..., 0] == 9).mean() == pytest.approx(0.3, abs=0.02)


def test_a_sample_keeps_the_mask_beside_its_pixels(tmp_path, rng):
    pixels = np.full((300, 400, 4), 255, np.uint8)
    pixels[:, 200:] = 0
    path = tiff(tmp_path / "a.tif", pixels, extrasamples=["unassalpha"])
    with open_image(path) as image:
        sample, mask = sample_pixels(image, 20_000, rng)
    assert_array_equal(sample[..., 0] == 255, mask)
    assert 0 < mask.mean() < 1


def test_a_small_image_is_its_own_sample(tmp_path, rng):
    pixels = rng.random((30, 40))
    np.save(tmp_path / "a.npy", pixels)
    with open_image(tmp_path / "a.npy") as image:
        assert_array_equal(sample_pixels(image, 1200, rng)[0], pixels)


@pytest.mark.parametrize("name", ["n_pixels", "side"])
def test_no_pixels_are_no_sample(rng, name):
    options = {"n_pixels": 9, "side": 3} | {name: 0}
    with pytest.raises(InputError, match=rf"^{name} must be a whole number of at least 1, got 0$"):
        sample_regions((100, 100), options["n_pixels"], rng, side=options["side"])
