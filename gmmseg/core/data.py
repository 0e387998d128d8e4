"""What a mixture is fitted to: samples that EM asks for statistics, wherever they are kept."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.estep import weighted_statistics
from gmmseg.core.initialization import subsample
from gmmseg.core.missing import Incomplete, Table, prepared, weight_of_seen
from gmmseg.core.noise import UniformNoise, noise_around
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import in_units

LARGEST_SUM = float(np.finfo(np.float64).max)  # which a sum of weights may exceed

Array = NDArray[np.float64]
Labels = NDArray[np.int32]


class Data(ABC):
    """Samples with their weights, as a fit sees them.

    Of ``n_columns`` columns the ``features`` take part; rows that miss all count for nothing.
    """

    dtype: np.dtype[Any]
    n_columns: int
    features: NDArray[np.intp]
    weight_sum: float
    unit: float  # of the weights in the statistics

    @property
    def n_features(self) -> int:
        """Number of features that take part."""
        return len(self.features)

    @abstractmethod
    def statistics(self, parameters: MixtureParameters) -> SufficientStatistics:
        """Return the statistics of all samples under a mixture (the E-step)."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return at most 20,000 different rows as float64 and their weights, to search a start."""

    @abstractmethod
    def labelled(self) -> tuple[NDArray[Any], Labels]:
        """Return the samples of known label, and these."""

    @abstractmethod
    def noise(self) -> UniformNoise:
        """Return uniform noise in the smallest box around all samples that have a weight."""


@dataclass(frozen=True, eq=False)
class TableData(Data):
    """Samples in one array.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Checked samples, C-ordered float32 or float64; NaN where an entry is missing.
    sample_weight : ndarray of shape (n_samples,) or None
        Checked weights.
    labels : ndarray of shape (n_samples,) or None
        Components that samples are known to belong to, -1 for none.
    with_unseen : bool
        Whether features that no sample has take part.
    n_jobs : int or None
        Number of threads; the statistics do not depend on it.
    """

    X: NDArray[Any]
    sample_weight: Array | None = None
    labels: Labels | None = None
    with_unseen: bool = True
    n_jobs: int | None = None
    table: Table = field(init=False)
    weight: Array | None = field(init=False)

    def __post_init__(self) -> None:
        """Look for missing entries once, not in every iteration."""
        weight, unit = in_units(weight_of_seen(self.X, self.sample_weight))
        object.__setattr__(self, "weight", weight)
        table, n_columns = prepared(self.X, with_unseen=self.with_unseen), self.X.shape[1]
        object.__setattr__(self, "table", table)
        features = table.features if isinstance(table, Incomplete) else np.arange(n_columns)
        object.__setattr__(self, "dtype", self.X.dtype)
        object.__setattr__(self, "n_columns", n_columns)
        object.__setattr__(self, "features", features)
        total = len(self.X) if weight is None else float(weight.sum()) * unit
        object.__setattr__(self, "weight_sum", min(float(total), LARGEST_SUM))
        object.__setattr__(self, "unit", unit)

    def statistics(self, parameters: MixtureParameters) -> SufficientStatistics:
        """Return the statistics of all samples under a mixture (the E-step)."""
        return weighted_statistics(
            self.table, parameters, self.weight, self.n_jobs, known_labels=self.labels
        )

    def sample(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return at most 20,000 different rows as float64 and their weights, to search a start."""
        rows, weight = subsample(self.X, self.weight, rng)
        return rows.take(self.features, axis=1), weight  # which leaves rows in one piece

    def labelled(self) -> tuple[NDArray[Any], Labels]:
        """Return the samples of known label, and these."""
        if self.labels is None:
            return self.X[:0, self.features], np.empty(0, np.int32)
        rows = np.flatnonzero(self.labels >= 0)
        return self.X[rows][:, self.features], self.labels[rows]

    def noise(self) -> UniformNoise:
        """Return uniform noise in the smallest box around all samples that have a weight."""
        return noise_around(self.X[:, self.features], self.weight)
