"""Draw sound and what was found in it: waveform, spectrogram, probability, and who speaks when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.features import frame_features
from gmmseg.audio.framing import HOP
from gmmseg.audio.mel import band_centres
from gmmseg.audio.signals import checked_rate, checked_signal
from gmmseg.audio.timeline import Segment, stacked, union
from gmmseg.errors import InputError
from gmmseg.report.figures import color_of_label
from gmmseg.report.plotting import CURVE, FAINT_INK, INK, draw_in_ink, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW = 11.0, 0.32  # inches
MOST_COLUMNS = 2000  # of the waveform and of the spectrogram: more than the picture has pixels
N_MELS = 64
FRAME = 0.05  # seconds
RANGE = 70.0  # dB from the brightest to black
TICKS = (250, 1000, 2000, 4000, 8000, 16000, 32000)  # Hz
MOST_NAMES = 30  # in the legend: there are no more colours
MINUTES = 120.0  # seconds from which on minutes are told
STEPS = (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)  # seconds between two marks of time

Color = tuple[float, float, float]
Bars = tuple[Color, list[tuple[float, float]]]
Tracks = Mapping[str, Sequence[Segment]]


def plot_timeline(
    y: ArrayLike,
    *,
    sr: int,
    tracks: Tracks | None = None,
    probabilities: ArrayLike | None = None,
    hop: float = HOP,
    threshold: float | None = None,
) -> "Figure":
    """Draw a recording and what was found in it, one above the other over the same time.

    From top to bottom: the waveform, tinted where the first track has segments; the spectrogram in
    mel bands; the probability of speech; and a row per track with a bar per segment. A label has
    the same colour in all tracks, so name matched speakers alike, and segments of a track that
    overlap lie below one another. The legend tells the labels and how long each is on in the
    first track that has it.

    Parameters
    ----------
    y : array_like of shape (n_samples,) or (n_channels, n_samples)
        The recording; of several channels, the mean.
    sr : int
        Sampling rate, in Hz.
    tracks : mapping of str to sequence of Segment, optional
        What was found, and what is true, each under its name: ``{"truth": …, "found": …}``.
    probabilities : array_like of shape (n_frames,), optional
        Probability of speech at ``t * hop`` seconds.
    hop : float
        Distance between neighbouring probabilities, in seconds.
    threshold : float, optional
        Probability from which on it is called speech, drawn as a line.

    Returns
    -------
    figure : matplotlib Figure
        The figure; ``figure.savefig("meeting.png")`` writes it.

    Raises
    ------
    InputError
        If y is no sound, or the probabilities are not of one dimension, or outside 0…1.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> from gmmseg.audio import Segment
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    >>> figure = plot_timeline(tone, sr=16000, tracks={"found": [Segment(0.2, 0.8)]})
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['waveform', 'frequency', '']
    """
    samples = checked_signal(y, sr=sr)
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    duration = len(mono) / sr
    curve = None if probabilities is None else _checked_probabilities(probabilities, hop)
    tracks = {} if tracks is None else tracks
    rows = [_Row(name, lane) for name, found in tracks.items() for lane in stacked(found) or [[]]]
    colors = _colors(tracks)
    figure = _new_figure(duration, n_rows=len(rows), has_curve=curve is not None)
    axes = iter(figure.axes)
    _draw_waveform(next(axes), mono, sr, _spans(next(iter(tracks.values()), ()), colors))
    _draw_spectrogram(next(axes), mono, sr)
    if curve is not None:
        _draw_curve(next(axes), curve, hop, threshold)
    if rows:
        _draw_rows(next(axes), rows, colors)
        _draw_legend(figure, tracks, colors)
    return figure


class _Row(NamedTuple):
    """A row of bars that do not overlap, and the name of its track."""

    track: str
    segments: list[Segment]


def _checked_probabilities(probabilities: ArrayLike, hop: float) -> NDArray[np.float64]:
    try:
        curve = np.asarray(probabilities, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"probabilities must be numbers: {error}") from error
    if curve.ndim != 1:
        raise InputError(f"probabilities must have shape (n_frames,), got {curve.shape}")
    if not ((curve >= 0.0) & (curve <= 1.0)).all():
        raise InputError("probabilities must lie in 0…1")
    if not 0.0 < hop < np.inf:
        raise InputError(f"hop must be above 0 seconds, got {hop}")
    return curve


def _colors(tracks: Tracks) -> dict[str, Color]:
    """Return a colour for every label, in the order in which they are first heard."""
    colors: dict[str, Color] = {}
    for segments in tracks.values():
        for one in sorted(segments):
            if one.label not in colors:
                red, green, blue = color_of_label(len(colors) + 1)
                colors[one.label] = red / 255, green / 255, blue / 255
    return colors


def _new_figure(duration: float, *, n_rows: int, has_curve: bool) -> "Figure":
    """Return a figure with all axes in it."""
    heights = [1.0, 2.0, *([0.8] if has_curve else []), *([ROW * n_rows] if n_rows else [])]
    size = (WIDTH, 0.9 + sum(heights))
    figure = new_figure(size, dpi=150)
    figure.set_layout_engine("constrained", hspace=0.02)
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    for ax in axes[:, 0]:
        draw_in_ink(ax)
    figure.align_ylabels()
    last = axes[-1, 0]
    last.set_xlim(0.0, duration)
    if duration > MINUTES:
        from matplotlib.ticker import FuncFormatter, MultipleLocator

        step = next((step for step in STEPS if duration <= 12 * step), duration)
        last.xaxis.set_major_locator(MultipleLocator(step))
        last.xaxis.set_major_formatter(FuncFormatter(_minutes))
    last.set_xlabel("time, min:s" if duration > MINUTES else "time, s")
    return figure


def _minutes(seconds: float, _: int | None) -> str:
    """Return a time as people say it: 2:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _spans(segments: Sequence[Segment], colors: dict[str, Color]) -> Iterator[Bars]:
    """Yield, for every label that segments have, its colour and (start, duration) of each."""
    for label in dict.fromkeys(one.label for one in segments):
        yield colors[label], [(one.start, one.duration) for one in segments if one.label == label]


