"""A timeline: labelled stretches of time, in seconds."""

import math
from dataclasses import dataclass

from gmmseg.errors import InputError


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
