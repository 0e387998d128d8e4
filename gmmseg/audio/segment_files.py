"""Files of segments, read with patience and written strictly, whatever the format."""

import contextlib
import math
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from gmmseg.audio import suffixes
from gmmseg.audio.segment_json import read_json, write_json
from gmmseg.audio.segment_lines import (
    NUMBER,
    OTHER_TYPES,
    SPEAKER,
    Rounded,
    Row,
    read_audacity,
    read_csv,
    read_rttm,
    shown,
    write_audacity,
    write_csv,
    write_rttm,
)
from gmmseg.audio.textgrid import SIGN, read_textgrid, write_textgrid
from gmmseg.audio.timeline import Segment
from gmmseg.errors import InputError
from gmmseg.files import replacing

Format = Literal["csv", "rttm", "audacity", "textgrid", "json"]
FORMATS: tuple[str, ...] = get_args(Format)
STD = "-"
MOST_BYTES = 2**26  # of a file, 64 MiB: a million segments
LAST = 1e9  # seconds, 30 years: what is later is no time
NO_LABEL = "speech"
TRACK = re.compile(rf"\s*{NUMBER.pattern}\s+{NUMBER.pattern}(\s|$)", re.ASCII)
# Marks that nobody sees and that other programs leave behind: byte order, zero width, direction.
HIDDEN: dict[int, str | None] = dict.fromkeys(
    map(ord, "\ufeff\u200b\u2060\u200e\u200f\u202a\u202c\u00ad")
)
HIDDEN |= {0x1A: None, 0xA0: " "}


def read_segments(
    path: str | os.PathLike[str],
    format: Format | None = None,  # noqa: A002 (the word that users look for)
    *,
    recording: str | None = None,
) -> list[Segment]:
    """Read segments from a file: CSV, RTTM, Audacity labels, a TextGrid of Praat or JSON.

    Reading is patient: marks that nobody sees, blank lines, comments (``#`` or ``;;``), any end of
    line, further columns, tabs or spaces for commas, decimal commas where no other reading is
    possible, UTF-8, UTF-16 and Latin-1. A row that has no length tells nothing and is passed over.
    A CSV file needs no header; one that has it may name its columns as other programs do. Of a
    TextGrid, every interval that has a text is a segment of that label.

    Parameters
    ----------
    path : path-like
        The file; "-" is stdin.
    format : {"csv", "rttm", "audacity", "textgrid", "json"}, optional
        The format. If None, the suffix tells it, and where that does not (.txt), what is in it.
    recording : str, optional
        Of a file on several recordings (RTTM), which one to read.

    Returns
    -------
    segments : list of Segment
        The segments, in order of time. What has no label is "speech".

    Raises
    ------
    InputError
        If the file cannot be read, is no such file, is larger than 64 MiB, has a time below 0 or
        an end before its start, or is on several recordings and none is chosen. The message names
        file and line.

    Examples
    --------
    >>> import tempfile
    >>> from gmmseg.audio import read_segments
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "meeting.txt")
    >>> _ = path.write_text("0,5 1,25 Ann")
    >>> read_segments(path)
    [Segment(start=0.5, end=1.25, label='Ann')]
    >>> folder.cleanup()
    """
    with _about(path):
        return sorted(_segments(_of_recording(_checked_rows(path, format), recording)))


