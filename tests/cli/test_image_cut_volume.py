"""``gmmseg image cut`` of volumes: a box of six numbers or labels in, a mask of its kind out."""

import json

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from gmmseg.image.io import read_image
from gmmseg.image.volumes import read_volume

# Planes, rows, columns all differ, so that no two axes can change places unseen.
BRICK = np.zeros((14, 22, 30), dtype=bool)
BRICK[4:9, 6:16, 9:26] = True
BOX = ("--box", 7, 4, 2, 28, 18, 11)
AFFINE = np.array([[-2.0, 0, 0, 30], [0, 1.5, 0, -20], [0, 0, 3.0, 5], [0, 0, 0, 1]])


@pytest.fixture
def values(tmp_path, rng, monkeypatch):
    """A light brick on a dark ground, while we are in a folder of our own."""
    monkeypatch.chdir(tmp_path)
    return (np.where(BRICK, 180, 60) + rng.integers(-9, 10, BRICK.shape)).astype(np.uint8)


def save_nifti(path, values, affine=AFFINE):
    """Write planes, rows, columns as NIfTI, whose axes are the other way round."""
    image = nibabel.Nifti1Image(values.swapaxes(0, 2), affine)
    image.header["descrip"] = b"of our scanner"
    nibabel.save(image, path)
    return path


SAVERS = {".npy": np.save, ".tif": tifffile.imwrite, ".npz": np.savez_compressed}


@pytest.mark.parametrize("suffix", SAVERS)
def test_a_box_of_six_numbers_cuts_a_volume_into_a_mask_of_its_kind(gmmseg, values, suffix):
    SAVERS[suffix](f"brick{suffix}", values)
    code, _, lines = gmmseg("image", "cut", f"brick{suffix}", *BOX)
    written = f"brick_mask{'.npy' if suffix == '.npz' else suffix}"
    assert (code, len(lines)) == (0, 1)
    assert lines[0].startswith(f"brick{suffix}: 9.2% cut out in ")
    assert lines[0].endswith(f", {written}")
    assert_array_equal(read_volume(written).values, BRICK)


def test_a_nifti_mask_lies_where_the_volume_lies_and_x_is_its_first_axis(gmmseg, values):
    save_nifti("brick.nii.gz", values)
    code, stdout, lines = gmmseg("image", "cut", "brick.nii.gz", *BOX, "--json")
    assert code == 0
    assert lines[0].startswith("brick.nii.gz: 9.2% (7.65 ml) cut out in ")  # 850 voxels of 9 mm³
    mask = nibabel.load("brick_mask.nii.gz")
    assert_array_equal(mask.affine, AFFINE)
    assert mask.header["descrip"].item() == b"of our scanner"
    assert_array_equal(np.asarray(mask.dataobj), BRICK.swapaxes(0, 2))
    report = json.loads(stdout)
    assert report["spacing"] == [3.0, 1.5, 2.0]
    assert report["options"]["box"] == [7, 4, 2, 28, 18, 11]
    assert report["options"]["smoothness"] == 3


def test_the_mask_may_be_named_in_another_format(gmmseg, values):
    np.save("brick.npy", values)
    assert gmmseg("image", "cut", "brick.npy", *BOX, "-o", "mask.nii")[0] == 0
    assert_array_equal(read_volume("mask.nii").values, BRICK)


def test_the_distances_between_voxels_reach_the_cut(gmmseg, values, monkeypatch):
    known = []

    def cut_foreground(_image, *, spacing, **_):
        known.append(spacing)
        return BRICK

    monkeypatch.setattr("gmmseg.image.cut.cut_foreground", cut_foreground)
    assert gmmseg("image", "cut", save_nifti("brick.nii", values), *BOX)[0] == 0
    assert known == [(3.0, 1.5, 2.0)]


def test_voxels_that_are_nan_are_not_cut_out(gmmseg, values):
    measured = values.astype(np.float32)
    measured[6] = np.nan
    np.save("brick.npy", measured)
    assert gmmseg("image", "cut", "brick.npy", *BOX)[0] == 0
    expected = BRICK.copy()
    expected[6] = False
    assert_array_equal(np.load("brick_mask.npy"), expected)


def test_a_volume_of_several_channels_is_cut(gmmseg, values):
    np.savez("brick.npz", np.stack([values, 255 - values], axis=3))
    assert gmmseg("image", "cut", "brick.npz", *BOX)[0] == 0
    assert_array_equal(np.load("brick_mask.npy"), BRICK)


def test_seeds_are_a_label_volume_or_marks_in_rgb(gmmseg, values):
    tifffile.imwrite("brick.tif", values)
    labels = np.zeros(BRICK.shape, dtype=np.uint8)
    labels[5:7, 8:12, 12:20], labels[0:2, 2:20, 2:28] = 2, 1
    marks = np.full((*BRICK.shape, 3), 128, dtype=np.uint8)
    marks[labels == 2], marks[labels == 1] = (250, 10, 20), (10, 0, 240)
    np.save("labels.npy", labels)
    tifffile.imwrite("marks.tif", marks, photometric="rgb")
    for seeds in ("labels.npy", "marks.tif"):
        arguments = ("brick.tif", "--volume", "--seeds", seeds)
        code, _, lines = gmmseg("image", "cut", *arguments)
        assert code == 0, lines
        assert_array_equal(read_volume("brick_mask.tif").values, BRICK)


