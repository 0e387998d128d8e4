"""What else ``gmmseg image segment`` can do: modes, auto, volumes, large images, clean-up."""

import json

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.image.io import read_image
from gmmseg.image.prior_files import read_prior
from gmmseg.image.volumes import read_volume


@pytest.fixture
def squares(tmp_path, rng):
    """A file with two equal light squares on a dark ground, and where they are."""
    truth = np.zeros((60, 80), dtype=np.uint8)
    truth[15:45, 10:35] = truth[15:45, 45:70] = 1
    noisy = np.where(truth, 190, 60) + rng.integers(-6, 7, size=truth.shape)
    path = tmp_path / "squares.png"
    Image.fromarray(noisy.astype(np.uint8)).save(path)
    return path, truth


def labels_of(folder, stem="squares"):
    return read_image(folder / f"{stem}_labels.png")[0]


def test_classes_give_both_squares_one_label_and_regions_give_each_its_own(
    gmmseg, squares, tmp_path
):
    path, truth = squares
    assert gmmseg("image", "segment", path, "-k", 2, "-o", tmp_path)[0] == 0
    assert_array_equal(labels_of(tmp_path), truth + 1)
    arguments = ("--mode", "regions", "-k", 3, "-o", tmp_path)
    assert gmmseg("image", "segment", path, *arguments)[0] == 0
    labels = labels_of(tmp_path)
    assert labels.max() == 3
    assert len({labels[0, 0], labels[30, 20], labels[30, 60]}) == 3
    assert json.loads((tmp_path / "squares.json").read_text())["n_segments"] == 3


def test_more_detail_finds_small_cells(gmmseg, tmp_path):
    rows, cols = np.mgrid[:120, :120]
    truth = ((rows % 20 - 10) ** 2 + (cols % 20 - 10) ** 2 <= 25).astype(np.uint8)
    path = tmp_path / "cells.png"
    Image.fromarray(np.where(truth, 160, 50).astype(np.uint8)).save(path)
    number = {}
    for detail in (0.5, 2):
        arguments = ("--mode", "regions", "--detail", detail, "-o", tmp_path)
        assert gmmseg("image", "segment", path, *arguments)[0] == 0
        number[detail] = json.loads((tmp_path / "cells.json").read_text())["n_segments"]
    assert number[0.5] < 37 <= number[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--detail is for --mode regions; classes are as many as -k says"),
        (
            ("--mode", "regions", "-k", 3),
            "-k gives the number of regions and --detail lets it be found; leave one of them out",
        ),
    ],
)
def test_detail_where_it_means_nothing_is_misuse(gmmseg, squares, tmp_path, arguments, message):
    code, _, lines = gmmseg(
        "image", "segment", squares[0], "--detail", 2, *arguments, "-o", tmp_path
    )
    assert code == 2
    assert message in " ".join(lines)


def test_auto_finds_the_number_of_segments(gmmseg, squares, tmp_path):
    path, truth = squares
    assert gmmseg("image", "segment", path, "-k", "auto", "-o", tmp_path)[0] == 0
    assert_array_equal(labels_of(tmp_path), truth + 1)


def test_all_files_agree_on_the_segments_that_have_pixels(gmmseg, tmp_path, rng):
    image = np.full((50, 60), 60) + rng.integers(-6, 7, size=(50, 60))
    image[:, 30:] += 140
    image[4::9, 4:30:9] += 20
    path = tmp_path / "specks.png"
    Image.fromarray(image.astype(np.uint8)).save(path)
    arguments = ("-k", 3, "--smoothness", 100, "-o", tmp_path)
    code, _, lines = gmmseg("image", "segment", path, *arguments, "--probabilities")
    assert code == 0
    assert f"gmmseg: {path}: found 2 of 3 segments: no pixel belongs to the others" in lines
    labels = labels_of(tmp_path, "specks")
    assert_array_equal(np.unique(labels), [1, 2])
    report = json.loads((tmp_path / "specks.json").read_text())
    assert report["n_segments"] == 2
    assert [segment["label"] for segment in report["segments"]] == [1, 2]
    assert sum(segment["weight"] for segment in report["segments"]) == pytest.approx(1)
    chances = tifffile.imread(tmp_path / "specks_probabilities.tif")
    assert_array_equal(chances.argmax(axis=0) + 1, labels)
    gmmseg("image", "segment", path, *arguments)
    assert_array_equal(labels_of(tmp_path, "specks"), labels)


def test_parts_that_are_too_small_join_what_is_around_them(gmmseg, squares, tmp_path):
    path, truth = squares
    image = read_image(path)[0].copy()
    image[5:7, 5:7] = 190
    Image.fromarray(image).save(path)
    arguments = ("-k", 2, "--smoothness", 0, "-o", tmp_path)
    assert gmmseg("image", "segment", path, *arguments)[0] == 0
    assert labels_of(tmp_path)[5, 5] == 2
    assert gmmseg("image", "segment", path, *arguments, "--min-area", 5)[0] == 0
    assert_array_equal(labels_of(tmp_path), truth + 1)


