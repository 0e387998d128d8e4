"""``gmmseg audio diarize`` from sound files to files of turns."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gmmseg.audio import (
    Segment,
    diarization_windows,
    read_audio,
    read_segments,
    write_segments,
)
from gmmseg.audio.timeline import overlaps
from gmmseg.evaluation import diarization_error
from tests.test_house import heavy_libraries_loaded_by

DATA = Path(__file__).parents[2] / "data"
TALK, TRUTH = DATA / "conversation.flac", DATA / "conversation.rttm"


@pytest.fixture
def silence(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16000), 16000)
    return path


def test_turns_are_written_as_rttm(gmmseg, tmp_path):
    code, stdout, lines = gmmseg("audio", "diarize", TALK, "--speech", TRUTH, "-o", tmp_path)
    assert (code, stdout) == (0, "")
    assert len(lines) == 1
    assert "conversation.flac: 2 speakers in 23.7 s" in lines[0]
    turns = read_segments(tmp_path / "conversation.rttm")
    assert diarization_error(read_segments(TRUTH), turns).error_rate < 0.05


def test_the_number_of_speakers_and_the_format_are_obeyed(gmmseg, tmp_path):
    options = "--speakers", 3, "--format", "csv"
    code, _, _ = gmmseg("audio", "diarize", TALK, "--speech", TRUTH, "-o", tmp_path, *options)
    turns = read_segments(tmp_path / "conversation.csv")
    assert code == 0
    assert {turn.label for turn in turns} == {"speaker1", "speaker2", "speaker3"}


def test_limits_of_the_number_are_obeyed(gmmseg, tmp_path):
    base = "audio", "diarize", TALK, "--speech", TRUTH, "-o", tmp_path, "--json"
    _, fewest, _ = gmmseg(*base, "--max-speakers", 1)
    _, most, _ = gmmseg(*base, "--min-speakers", 4)
    assert json.loads(fewest)["n_speakers"] == 1
    assert json.loads(most)["n_speakers"] >= 4


def test_json_tells_who_speaks_how_long(gmmseg, tmp_path):
    code, stdout, _ = gmmseg("audio", "diarize", TALK, "--speech", TRUTH, "-o", tmp_path, "--json")
    report = json.loads(stdout)
    assert code == 0
    assert report["file"] == str(TALK)
    assert Path(report["out"]).read_text().startswith("SPEAKER ")
    assert report["n_speakers"] == 2
    assert sum(report["speakers"].values()) == pytest.approx(16.8, abs=0.01)
    assert report["duration"] == 23.7


def test_a_file_without_speech_gives_an_empty_file_and_a_clear_word(gmmseg, tmp_path, silence):
    code, _, lines = gmmseg("audio", "diarize", silence, "-o", tmp_path)
    assert code == 0
    assert "silence.wav: no speech in 1.0 s" in lines[0]
    assert (tmp_path / "silence.rttm").read_text() == ""


def test_speech_of_several_files_comes_from_a_folder(gmmseg, tmp_path, silence):
    folder = tmp_path / "speech"
    folder.mkdir()
    write_segments(folder / "conversation.csv", [Segment(1.0, 1.4), Segment(2.0, 9.0, "noise")])
    write_segments(folder / "silence.txt", [Segment(0.0, 0.5)])
    out = tmp_path / "out"
    code, _, _ = gmmseg("audio", "diarize", TALK, silence, "--speech", folder, "-o", out)
    assert code == 0
    assert read_segments(out / "conversation.rttm") == [Segment(1.0, 1.4, "speaker1")]
    assert read_segments(out / "silence.rttm") == [Segment(0.0, 0.5, "speaker1")]


def test_a_bad_file_is_reported_and_the_rest_goes_on(gmmseg, tmp_path, silence):
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    out = tmp_path / "out"
    code, _, lines = gmmseg("audio", "diarize", bad, silence, "-o", out)
    assert code == 1
    assert "bad.wav" in lines[0]
    assert (out / "silence.rttm").exists()
    assert not (out / "bad.rttm").exists()


def test_a_folder_without_the_segments_of_a_file_says_so(gmmseg, tmp_path, silence):
    folder = tmp_path / "speech"
    folder.mkdir()
    code, _, lines = gmmseg("audio", "diarize", silence, "--speech", folder, "-o", tmp_path / "o")
    assert code == 1
    assert "has no file of segments for" in lines[0]
    assert "such as silence.csv" in lines[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--speakers", 2, "--max-speakers", 3), "--speakers says all"),
        (("--min-speakers", 3, "--max-speakers", 2), "--max-speakers 2 is less than"),
        (("--speakers", 0), "greater than or equal to 1"),
    ],
)
def test_numbers_that_contradict_each_other_are_misuse(gmmseg, tmp_path, options, message):
    code, _, lines = gmmseg("audio", "diarize", TALK, "-o", tmp_path, *options)
    assert code == 2
    assert message in " ".join(lines).replace("│", "").replace("  ", " ")


def test_two_files_of_one_name_are_misuse(gmmseg, tmp_path, silence):
    other = tmp_path / "other" / "SILENCE.wav"
    code, _, lines = gmmseg("audio", "diarize", silence, other, "-o", tmp_path)
    assert code == 2
    assert "would both write SILENCE.rttm; do them one by one" in " ".join(lines)


def test_a_picture_of_a_recording_does_not_replace_what_is_read(gmmseg, tmp_path, silence):
    drawn = silence.rename(tmp_path / "silence.png")
    for command in ("vad", "diarize"):
        code, _, lines = gmmseg("audio", command, drawn, "--picture", "-o", tmp_path)
        assert code == 2
        assert "silence.png is an input and would be replaced" in " ".join(lines)


def test_results_do_not_lie_among_the_segments_that_are_read(gmmseg, tmp_path, silence):
    code, _, lines = gmmseg("audio", "diarize", silence, "--speech", tmp_path, "-o", tmp_path)
    assert code == 2
    assert "is what --speech is read from, which the results would replace" in " ".join(lines)


def test_a_result_does_not_replace_the_segments_it_reads(gmmseg, tmp_path):
    given = tmp_path / "conversation.rttm"
    given.write_bytes(TRUTH.read_bytes())
    code, _, lines = gmmseg("audio", "diarize", TALK, "--speech", given, "-o", tmp_path)
    assert code == 2
    assert "conversation.rttm is an input and would be replaced" in " ".join(lines)
    assert given.read_bytes() == TRUTH.read_bytes()


def test_one_speaks_at_a_time_if_asked_for(gmmseg, tmp_path):
    y, sr = read_audio(TALK)
    one, other = (
        y[round(turn.start * sr) : round(turn.end * sr)]
        for turn in (
            next(turn for turn in read_segments(TRUTH) if turn.label == name)
            for name in ("anna", "ben")
        )
    )
    n_both = round(0.8 * sr)
    both = np.concatenate([one, other[n_both:]])
    both[len(one) - n_both : len(one)] += other[:n_both]
    soundfile.write(tmp_path / "both.wav", np.concatenate([both, y]), sr)
    base = "audio", "diarize", tmp_path / "both.wav", "--speakers", 2, "-o", tmp_path
    gmmseg(*base)
    assert overlaps(read_segments(tmp_path / "both.rttm"))
    gmmseg(*base, "--no-overlap")
    assert not overlaps(read_segments(tmp_path / "both.rttm"))


@pytest.fixture
def windows(gmmseg, tmp_path):
    """Return the windows that the command wants embeddings of."""
    gmmseg("audio", "diarize", TALK, "--speech", TRUTH, "--windows", "-o", tmp_path)
    return read_segments(tmp_path / "conversation_windows.csv")


def owners(windows):
    """Return vectors that know who speaks in each window."""
    truth = read_segments(TRUTH)
    names = sorted({turn.label for turn in truth})
    inside = [
        [
            sum(
                max(0.0, min(one.end, turn.end) - max(one.start, turn.start))
                for turn in truth
                if turn.label == name
            )
            for name in names
        ]
        for one in windows
    ]
    return np.array(inside)


def test_windows_written_are_those_that_embeddings_are_taken_of(windows):
    wanted = diarization_windows(read_segments(TRUTH), duration=23.7)
    times = [(one.start, one.end) for one in windows]
    assert times == [(pytest.approx(one.start), pytest.approx(one.end)) for one in wanted]


def test_embeddings_of_ones_own_decide(gmmseg, tmp_path, windows):
    np.save(tmp_path / "own.npy", np.ones((len(windows), 2)))
    options = "--speech", TRUTH, "--embeddings", tmp_path / "own.npy", "-o", tmp_path
    code, _, lines = gmmseg("audio", "diarize", TALK, *options)
    assert code == 0
    assert "conversation.flac: 1 speaker in 23.7 s" in lines[0]


def test_embeddings_of_several_files_come_from_a_folder(gmmseg, tmp_path, silence, windows, rng):
    X = owners(windows)
    folder, out = tmp_path / "own", tmp_path / "out"
    folder.mkdir()
    np.save(folder / "conversation.npy", X + 0.1 * rng.normal(size=X.shape))
    np.save(folder / "silence.npy", np.zeros((0, 2)))
    np.save(tmp_path / "one.npy", X)
    speech = tmp_path / "speech"
    speech.mkdir()
    write_segments(speech / "conversation.csv", read_segments(TRUTH))
    (speech / "silence.csv").write_text("start,end,label\n")
    base = "audio", "diarize", TALK, silence, "--speech", speech, "-o", out, "--embeddings"
    code, _, _ = gmmseg(*base, folder)
    turns = read_segments(out / "conversation.rttm")
    assert code == 0
    assert diarization_error(read_segments(TRUTH), turns).error_rate < 0.05
    code, _, lines = gmmseg(*base, tmp_path / "one.npy")
    assert code == 1
    assert "one.npy is one file, for the windows of one recording; give a folder with" in lines[0]


def test_embeddings_that_cannot_be_used_are_named(gmmseg, tmp_path, windows):
    path = tmp_path / "own.npy"
    base = "audio", "diarize", TALK, "--speech", TRUTH, "-o", tmp_path, "--embeddings", path
    _, _, lines = gmmseg(*base)
    assert "own.npy cannot be read: No such file" in lines[0]
    path.write_bytes(b"no numbers")
    _, _, lines = gmmseg(*base)
    assert "own.npy is no array of numbers" in lines[0]
    with path.open("wb") as file:
        np.savez(file, a=np.eye(2))
    _, _, lines = gmmseg(*base)
    assert "own.npy is an archive of arrays; give an .npy file of one array" in lines[0]
    np.save(path, np.eye(3))
    code, _, lines = gmmseg(*base)
    assert code == 1
    message = "conversation.flac: embeddings must be one for each of"
    assert message in lines[0]
    assert f"{len(windows)} windows, got 3" in lines[0]


def test_two_results_of_one_name_are_misuse(gmmseg, tmp_path, silence):
    other = silence.with_name("silence_windows.wav")
    other.write_bytes(silence.read_bytes())
    options = "--windows", "--format", "csv", "-o", tmp_path / "out"
    code, _, lines = gmmseg("audio", "diarize", silence, other, *options)
    assert code == 2
    assert "would both write" in " ".join(lines)


def test_help_is_quick_and_has_an_example(gmmseg):
    code, stdout, _ = gmmseg("audio", "diarize", "--help")
    assert code == 0
    assert "Example: gmmseg audio diarize meeting.wav -o out" in stdout
    code = "import sys; sys.argv[1:] = ['audio', 'diarize', '--help']\n"
    run = "from gmmseg.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass"
    assert heavy_libraries_loaded_by(code + run) == set()
