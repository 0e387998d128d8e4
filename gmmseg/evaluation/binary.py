"""What is right and wrong where there are two kinds, and the rates made of it."""

from dataclasses import astuple, dataclass
from typing import Self

from gmmseg.evaluation.rates import rate_of


@dataclass(frozen=True)
class BinaryRates:
    """Four sums, of seconds or of pixels, and their rates; they add up over files."""

    true_positive: float
    false_positive: float
    false_negative: float
    true_negative: float

    def __add__(self, other: Self) -> Self:
        sums = zip(astuple(self), astuple(other), strict=True)
        return type(self)(*(own + more for own, more in sums))

    @property
    def wrong(self) -> float:
        """The sum of what was called wrongly."""
        return self.false_positive + self.false_negative

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 if nothing was."""
        return 1.0 - rate_of(self.false_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Share of what is there that was found; 1 if there is nothing."""
        return 1.0 - rate_of(self.false_negative, self.true_positive + self.false_negative)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 if nothing is there nor was found."""
        return 1.0 - rate_of(self.wrong, 2.0 * self.true_positive + self.wrong)

    @property
    def accuracy(self) -> float:
        """Share of all that was called what it is."""
        there = self.true_positive + self.false_negative
        elsewhere = self.false_positive + self.true_negative
        return 1.0 - rate_of(self.wrong, there + elsewhere)
