"""How well speakers were told apart: the diarization error rate, its parts, and who is who."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gmmseg.evaluation.cells import Segments, cells_of
from gmmseg.evaluation.rates import rate_of


@dataclass(frozen=True)
class DiarizationError:
    """Seconds of speakers that went wrong, by what went wrong; they add up over recordings.

    Parameters
    ----------
    speaker_time : float
        Seconds of speech in the reference; two who speak at once for a second make two.
    miss : float
        Seconds of speakers that were not called any speaker.
    false_alarm : float
        Seconds of speakers that are not there.
    confusion : float
        Seconds of speakers that were called another speaker.

    Examples
    --------
    >>> from gmmseg.evaluation import DiarizationError
    >>> error = DiarizationError(10.0, 1.0, 0.5, 0.5) + DiarizationError(30.0, 2.0, 4.0, 0.0)
    >>> error.error_rate
    0.2
    """

    speaker_time: float
    miss: float
    false_alarm: float
    confusion: float

    def __add__(self, other: "DiarizationError") -> "DiarizationError":
        return DiarizationError(
            self.speaker_time + other.speaker_time,
            self.miss + other.miss,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
        )

    @property
    def error_rate(self) -> float:
        """The diarization error rate: all errors per second of speech; it may exceed 1."""
        return rate_of(self.miss + self.false_alarm + self.confusion, self.speaker_time)

    @property
    def miss_rate(self) -> float:
        """Missed seconds per second of speech."""
        return rate_of(self.miss, self.speaker_time)

    @property
    def false_alarm_rate(self) -> float:
        """False seconds per second of speech."""
        return rate_of(self.false_alarm, self.speaker_time)

    @property
    def confusion_rate(self) -> float:
        """Confused seconds per second of speech."""
        return rate_of(self.confusion, self.speaker_time)


def diarization_error(
    reference: Segments,
    hypothesis: Segments,
    *,
    collar: float = 0.0,
    skip_overlap: bool = False,
    scored: Segments | None = None,
) -> DiarizationError:
    """Compare who speaks when in two timelines, exactly, under the best match of their speakers.

    In every moment with R speakers in the reference and H in the hypothesis, max(0, R - H) are
    missed, max(0, H - R) are false, and of the other min(R, H) those that are not the right ones
    are confused. Names do not matter: speakers are matched one to one so that as many seconds as
    possible are right (NIST 2009, Rich Transcription evaluation plan).

    Parameters
    ----------
    reference : segments
        The truth: objects with start, end and label, or rows (start, end, label), in seconds.
    hypothesis : segments
        What is held to it.
    collar : float
        Seconds on EACH side of every boundary of the reference that are not scored, as in NIST's
        md-eval. Mind that the collar of pyannote.metrics is the whole width: ITS 0.5 IS 0.25 HERE,
        and figures with its 0.25 are not those with 0.25 here.
    skip_overlap : bool
        Whether time with two or more speakers in the reference is left out.
    scored : segments, optional
        The only time that is scored, as a UEM file says; all of it if None.

    Returns
    -------
    error : DiarizationError
        The seconds, and the rates made of them. Of a reference without speech the rates are 0 if
        nothing is wrong, else 1.

    Raises
    ------
    InputError
        If a segment is none, or the collar is negative or not finite.

    Examples
    --------
    >>> from gmmseg.evaluation import diarization_error
    >>> truth = [(0, 6, "Ann"), (6, 10, "Ben")]
    >>> guess = [(0, 5, "1"), (5, 9, "2"), (10, 11, "2")]
    >>> error = diarization_error(truth, guess)
    >>> error
    DiarizationError(speaker_time=10.0, miss=1.0, false_alarm=1.0, confusion=1.0)
    >>> error.error_rate
    0.3
    """
    cells = cells_of(reference, hypothesis, collar=collar, skip_overlap=skip_overlap, scored=scored)
    n_true, n_called = cells.reference.sum(axis=0), cells.hypothesis.sum(axis=0)
    together = cells.seconds_together()
    right = float(together[best_match(together)].sum())
    return DiarizationError(
        cells.seconds(n_true),
        cells.seconds(np.maximum(n_true - n_called, 0)),
        cells.seconds(np.maximum(n_called - n_true, 0)),
        max(cells.seconds(np.minimum(n_true, n_called)) - right, 0.0),
    )


def match_speakers(
    reference: Segments,
    hypothesis: Segments,
    *,
    collar: float = 0.0,
    skip_overlap: bool = False,
    scored: Segments | None = None,
) -> dict[str, str]:
    """Return who is who: the match of speakers under which `diarization_error` counts.

    Parameters
    ----------
    reference, hypothesis : segments
        Objects with start, end and label, or rows (start, end, label), in seconds.
    collar : float
        As in `diarization_error`: seconds on each side.
    skip_overlap : bool
        As in `diarization_error`.
    scored : segments, optional
        As in `diarization_error`.

    Returns
    -------
    match : dict of str to str
        ``match[name in the hypothesis]`` is the name in the reference; who speaks with nobody
        is left out.

    Raises
    ------
    InputError
        If a segment is none, or the collar is negative or not finite.

    Examples
    --------
    >>> from gmmseg.evaluation import match_speakers
    >>> match_speakers([(0, 6, "Ann"), (6, 10, "Ben")], [(0, 5, "1"), (5, 9, "2")])
    {'1': 'Ann', '2': 'Ben'}
    """
    cells = cells_of(reference, hypothesis, collar=collar, skip_overlap=skip_overlap, scored=scored)
    together = cells.seconds_together()
    truths, guesses = best_match(together)
    return {
        cells.hypothesis_labels[guess]: cells.reference_labels[truth]
        for truth, guess in sorted(zip(truths, guesses, strict=True), key=lambda pair: pair[1])
        if together[truth, guess] > 0.0
    }


def best_match(values: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of the one-to-one match of largest sum (Kuhn, 1955)."""
    rows, columns = linear_sum_assignment(values, maximize=True)
    return rows, columns
