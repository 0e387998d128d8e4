"""``gmmseg image segment`` from files to files, in a process as a user runs it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.image.io import read_image


def gmmseg(*arguments):
    """Run the command line; return exit code, stdout and the lines on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "gmmseg.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("compiling")]
    return done.returncode, done.stdout, lines


@pytest.fixture
def picture(tmp_path, rng):
    """A file with a dark, a middle and a light stripe, 10 by 30 pixels."""
    path = tmp_path / "stripes.png"
    stripes = np.repeat([[20, 120, 230]], 10, axis=1) + rng.integers(-5, 6, size=(10, 30))
    Image.fromarray(stripes.astype(np.uint8)).save(path)
    return path


TRUTH = np.repeat([[1, 2, 3]], 10, axis=1).repeat(10, axis=0)


def test_labels_and_report_are_written(picture, tmp_path):
    out = tmp_path / "results" / "deep"
    code, stdout, lines = gmmseg("image", "segment", picture, "-k", 3, "-o", out)
    assert (code, stdout) == (0, "")
    assert len(lines) == 1
    assert lines[0].startswith(f"{picture}: 3 segments in ")
    assert sorted(os.listdir(out)) == ["stripes.json", "stripes_labels.png"]
    labels, _ = read_image(out / "stripes_labels.png")
    assert_array_equal(labels, TRUTH)
    report = json.loads((out / "stripes.json").read_text())
    assert report["n_segments"] == 3
    assert [segment["area"] for segment in report["segments"]] == [100, 100, 100]
    assert [segment["label"] for segment in report["segments"]] == [1, 2, 3]
    assert sum(segment["weight"] for segment in report["segments"]) == pytest.approx(1)
    assert report["segments"][2]["mean_color"][0] == pytest.approx(230, abs=2)
    assert report["bic"] < 0 < report["seconds"]


def test_overlay_and_probabilities_are_written_when_asked_for(picture, tmp_path):
    arguments = ("-k", 3, "-o", tmp_path, "--overlay", "--probabilities")
    code, _, _ = gmmseg("image", "segment", picture, *arguments)
    assert code == 0
    overlay, _ = read_image(tmp_path / "stripes_overlay.png")
    assert overlay.shape[0] > 10  # a legend lies below
    probabilities, _ = read_image(tmp_path / "stripes_probabilities.tif")
    assert_array_equal(probabilities.argmax(axis=2) + 1, TRUTH)


def test_json_prints_a_line_per_image(picture, tmp_path):
    second = picture.with_name("second.png")
    second.write_bytes(picture.read_bytes())
    arguments = ("-k", 3, "-o", tmp_path, "--json")
    code, stdout, _ = gmmseg("image", "segment", picture, second, *arguments)
    assert code == 0
    reports = [json.loads(line) for line in stdout.splitlines()]
    assert [report["file"] for report in reports] == [str(picture), str(second)]
    assert reports[0] == json.loads((tmp_path / "stripes.json").read_text())


def test_mask_and_transparency_leave_pixels_out(tmp_path):
    pixels = np.zeros((4, 6, 4), dtype=np.uint8)
    pixels[..., :3] = np.array([10, 10, 10, 200, 200, 200])[:, None]
    pixels[..., 3] = 255
    pixels[0, :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "rgba.png")
    mask = np.full((4, 6), 255, dtype=np.uint8)
    mask[3] = 0
    Image.fromarray(mask).save(tmp_path / "mask.png")
    arguments = ("-k", 2, "-o", tmp_path, "--mask", tmp_path / "mask.png")
    code, _, lines = gmmseg("image", "segment", tmp_path / "rgba.png", *arguments)
    assert code == 0, lines
    labels, _ = read_image(tmp_path / "rgba_labels.png")
    assert_array_equal(labels[[0, 3]], 0)
    assert_array_equal(labels[1:3], [[1, 1, 1, 2, 2, 2]] * 2)


def test_seed_color_covariance_and_position_reach_the_mixture(tmp_path):
    image = "data/chelsea.png"
    variants = [
        (),
        ("--seed", 3, "-k", 9),
        ("--color", "rgb"),
        ("--covariance", "spherical"),
        ("--position", 0.5),
    ]
    labels = []
    for number, options in enumerate(variants):
        out = tmp_path / str(number)
        assert gmmseg("image", "segment", image, "-o", out, *options)[0] == 0
        labels.append(read_image(out / "chelsea_labels.png")[0])
    for other in labels[1:]:
        assert (other != labels[0]).mean() > 0.01


