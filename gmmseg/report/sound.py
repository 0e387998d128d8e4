"""Show when, and in which band, a sound is strange: its spectrogram, and how much adds up when."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.anomaly_explanation import AudioExplanation
from gmmseg.report.lettering import FAINT_INK, INK, paste, sheet_of_paper, shortened, text_line
from gmmseg.report.strangeness import overlay_anomaly

Array = NDArray[np.float64]

_BAND_HEIGHT = 9  # pixels of a band
_LETTERS = 15
_LEFT, _GAP = 64, 10
_CURVE_HEIGHT = 56
_MARGIN = 16
_CURVE_COLOR = (200, 10, 40)
_DEPTH = 60.0  # dB shown
_SMOOTHING = 3  # frames, of what is marked


def picture_sound(
    explanation: AudioExplanation, *, is_anomalous: bool, title: str = "", width: int = 800
) -> NDArray[np.uint8]:
    """Draw the spectrogram of a sound, the strange part of an anomalous one in warm colours.

    Outlined is the smallest part that holds half of what makes the sound strange; the curve below
    says when it is how strange.

    Parameters
    ----------
    explanation : AudioExplanation
        What `AudioAnomalyDetector.explain` found.
    is_anomalous : bool
        Whether to mark the strange part at all.
    title : str
        What is written above, beside score and p-value.
    width : int
        Width of the spectrogram, in pixels.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture.

    Examples
    --------
    >>> levels = np.zeros((50, 32))
    >>> found = AudioExplanation(0.0, 1.0, np.arange(50.0), np.arange(1.0, 33), levels, levels)
    >>> picture_sound(found, is_anomalous=False).shape[2]
    3
    """
    plot = _spectrogram(explanation, width, is_anomalous=is_anomalous)
    curve = _curve(explanation.frame_scores, plot.shape[1], is_anomalous=is_anomalous)
    top = 2 * _LETTERS + _GAP
    rows = top + len(plot) + _GAP + len(curve) + 2 * _LETTERS + _MARGIN
    paper = sheet_of_paper(rows, _LEFT + plot.shape[1] + _MARGIN)
    words = f"{title}   " if title else ""
    verdict = "anomalous" if is_anomalous else "normal"
    words += f"{verdict}, score {explanation.score:.2f}, p-value {explanation.p_value:.2g}"
    line = text_line(shortened(words, _LETTERS + 2, plot.shape[1]), _LETTERS + 2)
    paste(paper, line, _GAP, _LEFT)
    paste(paper, plot, top, _LEFT)
    paste(paper, curve, top + len(plot) + _GAP, _LEFT)
    for place, label in _frequency_marks(explanation.frequencies):
        mark = text_line(label, _LETTERS, FAINT_INK)
        row = top + len(plot) - round((place + 0.5) * _BAND_HEIGHT) - len(mark) // 2
        paste(paper, mark, row, _LEFT - mark.shape[1] - 6)
    below = top + len(plot) + _GAP + len(curve) + 2
    for place, label in _time_marks(explanation.times):
        mark = text_line(label, _LETTERS, FAINT_INK)
        col = round(place * (plot.shape[1] - 1))
        paper[below - 2 : below + 4, _LEFT + col] = FAINT_INK
        paste(paper, mark, below + 4, min(_LEFT + col, paper.shape[1] - mark.shape[1]))
    return paper


def _spectrogram(
    explanation: AudioExplanation, width: int, *, is_anomalous: bool
) -> NDArray[np.uint8]:
    """Return levels in gray, low bands below, and the strange part in colours."""
    levels = explanation.levels
    light = np.clip(1.0 + (levels - levels.max()) / _DEPTH, 0.0, 1.0)
    if levels.max() - levels.min() < 1e-6:
        light = np.full_like(levels, 0.1)
    found, limit = np.zeros_like(levels), float("inf")
    if is_anomalous:
        found = _smoothed(explanation.contributions)
        limit = _half_limit(found)
    gray = _upright(255.0 * light, width)
    picture = np.rint(gray).astype(np.uint8)
    strangeness = _upright(found, width)
    return overlay_anomaly(np.stack([picture] * 3, axis=2), strangeness, threshold=limit)


def _smoothed(contributions: Array) -> Array:
    """Return the mean over neighbouring frames: single frames of noise are not what is meant."""
    kernel = np.ones(_SMOOTHING) / _SMOOTHING
    padded = np.pad(contributions, ((1, 1), (0, 0)), mode="edge")
    return np.apply_along_axis(np.convolve, 0, padded, kernel, mode="valid")


def _half_limit(found: Array) -> float:
    """Return the value above which half of all lies."""
    descending = np.sort(found, axis=None)[::-1]
    total = descending.cumsum()
    limit = descending[min(int(np.searchsorted(total, 0.5 * total[-1])), len(descending) - 1)]
    return float(limit) * (1.0 - 1e-6)


def _upright(table: Array, width: int) -> Array:
    """Return a table of frames as rows of bands, the lowest last, in pixels."""
    cols = np.arange(width) * len(table) // width
    return np.repeat(table[cols].T[::-1], _BAND_HEIGHT, axis=0)


def _curve(scores: Array, width: int, *, is_anomalous: bool) -> NDArray[np.uint8]:
    """Return a filled curve of the scores; that of a normal sound is faint."""
    curve = sheet_of_paper(_CURVE_HEIGHT, width)
    cols = np.arange(width) * len(scores) // width
    share = scores[cols] / max(float(scores.max()), 1e-12)
    height = np.rint(share * (_CURVE_HEIGHT - 2)).astype(np.intp)
    is_below = np.arange(_CURVE_HEIGHT)[::-1, np.newaxis] < height
    curve[is_below] = _CURVE_COLOR if is_anomalous else (205, 205, 212)
    curve[-1] = INK
    return curve


def _frequency_marks(frequencies: Array) -> list[tuple[float, str]]:
    """Return places in bands and words of round frequencies."""
    top = frequencies[-1]
    decades = 10.0 ** np.arange(np.floor(np.log10(max(top, 1e-6))) - 1, np.log10(top) + 1)
    marks: list[tuple[float, str]] = []
    for hertz in (d * f for d in decades for f in (1, 2, 5)):
        if frequencies[0] <= hertz <= top:
            place = float(np.interp(hertz, frequencies, np.arange(len(frequencies))))
            if not marks or place - marks[-1][0] > 2.5:
                marks.append((place, _hertz(hertz)))
    return marks


def _hertz(hertz: float) -> str:
    return f"{hertz / 1000:g} kHz" if hertz >= 1000 else f"{hertz:g} Hz"


def _time_marks(times: Array) -> list[tuple[float, str]]:
    """Return places from 0 to 1 and words of round times."""
    span = max(float(times[-1]), 1e-9)
    step = 10.0 ** np.floor(np.log10(span / 4))
    step *= next((f for f in (1, 2, 5) if span / (step * f) <= 8), 10)
    n_steps = int(np.floor(span / step + 1e-9))
    ticks = [float(round(k * step, 9)) for k in range(n_steps + 1)]
    return [(t / span, f"{t:g} s" if t else "0") for t in ticks]
