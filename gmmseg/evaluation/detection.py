"""How well speech was found: what was missed, what was raised for nothing, and the rates of it."""

from dataclasses import dataclass

from gmmseg.evaluation.binary import BinaryRates
from gmmseg.evaluation.cells import Segments, cells_of
from gmmseg.evaluation.rates import rate_of


@dataclass(frozen=True)
class DetectionError(BinaryRates):
    """Seconds by what they are and what they were called; they add up over recordings.

    Parameters
    ----------
    true_positive : float
        Seconds of speech that were called speech.
    false_positive : float
        Seconds without speech that were called speech.
    false_negative : float
        Seconds of speech that were missed.
    true_negative : float
        Seconds without speech that were called so.

    Examples
    --------
    >>> from gmmseg.evaluation import DetectionError
    >>> one, other = DetectionError(8.0, 1.0, 2.0, 9.0), DetectionError(0.0, 1.0, 0.0, 9.0)
    >>> (one + other).error_rate
    0.4
    """

    @property
    def speech(self) -> float:
        """Seconds of speech in the reference."""
        return self.true_positive + self.false_negative

    @property
    def nonspeech(self) -> float:
        """Seconds without speech in the reference."""
        return self.false_positive + self.true_negative

    @property
    def error_rate(self) -> float:
        """Missed and false seconds per second of speech; it may exceed 1."""
        return rate_of(self.wrong, self.speech)

    @property
    def miss_rate(self) -> float:
        """Share of speech that was missed."""
        return rate_of(self.false_negative, self.speech)

    @property
    def false_speech_rate(self) -> float:
        """Share of the time without speech that was called speech."""
        return rate_of(self.false_positive, self.nonspeech)


def detection_error(
    reference: Segments,
    hypothesis: Segments,
    *,
    collar: float = 0.0,
    scored: Segments | None = None,
) -> DetectionError:
    """Compare two timelines of speech, exactly, whatever the labels in them.

    Parameters
    ----------
    reference : segments
        The truth: objects with start, end and label, or rows (start, end[, label]), in seconds.
    hypothesis : segments
        What is held to it.
    collar : float
        Seconds on EACH side of every boundary of the reference that are not scored. Mind that
        the collar of pyannote.metrics is the whole width: its 0.5 is 0.25 here.
    scored : segments, optional
        The only time that is scored, such as ``[(0, duration)]``. If None, from the first start to
        the last end of either, so that time without speech before and after is not counted.

    Returns
    -------
    error : DetectionError
        The seconds, and the rates made of them.

    Raises
    ------
    InputError
        If a segment is none, or the collar is negative or not finite.

    Examples
    --------
    >>> from gmmseg.evaluation import detection_error
    >>> error = detection_error([(1, 5)], [(2, 6)], scored=[(0, 10)])
    >>> error
    DetectionError(true_positive=3.0, false_positive=1.0, false_negative=1.0, true_negative=5.0)
    >>> error.error_rate
    0.5
    """
    cells = cells_of(reference, hypothesis, collar=collar, scored=scored, ignore_labels=True)
    is_speech = cells.reference.sum(axis=0) > 0
    is_called = cells.hypothesis.sum(axis=0) > 0
    return DetectionError(
        cells.seconds(is_speech & is_called),
        cells.seconds(~is_speech & is_called),
        cells.seconds(is_speech & ~is_called),
        cells.seconds(~is_speech & ~is_called),
    )
