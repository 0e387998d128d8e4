"""Frames become segments, and segments frames, so that one there and back changes nothing.

Frame t is centred at ``t * hop`` seconds and stands for half a hop on either side. A run of frames
a…b-1 is therefore the segment from ``(a - 0.5) * hop`` to ``(b - 0.5) * hop``, cut at 0 and at the
end of the recording; and a segment has those frames whose centres lie in it.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.timeline import NEAR, Segment
from gmmseg.errors import InputError

ROUNDING = 5e-4 + NEAR  # seconds, by which files of segments may be off: they tell milliseconds


def segments_from_frames(
    frames: ArrayLike,
    *,
    hop: float,
    labels: Sequence[str] | None = None,
    duration: float = math.inf,
) -> list[Segment]:
    """Return the runs of frames as segments.

    Frame t is centred at ``t * hop`` and stands for half a hop on either side, so a run of frames
    a…b-1 lasts from ``max(0, (a - 0.5) * hop)`` to ``min((b - 0.5) * hop, duration)``.

    Parameters
    ----------
    frames : array_like of shape (n_frames,) or (n_frames, n_labels)
        Boolean: where a label is on, with a column per label, so that labels may overlap; or
        integers (n_frames,): the label of every frame, counted from 0, negative for none.
    hop : float
        Distance between neighbouring frames, in seconds: ``hop_length / sr``.
    labels : sequence of str, optional
        Names of the labels. If None, "speech" for one column of booleans, else "0", "1", ….
    duration : float
        Duration of the recording, in seconds. The last frame may reach beyond it.

    Returns
    -------
    segments : list of Segment
        Segments in order of time.

    Raises
    ------
    InputError
        If the frames are neither booleans nor integers of such a shape, if there are too few
        labels, or if `hop` is not above 0.

    Examples
    --------
    >>> from gmmseg.audio import segments_from_frames
    >>> segments_from_frames([True, True, False, True], hop=0.5, duration=1.5)
    [Segment(start=0.0, end=0.75, label='speech'), Segment(start=1.25, end=1.5, label='speech')]
    >>> segments_from_frames([0, 0, 1, -1], hop=1.0, labels=["Ann", "Ben"])
    [Segment(start=0.0, end=1.5, label='Ann'), Segment(start=1.5, end=2.5, label='Ben')]
    """
    _refuse_no_hop(hop)
    runs = _runs(np.asarray(frames))
    names = _names(np.asarray(frames), labels)
    segments = []
    for first, stop, label in runs:
        start, end = max(0.0, (first - 0.5) * hop), min((stop - 0.5) * hop, duration)
        if start < end:
            segments.append(Segment(start, end, names[label]))
    return sorted(segments)


def frames_from_segments(
    segments: Iterable[Segment], n_frames: int, *, hop: float
) -> NDArray[np.bool_]:
    """Return which frames any segment covers.

    A segment has the frames whose centres ``t * hop`` lie in it, its start with it and its end
    not; the last frame of all also where a segment ends right on its centre, since a recording
    may end there. So frames made into segments are the same when made into frames again.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order.
    n_frames : int
        Number of frames.
    hop : float
        Distance between neighbouring frames, in seconds: ``hop_length / sr``.

    Returns
    -------
    frames : ndarray of bool of shape (n_frames,)
        True for the frames that are covered.

    Raises
    ------
    InputError
        If `hop` is not above 0.

    Examples
    --------
    >>> from gmmseg.audio import Segment, frames_from_segments
    >>> frames_from_segments([Segment(0.75, 2.0)], 4, hop=0.5)
    array([False, False,  True,  True])
    """
    frames = np.zeros(n_frames, dtype=np.bool_)
    for segment in segments:
        frames[_covered(segment, n_frames, hop)] = True
    return frames


def frame_table(
    segments: Iterable[Segment], n_frames: int, *, hop: float, labels: Sequence[str]
) -> NDArray[np.bool_]:
    """Return which frames the segments of every label cover, by the rule of `frames_from_segments`.

    Parameters
    ----------
    segments : iterable of Segment
        Segments in any order; those of other labels are left out.
    n_frames : int
        Number of frames.
    hop : float
        Distance between neighbouring frames, in seconds.
    labels : sequence of str
        The label of every column.

    Returns
    -------
    frames : ndarray of bool of shape (n_frames, n_labels)
        True where the label is on.

    Raises
    ------
    InputError
        If `hop` is not above 0.

    Examples
    --------
    >>> frame_table([Segment(0.0, 1.0, "Ben")], 2, hop=1.0, labels=["Ann", "Ben"])
    array([[False,  True],
           [False,  True]])
    """
    columns = {label: column for column, label in enumerate(labels)}
    frames = np.zeros((n_frames, len(labels)), dtype=np.bool_)
    for segment in segments:
        if segment.label in columns:
            frames[_covered(segment, n_frames, hop), columns[segment.label]] = True
    return frames


def _covered(segment: Segment, n_frames: int, hop: float) -> slice:
    """Return the frames whose centres lie in a segment."""
    _refuse_no_hop(hop)
    first = math.ceil((segment.start - NEAR) / hop)
    stop = math.ceil((segment.end - NEAR) / hop)
    last = (n_frames - 1) * hop
    if segment.start < last <= segment.end + min(ROUNDING, hop / 4):
        stop = max(stop, n_frames)
    return slice(max(first, 0), max(stop, 0))


def _runs(frames: NDArray[np.generic]) -> list[tuple[int, int, int]]:
    """Return (first frame, frame after the last, label) of every run."""
    if frames.dtype.kind in "iu" and frames.ndim == 1:
        edges = np.flatnonzero(np.diff(frames)) + 1
        starts = np.concatenate([np.zeros(min(len(frames), 1), dtype=np.intp), edges])
        stops = np.append(starts[1:], len(frames))[: len(starts)]
        of_runs = frames[starts].tolist()
        runs = zip(starts.tolist(), stops.tolist(), of_runs, strict=True)
        return [run for run in runs if run[2] >= 0]
    if frames.dtype.kind != "b" or frames.ndim not in (1, 2):
        raise InputError(
            "frames must be booleans of shape (n_frames,) or (n_frames, n_labels), or integers of "
            f"shape (n_frames,), got {frames.dtype} of shape {frames.shape}; "
            "make probabilities booleans first: probabilities > 0.5"
        )
    columns = frames.reshape(len(frames), -1) if len(frames) else frames.reshape(0, 1)
    steps = np.diff(columns.T.astype(np.int8), axis=1, prepend=0, append=0)
    (label, first), (_, stop) = np.nonzero(steps > 0), np.nonzero(steps < 0)
    return list(zip(first.tolist(), stop.tolist(), label.tolist(), strict=True))


def _names(frames: NDArray[np.generic], labels: Sequence[str] | None) -> Sequence[str]:
    """Return the names of all labels that the frames may have."""
    if frames.dtype.kind == "b":
        n_labels = frames.shape[1] if frames.ndim == 2 else 1
        default = ["speech"]
    else:
        n_labels = max(int(frames.max(initial=-1)) + 1, 0)
        default = []
    if labels is None:
        return default if n_labels == len(default) else [str(label) for label in range(n_labels)]
    if isinstance(labels, str) or len(labels) < n_labels:
        raise InputError(f"labels must be a list of {n_labels} names, got {labels!r}")
    return labels


def _refuse_no_hop(hop: float) -> None:
    if not 0.0 < hop < math.inf:
        raise InputError(f"hop must be above 0 seconds, got {hop}; it is hop_length / sr")
