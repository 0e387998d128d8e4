"""Segments as a TextGrid of Praat: a tier per label, of intervals that leave no time out.

Praat reads a TextGrid as a row of texts, numbers and flags that stand free, and skips what lies
between (Praat manual, "TextGrid file formats"). Its long form, with ``xmin = `` before the number,
and its short form without are then the same, and so they are here.
"""

import re
from collections.abc import Iterator, Sequence

from gmmseg.audio.segment_lines import NUMBER, Rounded, Row, number_in, seconds, shown
from gmmseg.audio.timeline import Segment, lanes
from gmmseg.errors import InputError

SIGN = "ooTextFile"
TOKEN = re.compile(r'"(?P<text>(?:[^"]|"")*)"|!(?P<comment>[^\n]*)|(?P<word>[^\s"]+)')
# What stands free: numbers, flags, and what is meant as a number and is none.
FREE = re.compile(rf"{NUMBER.pattern}|<\w+>|[+-]?nan|[+-]?inf|--undefined--", re.ASCII | re.I)
EMPTY_TIER = "speech"


def read_textgrid(text: str) -> Iterator[Row]:
    """Yield the intervals of all tiers that have a text; tiers of points are passed over."""
    tokens = _Tokens(text)
    if not tokens.text("file type").startswith(SIGN):
        raise InputError(f'line 1: a TextGrid begins with File type = "{SIGN}"')
    if tokens.text("object class") != "TextGrid":
        raise InputError(f"{tokens.place}: wanted a TextGrid, got another object of Praat")
    tokens.number("xmin")
    tokens.number("xmax")
    if tokens.flag() != "<exists>":
        return
    for _ in range(tokens.count("number of tiers")):
        kind = tokens.text("class of a tier")
        tokens.text("name of a tier")
        tokens.number("xmin")
        tokens.number("xmax")
        for _ in range(tokens.count("number of intervals")):
            start = tokens.number("xmin")
            if kind != "IntervalTier":
                tokens.text("mark")
                continue
            end = tokens.number("xmax")
            place = tokens.place
            label = tokens.text("text")
            if label.strip():
                yield Row(start, end, label, place)


def write_textgrid(segments: Sequence[Rounded], duration: int) -> Iterator[str]:
    """Yield the lines of the long form; what overlaps within one label gets a tier of its own."""
    tiers = list(lanes(Segment(one.start, one.end, one.label) for one in segments)) or [[]]
    yield 'File type = "ooTextFile"\nObject class = "TextGrid"\n'
    yield f"xmin = 0.000\nxmax = {seconds(duration)}\ntiers? <exists>"
    yield f"size = {len(tiers)}\nitem []:"
    for number, tier in enumerate(tiers, start=1):
        name = tier[0].label if tier else EMPTY_TIER
        intervals = list(_tiles(tier, duration))
        yield f'    item [{number}]:\n        class = "IntervalTier"'
        yield f"        name = {_quoted(name)}\n        xmin = 0.000"
        yield f"        xmax = {seconds(duration)}\n        intervals: size = {len(intervals)}"
        for index, (start, end, label) in enumerate(intervals, start=1):
            yield f"        intervals [{index}]:\n            xmin = {seconds(start)}"
            yield f"            xmax = {seconds(end)}\n            text = {_quoted(label)}"


def _tiles(tier: list[Segment], duration: int) -> Iterator[tuple[int, int, str]]:
    """Yield the segments of a tier and, with no text, the gaps between them."""
    at = 0
    for one in tier:
        start, end = int(one.start), int(one.end)
        if start > at:
            yield at, start, ""
        yield start, end, one.label
        at = end
    if duration > at:
        yield at, duration, ""


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


class _Tokens:
    """The texts, numbers and flags of a file, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = TOKEN.finditer(text)
        self._line, self._counted = 1, 0

    @property
    def place(self) -> str:
        """Return the line that was read last."""
        return f"line {self._line}"

    def text(self, name: str) -> str:
        """Return the next text; two quotes in it stand for one."""
        token = self._next(name)
        if token.group("text") is None:
            raise InputError(f"{self.place}: wanted the {name} in quotes, got {shown(token[0])}")
        return token.group("text").replace('""', '"')

    def number(self, name: str) -> float:
        """Return the next number."""
        return number_in(self._next(name)[0], name, self.place)

    def count(self, name: str) -> int:
        """Return the next number, which counts something."""
        token = self._next(name)[0]
        if not re.fullmatch(r"\d{1,9}", token, re.ASCII):
            raise InputError(f"{self.place}: wanted the {name}, got {shown(token)}")
        return int(token)

    def flag(self) -> str:
        """Return the next flag."""
        return self._next("flag <exists>")[0]

    def _next(self, name: str) -> re.Match[str]:
        for token in self._tokens:
            if token.group("text") is not None or FREE.fullmatch(token.group("word") or ""):
                self._line += self._text.count("\n", self._counted, token.start())
                self._counted = token.start()
                return token
        raise InputError(f"it ends before the {name}; the TextGrid is cut off")