def recordings_in(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the recordings that a file is on; only RTTM and JSON tell any.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    recordings : list of str
        The names, in order, each once.

    Raises
    ------
    InputError
        If the file is none that `read_segments` reads.
    """
    with _about(path):
        return sorted({row.recording for row in _checked_rows(path, None) if row.recording})


@contextlib.contextmanager
def _about(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of the file before every error about what is in it."""
    try:
        yield
    except InputError as error:
        name = "stdin" if str(path) == STD else path
        raise InputError(f"{name}: {error}") from error


def _checked_rows(path: str | os.PathLike[str], format_name: Format | None) -> list[Row]:
    """Return what a file says, once it is known that it may."""
    if format_name is not None:
        _refuse_format(format_name)
    text = _text_of(path)
    return [_checked(row) for row in _rows(text, format_name or _format_told_by(path, text))]


def write_segments(
    path: str | os.PathLike[str],
    segments: Iterable[Segment],
    *,
    format: Format | None = None,  # noqa: A002 (as in read_segments)
    recording: str | None = None,
    duration: float | None = None,
) -> None:
    """Write segments to a file: CSV, RTTM, Audacity labels, a TextGrid of Praat or JSON.

    Segments are sorted, their times rounded to 1 ms, and one that would then have no length gets
    1 ms. In RTTM, spaces in the name of the recording become ``_``; spaces in a label are refused,
    since labels that differ must not become the same. A TextGrid has a tier per label, which tiles
    the whole duration, so that overlap is kept. A reader sees the old file or the new one, never
    half.

    Parameters
    ----------
    path : path-like
        The file; "-" is stdout.
    segments : iterable of Segment
        The segments, in any order.
    format : {"csv", "rttm", "audacity", "textgrid", "json"}, optional
        The format. If None, the suffix tells it (.csv, .rttm, .txt for Audacity, .TextGrid,
        .json); for stdout it is CSV.
    recording : str, optional
        Name of the recording, for RTTM and JSON. If None, RTTM takes the name of the file.
    duration : float, optional
        Duration of the recording in seconds, for TextGrid and JSON. If None, the last end.

    Raises
    ------
    InputError
        If the file cannot be written, nothing tells the format, a segment starts before 0, a label
        is empty or has letters that cannot be seen, or a TextGrid would have no duration.

    Examples
    --------
    >>> from gmmseg.audio import Segment, write_segments
    >>> write_segments("-", [Segment(0.5, 1.25, "Ann")], format="rttm", recording="meeting")
    SPEAKER meeting 1 0.500 0.750 <NA> <NA> Ann <NA> <NA>
    """
    kind = format or _format_of_suffix(path)
    _refuse_format(kind)
    rounded = [_rounded(segment) for segment in sorted(segments)]
    if recording is None and kind == "rttm" and str(path) != STD:
        recording = Path(path).stem
    lines = _lines(rounded, kind, recording, _milliseconds(duration, rounded))
    text = "".join(line + "\n" for line in lines)
    if str(path) == STD:
        sys.stdout.write(text)
        return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _rows(text: str, kind: str) -> Iterator[Row]:
    """Yield what a text says."""
    if kind == "json":
        return read_json(text)
    if kind == "textgrid":
        return read_textgrid(text)
    lines = text.split("\n")
    readers = {"csv": read_csv, "rttm": read_rttm, "audacity": read_audacity}
    return readers[kind](lines)


def _lines(
    rounded: Sequence[Rounded], kind: str, recording: str | None, duration: int
) -> Iterator[str]:
    """Yield what is written."""
    if kind == "json":
        return write_json(rounded, recording, duration)
    if kind == "rttm":
        return write_rttm(rounded, _one_word(recording or "") or "recording")
    if kind == "textgrid":
        if duration == 0:
            raise InputError("a TextGrid without segments needs a duration above 0; give duration=")
        return write_textgrid(rounded, duration)
    return write_csv(rounded) if kind == "csv" else write_audacity(rounded)


def _text_of(path: str | os.PathLike[str]) -> str:
    """Return the text of a file without marks that nobody sees."""
    try:
        if str(path) == STD:
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with Path(path).open("rb") as stream:
                content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror or error}") from error
    if len(content) > MOST_BYTES:
        raise InputError("it is larger than 64 MiB, too large for a file of segments")
    try:
        text = content.decode(_encoding_of(content))
    except UnicodeError:
        text = content.decode("latin-1")
    if any(ord(letter) < 32 and letter not in "\t\n\v\f\r\x1a" for letter in set(text)):
        raise InputError("it is not a text; give a file of segments, such as CSV or RTTM")
    return re.sub(r"\r\n?", "\n", text).translate(HIDDEN)


