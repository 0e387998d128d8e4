"""``gmmseg audio score-vad`` and ``score-diarization`` from files to figures."""

import json

import pytest

from gmmseg.audio import Segment, write_segments
from tests.test_house import heavy_libraries_loaded_by

TRUTH = [Segment(2, 6, "Ann"), Segment(8, 9, "Ben")]
GUESS = [Segment(1, 6, "x"), Segment(8, 9, "x")]


@pytest.fixture
def folders(tmp_path):
    """Two folders with recordings a and b, of which b is told exactly."""
    truth, guess = tmp_path / "truth", tmp_path / "guess"
    truth.mkdir()
    guess.mkdir()
    write_segments(truth / "a.rttm", TRUTH)
    write_segments(truth / "b.TextGrid", TRUTH, duration=10)
    write_segments(guess / "a.json", GUESS)
    write_segments(guess / "b.txt", TRUTH)
    return truth, guess


def table_of(stdout):
    """Return the rows of a table: {first cell: [other cells]}."""
    rows = [line.split() for line in stdout.splitlines() if line.strip() and "─" not in line]
    return {row[0]: row[1:] for row in rows}


def test_speakers_of_two_files(gmmseg, folders):
    truth, guess = folders
    code, stdout, lines = gmmseg("audio", "score-diarization", truth / "a.rttm", guess / "a.json")
    assert (code, lines) == (0, [])
    # 5 s: 1 s is false, 1 s is x for Ben. Ann has 1 s too early and 1 s too late of 6, Ben nobody.
    rows = table_of(stdout)
    assert rows["a"] == ["0.400", "0.000", "0.200", "0.200", "0.667", "2", "1", "5.0"]
    assert list(rows) == ["file", "a"]


def test_speakers_of_two_folders_add_up(gmmseg, folders):
    code, stdout, _ = gmmseg("audio", "score-diarization", *folders)
    assert code == 0
    rows = table_of(stdout)
    assert rows["b"][:5] == ["0.000", "0.000", "0.000", "0.000", "0.000"]
    assert rows["total"] == ["0.200", "0.000", "0.100", "0.100", "0.333", "4", "3", "10.0"]


def test_speakers_as_json(gmmseg, folders):
    code, stdout, _ = gmmseg("audio", "score-diarization", *folders, "--json", "--collar", 0.25)
    report = json.loads(stdout)
    assert code == 0
    assert (report["collar"], report["skip_overlap"]) == (0.25, False)
    first, second = report["files"]
    assert first["match"] == {"x": "Ann"}
    assert second["match"] == {"Ann": "Ann", "Ben": "Ben"}
    assert (first["speaker_time"], first["false_alarm"], first["confusion"]) == (4.0, 0.75, 0.5)
    assert report["total"]["error_rate"] == 1.25 / 8


def test_overlap_can_be_skipped(gmmseg, tmp_path):
    write_segments(tmp_path / "truth.rttm", [Segment(0, 4, "Ann"), Segment(3, 5, "Ben")])
    write_segments(tmp_path / "guess.rttm", [Segment(0, 4, "x"), Segment(4, 5, "y")])
    files = tmp_path / "truth.rttm", tmp_path / "guess.rttm"
    scored = table_of(gmmseg("audio", "score-diarization", *files)[1])["truth"]
    skipped = table_of(gmmseg("audio", "score-diarization", *files, "--skip-overlap")[1])["truth"]
    assert (scored[0], scored[-1]) == ("0.167", "6.0")
    assert (skipped[0], skipped[-1]) == ("0.000", "4.0")


def test_speech_of_two_files(gmmseg, folders):
    truth, guess = folders
    code, stdout, lines = gmmseg("audio", "score-vad", truth / "a.rttm", guess / "a.json")
    assert (code, lines) == (0, [])
    # 9 s, 5 of them speech; 1 s is false.
    assert table_of(stdout)["a"] == ["0.200", "0.000", "0.250", "0.833", "1.000", "0.909", "5.0"]


def test_rows_of_nonspeech_tell_the_duration_and_are_no_speech(gmmseg, tmp_path):
    (tmp_path / "truth.csv").write_text("start,end,label\n0,2,speech\n2,12,nonspeech\n")
    (tmp_path / "guess.csv").write_text("start,end,label\n0,3,speech\n3,4,Silence\n")
    code, stdout, _ = gmmseg(
        "audio", "score-vad", tmp_path / "truth.csv", tmp_path / "guess.csv", "--json"
    )
    total = json.loads(stdout)["total"]
    assert (code, total["true_negative"], total["false_speech_rate"]) == (0, 9.0, 0.1)


def test_files_without_speech_have_no_error(gmmseg, tmp_path):
    for name in ("truth.csv", "guess.csv"):
        (tmp_path / name).write_text("start,end,label\n")
    files = tmp_path / "truth.csv", tmp_path / "guess.csv"
    for command in ("score-vad", "score-diarization"):
        code, stdout, _ = gmmseg("audio", command, *files)
        assert (code, table_of(stdout)["truth"][0]) == (0, "0.000")


