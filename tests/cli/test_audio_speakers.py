"""``gmmseg audio speakers``: folders of voices in, names and a table of scores out."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.voices import SPEAKERS, recordings, spoken

COMMAND = ("audio", "speakers")


@pytest.fixture
def voices(tmp_path, rng, monkeypatch):
    """A folder with two recordings of each of three speakers; we are beside it."""
    monkeypatch.chdir(tmp_path)
    for name, own in recordings(rng, seconds=5.0).items():
        (tmp_path / "voices" / name).mkdir(parents=True)
        for k, one in enumerate(own):
            soundfile.write(tmp_path / "voices" / name / f"{k}.wav", one, 8000)
    for name, speaker in SPEAKERS.items():
        soundfile.write(f"{name}.flac", spoken(rng, **speaker, seconds=2.5), 8000)
    return tmp_path / "voices"


@pytest.fixture
def model(gmmseg, voices):
    assert gmmseg(*COMMAND, "train", voices)[0] == 0
    return "voices.gmm"


def test_training_writes_one_file_and_says_what_it_heard(gmmseg, voices):
    code, stdout, lines = gmmseg(*COMMAND, "train", voices, "-o", "three.gmm")
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith(f"{voices}: 3 speakers, 24 s of speech")
    assert lines[0].endswith(", three.gmm")


def test_scores_of_all_files_and_speakers_are_written_and_names_are_said(gmmseg, model):
    files = [f"{name}.flac" for name in SPEAKERS]
    code, stdout, lines = gmmseg(*COMMAND, "identify", model, *files, "-o", "scores.csv")
    assert (code, stdout) == (0, "")
    for name, line in zip(SPEAKERS, lines, strict=True):
        assert line.startswith(f"{name}.flac: {name}, probability ")
    rows = list(csv.DictReader(Path("scores.csv").read_text().splitlines()))
    assert [*rows[0]] == ["file", "speaker", "score"]
    assert len(rows) == 9
    for name in SPEAKERS:
        scores = {r["speaker"]: float(r["score"]) for r in rows if r["file"] == f"{name}.flac"}
        assert max(scores, key=scores.get) == name


def test_scores_go_to_stdout_where_no_file_is_named(gmmseg, model):
    _, stdout, _ = gmmseg(*COMMAND, "identify", model, "anna.flac")
    rows = list(csv.reader(io.StringIO(stdout)))
    assert rows[0] == ["file", "speaker", "score"]
    assert [row[1] for row in rows[1:]] == list(SPEAKERS)


def test_json_holds_an_answer_per_file(gmmseg, model):
    arguments = ("identify", model, "anna.flac", "ben.flac", "-o", "s.csv", "--json")
    code, stdout, _ = gmmseg(*COMMAND, *arguments)
    answers = [json.loads(line) for line in stdout.splitlines()]
    assert code == 0
    assert [(answer["file"], answer["speaker"]) for answer in answers] == [
        ("anna.flac", "anna"),
        ("ben.flac", "ben"),
    ]
    assert set(answers[0]) == {"file", "speaker", "probability", "best", "margin", "n_frames"}


def test_a_claim_is_answered_by_a_word_and_an_exit_code(gmmseg, model):
    code, stdout, lines = gmmseg(*COMMAND, "verify", model, "ben", "ben.flac")
    assert (code, stdout.split()[0], len(lines)) == (0, "accepted", 1)
    code, stdout, _ = gmmseg(*COMMAND, "verify", model, "ben", "anna.flac", "--json")
    assert (code, json.loads(stdout)["is_accepted"]) == (3, False)


def test_a_bad_file_is_reported_and_the_rest_goes_on(gmmseg, model, rng):
    soundfile.write("silent.wav", np.zeros(8000), 8000)
    soundfile.write("short.wav", rng.normal(size=80), 8000)
    files = ("silent.wav", "short.wav", "nowhere.wav", "anna.flac")
    code, _, lines = gmmseg(*COMMAND, "identify", model, *files, "-o", "s.csv")
    assert code == 1
    assert "silent.wav: the recording is silent: no sample is above" in lines[0]
    assert "short.wav: the recording has 2 frames of speech, 0.02 s; at least 0.1 s" in lines[1]
    assert "nowhere.wav does not exist" in lines[2]
    assert lines[3].startswith("anna.flac: anna")


def test_a_bad_recording_in_training_is_reported_and_the_rest_is_learned(gmmseg, voices):
    soundfile.write(voices / "anna" / "9.wav", np.zeros(8000), 8000)
    code, _, lines = gmmseg(*COMMAND, "train", voices)
    assert code == 1
    assert "9.wav: the recording is silent" in lines[0]
    assert "3 speakers" in lines[1]


@pytest.mark.parametrize("suffix", [".aifc", ".AIF", ".opus", ".w64"])
def test_recordings_are_heard_whatever_sound_files_they_are(gmmseg, voices, suffix):
    heard = [gmmseg(*COMMAND, "train", voices, "--json")[1]]
    for path in (voices / "anna").iterdir():
        path.rename(path.with_suffix(suffix))  # what is in a file tells its kind
    heard.append(gmmseg(*COMMAND, "train", voices, "--json")[1])
    assert heard[0] == heard[1]
    assert json.loads(heard[0])["speakers"]["anna"] > 500


def test_embeddings_are_told_by_their_suffix(gmmseg, tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    for name, at in (("anna", 0.0), ("ben", 8.0), ("carl", -8.0)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for k in range(4):
            rows = rng.normal(at, 1.0, size=(1 + k, 6))
            np.save(tmp_path / "own" / name / f"{k}.npy", rows)
    np.save("new.npy", rng.normal(8.0, 1.0, size=6))
    for option in (["--microphones", "same"], ["--prior", "nowhere.gmm"]):
        code, _, lines = gmmseg(*COMMAND, "train", "own", *option)
        assert code == 2
        assert "--microphones and --prior are for sound, not for embeddings" in lines[-1]
    assert gmmseg(*COMMAND, "train", "own")[0] == 0
    code, _, lines = gmmseg(*COMMAND, "identify", "own.gmm", "new.npy", "-o", "s.csv")
    assert code == 0
    assert lines[0].startswith("new.npy: ben")
    soundfile.write("sound.wav", rng.normal(size=8000), 8000)
    code, _, lines = gmmseg(*COMMAND, "verify", "own.gmm", "ben", "sound.wav")
    assert code == 1
    assert "sound.wav is no .npy file, and the speakers are known by embeddings" in lines[0]


def test_what_cannot_be_trained_on_is_told_in_one_line(gmmseg, voices, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow" / "anna").mkdir(parents=True)
    (tmp_path / "one" / "anna").mkdir(parents=True)
    (tmp_path / "one" / "anna" / "0.wav").write_bytes((voices / "anna" / "0.wav").read_bytes())
    for folder, message in [
        ("nowhere", "nowhere does not exist; give a folder with one folder per speaker"),
        ("anna.flac", "anna.flac is not a folder; give a folder with one folder per speaker"),
        ("empty", "empty has no folders in it; put the recordings of each speaker into empty/NAME"),
        ("hollow", "hollow/anna has no recordings in it; they end in .wav, .flac, .ogg or"),
        ("one", "one: at least 2 speakers are needed, to be told apart, got 1: 'anna'"),
    ]:
        code, stdout, lines = gmmseg(*COMMAND, "train", folder)
        assert (code, stdout, len(lines)) == (1, "", 1)
        assert message in lines[0]
    np.save(voices / "anna" / "0.npy", np.ones(3))
    _, _, lines = gmmseg(*COMMAND, "train", voices)
    assert "has sound and embeddings (.npy) in it; use one or the other" in lines[0]


def test_what_cannot_be_answered_is_told_in_one_line(gmmseg, model):
    for arguments, code, message in [
        (("verify", model, "anne", "anna.flac"), 1, "'anne'; did you mean 'anna'?"),
        (("identify", "anna.flac", "ben.flac"), 1, "anna.flac is not a gmmseg model file"),
        (("identify", model, "anna.flac", "--json"), 2, "would both go to stdout; give -o FILE"),
        (("identify", model, "anna.flac", "-o", model), 2, "is an input and would be replaced"),
    ]:
        got, _, lines = gmmseg(*COMMAND, *arguments)
        assert got == code
        assert message in " ".join(lines)


@pytest.fixture
def dora(rng):
    """Two recordings of somebody who is not in the model, one to enrol and one to test."""
    for k in range(2):
        soundfile.write(f"dora{k}.wav", spoken(rng, pitch=260.0, tract=1.3, seconds=3.0), 8000)
    return "dora0.wav", "dora1.wav"


def test_a_new_speaker_is_added_and_then_known_beside_the_others(gmmseg, model, dora):
    first, second = dora
    before = Path(model).read_bytes()
    code, stdout, lines = gmmseg(*COMMAND, "enroll", model, "dora", first, "-o", "four.gmm")
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith("dora: ")
    assert "now 4 speakers" in lines[0]
    assert Path(model).read_bytes() == before
    _, _, lines = gmmseg(*COMMAND, "identify", "four.gmm", second, "anna.flac", "-o", "s.csv")
    assert lines[0].startswith(f"{second}: dora, probability ")
    assert lines[1].startswith("anna.flac: anna, probability ")


def test_without_another_name_the_model_itself_gains_the_speaker(gmmseg, model, dora):
    code, stdout, _ = gmmseg(*COMMAND, "enroll", model, "dora", *dora, "--json")
    assert code == 0
    report = json.loads(stdout)
    assert report["speaker"] == "dora"
    assert report["n_frames"] > 300
    assert report["speakers"] == [*SPEAKERS, "dora"]
    assert gmmseg(*COMMAND, "verify", model, "dora", dora[1])[0] == 0


def test_what_cannot_be_enrolled_leaves_the_model_as_it_was(gmmseg, model, dora):
    soundfile.write("silent.wav", np.zeros(8000), 8000)
    before = Path(model).read_bytes()
    for arguments, message in [
        (("anna", dora[0]), "'anna' is enrolled already; choose another name"),
        (("dora", "silent.wav"), "speaker 'dora' has no recording"),
        (("unknown", dora[0]), "a speaker cannot be called 'unknown'"),
    ]:
        code, _, lines = gmmseg(*COMMAND, "enroll", model, *arguments)
        assert code == 1
        assert message in lines[-1]
    code, _, lines = gmmseg(*COMMAND, "enroll", model, "dora", dora[0], "-o", dora[0])
    assert code == 2
    assert "is an input and would be replaced" in " ".join(" ".join(lines).split())
    assert Path(model).read_bytes() == before


def test_of_several_recordings_a_bad_one_is_reported_and_the_others_are_enrolled(
    gmmseg, model, dora
):
    soundfile.write("silent.wav", np.zeros(8000), 8000)
    code, _, lines = gmmseg(*COMMAND, "enroll", model, "dora", "silent.wav", dora[0])
    assert code == 1
    assert "silent.wav: the recording is silent" in lines[0]
    assert "now 4 speakers" in lines[1]


def test_a_folder_stands_for_the_recordings_in_it(gmmseg, voices, model, dora):
    folder = Path("dora")
    folder.mkdir()
    for name in dora:
        Path(name).rename(folder / name)
    code, _, lines = gmmseg(*COMMAND, "enroll", model, "dora", folder)
    assert code == 0
    assert "now 4 speakers" in lines[0]
    np.save(voices / "anna" / "0.npy", np.ones(3))  # which this model cannot hear
    code, _, lines = gmmseg(*COMMAND, "identify", model, voices / "anna", folder, "-o", "s.csv")
    assert (code, len(lines)) == (0, 4)
    assert all(" anna, " in line for line in lines[:2])
    assert all(" dora, " in line for line in lines[2:])


def test_clicks_have_no_name_and_nobody_is_enrolled_by_them(gmmseg, model):
    clicks = np.zeros(40000)
    clicks[::2000] = 0.9
    soundfile.write("clicks.wav", clicks, 8000)
    for arguments in (("identify", model, "clicks.wav"), ("enroll", model, "dora", "clicks.wav")):
        code, stdout, lines = gmmseg(*COMMAND, *arguments)
        assert code == 1
        assert "clicks.wav: nobody is heard in the recording" in lines[0]
        assert "dora" not in stdout
