"""``gmmseg image anomaly``: normal images in, a model; other images in, a table, maps, overlays."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gmmseg.image import ImageAnomalyDetector
from gmmseg.image.io import read_image

TILES = Path(__file__).parents[2] / "data" / "tiles"
DEFECTS = [TILES / f"{name}.jpg" for name in ("pull_thread", "stain", "hole")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of cloth."""
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
    Image.new("RGB", (20, 20), "red").save(tmp_path / "colour.png")
    out = tmp_path / "out"
    code, _, lines = gmmseg(
        "image", "anomaly", "score", model, bad, tmp_path / "colour.png", DEFECTS[0], "-o", out
    )
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {bad}")
    assert lines[1] == (
        f"gmmseg: {tmp_path / 'colour.png'}: image must have 1 channel as the normal ones, or red, "
        "green and blue that are equal, got 3 that differ"
    )
    assert lines[-1] == "2 of 3 images could not be scored"
    assert len(table_in(out)) == 1


def test_bad_normal_files_are_reported_once_and_passed_over(gmmseg, tmp_path):
    (tmp_path / "bad.png").write_text("no image")
    Image.new("RGB", (20, 20), "red").save(tmp_path / "colour.png")
    names = [TILES / "normal_*.jpg", tmp_path / "bad.png", tmp_path / "colour.png"]
    code, _, lines = gmmseg("image", "anomaly", "fit", *names, "-o", tmp_path / "cloth.gmm")
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {tmp_path / 'bad.png'}")
    assert lines[1].startswith(f"gmmseg: {tmp_path / 'colour.png'}: image must have 1 channel as")
    assert lines[2].startswith("20 normal images")
    assert lines[3:] == ["2 of 22 images could not be used"]
    assert (tmp_path / "cloth.gmm").exists()


def test_the_odd_file_is_passed_over_though_it_comes_first(gmmseg, tmp_path):
    Image.new("RGB", (20, 20), "red").save(tmp_path / "a.png")
    np.save(tmp_path / "b.npy", np.zeros((8, 8, 5)))
    names = [tmp_path / "a.png", tmp_path / "b.npy", TILES / "normal_*.jpg"]
    code, _, lines = gmmseg("image", "anomaly", "fit", *names, "-o", tmp_path / "cloth.gmm")
    assert code == 1
    assert "a.png: image must have 1 channel as the normal ones, or red," in lines[0]
    assert lines[1] == f"gmmseg: {tmp_path / 'b.npy'}: it has 5 channels, most others have 1"
    assert lines[2].startswith("20 normal images, tied, anomalous above ")
    assert lines[3:] == ["2 of 22 images could not be used"]


def test_grey_files_are_as_good_as_files_of_equal_red_green_and_blue(gmmseg, tmp_path):
    for path in sorted(TILES.glob("normal_*.jpg")):
        picture = Image.open(path)
        picture.convert("RGB" if path.stem[-2:] in ("01", "20") else "L").save(
            tmp_path / f"{path.stem}.png"
        )
    out = tmp_path / "cloth.gmm"
    code, _, lines = gmmseg("image", "anomaly", "fit", tmp_path / "normal_*.png", "-o", out)
    assert (code, len(lines)) == (0, 1)
    assert lines[0].startswith("20 normal images")
    hole = tmp_path / "hole.png"
    Image.open(DEFECTS[2]).convert("RGB").save(hole)
    for name, image in (("grey", DEFECTS[2]), ("equal", hole)):
        code, *_ = gmmseg("image", "anomaly", "score", out, image, "-o", tmp_path / name)
        assert code == 0
    rows = [table_in(tmp_path / name)[0] for name in ("grey", "equal")]
    assert rows[0]["score"] == rows[1]["score"]


@pytest.mark.filterwarnings("always:6 normal images are too few to count")
def test_a_grey_file_among_coloured_ones_is_taken_for_one_of_them(gmmseg, tmp_path, rng):
    for number in range(6):
        pixels = rng.integers(90, 160, size=(32, 32, 3), dtype=np.uint8)
        grey = Image.fromarray(pixels).convert("L" if number == 0 else "RGB")
        grey.save(tmp_path / f"{number}.png")
    code, _, lines = gmmseg("image", "anomaly", "fit", tmp_path, "-o", tmp_path / "x.gmm")
    assert code == 0
    assert lines[-1].startswith("6 normal images")


