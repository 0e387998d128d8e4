"""``gmmseg audio vad`` from recordings to segments and probabilities."""

import json
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from gmmseg.audio import VoiceActivityDetector, detect_voice, read_audio, read_segments
from tests.test_house import heavy_libraries_loaded_by

CONVERSATION = "data/conversation.flac"


@pytest.fixture
def silence(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(16000), 16000)
    return tmp_path / "silence.wav"


def test_segments_and_probabilities_are_those_of_the_library(gmmseg, tmp_path):
    code, stdout, lines = gmmseg("audio", "vad", CONVERSATION, "-o", tmp_path, "--probabilities")
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith("conversation.flac: ")
    y, sr = read_audio(CONVERSATION)
    found, wanted = read_segments(tmp_path / "conversation.csv"), detect_voice(y, sr=sr)
    for one, other in zip(found, wanted, strict=True):
        assert one.label == "speech"
        assert abs(one.start - other.start) < 2e-3
        assert abs(one.end - other.end) < 2e-3
    table = np.loadtxt(tmp_path / "conversation_prob.csv", delimiter=",", skiprows=1)
    assert len(table) == 1 + len(y) // 160
    assert table[100, 0] == 1.0
    assert np.all((table[:, 1] >= 0) & (table[:, 1] <= 1))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("csv", ".csv"),
        ("rttm", ".rttm"),
        ("audacity", ".txt"),
        ("textgrid", ".TextGrid"),
        ("json", ".json"),
    ],
)
def test_every_format_is_read_again(gmmseg, tmp_path, name, suffix):
    code, _, _ = gmmseg("audio", "vad", CONVERSATION, "-o", tmp_path, "--format", name)
    assert code == 0
    segments = read_segments(tmp_path / f"conversation{suffix}")
    assert len([one for one in segments if one.label == "speech"]) > 2


def test_a_recording_without_speech_has_an_empty_list(gmmseg, tmp_path, silence):
    code, _, lines = gmmseg("audio", "vad", silence, "-o", tmp_path)
    assert (code, lines) == (0, ["silence.wav: 0 segments, 0.0 s of 1.0 s (0%)"])
    assert (tmp_path / "silence.csv").read_text() == "start,end,label\n"


def test_a_bad_file_is_reported_and_the_rest_goes_on(gmmseg, tmp_path, silence):
    (tmp_path / "text.wav").write_text("no sound")
    code, _, lines = gmmseg("audio", "vad", tmp_path / "text.wav", silence, "-o", tmp_path)
    assert code == 1
    assert len(lines) == 2
    assert "text.wav" in lines[0]
    assert (tmp_path / "silence.csv").exists()


def test_json_tells_every_file_on_a_line(gmmseg, tmp_path, silence):
    code, stdout, lines = gmmseg("audio", "vad", silence, "-o", tmp_path, "--json")
    assert (code, lines) == (0, [])
    report = json.loads(stdout)
    assert report.pop("seconds") >= 0
    assert report == {"file": str(silence), "duration": 1.0, "speech": 0.0, "segments": []}


def test_recordings_of_one_name_are_refused(gmmseg, tmp_path):
    code, _, lines = gmmseg("audio", "vad", "a/x.wav", "b/X.flac", "-o", tmp_path)
    assert code == 2
    message = "a/x.wav and b/X.flac would both write X.csv; do them one by one"
    assert message in " ".join(" ".join(lines).split())


def test_a_higher_threshold_finds_less(gmmseg, tmp_path):
    spoken = []
    for threshold in (0.2, 0.95):
        gmmseg("audio", "vad", CONVERSATION, "-o", tmp_path, "--threshold", threshold)
        segments = read_segments(tmp_path / "conversation.csv")
        spoken.append(sum(one.duration for one in segments))
    assert spoken[1] < spoken[0]


def test_short_segments_are_left_out_and_short_pauses_closed_as_by_the_library(gmmseg, tmp_path):
    y, sr = read_audio(CONVERSATION)
    counts = []
    for options in ({}, {"min_speech": 1.0}, {"min_pause": 1.0}):
        given = [part for name, s in options.items() for part in (f"--{name.replace('_', '-')}", s)]
        assert gmmseg("audio", "vad", CONVERSATION, "-o", tmp_path, *given)[0] == 0
        found = read_segments(tmp_path / "conversation.csv")
        wanted = detect_voice(y, sr=sr, **options)
        assert [one.start for one in found] == pytest.approx(
            [one.start for one in wanted], abs=2e-3
        )
        assert [one.end for one in found] == pytest.approx([one.end for one in wanted], abs=2e-3)
        counts.append(len(found))
    assert max(counts[1:]) < counts[0]


@pytest.mark.parametrize("option", ["--threshold", "--min-speech", "--min-pause"])
def test_what_is_less_than_nothing_is_misuse(gmmseg, tmp_path, silence, option):
    code, _, lines = gmmseg("audio", "vad", silence, "-o", tmp_path / "out", option, -0.1)
    assert code == 2
    message = f"Invalid value for '{option}': Input should be greater than or equal to 0"
    assert message in " ".join(lines)
    assert not (tmp_path / "out").exists()