def _draw_waveform(ax: "Axes", mono: NDArray[np.float32], sr: int, tint: Iterable[Bars]) -> None:
    """Draw the lowest and highest sample of every column, and a tint where there are segments."""
    starts = _column_starts(len(mono))
    low, high = np.minimum.reduceat(mono, starts), np.maximum.reduceat(mono, starts)
    loudest = max(float(np.abs(mono).max()), 1e-6)
    for color, spans in tint:
        ax.broken_barh(spans, (-2.0, 4.0), facecolor=color, alpha=0.25, linewidth=0)
    ax.fill_between(starts / sr, low / loudest, high / loudest, color=INK, lw=0.3)
    ax.set_ylim(-1.05, 1.05)
    ax.set_yticks([])
    ax.set_ylabel("waveform")


def _column_starts(n_rows: int) -> NDArray[np.intp]:
    """Return where each column of the picture begins; there are as many as it can show."""
    return np.unique(np.linspace(0, n_rows, MOST_COLUMNS, endpoint=False).astype(np.intp))


def _column_means(table: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return where each column of the picture begins, and the mean of the rows in it."""
    if not len(table):
        return np.zeros(0, dtype=np.intp), table
    starts = _column_starts(len(table))
    n_rows = np.diff(np.append(starts, len(table)))[:, np.newaxis]
    return starts, np.add.reduceat(table, starts, axis=0) / n_rows


def _draw_spectrogram(ax: "Axes", mono: NDArray[np.float32], sr: int) -> None:
    """Draw the power in mel bands, in dB, from the loudest downwards."""
    rate = checked_rate(sr)
    n_fft = max(2 ** int(np.ceil(np.log2(FRAME * rate))), 256)
    hop_length = int(np.clip(len(mono) // MOST_COLUMNS, round(HOP * rate), n_fft))
    bands = frame_features(
        mono, sr=rate, kind="log-mel", n_mels=N_MELS, hop_length=hop_length, n_fft=n_fft
    )
    _, columns = _column_means(bands)
    top = float(np.percentile(columns, 99.9))
    # The first and the last frame stand for half a hop beyond their centres.
    ends = (-0.5 * hop_length / rate, (len(bands) - 0.5) * hop_length / rate)
    limits = ax.get_xlim()
    ax.imshow(
        columns.T, origin="lower", aspect="auto", cmap="magma", vmin=top - RANGE, vmax=top,
        extent=(*ends, -0.5, N_MELS - 0.5), interpolation="nearest",
    )  # fmt: skip
    ax.set_xlim(limits)
    centres = band_centres(rate, N_MELS)
    ticks = [tick for tick in TICKS if centres[0] < tick < centres[-1]]
    names = [f"{tick // 1000} kHz" if tick >= 1000 else f"{tick} Hz" for tick in ticks]
    ax.set_yticks(np.interp(ticks, centres, np.arange(N_MELS)), names)
    ax.set_ylabel("frequency")


def _draw_curve(
    ax: "Axes", curve: NDArray[np.float64], hop: float, threshold: float | None
) -> None:
    """Draw the probability; of more frames than columns, the mean in every column."""
    starts, means = _column_means(curve[:, np.newaxis])
    ax.fill_between(starts * hop, 0.0, means[:, 0], color=CURVE, alpha=0.25, lw=0)
    ax.plot(starts * hop, means[:, 0], color=CURVE, lw=1.1)
    if threshold is not None:
        ax.axhline(threshold, color=FAINT_INK, lw=0.9, ls=(0, (4, 3)))
    ax.set_ylim(-0.02, 1.02)
    ax.set_yticks([0.0, 0.5, 1.0], ["0", "0.5", "1"])
    ax.set_ylabel("probability")


def _draw_rows(ax: "Axes", rows: list[_Row], colors: dict[str, Color]) -> None:
    """Draw the bars of every row, the first on top, and the name of each track beside its rows."""
    narrow = 10 * ax.get_xlim()[1] / MOST_COLUMNS
    for place, row in enumerate(rows):
        for color, spans in _spans(row.segments, colors):
            # White edges would hide bars as narrow as themselves.
            edges = [0.4 if width > narrow else 0.0 for _, width in spans]
            ax.broken_barh(
                spans, (place - 0.38, 0.76), facecolor=color, edgecolor="white", linewidths=edges
            )
    tracks = [row.track for row in rows]
    names = list(dict.fromkeys(tracks))
    middles = [np.mean([k for k, track in enumerate(tracks) if track == name]) for name in names]
    for border in (k - 0.5 for k in range(1, len(rows)) if tracks[k] != tracks[k - 1]):
        ax.axhline(border, color=FAINT_INK, lw=0.5)
    ax.set_yticks(middles, names)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(rows) - 0.5, -0.5)


def _draw_legend(figure: "Figure", tracks: Tracks, colors: dict[str, Color]) -> None:
    """Tell which colour is which label, and how long it is on in the first track that has it."""
    from matplotlib.patches import Patch

    handles = []
    for label, color in list(colors.items())[:MOST_NAMES]:
        of_tracks = ([one for one in found if one.label == label] for found in tracks.values())
        seconds = sum(one.duration for one in union(next(own for own in of_tracks if own)))
        handles.append(Patch(facecolor=color, label=f"{label}  {seconds:.1f} s"))
    if len(colors) > MOST_NAMES:
        handles.append(Patch(facecolor="white", label=f"and {len(colors) - MOST_NAMES} more"))
    if handles:
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(len(handles), 6),
            frameon=False, labelcolor=INK, handlelength=1.2, handleheight=0.9,
        )  # fmt: skip
