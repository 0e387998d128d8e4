"""Two timelines cut into cells of time in which nothing changes: measures are sums over them.

So measures are exact: no frame is half in a segment. What is scored is decided here, once for all
measures: stretches of time that are asked for, a collar, overlap.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gmmseg.errors import InputError

DIGITS = 9  # times are taken to a nanosecond, so that ends and starts that should agree do

MOST_ENTRIES = 2**30  # labels times cells of a timeline: a gigabyte


class Labelled(Protocol):
    """What has a start and an end, in seconds, and a label, as gmmseg.audio.Segment has."""

    @property
    def start(self) -> float: ...  # noqa: D102 (a field)

    @property
    def end(self) -> float: ...  # noqa: D102 (a field)

    @property
    def label(self) -> str: ...  # noqa: D102 (a field)


Segments: TypeAlias = Iterable[Labelled] | Iterable[Sequence[Any]] | NDArray[Any]
"""Objects with start, end and label, or rows (start, end[, label])."""


@dataclass(frozen=True, eq=False)
class Cells:
    """What two timelines say, cell by cell, of the time that is scored.

    Parameters
    ----------
    durations : ndarray of shape (n_cells,)
        Seconds.
    reference : ndarray of bool of shape (n_reference_labels, n_cells)
        Where each label of the reference is on.
    hypothesis : ndarray of bool of shape (n_hypothesis_labels, n_cells)
        The same for the hypothesis.
    reference_labels, hypothesis_labels : list of str
        The labels of the rows.
    """

    durations: NDArray[np.float64]
    reference: NDArray[np.bool_]
    hypothesis: NDArray[np.bool_]
    reference_labels: list[str]
    hypothesis_labels: list[str]

    def seconds(self, values: NDArray[Any]) -> float:
        """Return the sum of values, each as often as its cell has seconds."""
        return float(values @ self.durations)

    def seconds_together(self) -> NDArray[np.float64]:
        """Return how long each two labels are on together, (n_reference, n_hypothesis)."""
        # In a cell few labels are on, whatever their number.
        reference = csr_array(self.reference, dtype=np.float64)
        reference.data *= self.durations[reference.indices]
        together: NDArray[np.float64] = (reference @ csr_array(self.hypothesis).T).toarray()
        return together


def cells_of(
    reference: Segments,
    hypothesis: Segments,
    *,
    collar: float = 0.0,
    skip_overlap: bool = False,
    scored: Segments | None = None,
    ignore_labels: bool = False,
) -> Cells:
    """Cut the time of two timelines wherever one of them changes, and keep what is scored.

    A label is on or off: its segments that overlap or touch are one, without a boundary inside.

    Parameters
    ----------
    reference, hypothesis : segments
        The truth, and what is held to it.
    collar : float
        Seconds on EACH side of every boundary of the reference that are not scored.
    skip_overlap : bool
        Whether time with two or more labels of the reference is left out.
    scored : segments, optional
        The only time that is scored; all of it if None.
    ignore_labels : bool
        Whether all labels count as one.

    Returns
    -------
    cells : Cells
        The cells that are scored.

    Raises
    ------
    InputError
        If a segment is none, or the collar is negative or not finite.
    """
    if not 0.0 <= collar < math.inf:
        raise InputError(f"collar must be at least 0 seconds (per side), got {collar}")
    truth = _Rows.of(reference, "reference", ignore_labels=ignore_labels)
    guess = _Rows.of(hypothesis, "hypothesis", ignore_labels=ignore_labels)
    window = None if scored is None else _Rows.of(scored, "scored", ignore_labels=True)
    boundaries = _boundaries(truth)
    edges = [truth.starts, truth.ends, guess.starts, guess.ends]
    edges += [] if window is None else [window.starts, window.ends]
    edges += [np.round(boundaries - collar, DIGITS), np.round(boundaries + collar, DIGITS)]
    cuts = np.unique(np.concatenate(edges))
    is_scored = np.ones(max(len(cuts) - 1, 0), dtype=np.bool_)
    is_on = truth.on(cuts)
    if window is not None:
        is_scored &= window.on(cuts).any(axis=0)
    if collar > 0.0 and len(boundaries):
        is_scored &= _distances((cuts[1:] + cuts[:-1]) / 2, boundaries) > collar
    if skip_overlap:
        is_scored &= is_on.sum(axis=0) < 2
    return Cells(
        np.diff(cuts)[is_scored],
        is_on[:, is_scored],
        guess.on(cuts)[:, is_scored],
        truth.labels,
        guess.labels,
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Segments as arrays: times to a nanosecond, and the place of each label in `labels`."""

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    places: NDArray[np.intp]
    labels: list[str]

    @classmethod
    def of(cls, segments: Segments, name: str, *, ignore_labels: bool) -> "_Rows":
        """Take segments apart and check them; those without length say nothing."""
        rows = [_row(segment, name, index) for index, segment in enumerate(segments)]
        rows = [row for row in rows if row[0] < row[1]]
        names = ["" if ignore_labels else row[2] for row in rows]
        labels = sorted(set(names))
        place = {label: index for index, label in enumerate(labels)}
        times = np.array([row[:2] for row in rows], dtype=np.float64).reshape(-1, 2)
        places = np.array([place[label] for label in names], dtype=np.intp)
        return cls(times[:, 0], times[:, 1], places, labels)

    def on(self, cuts: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where each label is on, (n_labels, n_cells), given cuts at all starts and ends."""
        n_cells = max(len(cuts) - 1, 0)
        if len(self.labels) * n_cells > MOST_ENTRIES:
            raise InputError(
                f"{len(self.labels)} labels in {len(self.places)} segments are too many to compare;"
                " are they names of speakers, or words?"
            )
        is_on = np.zeros((len(self.labels), n_cells), dtype=np.bool_)
        first, stop = np.searchsorted(cuts, self.starts), np.searchsorted(cuts, self.ends)
        for place, low, high in zip(self.places, first, stop, strict=True):
            is_on[place, low:high] = True
        return is_on


def _row(segment: Any, name: str, index: int) -> tuple[float, float, str]:
    """Return start, end and label of a segment."""
    try:
        if hasattr(segment, "start"):
            start, end, label = segment.start, segment.end, str(segment.label)
        else:
            start, end = segment[:2]
            label = str(segment[2]) if len(segment) > 2 else ""
        start, end = round(float(start), DIGITS), round(float(end), DIGITS)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise InputError(
            f"{name}[{index}] must have start, end and label, or be (start, end, label), "
            f"got {segment!r}"
        ) from error
    if not (math.isfinite(start) and math.isfinite(end) and start <= end):
        raise InputError(f"{name}[{index}] must not end before it starts, got {start} to {end}")
    return start, end, label


def _boundaries(rows: _Rows) -> NDArray[np.float64]:
    """Return the times, ascending, at which any label goes on or off."""
    cuts = np.unique(np.concatenate([rows.starts, rows.ends]))
    changes = np.diff(rows.on(cuts).astype(np.int8), axis=1, prepend=0, append=0)
    return cuts[changes.any(axis=0)] if len(cuts) else cuts


def _distances(times: NDArray[np.float64], marks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far each time is from the nearest of the marks, which are ascending."""
    after = np.searchsorted(marks, times)
    before = np.abs(times - marks[np.maximum(after - 1, 0)])
    return np.minimum(before, np.abs(marks[np.minimum(after, len(marks) - 1)] - times))