def _encoding_of(content: bytes) -> str:
    """Return the encoding that the first bytes tell; UTF-16 of other programs may have no mark."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(content) > 3 and content[:4:2] == b"\0\0" and b"\0" not in content[1:4:2]:
        return "utf-16-be"
    if len(content) > 3 and content[1:4:2] == b"\0\0" and b"\0" not in content[:4:2]:
        return "utf-16-le"
    return "utf-8"


def _format_told_by(path: str | os.PathLike[str], text: str) -> str:
    """Return the format by the suffix, or else by what is in the file."""
    by_suffix = suffixes.SEGMENTS.get(Path(path).suffix.lower())
    if by_suffix not in (None, "audacity"):
        return str(by_suffix)
    lines = [line for line in text.splitlines() if line.strip()]
    if SIGN in "".join(lines[:1]):
        return "textgrid"
    if text.lstrip()[:1] in ("{", "["):
        return "json"
    words = {line.split()[0].upper() for line in lines}
    if SPEAKER in words or (words and words <= OTHER_TYPES):
        return "rttm"
    return "audacity" if any(TRACK.match(line) for line in lines[:1]) else "csv"


def _format_of_suffix(path: str | os.PathLike[str]) -> str:
    """Return the format to write by the suffix."""
    if str(path) == STD:
        return "csv"
    suffix = Path(path).suffix.lower()
    if suffix not in suffixes.SEGMENTS:
        raise InputError(
            f"the suffix of {path} tells no format; give format=, one of {', '.join(FORMATS)}"
        )
    return suffixes.SEGMENTS[suffix]


def _refuse_format(name: str) -> None:
    if name not in FORMATS:
        raise InputError(f"format must be one of {', '.join(FORMATS)}, got {name!r}")


def _checked(row: Row) -> Row:
    """Refuse times that cannot be; a label has its spaces in order."""
    if row.start < 0 or row.end < 0:
        raise InputError(f"{row.place}: times must be at least 0, got {min(row.start, row.end)}")
    if row.end < row.start:
        raise InputError(f"{row.place}: it ends at {row.end} before it starts at {row.start}")
    if not row.end <= LAST:
        raise InputError(f"{row.place}: times must be seconds below {LAST:.0e}, got {row.end}")
    return replace(row, label=" ".join(row.label.split()) or NO_LABEL)


def _one_word(recording: str) -> str:
    """Return the name of a recording as RTTM has it."""
    return "_".join(recording.split())


def _of_recording(rows: list[Row], recording: str | None) -> list[Row]:
    """Return the rows on one recording; several without a choice are refused."""
    if recording is not None:
        return [row for row in rows if row.recording in (None, recording, _one_word(recording))]
    names = sorted({row.recording for row in rows if row.recording is not None})
    if len(names) > 1:
        raise InputError(
            f"it is on {len(names)} recordings: {shown(', '.join(names))}; choose one with "
            "recording="
        )
    return rows


def _segments(rows: list[Row]) -> Iterator[Segment]:
    """Yield the segments; what has no length is none."""
    for row in rows:
        if row.end > row.start:
            yield Segment(row.start, row.end, row.label)


def _rounded(segment: Segment) -> Rounded:
    """Return a segment in whole milliseconds, at least one long, if it can be written."""
    if segment.start <= -5e-4 or segment.end > LAST:
        raise InputError(
            f"times to be written must lie in 0…{LAST:.0e} seconds, got {segment.start} "
            f"to {segment.end}"
        )
    label = segment.label
    if not label or label != " ".join(label.split()) or _is_hidden(label):
        raise InputError(
            f"a label to be written must have letters, single spaces between them and none that "
            f"cannot be seen, got {label!r}"
        )
    start = max(round(1000 * segment.start), 0)
    return Rounded(start, max(round(1000 * segment.end), start + 1), label)


def _is_hidden(label: str) -> bool:
    """Return whether a label has letters that nobody sees, or that mean something to a reader."""
    return any(
        unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} or ord(letter) in HIDDEN
        for letter in label
    )


def _milliseconds(duration: float | None, rounded: Sequence[Rounded]) -> int:
    """Return the duration, at least the last end, in whole milliseconds."""
    if duration is not None and not (math.isfinite(duration) and 0 <= duration <= LAST):
        raise InputError(f"duration must lie in 0…{LAST:.0e} seconds, got {duration}")
    return max([round(1000 * (duration or 0.0)), *(one.end for one in rounded)])
