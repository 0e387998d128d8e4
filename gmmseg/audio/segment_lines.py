"""Segments as lines of text: CSV, RTTM and Audacity labels, read with patience, written strictly.

Every reader takes the lines of a file and yields ``Row``s; every writer takes rounded times.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gmmseg.errors import InputError

COMMENTS = ("#", ";;")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
DELIMITERS = ("\t", ";", ",", " ")  # in this order, where several would do
SAMPLE_LINES = 100  # that tell the delimiter
# What other programs call the columns of a CSV file.
STARTS = {"start", "start_time", "starttime", "begin", "onset", "from", "tmin", "xmin", "start_s"}
ENDS = {"end", "end_time", "endtime", "stop", "offset", "to", "tmax", "xmax", "end_s"}
DURATIONS = {"duration", "dur", "length", "duration_s"}
LABELS = {"label", "labels", "speaker", "name", "text", "class", "annotation", "speaker_id"}
SPEAKER = "SPEAKER"
# Lines of RTTM that tell no segment of a speaker (NIST RT-09 evaluation plan, appendix A).
OTHER_TYPES = {
    "A/P", "CB", "EDIT", "FILLER", "IP", "LEXEME", "NON-LEX", "NON-SPEECH", "NOSCORE",
    "NO_RT_METADATA", "SEGMENT", "SPKR-INFO", "SU",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What a file says about one segment, before it is checked, and where it says it."""

    start: float
    end: float
    label: str
    place: str
    recording: str | None = None


@dataclass(frozen=True)
class Rounded:
    """A segment that is to be written: whole milliseconds, at least one long."""

    start: int
    end: int
    label: str


def seconds(milliseconds: int) -> str:
    """Return a time as it is written: seconds with three decimals."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def number_in(text: str, name: str, place: str) -> float:
    """Return the number in a text; a comma in it is a decimal comma."""
    if NUMBER.fullmatch(text.strip()) is None:
        raise InputError(f"{place}: the {name} must be a number of seconds, got {shown(text)}")
    return float(text.strip().replace(",", "."))


def shown(text: str) -> str:
    """Return a text as messages show it: in quotes, and not too much of it."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def read_rttm(lines: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of an RTTM file: those of type SPEAKER."""
    for place, line in _telling(lines):
        fields = line.split()
        kind = fields[0].upper()
        if kind in OTHER_TYPES:
            continue
        if kind != SPEAKER:
            raise InputError(f"{place}: a line of RTTM begins with SPEAKER, got {shown(fields[0])}")
        if len(fields) < 8:
            raise InputError(
                f"{place}: a line of RTTM has at least 8 fields, got {len(fields)}; wanted "
                "SPEAKER recording channel start duration <NA> <NA> name"
            )
        start = number_in(fields[3], "start", place)
        duration = number_in(fields[4], "duration", place)
        yield Row(start, _sum(start, duration), fields[7], place, fields[1])


def write_rttm(segments: Sequence[Rounded], recording: str) -> Iterator[str]:
    """Yield the lines of an RTTM file."""
    for one in segments:
        if any(letter.isspace() for letter in one.label):
            raise InputError(
                f"RTTM has no room for spaces in names, got {one.label!r}; use "
                f"{'_'.join(one.label.split())!r}, or another format"
            )
        times = f"{seconds(one.start)} {seconds(one.end - one.start)}"
        yield f"SPEAKER {recording} 1 {times} <NA> <NA> {one.label} <NA> <NA>"


