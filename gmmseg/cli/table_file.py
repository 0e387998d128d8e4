"""Read columns of numbers from a CSV or NPY file, and say in one line what is wrong with it."""

import csv
import io
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.options import STDIN
from gmmseg.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NPY_MAGIC = b"\x93NUMPY"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# A tab or a semicolon that every line has is no accident; commas may also be in decimal numbers.
DELIMITERS = ("\t", ";", ",")
MISSING = {"", "na", "n/a", "nan", "null", "none"}
SAMPLE_LINES = 20  # that tell the delimiter and whether there is a header
CHUNK_ROWS = 4096  # that are turned into numbers at once
MOST_NAMES = 8  # of columns that a message lists


@dataclass(frozen=True)
class Columns:
    """The columns of a file: their names, which are their numbers where there is no header."""

    file: str
    names: list[str]
    has_header: bool

    def named(self, wanted: list[str]) -> list[int]:
        """Return the places, from 0, of columns given by name, number or range of numbers."""
        chosen = list(itertools.chain.from_iterable(self._found(name) for name in wanted))
        if len(set(chosen)) < len(chosen):
            twice = next(self.names[place] for place in chosen if chosen.count(place) > 1)
            raise InputError(f"column {twice!r} is asked for twice; name it once")
        return chosen

    def listed(self) -> str:
        """Return the names, or the first of them, for a message."""
        more = "" if len(self.names) <= MOST_NAMES else f" and {len(self.names) - MOST_NAMES} more"
        return ", ".join(self.names[:MOST_NAMES]) + more

    def _found(self, wanted: str) -> list[int]:
        places = [place for place, name in enumerate(self.names) if name == wanted]
        if len(places) > 1:
            numbers = " and ".join(str(place + 1) for place in places)
            raise InputError(
                f"{self.file} has several columns {wanted!r}: {numbers}; give the number instead"
            )
        if places:
            return places
        first, _, last = wanted.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            places = list(range(int(first) - 1, int(last or first)))
        if not places or places[0] < 0 or places[-1] >= len(self.names):
            raise InputError(f"{self.file} has no column {wanted!r}; it has {self.listed()}")
        return places


@dataclass(frozen=True)
class Table:
    """Numbers, (n_rows, n_columns), NaN where a cell was empty, and the names of the columns."""

    values: "NDArray[Any]"
    names: list[str]


Pick = Callable[[Columns], list[int]]


def read_table(path: Path, pick: Pick, *, header: bool | None = None) -> Table:
    """Read the columns that ``pick`` chooses, given what columns there are.

    Raises
    ------
    InputError
        If the file cannot be read, or a cell of these columns is no number.
    """
    name = title_of(path)
    try:
        with _opened(path) as stream:
            if stream.peek(6)[:6] == NPY_MAGIC:
                return _read_npy(path if path.is_file() else stream, name, pick)
            return _read_csv(stream, name, pick, header)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from error
    except (csv.Error, UnicodeError) as error:
        raise InputError(f"{name} is not a CSV file: {error}; save it as CSV, UTF-8") from error


def title_of(path: Path) -> str:
    """Return what messages call a file."""
    return "stdin" if str(path) == STDIN else str(path)


