"""A timeline: labelled stretches of time, in seconds, and what can be asked of many of them."""

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise

from gmmseg.errors import InputError

NEAR = 1e-9  # seconds: stretches no further apart touch


@dataclass(frozen=True, order=True)
class Segment:
    """A stretch of time with a label.

    Parameters
    ----------
    start, end : float
        Seconds from the start of the recording; `end` comes after `start`.
    label : str, default: "speech"
        What is heard: "speech", or the name of a speaker.

    Raises
    ------
    InputError
        If the times are not finite, or the end does not come after the start.

    Examples
    --------
    >>> from gmmseg.audio import Segment
    >>> Segment(0.5, 2.0).duration
    1.5
    """

    start: float
    end: float
    label: str = "speech"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.start < self.end):
            raise InputError(
                f"a segment must end after it starts, got start {self.start} and end {self.end}"
            )

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start


def union(segments: Iterable[Segment], *, label: str | None = None) -> list[Segment]:
    """Merge segments of the same label that overlap or touch.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.
    label : str, optional
        If given, labels are ignored and every stretch found bears this one.

    Returns
    -------
    merged : list of Segment
        Segments in order of time; those of one label lie apart.

    Examples
    --------
    >>> union([Segment(0.0, 2.0, "Ann"), Segment(1.0, 3.0, "Ben"), Segment(2.0, 4.0, "Ann")])
    [Segment(start=0.0, end=4.0, label='Ann'), Segment(start=1.0, end=3.0, label='Ben')]
    >>> union([Segment(0.0, 2.0, "Ann"), Segment(1.0, 3.0, "Ben")], label="speech")
    [Segment(start=0.0, end=3.0, label='speech')]
    """
    if label is not None:
        segments = [replace(segment, label=label) for segment in segments]
    return fill_gaps(segments, 0.0)


def gaps(
    segments: Iterable[Segment], end: float, *, start: float = 0.0, label: str = "nonspeech"
) -> list[Segment]:
    """Return the stretches that no segment covers, whatever its label.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.
    end : float
        Duration of the recording, in seconds.
    start : float
        Where to begin to look, in seconds.
    label : str
        Label of what is found.

    Returns
    -------
    found : list of Segment
        The gaps between `start` and `end`, in order of time.

    Examples
    --------
    >>> gaps([Segment(1.0, 2.0)], 3.0)
    [Segment(start=0.0, end=1.0, label='nonspeech'), Segment(start=2.0, end=3.0, label='nonspeech')]
    """
    covered = union(segments, label=label)
    edges = [start, *chain.from_iterable((one.start, one.end) for one in covered), end]
    bounds = [min(max(edge, start), end) for edge in edges]
    between = zip(bounds[::2], bounds[1::2], strict=True)
    return [Segment(low, high, label) for low, high in between if high - low > NEAR]


def intersection(segments: Iterable[Segment], within: Iterable[Segment]) -> list[Segment]:
    """Return the parts of segments that lie within others, whatever the labels of those.

    Parameters
    ----------
    segments : iterable of Segment
        Segments, which keep their labels.
    within : iterable of Segment
        Where they are kept.

    Returns
    -------
    parts : list of Segment
        The parts, in order of time.

    Examples
    --------
    >>> intersection([Segment(0.0, 5.0, "Ann")], [Segment(1.0, 2.0), Segment(4.0, 9.0)])
    [Segment(start=1.0, end=2.0, label='Ann'), Segment(start=4.0, end=5.0, label='Ann')]
    """
    windows = union(within, label="")
    parts, first = [], 0
    for segment in sorted(segments):
        while first < len(windows) and windows[first].end <= segment.start:
            first += 1  # nothing that starts later reaches back to it
        for window in windows[first:]:
            if window.start >= segment.end:
                break
            low, high = max(segment.start, window.start), min(segment.end, window.end)
            if high - low > NEAR:
                parts.append(Segment(low, high, segment.label))
    return sorted(parts)


def overlaps(segments: Iterable[Segment], *, label: str = "overlap") -> list[Segment]:
    """Return where segments of two or more labels lie on one another.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.
    label : str
        Label of what is found.

    Returns
    -------
    found : list of Segment
        The stretches, in order of time.

    Examples
    --------
    >>> overlaps([Segment(0.0, 2.0, "Ann"), Segment(1.5, 3.0, "Ben")])
    [Segment(start=1.5, end=2.0, label='overlap')]
    """
    merged = union(segments)
    edges = [(one.start, 1) for one in merged] + [(one.end, -1) for one in merged]
    found, n_open = [], 0
    for (time, step), (following, _) in pairwise(sorted(edges)):
        n_open += step
        if n_open > 1 and following > time:
            found.append(Segment(time, following, label))
    return union(found)


