"""Claims about files of segments: what is written is read again, and hostile files say one line."""

import codecs
import io
import re
import sys
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gmmseg.audio import Segment, read_segments, write_segments
from gmmseg.audio.segment_files import FORMATS, HIDDEN, MOST_BYTES, recordings_in
from gmmseg.errors import InputError

PAIR = [Segment(0.5, 1.25, "Ann"), Segment(1.0, 3.0, "Ben")]
SUFFIXES = {"csv": "csv", "rttm": "rttm", "audacity": "txt", "textgrid": "TextGrid", "json": "json"}

letters = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), exclude_characters="".join(map(chr, HIDDEN))
)
words = st.lists(st.text(letters, min_size=1, max_size=6), min_size=1, max_size=3)
labels = st.builds(" ".join, words) | st.sampled_from(
    ['"', '""', '"a" b', "a;1;2", "a,1,2", "# 1 2", "!", "<exists>", "3", "[1]:", "\\", "nan", "'"]
)


@st.composite
def timelines(draw, labels=labels):
    starts = draw(st.lists(st.integers(0, 9999), max_size=8))
    lengths = [draw(st.integers(1, 5000)) for _ in starts]
    return [
        Segment(start / 1000, (start + length) / 1000, draw(labels))
        for start, length in zip(starts, lengths, strict=True)
    ]


