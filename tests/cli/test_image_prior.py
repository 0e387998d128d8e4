"""``gmmseg image segment --prior``: maps of where segments are likely, in their own order."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.image import segment_image
from gmmseg.image.io import read_image
from gmmseg.image.volumes import read_volume

# Neither from dark to light nor from light to dark.
TRUTH = np.repeat([3, 1, 2], 12)[np.newaxis].repeat(20, axis=0)


@pytest.fixture
def picture(tmp_path, rng, monkeypatch):
    """A file with a light, a grey and a darker stripe, in the folder that we are in."""
    monkeypatch.chdir(tmp_path)
    pixels = np.array([0, 110, 90, 200])[TRUTH] + rng.integers(-8, 9, TRUTH.shape)
    Image.fromarray(pixels.astype(np.uint8)).save("stripes.png")
    return pixels.astype(np.uint8)


def maps_of(truth, n_maps=3):
    """Return maps, the last axis of n_maps, in which the true segment is the likeliest."""
    return np.where(truth[..., np.newaxis] == np.arange(1, n_maps + 1), 0.8, 0.1)


def segment(gmmseg, image, *arguments):
    code, _, lines = gmmseg("image", "segment", image, "-o", "out", *arguments)
    assert code == 0, lines
    return lines


@pytest.mark.parametrize("k", [(), ("-k", 3), ("-k", "auto")], ids=["none", "three", "auto"])
def test_maps_give_the_segments_their_number_and_order(gmmseg, picture, k):
    np.save("maps.npy", maps_of(TRUTH))
    lines = segment(gmmseg, "stripes.png", "--prior", "maps.npy", *k)
    assert len(lines) == 1
    labels = read_image("out/stripes_labels.png")[0]
    assert_array_equal(labels, TRUTH)
    assert_array_equal(labels, segment_image(picture, 3, prior=maps_of(TRUTH)))
    options = json.loads(Path("out/stripes.json").read_text())["options"]
    assert (options["prior"], options["n_segments"]) == ("maps.npy", 3)


def test_the_pages_of_a_tiff_are_the_maps(gmmseg, picture):
    assert picture.any()
    tifffile.imwrite("maps.tif", np.moveaxis(maps_of(TRUTH), -1, 0), photometric="minisblack")
    segment(gmmseg, "stripes.png", "--prior", "maps.tif")
    assert_array_equal(read_image("out/stripes_labels.png")[0], TRUTH)


def test_maps_of_a_volume_come_as_nifti(gmmseg, picture):
    volume, truth = np.stack([picture] * 4), np.stack([TRUTH] * 4)
    for name, values in (("head", volume), ("maps", maps_of(truth))):
        nibabel.save(nibabel.Nifti1Image(values.swapaxes(0, 2), np.eye(4)), f"{name}.nii.gz")
    assert len(segment(gmmseg, "head.nii.gz", "--prior", "maps.nii.gz")) == 1
    assert_array_equal(read_volume("out/head_labels.nii.gz").values, truth)
    moved = np.eye(4)
    moved[1, 1] = -1
    nibabel.save(nibabel.Nifti1Image(maps_of(truth).swapaxes(0, 2), moved), "maps.nii.gz")
    lines = segment(gmmseg, "head.nii.gz", "--prior", "maps.nii.gz")
    assert lines[0].startswith("gmmseg: maps.nii.gz lies up to 38 mm away from the volume")


def test_a_picture_that_is_not_read_whole_knows_the_maps(gmmseg, picture, monkeypatch):
    monkeypatch.setattr("gmmseg.cli.image_files.IN_MEMORY", 100)
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 300)
    tifffile.imwrite("stripes.tif", picture, rowsperstrip=4)
    np.save("maps.npy", maps_of(TRUTH))
    segment(gmmseg, "stripes.tif", "--prior", "maps.npy")
    assert_array_equal(read_image("out/stripes_labels.png")[0], TRUTH)


def test_a_segment_without_pixels_is_told(gmmseg, picture):
    assert picture.any()
    np.save("maps.npy", maps_of(np.where(TRUTH == 2, 1, TRUTH)) * [1, 1e-9, 1])
    lines = segment(gmmseg, "stripes.png", "--prior", "maps.npy")
    assert lines[0] == "gmmseg: stripes.png: no pixel belongs to segment 2 of 3"
    assert lines[1].startswith("stripes.png: 2 segments in ")


def test_maps_that_do_not_fit_are_told_in_one_line(gmmseg, picture):
    assert picture.any()
    np.save("maps.npy", maps_of(TRUTH))
    np.save("small.npy", maps_of(TRUTH[:9]))
    np.save("first.npy", np.moveaxis(maps_of(TRUTH), -1, 0))
    np.save("nan.npy", np.where(maps_of(TRUTH) > 0.5, np.nan, 0.1))
    for arguments, message in [
        (("maps.npy", "-k", 4), "maps.npy has 3 maps, one for each segment, but -k is 4; leave"),
        (
            ("small.npy",),
            "the maps of small.npy must have the image's shape (20, 36), got 3 maps of shape (9,",
        ),
        (("first.npy",), "got 36 maps of shape (3, 20)"),
        (("nan.npy",), "nan.npy: map 1 of 3 is negative, NaN or infinite at 240 of 720 places"),
        (("stripes.png",), "stripes.png holds no prior maps in a known format, it starts with b"),
        (("nowhere.npy",), "nowhere.npy does not exist; check the name and the folder"),
    ]:
        code, _, lines = gmmseg("image", "segment", "stripes.png", "--prior", *arguments)
        assert (code, len(lines)) == (1, 1)
        assert message in lines[0]


def test_maps_are_not_replaced_and_not_for_regions(gmmseg, picture):
    assert picture.any()
    tifffile.imwrite(
        "stripes_probabilities.tif", np.moveaxis(maps_of(TRUTH), -1, 0), photometric="minisblack"
    )
    for arguments, message in [
        (("--prior", "stripes_probabilities.tif"), "is an input and would be replaced"),
        (("--prior", "maps.npy", "--mode", "regions"), "and --prior are for --mode classes"),
    ]:
        code, _, lines = gmmseg("image", "segment", "stripes.png", *arguments)
        assert code == 2
        assert message in " ".join(lines)


def test_a_mask_of_a_stack_is_a_stack(gmmseg, picture):
    volume, mask = np.stack([picture] * 6), np.ones((6, *TRUTH.shape), dtype=np.uint8)
    mask[2, 5:] = 0
    for suffix, save in ((".tif", tifffile.imwrite), (".npy", np.save)):
        save(f"head{suffix}", volume)
        save(f"mask{suffix}", mask)
        arguments = ("--volume", "-k", 2, "--mask", f"mask{suffix}")
        segment(gmmseg, f"head{suffix}", *arguments)
        labels = read_volume(f"out/head_labels{suffix}").values
        assert_array_equal(labels > 0, mask > 0)