def test_a_detector_of_ones_own_keeps_what_is_not_given(gmmseg, tmp_path):
    own = tmp_path / "own.gmm"
    VoiceActivityDetector(threshold=0.9, min_speech=0.5, min_pause=0.7).save(own)
    y, sr = read_audio(CONVERSATION)
    saved = {"threshold": 0.9, "min_speech": 0.5, "min_pause": 0.7}
    for given, changed in ((), {}), (("--threshold", 0.2), {"threshold": 0.2}):
        code, stdout, _ = gmmseg(
            "audio", "vad", CONVERSATION, "-o", tmp_path, "--model", own, "--json", *given
        )
        wanted = detect_voice(y, sr=sr, **saved | changed)
        assert code == 0
        assert len(json.loads(stdout)["segments"]) == len(wanted)
        assert json.loads(stdout)["speech"] == pytest.approx(
            sum(one.duration for one in wanted), abs=0.02
        )


def test_a_detector_of_ones_own_is_taken(gmmseg, tmp_path, silence):
    VoiceActivityDetector().save(tmp_path / "own.gmm")
    code, _, _ = gmmseg("audio", "vad", silence, "-o", tmp_path, "--model", tmp_path / "own.gmm")
    assert code == 0


@pytest.mark.parametrize(("command", "suffix"), [("vad", ".csv"), ("diarize", ".rttm")])
def test_folders_patterns_and_lists_stand_for_recordings(
    gmmseg, tmp_path, silence, command, suffix
):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.wav", "b.WAV"):
        (folder / name).write_bytes(silence.read_bytes())
    (folder / "a.csv").write_text("no recording")
    (folder / "list.txt").write_text("a.wav\nb.WAV\n")
    for number, names in enumerate([folder, f"{folder}/*.[wW]*", folder / "list.txt"]):
        out = tmp_path / str(number)
        code, _, lines = gmmseg("audio", command, names, "-o", out)
        assert (code, len(lines)) == (0, 2)
        assert sorted(path.name for path in out.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_a_file_that_is_named_twice_is_heard_once(gmmseg, tmp_path, silence):
    code, _, lines = gmmseg("audio", "vad", silence, silence, "-o", tmp_path)
    assert (code, len(lines)) == (0, 1)


@pytest.mark.parametrize("command", ["vad", "diarize"])
def test_a_folder_without_recordings_is_told(gmmseg, tmp_path, command):
    code, _, lines = gmmseg("audio", command, tmp_path, "-o", tmp_path / "out")
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith(f"gmmseg: {tmp_path} holds no file ending in .aif, .aifc, ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["vad", "diarize"])
def test_a_picture_is_drawn_beside_the_results(gmmseg, tmp_path, command):
    code, _, lines = gmmseg("audio", command, CONVERSATION, "-o", tmp_path, "--picture")
    assert (code, len(lines)) == (0, 1)
    with Image.open(tmp_path / "conversation.png") as drawn:
        assert drawn.format == "PNG"
        assert drawn.width > 1000
        colours = np.unique(np.asarray(drawn.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > 100  # a spectrogram is in it


def test_a_picture_of_a_recording_without_speech_is_drawn_too(gmmseg, tmp_path, silence):
    code, _, lines = gmmseg("audio", "vad", silence, "-o", tmp_path, "--picture")
    assert (code, len(lines)) == (0, 1)
    assert (tmp_path / "silence.png").exists()


@pytest.mark.parametrize(("command", "suffix"), [("vad", ".csv"), ("diarize", ".rttm")])
def test_too_long_a_recording_has_results_without_a_picture(
    gmmseg, tmp_path, silence, monkeypatch, command, suffix
):
    monkeypatch.setattr("gmmseg.cli.sound_picture.LONGEST", 0.9)
    code, _, lines = gmmseg("audio", command, silence, "-o", tmp_path, "--picture")
    assert code == 1
    assert "minutes, and a picture shows at most" in lines[0]
    assert (tmp_path / f"silence{suffix}").exists()
    assert not (tmp_path / "silence.png").exists()


@pytest.mark.parametrize("command", ["vad", "diarize"])
def test_without_matplotlib_nothing_begins(gmmseg, tmp_path, silence, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, lines = gmmseg("audio", command, silence, "-o", tmp_path / "out", "--picture")
    assert (code, len(lines)) == (1, 1)
    assert "--picture needs matplotlib, which is not installed; pip install" in lines[0]
    assert not (tmp_path / "out").exists()


def test_help_is_quick():
    code = """
import sys
from gmmseg.cli.main import main
sys.argv[1:] = ["audio", "vad", "-h"]
try:
    main()
except SystemExit as stop:
    assert stop.code == 0
"""
    assert heavy_libraries_loaded_by(code) == set()