@pytest.mark.parametrize("kind", FORMATS)
@given(data=st.data())
def test_what_is_written_is_read_again(kind, data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"again.{SUFFIXES[kind]}"
    own = (
        labels.map("".join).map(lambda label: "_".join(label.split())) if kind == "rttm" else labels
    )
    segments = data.draw(timelines(own))
    write_segments(path, segments, duration=20.0)
    assert read_segments(path) == sorted(segments)
    assert read_segments(path, kind) == sorted(segments)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_segment_shorter_than_a_millisecond_keeps_a_length(kind, tmp_path):
    path = tmp_path / "short"
    write_segments(path, [Segment(1.0001, 1.0002)], format=kind)
    assert read_segments(path, kind) == [Segment(1.0, 1.001)]


@pytest.mark.parametrize("kind", FORMATS)
def test_minus_is_stdout_and_stdin(kind, capsys, monkeypatch):
    write_segments("-", PAIR, format=kind)
    content = capsys.readouterr().out.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert read_segments("-") == PAIR


def test_csv_is_what_stdout_gets_unless_asked_for(capsys):
    write_segments("-", PAIR)
    assert capsys.readouterr().out == "start,end,label\n0.500,1.250,Ann\n1.000,3.000,Ben\n"


def test_lines_of_rttm_are_those_of_nist(tmp_path):
    path = tmp_path / "the meeting.rttm"
    write_segments(path, PAIR[::-1])
    assert path.read_text() == (
        "SPEAKER the_meeting 1 0.500 0.750 <NA> <NA> Ann <NA> <NA>\n"
        "SPEAKER the_meeting 1 1.000 2.000 <NA> <NA> Ben <NA> <NA>\n"
    )


def test_a_textgrid_has_a_tier_per_label_that_tiles_the_duration(tmp_path):
    path = tmp_path / "a.TextGrid"
    write_segments(path, PAIR, duration=4.0)
    text = path.read_text()
    assert re.findall(r'name = "(\w+)"', text) == ["Ann", "Ben"]
    times = [float(time) for time in re.findall(r"^            xm\w+ = (.*)$", text, re.M)]
    assert times == [0, 0.5, 0.5, 1.25, 1.25, 4, 0, 1, 1, 3, 3, 4]
    assert re.findall(r"text = (.*)", text) == ['""', '"Ann"', '""', '""', '"Ben"', '""']
    assert re.findall(r"size = (\d)", text) == ["2", "3", "3"]


def test_a_textgrid_without_segments_is_one_empty_tier(tmp_path):
    path = tmp_path / "a.TextGrid"
    write_segments(path, [], duration=4.0)
    assert path.read_text().count('text = ""') == 1
    assert read_segments(path) == []
    with pytest.raises(InputError, match=r"needs a duration above 0; give duration="):
        write_segments(path, [])


SHORT_FORM = '''File type = "ooTextFile"
"TextGrid"

0
3
<exists>
2
"IntervalTier" "who ""speaks"""
0 3 3
0 0.5 ""
0.5 1.25 "Ann ""A"" 3" ! a comment "with" 3 things
1.25 3
"<silence>"
"TextTier"
"clicks"
0 3
2
0.5 "click"
0.7 "click"
'''


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_textgrid_of_short_form_is_read_in_every_encoding(encoding, newline, tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(SHORT_FORM.replace("\n", newline).encode(encoding))
    wanted = [Segment(0.5, 1.25, 'Ann "A" 3'), Segment(1.25, 3.0, "<silence>")]
    assert read_segments(path) == wanted
    assert read_segments(path.rename(tmp_path / "a")) == wanted


def read_text(tmp_path, text, name="a.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_segments(path, **options)


@pytest.mark.parametrize(
    "text",
    [
        "start,end,label\n0.5,1.25,Ann\n1,3,Ben\n",
        "0.5,1.25,Ann\n1,3,Ben",
        "\ufeffstart,end,label\r\n0.5,1.25,Ann\r\n\r\n1,3,Ben\r\n",
        "# by hand\nlabel,end,start,sure\nAnn,1.25,0.5,yes\n;; more\nBen,3,1,no\n",
        "Start (s);End (s);Speaker\n0,5;1,25;Ann\n1,0;3,0;Ben\n",
        '"start","end","label"\n"0,5","1,25","Ann"\n1,3,Ben\n',
        "0.5\t1.25\tAnn\n1.0\t3.0\tBen\n",
        "0,5\t1,25\tAnn\n1\t3\tBen\n",
        "0.5 1.25 Ann\n1 3 Ben\n",
        "0,5 1,25 Ann\n1 3 Ben\n",
        "  0.5 ,\u200b 1.25 ,\u00a0Ann\u200b ,,\n1,3,Ben,x,y\n",
        "onset,duration,speaker_id\n0.5,0.75,Ann\n1,2,Ben\n",
        "start,end,label\n0.5,1.25,Ann,\n1,3,Ben,,\n2,2,nothing\n",
        "5e-1,1.25e0,Ann\n+1,3.,Ben\n\x1a",
    ],
)
def test_tables_are_read_with_patience(text, tmp_path):
    assert read_text(tmp_path, text) == PAIR


def test_a_table_without_labels_is_speech(tmp_path):
    assert read_text(tmp_path, "0,1\n2,3") == [Segment(0, 1), Segment(2, 3)]
    assert read_text(tmp_path, "start,end\n") == []
    assert read_text(tmp_path, "") == []


@pytest.mark.parametrize(
    "text",
    [
        "0.5\t1.25\tAnn\n\\\t20.0\t400.0\n1.0\t3.0\tBen\n2.0\t2.0\ta point",
        "0,5\t1,25\tAnn\n1,0\t3,0\tBen",
    ],
)
def test_label_tracks_are_read_with_patience(text, tmp_path):
    assert read_text(tmp_path, text, "a.txt") == PAIR
    assert read_text(tmp_path, text, format="audacity") == PAIR


@pytest.mark.parametrize("name", ["a.rttm", "a.txt", "a"])
def test_rttm_is_read_with_patience(name, tmp_path):
    text = """\ufeff;; a comment
SPKR-INFO m 1 <NA> <NA> <NA> unknown Ann <NA>\r
SPEAKER\tm 1 0.5   0.75 <NA> <NA> Ann\u200b <NA> <NA>

LEXEME m 1 0.6 0.1 hello lex Ann <NA>
speaker m 1 1.0 2.0 <NA> <NA> Ben <NA>
SPEAKER m 1 7.0 0.0 <NA> <NA> Ben <NA>
"""
    assert read_text(tmp_path, text, name) == PAIR


def test_the_end_of_a_line_of_rttm_has_no_stray_digits(tmp_path):
    text = "SPEAKER m 1 0.1 0.2 <NA> <NA> Ann <NA> <NA>"
    assert read_text(tmp_path, text, "a.rttm") == [Segment(0.1, 0.3, "Ann")]


def test_rttm_on_several_recordings_wants_a_choice(tmp_path):
    text = "SPEAKER x 1 0.5 0.75 <NA> <NA> Ann\nSPEAKER y_1 1 1 2 <NA> <NA> Ben\n"
    with pytest.raises(InputError, match=r"a\.rttm: it is on 2 recordings: 'x, y_1'; choose one"):
        read_text(tmp_path, text, "a.rttm")
    assert read_text(tmp_path, text, "a.rttm", recording="x") == PAIR[:1]
    assert read_text(tmp_path, text, "a.rttm", recording="y 1") == PAIR[1:]
    assert read_text(tmp_path, text, "a.rttm", recording="z") == []
    assert recordings_in(tmp_path / "a.rttm") == ["x", "y_1"]


def test_a_table_tells_no_recording_and_what_cannot_be_read_is_told(tmp_path):
    read_text(tmp_path, "0,1,Ann\n")
    assert recordings_in(tmp_path / "a.csv") == []
    with pytest.raises(InputError, match=r"b\.csv: it cannot be read"):
        recordings_in(tmp_path / "b.csv")


@pytest.mark.parametrize(
    "text",
    [
        '[[0.5, 1.25, "Ann"], [1, 3, "Ben"]]',
        '{"segments": [{"start": 0.5, "end": 1.25, "speaker": "Ann", "score": 1}, [1, 3, "Ben"]]}',
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a"])
def test_json_of_other_programs_is_read(text, name, tmp_path):
    assert read_text(tmp_path, text, name) == PAIR


def test_json_tells_recording_and_duration(tmp_path):
    path = tmp_path / "a.json"
    write_segments(path, PAIR, recording="m", duration=4)
    assert path.read_text().startswith('{\n  "recording": "m",\n  "duration": 4.0,\n')


def test_latin_1_is_read_where_it_is_not_utf_8(tmp_path):
    assert read_text(tmp_path, "0,1,Jörg".encode("latin-1")) == [Segment(0, 1, "Jörg")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "start,end\n0,1\nnan,2\n", "line 3: the start must be a number .* got 'nan'"),
        ("a.csv", "0,1\n2,inf\n", "line 2: the end must be a number of seconds, got 'inf'"),
        ("a.csv", "0,1\n\n2,1\n", r"line 3: it ends at 1\.0 before it starts at 2\.0"),
        ("a.csv", "-1,2\n", r"line 1: times must be at least 0, got -1\.0"),
        ("a.csv", "0,1e12\n", "line 1: times must be seconds below"),
        ("a.csv", "0,1e999\n", "line 1: times must be seconds below"),
        ("a.csv", "0,1\n2\n", "line 2: the end must be a number of seconds, got ''"),
        ("a.csv", "0,1\nx,2\n", "line 2: the start must be a number of seconds, got 'x'"),
        ("a.csv", "path,speaker\nx,y\n", "line 1: the header must name start and end, got 'path"),
        ("a.csv", "start,end\n0,5,1,5\n", "line 2: got 4 cells, wanted 2 .* put semicolons"),
        ("a.rttm", "SPEAKER m 1 0 1 <NA> <NA>\n", "line 1: .* at least 8 fields, got 7"),
        ("a.rttm", "\nfoo m 1 0 1 <NA> <NA> x\n", "line 2: .* begins with SPEAKER, got 'foo'"),
        ("a.rttm", "SPEAKER m 1 0 -1 <NA> <NA> x\n", "line 1: times must be at least 0, got -1"),
        ("a.rttm", "SPEAKER m 1 0 NaN <NA> <NA> x\n", "line 1: the duration must be a number"),
        ("a.txt", "0\t1\tx\n1\n", "line 2: wanted start, end and label with tabs, got '1'"),
        ("a.json", "{", "line 1: it is not JSON: "),
        ("a.json", "3", r"it must hold a list, or \{"),
        ("a.json", "[3]", "segment 1: wanted start, end and label, got '3'"),
        ("a.json", '[[0, NaN, "x"]]', "segment 1: the end must be finite, got 'nan'"),
        ("a.json", f"[[0, 1{'0' * 400}]]", "segment 1: the end must be finite, got '1000"),
        ("a.json", '[[0, "1"]]', "segment 1: the end must be a number of seconds, got \"'1'\""),
        ("a.json", "[" * 100_000, "it is not JSON that can be read: "),
        ("a.json", "9" * 5000, "it is not JSON that can be read: "),
        ("a.TextGrid", "hello", "it ends before the file type; the TextGrid is cut off"),
        ("a.TextGrid", '"ooTextFile" "Pitch 1"', "line 1: wanted a TextGrid, got another object"),
        ("a.TextGrid", '"hello"', "line 1: a TextGrid begins with File type"),
        ("a.TextGrid", SHORT_FORM[:150], "it ends before the .*; the TextGrid is cut off"),
        ("a.TextGrid", SHORT_FORM.replace("0.5 1", "nan 1"), "line 11: the xmin must be a number"),
        ("a.TextGrid", SHORT_FORM.replace("0 3 3", "0 3 -3"), "line 9: wanted the number of int"),
        ("a.TextGrid", SHORT_FORM.replace("25 3\n", "25 1\n"), "line 12: it ends at 1.0 before"),
        ("a.csv", "0,1,x\n\0\1\2", "it is not a text; give a file of segments"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(name, text, message, tmp_path):
    with pytest.raises(InputError, match=re.escape(name) + ":? " + message):
        read_text(tmp_path, text, name)


@given(content=st.binary(max_size=200), kind=st.sampled_from(FORMATS))
@example(content=b"\xff\xfe\x00", kind="csv")
@example(content=b'0,"\n', kind="csv")
def test_whatever_bytes_give_segments_or_one_line(content, kind, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "bytes"
    path.write_bytes(content)
    for read in (read_segments, partial(read_segments, format=kind)):
        try:
            segments = read(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017 (either outcome is right)
        else:
            assert all(0 <= one.start < one.end for one in segments)


def test_a_file_that_is_huge_is_refused_before_it_is_read_whole(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as stream:
        stream.truncate(MOST_BYTES + 1)
    with pytest.raises(InputError, match=r"a\.csv: it is larger than 64 MiB"):
        read_segments(path)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"x\.csv: it cannot be read: No such file"):
        read_segments(tmp_path / "x.csv")


@pytest.mark.parametrize("label", ["", " a", "a  b", "a\tb", "a\nb", "a\u200b", "a\x07", "\ud800"])
def test_labels_that_nobody_could_read_are_not_written(label, tmp_path):
    with pytest.raises(InputError, match="a label to be written must have letters, single spaces"):
        write_segments(tmp_path / "a.csv", [Segment(0, 1, label)])


def test_names_with_spaces_are_refused_in_rttm(tmp_path):
    message = "RTTM has no room for spaces in names, got 'Ann B'; use 'Ann_B', or another format"
    with pytest.raises(InputError, match=message):
        write_segments(tmp_path / "a.rttm", [Segment(0, 1, "Ann B")])
    assert not (tmp_path / "a.rttm").exists()


@pytest.mark.parametrize("start", [-1.0, 2e9])
def test_times_that_no_recording_has_are_not_written(start, tmp_path):
    with pytest.raises(InputError, match=r"times to be written must lie in 0…1e.09 seconds, got"):
        write_segments(tmp_path / "a.csv", [Segment(start, start + 1)])


@pytest.mark.parametrize("duration", [-1.0, float("nan"), float("inf")])
def test_durations_that_no_recording_has_are_refused(duration, tmp_path):
    with pytest.raises(InputError, match=r"duration must lie in 0…1e.09 seconds, got"):
        write_segments(tmp_path / "a.json", [], duration=duration)


def test_a_suffix_that_tells_no_format_is_refused(tmp_path):
    message = r"the suffix of .*a\.seg tells no format; give format=, one of csv, rttm, audacity"
    with pytest.raises(InputError, match=message):
        write_segments(tmp_path / "a.seg", [])
    with pytest.raises(InputError, match=r"format must be one of csv, .*, got 'xml'"):
        write_segments(tmp_path / "a.csv", [], format="xml")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.rttm"
    write_segments(path, PAIR)
    old = path.read_bytes()
    with pytest.raises(InputError, match="RTTM has no room"):
        write_segments(path, [*PAIR, Segment(4, 5, "a b")])
    assert path.read_bytes() == old
    assert not path.read_bytes().startswith(codecs.BOM_UTF8)