def split_names(text: str) -> list[str]:
    """Return the names in a list with commas, in which a name may be quoted."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def _opened(path: Path) -> io.BufferedReader:
    if str(path) == STDIN:
        return io.BufferedReader(io.BytesIO(sys.stdin.buffer.read()))
    return path.open("rb")


def _read_npy(source: Path | io.BufferedReader, name: str, pick: Pick) -> Table:
    import numpy as np

    try:
        if isinstance(source, Path):
            array: NDArray[Any] = np.load(source, mmap_mode="r", allow_pickle=False)
        else:
            array = np.load(io.BytesIO(source.read()), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{name} is no array that can be read: {error}") from error
    if array.ndim not in (1, 2) or array.dtype.kind not in "fiub":
        raise InputError(
            f"{name} must hold numbers of shape (n_rows, n_columns), got {array.dtype} of shape "
            f"{array.shape}"
        )
    array = array.reshape(len(array), -1) if array.size else array.reshape(0, 1)
    _refuse_empty(len(array), name)
    columns = Columns(name, [str(k + 1) for k in range(array.shape[1])], has_header=False)
    places = pick(columns)
    chosen = array if places == list(range(array.shape[1])) else array[:, places]
    dtype = np.float32 if array.dtype == np.float32 else np.float64
    return Table(
        np.ascontiguousarray(chosen, dtype=dtype), [columns.names[place] for place in places]
    )


def _read_csv(stream: io.BufferedReader, name: str, pick: Pick, header: bool | None) -> Table:
    encoding = "utf-16" if stream.peek(2)[:2] in UTF16_MARKS else "utf-8-sig"
    # Bytes that are not UTF-8 do no harm in columns that nobody asks for.
    with io.TextIOWrapper(stream, encoding, errors="surrogateescape", newline="") as text:
        lines = list(itertools.islice(text, SAMPLE_LINES))
        delimiter = _delimiter(lines)
        sample = _records(lines, delimiter)
        if not sample:
            raise InputError(f"{name} is empty; give a table with at least one row of numbers")
        has_header = _is_header(sample, delimiter) if header is None else header
        names = [cell.strip() if has_header else str(k + 1) for k, cell in enumerate(sample[0])]
        columns = Columns(name, names, has_header)
        return _read_rows(itertools.chain(lines, text), _Rows(columns, sample, delimiter), pick)


def _read_rows(lines: Iterator[str], rows: "_Rows", pick: Pick) -> Table:
    import numpy as np

    columns = rows.columns
    places = pick(columns)
    chosen = [columns.names[place] for place in places]
    if any("\udc80" <= letter <= "\udcff" for letter in "".join(chosen)):
        raise InputError(f"{columns.file} has a header that is not UTF-8; save it as CSV, UTF-8")
    chunks = list(rows.chunks(lines, places))
    _refuse_empty(len(chunks), columns.file)
    return Table(np.concatenate(chunks), chosen)


@dataclass(frozen=True)
class _Rows:
    """Turn the rows of a CSV file into numbers."""

    columns: Columns
    sample: list[list[str]]
    delimiter: str

    def chunks(self, lines: Iterator[str], places: list[int]) -> "Iterator[NDArray[np.float64]]":
        """Yield the chosen columns of some thousand rows at a time, as float64."""
        rows = self._rows(lines)
        while chunk := list(itertools.islice(rows, CHUNK_ROWS)):
            yield self._numbers(chunk, places)

    def _rows(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows below the header with the number of their line, leaving out empty ones."""
        reader = csv.reader(lines, delimiter=self.delimiter)
        rows = ((reader.line_num, row) for row in reader if row)
        if self.columns.has_header:
            next(rows)
        for line, row in rows:
            if len(row) != len(self.columns.names):
                raise InputError(
                    f"{self.columns.file} has {len(row)} cells in line {line}, wanted "
                    f"{len(self.columns.names)} as in its first line; mend or remove that line"
                )
            yield line, row

    def _numbers(
        self, rows: list[tuple[int, list[str]]], places: list[int]
    ) -> "NDArray[np.float64]":
        import numpy as np

        cells = [[row[place] for place in places] for _, row in rows]
        try:
            return np.array(cells, dtype=np.float64)
        except ValueError:  # a cell that is empty, or no number: look at each
            pass
        numbers = np.empty((len(rows), len(places)))
        for n, (line, row) in enumerate(rows):
            for d, place in enumerate(places):
                number = number_in(row[place], self.delimiter)
                if number is None:
                    raise self._not_a_number(line, place, row[place], places)
                numbers[n, d] = number
        return numbers

    def _not_a_number(self, line: int, place: int, cell: str, places: list[int]) -> InputError:
        """Say which cell is no number, and which columns are."""
        rows = self.sample[self.columns.has_header :]
        others = [
            self.columns.names[k]
            for k in places
            if k != place
            and all(number_in(row[k], self.delimiter) is not None for row in rows if k < len(row))
        ]
        name = self.columns.names[place]
        title = f"{place + 1} ({name!r})" if self.columns.has_header else name
        shown = cell.encode("utf-8", "replace").decode()
        shown = shown if len(shown) <= 30 else shown[:30] + "…"
        what_to_do = "mend the cell"
        if others:
            what_to_do += ", or choose the columns of numbers: --columns "
            what_to_do += shell_list(others if len(others) <= MOST_NAMES else [*others[:3], "…"])
        return InputError(
            f"{self.columns.file} has {shown!r} in line {line}, column {title}, which is not a "
            f"number; {what_to_do}"
        )


def number_in(cell: str, delimiter: str) -> float | None:
    """Return the number in a cell, NaN if it is empty, None if it holds something else."""
    cell = cell.strip()
    if cell.casefold() in MISSING:
        return float("nan")
    if delimiter == ";":  # chosen where the comma is the decimal point
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return None


def shell_list(names: list[str]) -> str:
    """Return names as --columns wants them, quoted for the shell where it needs that."""
    import shlex

    return shlex.quote(",".join(f'"{name}"' if "," in name else name for name in names))


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter that cuts the lines into equally many cells, at least two."""
    for delimiter in DELIMITERS:
        counts = {len(record) for record in _records(lines, delimiter)}
        if len(counts) == 1 and counts != {1}:
            return delimiter
    return max(
        reversed(DELIMITERS), key=lambda delimiter: lines[0].count(delimiter) if lines else 0
    )


def _records(lines: list[str], delimiter: str) -> list[list[str]]:
    """Return the rows in the first lines of a file, the last of which may go on in the next."""
    rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    return rows[:-1] if len(lines) == SAMPLE_LINES and len(rows) > 1 else rows


def _is_header(sample: list[list[str]], delimiter: str) -> bool:
    """Tell whether the first row holds names: nothing but text, or text above numbers."""
    numbers = [[number_in(cell, delimiter) for cell in row] for row in sample]
    is_text = [number is None for number in numbers[0]]
    is_named = [
        number is None or not cell.strip()
        for number, cell in zip(numbers[0], sample[0], strict=True)
    ]
    if any(is_text) and all(is_named):
        return True
    return any(
        is_text[k]
        and len(numbers) > 1
        and all(k < len(row) and row[k] is not None for row in numbers[1:])
        for k in range(len(is_text))
    )


def _refuse_empty(n_rows: int, name: str) -> None:
    if not n_rows:
        raise InputError(f"{name} has no rows; give a table with at least one row of numbers")
