"""Claims about tiles: that they cover, that no seam is seen, and what they write."""

import os

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.ndimage import median_filter

from gmmseg.errors import InputError
from gmmseg.image import ImageSegmenter, open_image, read_image, sample_pixels
from gmmseg.image.tiling import label_file, label_in_tiles, tiles

SHAPES = st.lists(st.integers(1, 13), min_size=1, max_size=3).map(tuple)


@given(shape=SHAPES, size=st.integers(1, 9), halo=st.integers(0, 4))
def test_every_cell_lies_in_one_tile_and_every_neighbour_in_its_halo(shape, size, halo):
    times = np.zeros(shape, int)
    for outer, inner in tiles(shape, size, halo=halo):
        times[inner] += 1
        for around, kept, n in zip(outer, inner, shape, strict=True):
            assert kept.stop - kept.start <= size
            assert around == slice(max(kept.start - halo, 0), min(kept.stop + halo, n))
    assert (times == 1).all()


def five_sweeps(image):
    """Label by a rule whose reach is five cells: a median of three, five times."""
    labels = (image > 0.5).astype(np.uint8) + 1
    for _ in range(5):
        labels = median_filter(labels, size=3, mode="nearest")
    return labels


@given(
    size=st.integers(1, 40) | st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 99),
)
def test_labels_of_tiles_are_those_of_the_whole_if_the_halo_covers_the_reach(size, seed):
    image = np.random.default_rng(seed).random((33, 37))
    out = np.zeros(image.shape, np.uint8)
    label_in_tiles(image.__getitem__, five_sweeps, out, size=size, halo=5)
    assert_array_equal(out, five_sweeps(image))


def test_a_halo_below_the_reach_shows_seams(rng):
    # Otherwise the law above would say nothing.
    image = rng.random((33, 37))
    out = np.zeros(image.shape, np.uint8)
    label_in_tiles(image.__getitem__, five_sweeps, out, size=8, halo=0)
    assert (out != five_sweeps(image)).any()


def test_volumes_are_labelled_in_tiles_too(rng):
    volume = rng.random((9, 10, 11))
    out = np.zeros(volume.shape, np.uint8)
    label_in_tiles(volume.__getitem__, five_sweeps, out, size=(3, 10, 4), halo=5)
    assert_array_equal(out, five_sweeps(volume))


def test_labels_of_another_shape_than_the_tile_are_refused():
    out = np.zeros((4, 4), np.uint8)
    with pytest.raises(
        InputError, match=r"^labels of a tile must have its shape \(2, 4\), got \(8,\)$"
    ):
        label_in_tiles(np.zeros((4, 4)).__getitem__, np.ravel, out, size=(2, 4))


@pytest.mark.parametrize(
    ("size", "halo", "message"),
    [
        (0, 0, r"^size must be 2 lengths of at least 1, one for each axis, got 0$"),
        ((2,), 0, r"^size must be 2 lengths of at least 1, one for each axis, got \(2,\)$"),
        (2, -1, r"^halo must be a whole number of at least 0, got -1$"),
    ],
)
def test_tiles_that_cannot_be_are_refused(size, halo, message):
    with pytest.raises(InputError, match=message):
        tiles((4, 5), size, halo=halo)


@pytest.mark.parametrize("name", ["l.tif", "l.TIFF", "l.npy"])
@pytest.mark.parametrize(("n_labels", "dtype"), [(255, np.uint8), (256, np.uint16)])
@pytest.mark.parametrize("shape", [(6, 7), (3, 6, 7)])
def test_a_label_file_holds_what_was_put_into_it(tmp_path, rng, *, name, n_labels, dtype, shape):
    expected = rng.integers(0, n_labels + 1, size=shape)
    with label_file(tmp_path / name, shape, n_labels=n_labels) as labels:
        for row in range(shape[0]):
            labels[row] = expected[row]
    read = np.load(tmp_path / name) if name == "l.npy" else tifffile.imread(tmp_path / name)
    assert read.dtype == dtype
    assert_array_equal(read, expected)
    assert os.listdir(tmp_path) == [name]


def test_a_block_that_fails_leaves_the_old_label_file(tmp_path):
    with label_file(tmp_path / "l.npy", (2, 2)) as labels:
        labels[:] = 1

    def fail(_pixels):
        raise RuntimeError("out of luck")

    with (
        pytest.raises(RuntimeError, match="out of luck"),
        label_file(tmp_path / "l.npy", (2, 2)) as labels,
    ):
        label_in_tiles(np.zeros((2, 2)).__getitem__, fail, labels, size=1)
    assert_array_equal(np.load(tmp_path / "l.npy"), np.ones((2, 2)))
    assert os.listdir(tmp_path) == ["l.npy"]


@pytest.mark.parametrize(
    ("name", "n_labels", "message"),
    [
        ("l.png", 3, r"l\.png: its name must end in \.tif, \.tiff or \.npy, got '\.png'$"),
        ("l.tif", 0, r"^n_labels must be a whole number of at least 1, got 0$"),
        ("l.tif", 65536, r"^n_labels must be at most 65535, got 65536$"),
    ],
)
def test_a_label_file_that_cannot_be_is_refused(tmp_path, name, n_labels, message):
    with (
        pytest.raises(InputError, match=message),
        label_file(tmp_path / name, (2, 2), n_labels=n_labels),
    ):
        pass


@pytest.mark.parametrize(("texture", "halo"), [(False, 24), (True, 40)])
def test_a_segmenter_labels_a_file_in_tiles_as_it_does_the_whole_image(
    tmp_path, rng, *, texture, halo
):
    stuff = rng.integers(0, 3, (12, 16)).repeat(10, axis=0).repeat(10, axis=1)
    image = stuff + rng.normal(scale=0.7, size=stuff.shape)
    np.save(tmp_path / "image.npy", image)
    with open_image(tmp_path / "image.npy") as lazy:
        sample, _ = sample_pixels(lazy, 12_000, rng)
        segmenter = ImageSegmenter(3, texture=texture).fit(sample)
        with label_file(tmp_path / "labels.tif", image.shape) as labels:
            label_in_tiles(
                lazy.read, lambda part: segmenter.predict(part[0]), labels, size=30, halo=halo
            )
    found, _ = read_image(tmp_path / "labels.tif")
    assert_array_equal(found, segmenter.predict(image))