def fill_gaps(segments: Iterable[Segment], shortest: float) -> list[Segment]:
    """Merge segments of the same label with less than so much time between them.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.
    shortest : float
        Gaps shorter than this are filled, in seconds; those just as long stay.

    Returns
    -------
    filled : list of Segment
        Segments in order of time; those of one label lie apart.

    Examples
    --------
    >>> fill_gaps([Segment(0.0, 1.0), Segment(1.25, 2.0), Segment(2.5, 3.0)], 0.5)
    [Segment(start=0.0, end=2.0, label='speech'), Segment(start=2.5, end=3.0, label='speech')]
    """
    _refuse_negative(shortest, "shortest")
    merged: list[Segment] = []
    latest: dict[str, int] = {}
    for segment in sorted(segments):
        place = latest.get(segment.label)
        if place is not None and _follows(merged[place].end, segment.start, shortest):
            end = max(merged[place].end, segment.end)
            merged[place] = replace(merged[place], end=end)
        else:
            latest[segment.label] = len(merged)
            merged.append(segment)
    return sorted(merged)


def drop_short(segments: Iterable[Segment], shortest: float) -> list[Segment]:
    """Leave out segments that are shorter than so many seconds.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order; merge them first, with `union`, where parts of one may touch.
    shortest : float
        What is shorter is left out, in seconds; what is just as long stays.

    Returns
    -------
    kept : list of Segment
        The others, in order of time.

    Examples
    --------
    >>> drop_short([Segment(0.0, 0.25), Segment(1.0, 1.5)], 0.5)
    [Segment(start=1.0, end=1.5, label='speech')]
    """
    _refuse_negative(shortest, "shortest")
    return sorted(segment for segment in segments if segment.duration >= shortest - NEAR)


def pad(
    segments: Iterable[Segment], before: float, after: float, *, end: float = math.inf
) -> list[Segment]:
    """Make segments longer on both sides, inside the recording, and merge those that then meet.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.
    before, after : float
        How much earlier they start and later they end, in seconds.
    end : float
        Duration of the recording, in seconds.

    Returns
    -------
    padded : list of Segment
        Segments between 0 and `end`, in order of time; those of one label lie apart.

    Examples
    --------
    >>> pad([Segment(0.25, 1.0), Segment(1.5, 2.0)], 0.5, 0.25, end=2.0)
    [Segment(start=0.0, end=2.0, label='speech')]
    """
    _refuse_negative(before, "before")
    _refuse_negative(after, "after")
    longer = [
        (max(0.0, one.start - before), min(end, one.end + after), one.label) for one in segments
    ]
    return union(Segment(*one) for one in longer if one[0] < one[1])


def lanes(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    """Yield lists of segments of one label that do not overlap: as few a label as will do.

    What shows time as rows (a TextGrid, a picture) needs a row for each.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.

    Yields
    ------
    lane : list of Segment
        Segments in order of time; lanes come in the order of their labels.

    Examples
    --------
    >>> len(list(lanes([Segment(0.0, 2.0), Segment(1.0, 3.0), Segment(2.0, 4.0)])))
    2
    """
    by_label: dict[str, list[Segment]] = {}
    for segment in segments:
        by_label.setdefault(segment.label, []).append(segment)
    for _, members in sorted(by_label.items()):
        yield from stacked(members)


def stacked(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Return as few rows as hold all segments, whatever their labels, so that none overlap.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.

    Returns
    -------
    rows : list of list of Segment
        Segments in order of time; each lies in the first row that is free.

    Examples
    --------
    >>> [len(row) for row in stacked([Segment(0, 2, "A"), Segment(1, 3, "B"), Segment(2, 4, "C")])]
    [2, 1]
    """
    rows: list[list[Segment]] = []
    busy: list[tuple[float, int]] = []  # until when each row is taken
    free: list[int] = []
    for segment in sorted(segments):
        while busy and busy[0][0] <= segment.start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free:
            heapq.heappush(free, len(rows))
            rows.append([])
        row = heapq.heappop(free)
        rows[row].append(segment)
        heapq.heappush(busy, (segment.end, row))
    return rows


def _follows(end: float, start: float, shortest: float) -> bool:
    """Return whether one segment overlaps or touches the last, or less than `shortest` is between.

    Rounding of either time does not decide: what is `shortest` apart stays apart.
    """
    gap = start - end
    return gap <= NEAR or gap < shortest - NEAR


def _refuse_negative(seconds: float, name: str) -> None:
    if not seconds >= 0.0:
        raise InputError(f"{name} must be at least 0 seconds, got {seconds}")