def read_audacity(lines: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a label track of Audacity; lines on frequencies begin with a backslash."""
    for place, line in _telling(lines):
        if line.startswith("\\"):
            continue
        cells = line.split("\t", 2) if "\t" in line else line.split(None, 2)
        if len(cells) < 2:
            raise InputError(f"{place}: wanted start, end and label with tabs, got {shown(line)}")
        start, end = number_in(cells[0], "start", place), number_in(cells[1], "end", place)
        yield Row(start, end, cells[2] if len(cells) > 2 else "", place)


def write_audacity(segments: Sequence[Rounded]) -> Iterator[str]:
    """Yield the lines of a label track."""
    for one in segments:
        yield f"{seconds(one.start)}\t{seconds(one.end)}\t{one.label}"


def read_csv(lines: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table: with a header in any order, or start, end, label without one."""
    telling = list(_telling(lines))
    if not telling:
        return
    sample = [line for _, line in telling[:SAMPLE_LINES]]
    delimiter = max(DELIMITERS, key=lambda delimiter: _n_understood(sample, delimiter))
    first = _cells(sample[0], delimiter)
    has_header = NUMBER.fullmatch(first[0]) is None and _looks_like_names(first)
    columns = _columns(first, telling[0][0]) if has_header else _Columns(0, 1, None, 2, None)
    for place, line in telling[has_header:]:
        cells = _cells(line, delimiter)
        if columns.n is not None and any(cells[columns.n :]):
            raise InputError(
                f"{place}: got {len(cells)} cells, wanted {columns.n} as in the header; "
                "where numbers have commas, put semicolons between the cells"
            )
        start = number_in(_cell(cells, columns.start), "start", place)
        if columns.end is not None:
            end = number_in(_cell(cells, columns.end), "end", place)
        else:
            end = _sum(start, number_in(_cell(cells, columns.duration), "duration", place))
        yield Row(start, end, _cell(cells, columns.label), place)


def write_csv(segments: Sequence[Rounded]) -> Iterator[str]:
    """Yield the lines of a table with a header."""
    yield "start,end,label"
    for one in segments:
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow(
            [seconds(one.start), seconds(one.end), one.label]
        )
        yield row.getvalue()


@dataclass(frozen=True)
class _Columns:
    """Where a row of a table has what, and how many cells the header has, if there is one."""

    start: int
    end: int | None
    duration: int | None
    label: int | None
    n: int | None


def _columns(header: list[str], place: str) -> _Columns:
    """Find the columns by their names."""
    names = [_plain(cell) for cell in header]

    def find(known: set[str]) -> int | None:
        return next((k for k, name in enumerate(names) if name in known), None)

    start, end, duration = find(STARTS), find(ENDS), find(DURATIONS)
    if start is None or (end is None and duration is None):
        raise InputError(
            f"{place}: the header must name start and end, got {shown(', '.join(header))}"
        )
    return _Columns(start, end, duration, find(LABELS), len(header))


def _looks_like_names(cells: list[str]) -> bool:
    """Return whether a first row is a header, and no row with a broken number in it."""
    known: Callable[[str], bool] = (STARTS | ENDS | DURATIONS | LABELS).__contains__
    return any(known(_plain(cell)) for cell in cells) or not any(
        NUMBER.fullmatch(cell) for cell in cells
    )


def _plain(name: str) -> str:
    """Return the name of a column without case and unit: "Start (s)" is start."""
    name = re.sub(r"[\[(].*", "", name.casefold())
    return re.sub(r"[\s-]+", "_", name.strip())


def _n_understood(sample: list[str], delimiter: str) -> int:
    """Return how many rows begin with two numbers, or have a known header, with a delimiter."""
    n_rows = 0
    for line in sample:
        cells = _cells(line, delimiter)
        is_header = {_plain(cell) for cell in cells} & STARTS
        n_rows += bool(is_header) or sum(NUMBER.fullmatch(cell) is not None for cell in cells) >= 2
    return n_rows


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a row, without the spaces around them."""
    if delimiter == " ":
        return line.split(None, 2)
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error:
        return [cell.strip() for cell in line.split(delimiter)]


def _cell(cells: list[str], column: int | None) -> str:
    """Return a cell, or nothing where the row has none."""
    return cells[column] if column is not None and column < len(cells) else ""


def _telling(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines that are neither blank nor comments, and their numbers."""
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith(COMMENTS):
            yield f"line {number}", line.strip("\r\n ")


def _sum(start: float, duration: float) -> float:
    """Return the end without the last bits, so that 0.1 + 0.2 is 0.3."""
    return round(start + duration, 9)