def test_no_model_is_made_of_a_few_that_are_left(gmmseg, model, tmp_path):
    for number in range(3):
        (tmp_path / f"bad_{number}.png").write_text("no image")
    names = [tmp_path / "bad_*.png", *DEFECTS[:2]]
    out = tmp_path / "x.gmm"
    for command in (["fit", *names, "-o", out], ["adapt", model, *names, "-o", out]):
        code, _, lines = gmmseg("image", "anomaly", *command)
        assert code == 1
        assert lines[-1] == (
            "gmmseg: 3 of 5 normal images could not be used, so no model was written; take away "
            "what does not belong to them"
        )
        assert not out.exists()


@pytest.mark.filterwarnings("always:.*too few to count")
@pytest.mark.parametrize("n_images", [1, 3])
def test_a_model_that_can_call_nothing_anomalous_says_so(gmmseg, tmp_path, n_images):
    out = tmp_path / "x.gmm"
    names = [TILES / f"normal_{number:02}.jpg" for number in range(1, n_images + 1)]
    code, _, lines = gmmseg("image", "anomaly", "fit", *names, "-o", out)
    subject = "1 normal image is" if n_images == 1 else "3 normal images are"
    assert code == 0
    assert lines[0] == (
        f"gmmseg: warning: {subject} too few to count a false-alarm rate of 0.05, let alone to "
        "extrapolate it: nothing will ever be called anomalous; 4 would be extrapolated from; "
        "19 would do"
    )
    told = "1 normal image" if n_images == 1 else "3 normal images"
    assert lines[1] == f"{told}, tied, nothing can be anomalous (false alarms 5.0%): {out}"
    code, _, lines = gmmseg("image", "anomaly", "score", out, DEFECTS[2], "-o", tmp_path)
    assert code == 0
    assert lines[0] == (
        "gmmseg: the model was fitted to so few that nothing can be called anomalous at a "
        "false-alarm rate of 5.0%, whatever comes; fit to more"
    )


@pytest.mark.parametrize(
    ("share", "words"), [(0.05, "5.0%"), (0.001, "0.1%"), (0.0001, "0.01%"), (0.0125, "1.25%")]
)
def test_a_rate_is_told_as_it_is(share, words):
    from gmmseg.cli.anomaly import percent

    assert percent(share) == words


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


def test_a_map_does_not_replace_an_image_that_is_scored(gmmseg, model, tmp_path):
    image, other = tmp_path / "a.png", tmp_path / "a_map.tif"
    for path in (image, other):
        path.write_bytes(DEFECTS[0].read_bytes())
    code, _, lines = gmmseg("image", "anomaly", "score", model, image, other, "-o", tmp_path)
    assert code == 2
    assert "a_map.tif is an input and would be replaced" in " ".join(lines)
    assert other.read_bytes() == DEFECTS[0].read_bytes()


def test_fit_and_adapt_tell_as_json_what_was_learned(gmmseg, tmp_path):
    out, bad = tmp_path / "cloth.gmm", tmp_path / "bad.png"
    bad.write_text("no image")
    pattern = TILES / "normal_*.jpg"
    code, stdout, _ = gmmseg("image", "anomaly", "fit", pattern, bad, "-o", out, "--json")
    fitted = json.loads(stdout)
    threshold = ImageAnomalyDetector.load(out).threshold_
    assert code == 1
    assert fitted == {
        "model": str(out),
        "n_normal": 20,
        "n_bad": 1,
        "false_alarm": 0.05,
        "threshold": threshold,
        "mode": "tied",
    }
    code, stdout, _ = gmmseg("image", "anomaly", "adapt", out, DEFECTS[0], "--json")
    adapted = json.loads(stdout)
    assert code == 0
    assert (adapted["model"], adapted["n_normal"], adapted["n_bad"]) == (str(out), 1, 0)
    assert adapted["threshold"] == ImageAnomalyDetector.load(out).threshold_


def test_the_brightness_of_feature_maps_is_no_question(gmmseg, tmp_path):
    np.save(tmp_path / "map.npy", np.zeros((8, 8, 3)))
    out = tmp_path / "maps.gmm"
    code, stdout, lines = gmmseg(
        *("image", "anomaly", "fit", tmp_path / "map.npy", "-o", out),
        *("--given-features", "--keep-brightness"),
    )
    words = "--given-features takes channels as they are; leave --keep-brightness out"
    assert (code, stdout) == (2, "")
    assert words in " ".join(" ".join(lines).split())
    assert not out.exists()