def test_several_overlays_make_a_contact_sheet_and_uncertainty_a_picture(gmmseg, squares, tmp_path):
    path, _ = squares
    second = path.with_name("second.png")
    second.write_bytes(path.read_bytes())
    arguments = ("-k", 2, "-o", tmp_path, "--overlay", "--uncertainty")
    assert gmmseg("image", "segment", path, second, *arguments)[0] == 0
    assert read_image(tmp_path / "contact_sheet.png")[0].std() > 10
    assert read_image(tmp_path / "squares_uncertainty.png")[0].shape == (60, 80, 3)


@pytest.mark.parametrize("suffix", [".npy", ".tif", ".npz"])
def test_volumes_get_labels_of_their_own_kind(gmmseg, tmp_path, rng, suffix):
    truth = np.zeros((6, 20, 24), dtype=np.uint8)
    truth[2:5, 5:15, 6:18] = 1
    values = (np.where(truth, 200, 50) + rng.integers(-9, 10, truth.shape)).astype(np.uint8)
    path = tmp_path / f"cube{suffix}"
    save = {".npy": np.save, ".tif": tifffile.imwrite, ".npz": np.savez_compressed}[suffix]
    save(path, values)
    arguments = ("-k", 2, "--volume", "--overlay", "--probabilities", "-o", tmp_path)
    assert gmmseg("image", "segment", path, *arguments)[0] == 0
    written = ".npy" if suffix == ".npz" else suffix
    assert_array_equal(read_volume(tmp_path / f"cube_labels{written}").values, truth + 1)
    chances = read_prior(tmp_path / f"cube_probabilities{written}").values
    assert_array_equal(chances.argmax(axis=-1), truth)
    assert read_image(tmp_path / "cube_overlay.png")[0].std() > 10


def test_nifti_keeps_its_place_and_a_shaded_head_is_segmented(gmmseg, tmp_path):
    arguments = ("-k", 4, "--bias-field", "-o", tmp_path)
    assert gmmseg("image", "segment", "data/brain_phantom.nii.gz", *arguments)[0] == 0
    labels = read_volume(tmp_path / "brain_phantom_labels.nii.gz")
    truth = read_volume("data/brain_phantom_labels.nii.gz")
    assert_array_equal(labels.affine, truth.affine)
    assert (labels.values == truth.values + 1).mean() > 0.98


def test_an_image_that_is_not_read_whole_has_the_same_labels(
    gmmseg, squares, tmp_path, monkeypatch
):
    path, truth = squares
    stored = path.with_suffix(".tif")
    tifffile.imwrite(stored, read_image(path)[0], rowsperstrip=8)
    monkeypatch.setattr("gmmseg.cli.image_files.IN_MEMORY", 100)
    monkeypatch.setattr("gmmseg.cli.image_files.SHOWN", 1000)
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 1000)
    assert gmmseg("image", "segment", stored, "-k", 2, "--overlay", "-o", tmp_path)[0] == 0
    assert_array_equal(labels_of(tmp_path), truth + 1)
    assert read_image(tmp_path / "squares_overlay.png")[0].shape[1] < 80
    code, _, lines = gmmseg("image", "segment", stored, "--mode", "regions", "-o", tmp_path)
    assert (code, len(lines)) == (1, 1)
    assert "too many for regions" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--mode", "regions", "--smoothness", 1), "are for"),
        (("--mode", "regions", "--probabilities"), "regions have no probabilities"),
        (("--mode", "regions", "--volume"), "regions are found in images alone"),
        (("--smoothness", "-1"), "--smoothness must be a number of at least 0, or auto, got '-1'"),
        (("--smoothness", "much"), "--smoothness must be a number of at least 0, or auto, got"),
        (("-k", "1001"), "-k must be a whole number from 1 to 1000, or auto, got '1001'"),
    ],
)
def test_options_that_mean_nothing_together_are_misuse(gmmseg, squares, arguments, message):
    code, _, lines = gmmseg("image", "segment", squares[0], *arguments)
    assert code == 2
    assert message in " ".join(line.strip("│ ") for line in lines)


def test_folders_patterns_and_lists_stand_for_images_and_volumes(gmmseg, squares, tmp_path):
    path, _ = squares
    folder = tmp_path / "in"
    folder.mkdir()
    path.rename(folder / "a.png")
    np.savez(folder / "b.npz", np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6))
    (folder / "notes.md").write_text("no image")
    (folder / "list.txt").write_text("a.png\nb.npz\n")
    for number, names in enumerate([(folder,), (f"{folder}/*.??[gz]",), (folder / "list.txt",)]):
        out = tmp_path / str(number)
        code, _, lines = gmmseg("image", "segment", *names, "-k", 2, "-o", out)
        assert (code, len(lines)) == (0, 2)
        assert {"a_labels.png", "b_labels.npy"} < {result.name for result in out.iterdir()}


def test_a_folder_whose_results_are_in_it_is_not_segmented_again(gmmseg, squares, tmp_path):
    path, _ = squares
    folder = tmp_path / "in"
    folder.mkdir()
    path.rename(folder / "a.png")
    assert gmmseg("image", "segment", folder, "-k", 2, "-o", folder)[0] == 0
    code, _, lines = gmmseg("image", "segment", folder, "-k", 2, "-o", folder)
    assert code == 2
    assert "a_labels.png is an input and would be replaced" in " ".join(lines)