def test_seeds_that_lie_elsewhere_in_the_world_are_used_with_a_warning(gmmseg, values):
    labels = np.where(BRICK, 2, 1).astype(np.uint8)
    labels[4:9] = 0
    labels[5, 10, 12:20] = 2
    moved = AFFINE.copy()
    moved[0, 3] += 12
    save_nifti("brick.nii.gz", values)
    for affine, n_lines in ((AFFINE, 1), (AFFINE + 1e-4, 1), (moved, 2)):
        save_nifti("seeds.nii.gz", labels, affine)
        arguments = ("brick.nii.gz", "--seeds", "seeds.nii.gz")
        code, _, lines = gmmseg("image", "cut", *arguments)
        assert (code, len(lines)) == (0, n_lines)
    assert lines[0].startswith("gmmseg: seeds.nii.gz lies up to 12 mm away from the volume")


def test_the_picture_is_a_sheet_of_slices(gmmseg, values):
    np.save("brick.npy", values)
    assert gmmseg("image", "cut", "brick.npy", *BOX, "--overlay")[0] == 0
    picture = read_image("brick_overlay.png")[0]
    assert picture.shape[1] > 600  # several slices beside each other
    assert (picture > 150).any(axis=2).mean() > 0.1  # the object is light


def test_the_numbers_of_a_box_may_stand_anywhere(gmmseg, values):
    np.save("brick.npy", values)
    numbers = [str(number) for number in BOX[1:]]
    for arguments in (
        ["--box", *numbers, "brick.npy"],
        [f"--box={numbers[0]}", *numbers[1:], "brick.npy"],
        [f"--box={','.join(numbers)}", "brick.npy"],
        ["--box", *numbers, "--", "brick.npy"],
    ):
        code, _, lines = gmmseg("image", "cut", *arguments)
        assert code == 0, lines


def test_misuse_is_told_in_one_line(gmmseg, values):
    np.save("brick.npy", values)
    for arguments, message in [
        (("brick.npy", "--box", 1, 2, 3, 4, 5), "in whole numbers; got 1 2 3 4 5"),
        (("brick.npy", "--box", 1, 2.5, 3, 4), "in whole numbers; got 1 2.5 3 4"),
        (("brick.npy", "--box", "here"), "--box takes X0 Y0 X1 Y1, or X0 Y0 Z0 X1 Y1 Z1 in a"),
        (("brick.npz",), "where is the object? give --box X0 Y0 Z0 X1 Y1 Z1, or --seeds FILE"),
        (("brick.npy", "--box"), "'--box' requires an argument"),
        (("brick.npy", *BOX, "-o", "mask.png"), "the mask of a volume must end in .nii, .nii.gz"),
        (("brick.npy", *BOX, "--matte"), "--matte is for pictures"),
        (("brick.npy", *BOX, "-o", "brick.npy"), "brick.npy is an input and would be replaced"),
    ]:
        code, stdout, lines = gmmseg("image", "cut", *arguments)
        assert (code, stdout) == (2, "")
        assert message in " ".join(lines)


def test_what_cannot_be_cut_is_told_in_one_line(gmmseg, values):
    np.savez("brick.npz", values)
    np.save("small.npy", np.ones((3, 4, 5), dtype=np.uint8))
    np.save("plane.npy", np.ones((22, 30), dtype=np.uint8))
    np.save("two.npy", np.ones((*BRICK.shape, 2), dtype=np.uint8))
    np.save("many.npy", values)
    tifffile.imwrite("stack.tif", values)
    plane = ("--box", 7, 4, 28, 18)
    for arguments, message in [
        (("brick.npz", *plane), "brick.npz: box must be whole numbers (x0, y0, z0, x1, y1, z1) in"),
        (("plane.npy", *BOX), "plane.npy must have shape (planes, rows, cols) or"),
        (("stack.tif", *plane), "read it as a volume (--volume, or read_volume)"),
        (("brick.npz", "--box", 9, 9, 20, 12, 12, 25), "x counts columns, y rows, z planes, and"),
        (("brick.npz", "--seeds", "small.npy"), "brick.npz: seeds must have shape (14, 22, 30)"),
        (("brick.npz", "--seeds", "two.npy"), "two.npy: seeds must be labels or RGB, got 2"),
        (("brick.npz", "--seeds", "many.npy"), "many.npy: labels that are seeds must be 0, 1"),
        (("nowhere.nii", *BOX), "nowhere.nii does not exist; check the name and the folder"),
    ]:
        code, stdout, lines = gmmseg("image", "cut", *arguments)
        assert (code, stdout, len(lines)) == (1, "", 1)
        assert message in lines[0]
