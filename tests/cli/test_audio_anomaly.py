"""``gmmseg audio anomaly``: normal clips in, a model; other clips in, a table and pictures."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gmmseg.image import read_image

PUMP = Path(__file__).parents[2] / "data" / "pump"
LIMITS = ("anomalous above ", "before ")
FAULTS = [PUMP / f"{name}.flac" for name in ("bearing", "cavitation", "slow")]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of a sound pump."""
    from gmmseg.audio import AudioAnomalyDetector

    path = tmp_path_factory.mktemp("model") / "pump.gmm"
    AudioAnomalyDetector().fit(sorted(PUMP.glob("normal_*.flac"))).save(path)
    return path


def table_in(folder):
    with (folder / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_fit_learns_from_a_pattern_and_says_one_line(gmmseg, tmp_path):
    out = tmp_path / "pump.gmm"
    code, stdout, lines = gmmseg("audio", "anomaly", "fit", PUMP / "normal_*.flac", "-o", out)
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith("20 normal clips, 8000 Hz, anomalous above ")
    assert lines[0].endswith(f"(false alarms 5.0%): {out}")


def test_score_finds_the_three_faults_and_names_files_as_given(gmmseg, model, tmp_path):
    normal = PUMP / "normal_01.flac"
    dotted = f"{PUMP}/../pump/normal_02.flac"
    code, stdout, lines = gmmseg(
        "audio", "anomaly", "score", model, *FAULTS, normal, dotted, "-o", tmp_path
    )
    assert (code, stdout) == (0, "")
    assert lines == [f"3 of 5 clips anomalous: {tmp_path / 'scores.csv'}"]
    rows = table_in(tmp_path)
    assert list(rows[0]) == ["file", "score", "p_value", "anomalous"]
    assert [row["file"] for row in rows] == [*map(str, FAULTS), str(normal), dotted]
    assert [row["anomalous"] for row in rows] == ["1", "1", "1", "0", "0"]
    assert float(rows[0]["p_value"]) <= 0.05 < float(rows[3]["p_value"])
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_explain_leaves_a_picture_and_says_when_and_in_which_band(gmmseg, model, tmp_path):
    code, stdout, _ = gmmseg(
        "audio", "anomaly", "score", model, FAULTS[1], "-o", tmp_path, "--explain", "--json"
    )
    assert code == 0
    report = json.loads(stdout)
    assert report == json.loads((tmp_path / "cavitation_why.json").read_text())
    assert report["anomalous"] is True
    # Bubbles burst about 0.4 s and 1.1 s, about 3200 Hz.
    near = [min(abs(report["strangest_time"] - when) for when in (0.4, 1.1))]
    assert max(near) < 0.1
    assert 2700 < report["strangest_frequency"] < 3800
    assert all(0.3 < start < end < 1.25 for start, end in report["times"])
    picture, _ = read_image(tmp_path / "cavitation_why.png")
    assert (picture[..., 0].astype(int) - picture[..., 2]).max() > 60


def test_explain_names_in_hertz_what_throbs(gmmseg, model, tmp_path):
    bearing = FAULTS[0]
    assert gmmseg("audio", "anomaly", "score", model, bearing, "-o", tmp_path, "--explain")[0] == 0
    why = json.loads((tmp_path / "bearing_why.json").read_text())
    _, _, rate, change = why["beats"][0]
    assert abs(rate - 24.0) < 1.0  # the bearing clicks at every turn, 24 times a second
    assert change > 10.0
    assert why["tones"] == []


def test_a_clip_too_short_to_be_compared_is_told_and_scored(gmmseg, model, tmp_path):
    import soundfile

    y, sr = soundfile.read(PUMP / "normal_01.flac")
    short, half = tmp_path / "short.wav", tmp_path / "half.wav"
    soundfile.write(short, y[: sr // 10], sr)
    soundfile.write(half, y[: sr // 2], sr)
    for options in ([], ["--explain"]):
        code, _, lines = gmmseg(
            "audio", "anomaly", "score", model, short, half, "-o", tmp_path, *options
        )
        assert (code, len(lines)) == (0, 2)
        assert lines[0].startswith(
            f"gmmseg: {short}: too short to be compared: the clip (0.1 s); normal clips were heard "
            "in parts of 0.188 s or more, and what is shorter may be called anomalous"
        )
        assert [row["file"] for row in table_in(tmp_path)] == [str(short), str(half)]
        assert table_in(tmp_path)[1]["anomalous"] == "0"


def test_a_bad_file_is_told_and_passed_over(gmmseg, model, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    code, _, lines = gmmseg(
        "audio", "anomaly", "score", model, bad, FAULTS[0], "none.flac", "-o", tmp_path
    )
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {bad} cannot be decoded")
    assert lines[1] == "gmmseg: none.flac does not exist; check the name and the folder"
    assert lines[2:] == [
        f"1 of 1 clips anomalous: {tmp_path / 'scores.csv'}",
        "2 of 3 clips could not be scored",
    ]
    assert [row["file"] for row in table_in(tmp_path)] == [str(FAULTS[0])]


def test_a_bad_normal_clip_is_passed_over_too(gmmseg, tmp_path):
    bad = tmp_path / "aaa.wav"
    bad.write_bytes(b"no sound")
    out = tmp_path / "pump.gmm"
    code, _, lines = gmmseg("audio", "anomaly", "fit", bad, PUMP / "normal_*.flac", "-o", out)
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {bad} cannot be decoded")
    assert lines[1].startswith("20 normal clips")
    assert lines[2] == "1 of 21 clips could not be used"
    assert out.exists()


def test_no_usable_clip_and_a_single_one_are_one_line(gmmseg, tmp_path):
    out = tmp_path / "x.gmm"
    code, _, lines = gmmseg("audio", "anomaly", "fit", PUMP / "normal_01.flac", "-o", out)
    assert (code, len(lines)) == (1, 1)
    assert "normal clips must be at least 2" in lines[0]
    code, _, lines = gmmseg("audio", "anomaly", "fit", tmp_path / "none.wav", "-o", out)
    assert code == 1
    assert "none.wav does not exist" in lines[-1]
    assert not out.exists()


def test_few_clips_are_told_in_one_line(gmmseg, tmp_path):
    code, _, lines = gmmseg(
        "audio", "anomaly", "fit", PUMP / "normal_0*.flac", "-o", tmp_path / "x.gmm"
    )
    assert (code, len(lines)) == (0, 2)
    assert lines[0].startswith("gmmseg: 9 normal samples are too few to count")


def test_a_strange_clip_among_the_normal_ones_is_named(gmmseg, tmp_path, rng):
    other = tmp_path / "other.npz"
    np.savez(other, y=rng.normal(size=12_000), sr=8000)
    code, _, lines = gmmseg(
        "audio", "anomaly", "fit", PUMP / "normal_*.flac", other, "-o", tmp_path / "x.gmm"
    )
    assert code == 0
    assert lines[0] == f"{other}: left out, too unlike the others to be normal"
    assert lines[1].startswith("20 normal clips")


def test_adapt_adds_clips_without_a_refit(gmmseg, model, tmp_path):
    out = tmp_path / "more.gmm"
    code, _, lines = gmmseg("audio", "anomaly", "adapt", model, FAULTS[2], "-o", out)
    assert code == 0
    assert lines[0] == (
        f"gmmseg: anomalous to the detector so far: 1 of 1 new clips, first {FAULTS[2]}; if they "
        "are faults, it will take such for normal"
    )
    assert lines[1].startswith("1 more normal clip, anomalous above ")
    limit, before = (float(lines[1].split(word)[1].split()[0].strip(":")) for word in LIMITS)
    assert limit > before
    code, _, lines = gmmseg("audio", "anomaly", "adapt", model, FAULTS[2], "-o", out, "--domain", 1)
    assert (code, lines) == (
        1,
        ["gmmseg: domain must be None, as the fit was given none, got '1'"],
    )
    before, after = tmp_path / "before", tmp_path / "after"
    gmmseg("audio", "anomaly", "score", model, FAULTS[2], "-o", before)
    gmmseg("audio", "anomaly", "score", out, FAULTS[2], "-o", after)
    scores = [float(table_in(folder)[0]["score"]) for folder in (before, after)]
    assert scores[1] < scores[0]


def test_adapt_passes_over_clips_that_are_too_short(gmmseg, model, tmp_path, rng):
    short = tmp_path / "short.npz"
    np.savez(short, y=rng.normal(size=4000), sr=8000)
    out = tmp_path / "more.gmm"
    code, _, lines = gmmseg(
        "audio", "anomaly", "adapt", model, short, PUMP / "normal_01.flac", "-o", out
    )
    assert code == 1
    assert lines[0].startswith(f"gmmseg: {short}: it lasts 0.5 s, but a detector adapts only to")
    assert lines[1].startswith("1 more normal clip, anomalous above ")
    assert lines[2] == "1 of 2 clips could not be used"


def test_a_model_learns_nothing_from_clips_that_cannot_be_read(gmmseg, model, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    out = tmp_path / "other.gmm"
    code, _, lines = gmmseg("audio", "anomaly", "adapt", model, tmp_path / "bad.wav", "-o", out)
    assert (code, len(lines)) == (1, 2)
    assert "bad.wav" in lines[0]
    assert lines[1] == "gmmseg: none of the normal clips could be used"
    assert not out.exists()


def test_each_folder_may_be_a_domain(gmmseg, tmp_path):
    for name, numbers in (("a", range(1, 11)), ("b", range(11, 21))):
        (tmp_path / name).mkdir()
        for number in numbers:
            shutil.copy(PUMP / f"normal_{number:02}.flac", tmp_path / name)
    out = tmp_path / "x.gmm"
    code, _, lines = gmmseg(
        "audio", "anomaly", "fit", tmp_path / "a", tmp_path / "b", "--domains", "-o", out
    )
    assert code == 0
    assert lines[-1].startswith("20 normal clips of 2 domains, 8000 Hz")
    code, _, lines = gmmseg("audio", "anomaly", "adapt", out, FAULTS[0], "-o", out)
    assert code == 1
    assert "domain must be one of" in lines[-1]
    code, *_ = gmmseg("audio", "anomaly", "adapt", out, FAULTS[0], "--domain", tmp_path / "b")
    assert code == 0


def test_records_of_a_sensor_come_through_the_same_door(gmmseg, tmp_path, rng):
    for k in range(20):
        np.save(tmp_path / f"normal_{k:02}.npy", 9.81 + rng.normal(size=3000))
    strange = rng.normal(size=3000)
    strange[1000:1100] *= 5
    rows = [f"{n / 400},{value}" for n, value in enumerate(strange)]
    (tmp_path / "new.csv").write_text("time,g\n" + "\n".join(rows))
    model = tmp_path / "x.gmm"
    pattern = tmp_path / "normal_*.npy"
    code, _, lines = gmmseg("audio", "anomaly", "fit", pattern, "-o", model, "--rate", 400)
    assert code == 0
    assert "400 Hz" in lines[0]
    code, *_ = gmmseg("audio", "anomaly", "score", model, tmp_path / "new.csv", "-o", tmp_path)
    assert code == 0
    assert table_in(tmp_path)[0]["anomalous"] == "1"
    code, _, lines = gmmseg("audio", "anomaly", "fit", pattern, "-o", model)
    assert code == 1
    assert "does not tell its sampling rate; give it in Hz as sr (--rate)" in lines[-1]


@pytest.mark.parametrize("share", ["0", "1", "7"])
def test_a_false_alarm_rate_that_is_none_is_misuse(gmmseg, model, share):
    for arguments in (["fit", FAULTS[0], "-o", "x.gmm"], ["score", model, FAULTS[0], "-o", "x"]):
        code, _, lines = gmmseg("audio", "anomaly", *arguments, "--false-alarm", share)
        assert code == 2
        assert "--false-alarm must lie between 0 and 1" in " ".join(lines)


def test_a_model_does_not_replace_a_clip(gmmseg, tmp_path):
    clip = tmp_path / "a.flac"
    shutil.copy(FAULTS[0], clip)
    code, _, lines = gmmseg("audio", "anomaly", "fit", clip, "-o", clip)
    assert code == 2
    assert "would be replaced" in " ".join(lines)


def test_scores_do_not_replace_a_clip(gmmseg, model, tmp_path):
    clip = tmp_path / "scores.csv"
    clip.write_text("1\n2\n")
    code, _, lines = gmmseg("audio", "anomaly", "score", model, clip, "-o", tmp_path)
    assert code == 2
    assert "scores.csv is an input and would be replaced" in " ".join(lines)
    assert clip.read_text() == "1\n2\n"


def test_fit_and_adapt_tell_as_json_what_was_learned(gmmseg, tmp_path):
    from gmmseg.audio import AudioAnomalyDetector

    out, bad = tmp_path / "pump.gmm", tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    arguments = PUMP / "normal_*.flac", bad, "-o", out, "--domains", "--json"
    code, stdout, _ = gmmseg("audio", "anomaly", "fit", *arguments)
    threshold = AudioAnomalyDetector.load(out).threshold_
    assert code == 1
    assert json.loads(stdout) == {
        "model": str(out),
        "n_normal": 20,
        "n_bad": 1,
        "false_alarm": 0.05,
        "threshold": threshold,
        "left_out": [],
        "sr": 8000,
        "domains": [str(PUMP)],
    }
    code, stdout, _ = gmmseg("audio", "anomaly", "adapt", out, FAULTS[0], "--json")
    assert code == 0
    assert json.loads(stdout)["n_normal"] == 1


def test_a_threshold_that_too_few_clips_give_is_null(gmmseg, tmp_path):
    clips = PUMP / "normal_0[1-3].flac"
    _, stdout, _ = gmmseg("audio", "anomaly", "fit", clips, "-o", tmp_path / "p.gmm", "--json")
    assert json.loads(stdout, parse_constant=pytest.fail)["threshold"] is None
