"""How well every single speaker was found: the Jaccard error rate, in which all weigh the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.evaluation.cells import Cells, Segments, cells_of
from gmmseg.evaluation.diarization import best_match


@dataclass(frozen=True)
class JaccardError:
    """The error of every speaker of the reference; recordings add up to more speakers.

    Parameters
    ----------
    speakers : tuple of str
        Speakers of the reference.
    errors : tuple of float
        The error of each, 0 to 1.

    Examples
    --------
    >>> from gmmseg.evaluation import JaccardError
    >>> (JaccardError(("Ann",), (0.0,)) + JaccardError(("Ann", "Ben"), (0.5, 1.0))).error_rate
    0.5
    """

    speakers: tuple[str, ...]
    errors: tuple[float, ...]

    def __add__(self, other: "JaccardError") -> "JaccardError":
        return JaccardError(self.speakers + other.speakers, self.errors + other.errors)

    @property
    def error_rate(self) -> float:
        """The Jaccard error rate: the mean over the speakers; 0 if there are none."""
        return float(np.mean(self.errors)) if self.errors else 0.0


def jaccard_error(
    reference: Segments, hypothesis: Segments, *, scored: Segments | None = None
) -> JaccardError:
    """Compare who speaks when, speaker by speaker, without a collar and with overlap.

    Of a speaker of the reference and one of the hypothesis, the error is the share of the time in
    which either speaks that not both do. Speakers are matched one to one so that the mean error is
    smallest; who has no match has error 1 (Ryant et al. 2019, second DIHARD evaluation plan, 1.1).
    Mind that pyannote.metrics matches as for the diarization error rate, which may give a larger
    mean.

    Parameters
    ----------
    reference : segments
        The truth: objects with start, end and label, or rows (start, end, label), in seconds.
    hypothesis : segments
        What is held to it.
    scored : segments, optional
        The only time that is scored; all of it if None.

    Returns
    -------
    error : JaccardError
        The error of every speaker, and their mean.

    Raises
    ------
    InputError
        If a segment is none.

    Examples
    --------
    >>> from gmmseg.evaluation import jaccard_error
    >>> jaccard_error([(0, 6, "Ann"), (6, 10, "Ben")], [(0, 6, "1"), (6, 8, "2")])
    JaccardError(speakers=('Ann', 'Ben'), errors=(0.0, 0.5))
    """
    cells = cells_of(reference, hypothesis, scored=scored)
    pairs = pair_errors(cells)
    rows, columns = best_match(1.0 - pairs)
    errors = np.ones(len(cells.reference_labels))
    errors[rows] = pairs[rows, columns]
    is_there = cells.reference.any(axis=1)  # in the time that is scored
    speakers = np.array(cells.reference_labels, dtype=object)[is_there]
    return JaccardError(tuple(speakers.tolist()), tuple(errors[is_there].tolist()))


def pair_errors(cells: Cells) -> NDArray[np.float64]:
    """Return the error of each two speakers, (n_reference, n_hypothesis): 1 - both / either."""
    both = cells.seconds_together()
    alone = cells.reference @ cells.durations
    other = cells.hypothesis @ cells.durations
    either = alone[:, None] + other - both
    return 1.0 - np.divide(both, either, out=np.zeros_like(both), where=either > 0.0)
