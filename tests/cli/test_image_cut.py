"""``gmmseg image cut``: a picture and a box or marks in, a black and white mask out."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.image.io import read_image

BOX = ("--box", 8, 6, 25, 25)
SQUARE = np.zeros((30, 34), dtype=bool)
SQUARE[8:22, 10:22] = True


@pytest.fixture
def picture(tmp_path, rng, monkeypatch):
    """A file with a yellow square on blue, in the folder that we are in."""
    monkeypatch.chdir(tmp_path)
    pixels = np.where(SQUARE[..., None], [220, 200, 40], [30, 60, 150])
    pixels = pixels + rng.integers(-8, 9, size=pixels.shape)
    path = tmp_path / "square.png"
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def save(path, pixels):
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path)
    return path


def test_a_mask_of_0_and_255_is_written_beside_where_we_are(gmmseg, picture):
    code, stdout, lines = gmmseg("image", "cut", picture, *BOX)
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith(f"{picture}: 16.5% cut out in ")
    assert lines[0].endswith(", square_mask.png")
    mask, _ = read_image("square_mask.png")
    assert_array_equal(mask, SQUARE * 255)


def test_mask_matte_and_overlay_go_where_they_are_wanted(gmmseg, picture, tmp_path):
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "cut.png"
    code, _, lines = gmmseg("image", "cut", picture, *BOX, "-o", out, "--matte", "--overlay")
    assert code == 0, lines
    names = ["cut.png", "square_matte.png", "square_overlay.png"]
    assert sorted(path.name for path in out.parent.iterdir()) == names
    matte, _ = read_image(out.parent / "square_matte.png")
    assert np.abs(matte.astype(int) - SQUARE * 255).max() < 40
    overlay, _ = read_image(out.parent / "square_overlay.png")
    before, _ = read_image(picture)
    assert_array_equal(overlay[12:18, 14:18], before[12:18, 14:18])  # the object in its colours
    assert np.all(overlay[:4, :, 2] < 0.6 * before[:4, :, 2])  # the rest dimmed


def test_json_says_what_was_done_in_one_line(gmmseg, picture):
    code, stdout, _ = gmmseg("image", "cut", picture, *BOX, "--json", "--seed", 4)
    report = json.loads(stdout)
    assert code == 0
    assert (report["file"], report["mask"]) == (str(picture), "square_mask.png")
    assert (report["area"], report["n_pixels"]) == (SQUARE.sum(), SQUARE.size)
    assert report["options"] == {
        "box": [8, 6, 25, 25],
        "seeds": None,
        "smoothness": 17.0,
        "seed": 4,
    }


def test_seeds_are_labels_or_red_and_blue_marks(gmmseg, picture, tmp_path):
    labels = np.zeros(SQUARE.shape, dtype=np.uint8)
    labels[12:16, 13:19], labels[2:4, 2:30] = 2, 1
    marks = np.full((*SQUARE.shape, 3), 128)
    marks[labels == 2], marks[labels == 1] = (250, 10, 20), (10, 0, 240)
    for seeds in (save(tmp_path / "labels.png", labels), save(tmp_path / "marks.png", marks)):
        code, _, lines = gmmseg("image", "cut", picture, "--seeds", seeds)
        assert code == 0, lines
        assert_array_equal(read_image("square_mask.png")[0], SQUARE * 255)


def test_transparent_pixels_are_not_cut_out(gmmseg, picture, tmp_path):
    alpha = np.full(SQUARE.shape, 255)
    alpha[10] = 0
    pixels = np.dstack([read_image(picture)[0], alpha])
    path = save(tmp_path / "rgba.png", pixels)
    assert gmmseg("image", "cut", path, *BOX)[0] == 0
    expected = SQUARE.copy()
    expected[10] = False
    assert_array_equal(read_image("rgba_mask.png")[0], expected * 255)


def test_smoothness_reaches_the_cut(gmmseg, picture, tmp_path, rng):
    pixels = read_image(picture)[0] + rng.normal(scale=70.0, size=(*SQUARE.shape, 3))
    noisy, areas = save(tmp_path / "noisy.png", pixels.clip(0, 255)), []
    for smoothness in (17, 0):
        arguments = (*BOX, "--json", "--smoothness", smoothness)
        _, stdout, _ = gmmseg("image", "cut", noisy, *arguments)
        areas.append(json.loads(stdout)["area"])
    assert areas[0] != areas[1]


def test_misuse_is_told_in_one_line(gmmseg, picture):
    for arguments, message in [
        ((picture,), "where is the object? give --box X0 Y0 X1 Y1, or --seeds FILE"),
        ((picture, *BOX, "-o", "mask.jpg"), "the mask must end in .png, got mask.jpg"),
        (
            ("stack.tif", *BOX, "-o", "s.tif"),
            "got s.tif; that of a stack needs --box X0 Y0 Z0 X1 Y1 Z1, or --volume and --seeds",
        ),
        ((picture, *BOX, "-o", picture), f"{picture} is an input and would be replaced"),
        ((picture, *BOX, "--seeds", "a.png", "-o", "a.png"), "a.png is an input and would be"),
        (
            (picture, *BOX, "--matte", "-o", "square_matte.png"),
            "would write square_matte.png twice; choose",
        ),
    ]:
        code, stdout, lines = gmmseg("image", "cut", *arguments)
        assert (code, stdout) == (2, "")
        assert message in " ".join(lines)


def test_what_cannot_be_cut_is_told_in_one_line(gmmseg, picture, tmp_path):
    empty = save(tmp_path / "empty.png", np.zeros(SQUARE.shape))
    grey = save(tmp_path / "grey.png", np.full(SQUARE.shape, 77))
    for arguments, message in [
        (("nowhere.png", *BOX), "nowhere.png does not exist; check the name and the folder"),
        ((picture, "--box", 50, 0, 60, 9), f"{picture}: box (x0, y0, x1, y1) must enclose pixels"),
        ((picture, "--seeds", empty), f"{empty}: nothing is marked; mark the object red (or 2)"),
        ((picture, "--seeds", grey), f"{grey}: labels that are seeds must be 0, 1"),
    ]:
        code, stdout, lines = gmmseg("image", "cut", *arguments)
        assert (code, stdout, len(lines)) == (1, "", 1)
        assert message in lines[0]
