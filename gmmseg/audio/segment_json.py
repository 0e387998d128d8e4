"""Segments as JSON: what recording they are of, its duration, and the segments in order."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from gmmseg.audio.segment_lines import Rounded, Row, shown
from gmmseg.errors import InputError


def read_json(text: str) -> Iterator[Row]:
    """Yield the rows of ``{"segments": [...]}`` or of a list, of objects or of lists."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"line {error.lineno}: it is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON that can be read: {error}") from error
    recording = content.get("recording") if isinstance(content, dict) else None
    entries = content.get("segments") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise InputError('it must hold a list, or {"segments": [...]}')
    for index, entry in enumerate(entries, start=1):
        yield _row(entry, f"segment {index}", recording)


def write_json(segments: Sequence[Rounded], recording: str | None, duration: int) -> Iterator[str]:
    """Yield the lines: one per segment, so that people can read and compare them."""
    yield "{"
    if recording is not None:
        yield f'  "recording": {json.dumps(recording, ensure_ascii=False)},'
    yield f'  "duration": {duration / 1000},\n  "segments": ['
    for index, one in enumerate(segments, start=1):
        entry = {"start": one.start / 1000, "end": one.end / 1000, "label": one.label}
        comma = "," if index < len(segments) else ""
        yield f"    {json.dumps(entry, ensure_ascii=False)}{comma}"
    yield "  ]\n}"


def _row(entry: Any, place: str, recording: Any) -> Row:
    """Return the row of one entry: an object with names, or a list in the order of a table."""
    if isinstance(entry, list):
        entry = dict(zip(("start", "end", "label"), entry, strict=False))
    if not isinstance(entry, dict):
        raise InputError(f"{place}: wanted start, end and label, got {shown(str(entry))}")
    label = next((entry[name] for name in ("label", "speaker", "name") if name in entry), "")
    start, end = _number(entry, "start", place), _number(entry, "end", place)
    return Row(start, end, str(label), place, recording if isinstance(recording, str) else None)


def _number(entry: dict[str, Any], name: str, place: str) -> float:
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(
            f"{place}: the {name} must be a number of seconds, got {shown(repr(value))}"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{place}: the {name} must be finite, got {shown(str(value))}")
    return number
