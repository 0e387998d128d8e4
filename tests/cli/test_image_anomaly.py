"""``gmmseg image anomaly``: normal images in, a model; other images in, a table, maps, overlays."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gmmseg.image.io import read_image

TILES = Path(__file__).parents[2] / "data" / "tiles"
DEFECTS = [TILES / f"{name}.jpg" for name in ("pull_thread", "stain", "hole")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of cloth."""
    from gmmseg.image import ImageAnomalyDetector

    path = tmp_path_factory.mktemp("model") / "cloth.gmm"
    ImageAnomalyDetector().fit(sorted(TILES.glob("normal_*.jpg"))).save(path)
    return path


def table_in(folder):
    with (folder / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_fit_learns_from_a_pattern_and_says_one_line(gmmseg, tmp_path):
    out = tmp_path / "cloth.gmm"
    code, stdout, lines = gmmseg("image", "anomaly", "fit", TILES / "normal_*.jpg", "-o", out)
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith("20 normal images, tied, anomalous above ")
    assert lines[0].endswith(f"(false alarms 5.0%): {out}")


def test_score_writes_a_table_and_a_map_and_an_overlay_of_each(gmmseg, model, tmp_path):
    normal = TILES / "normal_01.jpg"
    code, stdout, lines = gmmseg(
        "image", "anomaly", "score", model, *DEFECTS, normal, "-o", tmp_path
    )
    assert (code, stdout) == (0, "")
    assert lines == [f"3 of 4 images anomalous: {tmp_path / 'scores.csv'}"]
    rows = table_in(tmp_path)
    assert [row["file"] for row in rows] == [*map(str, DEFECTS), str(normal)]
    assert [row["anomalous"] for row in rows] == ["1", "1", "1", "0"]
    assert float(rows[0]["score"]) > float(rows[3]["score"])
    assert float(rows[0]["p_value"]) <= 0.05 < float(rows[3]["p_value"])
    values, _ = read_image(tmp_path / "hole_map.tif")
    assert values.dtype == np.float32
    assert values.shape == (128, 128)
    overlay, _ = read_image(tmp_path / "hole_overlay.png")
    assert overlay.shape == (128, 128, 3)
    row, col = np.unravel_index(values.argmax(), values.shape)
    red, _, blue = overlay[row, col].astype(int)
    assert red > blue + 60


def test_explain_and_json_tell_where_and_why(gmmseg, model, tmp_path):
    code, stdout, _ = gmmseg(
        "image", "anomaly", "score", model, DEFECTS[2], "-o", tmp_path, "--explain", "--json"
    )
    report = json.loads(stdout)
    assert code == 0
    assert report == json.loads((tmp_path / "hole_why.json").read_text())
    region = report["regions"][0]
    assert region["rows"][0] < 88 < region["rows"][1]
    assert region["cols"][0] < 45 < region["cols"][1]
    assert region["features"]


def test_another_false_alarm_rate_may_be_asked_for(gmmseg, model, tmp_path):
    gmmseg("image", "anomaly", "score", model, TILES, "-o", tmp_path, "--false-alarm", 0.5)
    normal = [row for row in table_in(tmp_path) if "normal" in row["file"]]
    assert sum(row["anomalous"] == "1" for row in normal) >= 5


def test_a_bad_file_is_reported_and_passed_over(gmmseg, model, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("no image")
    Image.new("RGB", (20, 20)).save(tmp_path / "colour.png")
    out = tmp_path / "out"
    code, _, lines = gmmseg(
        "image", "anomaly", "score", model, bad, tmp_path / "colour.png", DEFECTS[0], "-o", out
    )
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {bad}")
    assert "image must have 1 channels as the normal ones, got 3" in lines[1]
    assert lines[-1] == "2 of 3 images could not be scored"
    assert len(table_in(out)) == 1


def test_bad_normal_files_are_reported_once_and_passed_over(gmmseg, tmp_path):
    (tmp_path / "bad.png").write_text("no image")
    Image.new("RGB", (20, 20)).save(tmp_path / "colour.png")
    names = [TILES / "normal_*.jpg", tmp_path / "bad.png", tmp_path / "colour.png"]
    code, _, lines = gmmseg("image", "anomaly", "fit", *names, "-o", tmp_path / "cloth.gmm")
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {tmp_path / 'bad.png'}")
    assert lines[1].endswith("it has 3 channels, the others have 1")
    assert lines[2].startswith("20 normal images")
    assert lines[3:] == ["2 of 22 images could not be used"]
    assert (tmp_path / "cloth.gmm").exists()


def test_adapt_writes_a_model_that_knows_more(gmmseg, model, tmp_path):
    out = tmp_path / "adapted.gmm"
    code, _, lines = gmmseg("image", "anomaly", "adapt", model, TILES / "normal_0*", "-o", out)
    assert code == 0
    assert lines[0].startswith("9 more normal images, anomalous above ")
    assert out.stat().st_size > 0


def test_a_rate_that_is_none_is_misuse(gmmseg, model, tmp_path):
    code, _, lines = gmmseg(
        "image", "anomaly", "score", model, DEFECTS[0], "-o", tmp_path, "--false-alarm", 1
    )
    assert code == 2
    assert "--false-alarm must lie between 0 and 1, got 1.0" in " ".join(lines)


def test_a_picture_is_no_feature_map(gmmseg, tmp_path):
    code, _, lines = gmmseg(
        "image", "anomaly", "fit", DEFECTS[0], "--given-features", "-o", tmp_path / "a.gmm"
    )
    assert code == 2
    assert "--given-features takes feature maps (.npy, .tif, .tiff), got" in " ".join(lines)


def test_feature_maps_are_learned_from(gmmseg, tmp_path, rng):
    for number in range(20):
        np.save(tmp_path / f"{number}.npy", rng.normal(size=(24, 24, 5)))
    out = tmp_path / "a.gmm"
    assert gmmseg("image", "anomaly", "fit", tmp_path, "--given-features", "-o", out)[0] == 0
    assert out.exists()


def test_a_model_that_is_none_is_told_in_one_line(gmmseg, tmp_path):
    code, _, lines = gmmseg("image", "anomaly", "score", "no.gmm", DEFECTS[0], "-o", tmp_path)
    assert (code, lines) == (1, ["gmmseg: no.gmm does not exist"])


def test_a_model_does_not_replace_a_normal_image(gmmseg):
    code, _, lines = gmmseg("image", "anomaly", "fit", DEFECTS[0], "-o", DEFECTS[0])
    assert code == 2
    assert "is an input and would be replaced" in " ".join(lines)