def test_bad_files_are_told_and_the_rest_goes_on(picture, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    empty = tmp_path / "empty.png"
    empty.touch()
    missing = tmp_path / "nowhere" / "missing.png"
    arguments = (text, picture, empty, missing, "-k", 3, "-o", tmp_path / "out")
    code, _, lines = gmmseg("image", "segment", *arguments)
    assert code == 1
    assert len(lines) == 5
    assert lines[0].startswith(f"gmmseg: {text} is not an image in a known format")
    assert lines[1].startswith(f"{picture}: 3 segments")
    assert lines[2] == f"gmmseg: {empty} is empty (0 bytes); copy or save it again"
    assert lines[3] == f"gmmseg: {missing} does not exist; check the name and the folder"
    assert lines[4] == "3 of 4 images could not be segmented"
    assert sorted(os.listdir(tmp_path / "out")) == ["stripes.json", "stripes_labels.png"]


def test_truncated_jpeg_is_told_in_one_line(tmp_path):
    path = tmp_path / "cut.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1500])
    code, _, lines = gmmseg("image", "segment", path, "-o", tmp_path)
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith(f"gmmseg: {path} cannot be decoded (")


@pytest.mark.parametrize("size", [(1, 1), (6, 4)], ids=["one pixel", "all black"])
def test_fewer_colors_than_segments_are_done_and_said(tmp_path, size):
    path = tmp_path / "flat.png"
    Image.new("RGB", size).save(path)
    code, _, lines = gmmseg("image", "segment", path, "-k", 5, "-o", tmp_path)
    assert code == 0
    assert len(lines) == 2
    said = f"gmmseg: {path}: found 1 of 5 segments: no pixel belongs to the others"
    assert lines[0] == said
    assert lines[1].startswith(f"{path}: 1 segment in ")
    assert_array_equal(read_image(tmp_path / "flat_labels.png")[0], np.ones(size[::-1]))


def test_output_that_cannot_be_written_is_told_in_one_line(picture, tmp_path):
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where a folder is wanted")
    code, _, lines = gmmseg("image", "segment", picture, "-o", occupied)
    assert code == 1
    assert lines == [f"gmmseg: cannot create the folder {occupied}: File exists"]


def test_mask_of_another_size_is_told_in_one_line(picture, tmp_path):
    Image.new("L", (3, 3), 255).save(tmp_path / "mask.png")
    code, _, lines = gmmseg(
        "image", "segment", picture, "--mask", tmp_path / "mask.png", "-o", tmp_path
    )
    assert code == 1
    assert lines == [
        f"gmmseg: {picture}: mask must have shape (10, 30) as the image has, got (3, 3)"
    ]


def test_two_images_that_would_write_one_file_are_misuse(picture, tmp_path):
    other = tmp_path / "other" / picture.name
    code, _, lines = gmmseg("image", "segment", picture, other, "-o", tmp_path / "out")
    assert code == 2
    assert "would both write stripes_labels.png" in " ".join(lines)
    assert not (tmp_path / "out").exists()


def test_a_result_that_would_replace_an_input_is_misuse(picture):
    before = picture.with_name("stripes_labels.png")
    before.write_bytes(picture.read_bytes())
    code, _, lines = gmmseg("image", "segment", picture, before, "-o", picture.parent)
    assert code == 2
    assert "is an input and would be replaced" in " ".join(lines)
    assert before.read_bytes() == picture.read_bytes()


def test_a_report_of_somebody_else_is_not_replaced(picture):
    foreign = picture.with_suffix(".json")
    foreign.write_text('{"shapes": []}')
    code, _, lines = gmmseg("image", "segment", picture, "-o", picture.parent)
    assert code == 2
    assert "is there already and no report of gmmseg" in " ".join(lines)
    assert foreign.read_text() == '{"shapes": []}'
    foreign.unlink()
    for _ in range(2):  # our own report is replaced
        assert gmmseg("image", "segment", picture, "-k", 3, "-o", picture.parent)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [(), ("a.png", "-k", "0"), ("a.png", "-k", "many"), ("a.png", "--color", "luv")],
    ids=["no image", "no segments", "no number", "no such color"],
)
def test_misuse_exits_with_2(arguments):
    assert gmmseg("image", "segment", *arguments)[0] == 2