def test_probabilities_give_the_area_under_the_curve(gmmseg, folders):
    truth, guess = folders
    rows = ["time,probability", "1.0,0.1", "1.9,0.6", "2.0,0.5", "5.9,0.8", "6.0,0.2", "8.5,0.9"]
    (guess / "a_prob.csv").write_text("\n".join(rows))
    code, stdout, _ = gmmseg(
        "audio", "score-vad", truth / "a.rttm", guess / "a.json",
        "--probabilities", guess / "a_prob.csv",
    )  # fmt: skip
    assert code == 0
    assert table_of(stdout)["a"][6] == "0.889"  # of 3 · 3 pairs, 0.5 and 0.6 are in wrong order
    (guess / "b_prob.csv").write_text("2.5;0,5\n3.5;0,7\n")  # which are all speech
    code, stdout, lines = gmmseg("audio", "score-vad", *folders, "--probabilities", guess)
    rows = table_of(stdout)
    assert lines == []  # none on files of probabilities, which are no segments
    assert (code, rows["a"][6], rows["b"][6], rows["total"][6]) == (0, "0.889", "-", "0.867")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "a_prob.csv is not there; it is wanted for --probabilities"),
        ("0.1\n0.2\n", "a_prob.csv must have columns time and probability"),
        ("time,probability\n0,nan\n", "a_prob.csv has rows without time or probability; mend"),
        ("time,probability\n0,x\n", "a_prob.csv has 'x' in line 2, column 2"),
    ],
)
def test_probabilities_that_are_none_are_told(content, message, gmmseg, folders):
    truth, guess = folders
    if content is not None:
        (guess / "a_prob.csv").write_text(content)
    code, stdout, lines = gmmseg(
        "audio", "score-vad", truth / "a.rttm", guess, "--probabilities", guess
    )
    assert (code, stdout, len(lines)) == (1, "", 1)
    assert message in lines[0]


def test_a_bad_file_is_told_and_the_rest_goes_on(gmmseg, folders):
    truth, guess = folders
    (guess / "a.json").write_text("[[0, 1], [3, 2]]")
    code, stdout, lines = gmmseg("audio", "score-diarization", truth, guess)
    assert code == 1
    assert lines == [
        f"gmmseg: {guess / 'a.json'}: segment 2: it ends at 2.0 before it starts at 3.0",
        "1 could not be scored",
    ]
    assert list(table_of(stdout)) == ["file", "b"]


def test_files_without_a_partner_are_told(gmmseg, folders):
    truth, guess = folders
    (guess / "a.json").rename(guess / "other.json")
    (truth / "index.csv").write_text("path,speaker\na.wav,Ann\n")
    code, stdout, lines = gmmseg("audio", "score-diarization", truth, guess)
    assert code == 1
    assert list(table_of(stdout)) == ["file", "b"]
    assert lines == [
        f"gmmseg: {guess} has nothing on a",
        f"{truth / 'index.csv'} is no file of segments, and passed over",
        f"{truth} has nothing on other",
        "1 could not be scored",
    ]


def test_of_several_files_of_one_name_the_usual_one_is_taken(gmmseg, folders):
    _, guess = folders
    write_segments(guess / "a.rttm", TRUTH)
    write_segments(guess / "a.csv", GUESS)
    assert table_of(gmmseg("audio", "score-diarization", *folders)[1])["a"][0] == "0.000"
    assert table_of(gmmseg("audio", "score-vad", *folders)[1])["a"][0] == "0.200"


def test_a_file_on_several_recordings_is_as_good_as_a_folder(gmmseg, folders, tmp_path):
    truth, guess = folders
    lines = "SPEAKER {} 1 2 4 <NA> <NA> Ann\nSPEAKER {} 1 8 1 <NA> <NA> Ben\n"
    whole = tmp_path / "all.rttm"
    whole.write_text(lines.format("a", "a") + lines.format("b", "b"))
    wanted = table_of(gmmseg("audio", "score-diarization", truth, guess)[1])
    assert table_of(gmmseg("audio", "score-diarization", whole, guess)[1]) == wanted
    same = table_of(gmmseg("audio", "score-diarization", truth, whole)[1])
    assert same["total"][0] == "0.000"
    whole.write_text(lines.format("b", "b") + lines.format("c", "c"))
    code, stdout, told = gmmseg("audio", "score-diarization", truth, whole)
    rows = table_of(stdout)
    assert (code, rows["a"][0], rows["b"][0]) == (0, "1.000", "0.000")  # nobody found in a
    assert told == [f"{truth} has nothing on c"]
    code, _, told = gmmseg("audio", "score-diarization", whole, guess)
    assert (code, told[0]) == (1, f"gmmseg: {guess} has nothing on c")


def test_folders_with_nothing_in_common_are_told(gmmseg, tmp_path):
    code, stdout, lines = gmmseg("audio", "score-vad", tmp_path, tmp_path)
    message = "gmmseg: there are no files of segments of the same names in both folders"
    assert (code, stdout, lines) == (1, "", [message])


def test_a_folder_and_a_file_are_misuse(gmmseg, folders):
    truth, guess = folders
    code, _, lines = gmmseg("audio", "score-vad", truth, guess / "a.json")
    assert code == 2
    assert "is a folder, so" in " ".join(lines)


def test_segments_from_stdin(gmmseg, folders):
    truth, _ = folders
    content = b"start,end,label\n2,6,x\n8,9,y\n"
    code, stdout, _ = gmmseg("audio", "score-diarization", truth / "a.rttm", "-", stdin=content)
    assert (code, table_of(stdout)["a"][0]) == (0, "0.000")


def test_the_commands_are_there_before_any_heavy_library():
    assert heavy_libraries_loaded_by("import gmmseg.cli.audio_score") == set()
