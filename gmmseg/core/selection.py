"""The number of components and the covariance family, chosen by a criterion over shared work.

All candidates begin with the same subsample and, for each number of components, the same groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.core import criteria
from gmmseg.core.covariance_base import Floor
from gmmseg.core.em import EMOptions, FitRecord, run_em
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.initialization import (
    Labels,
    LabelSource,
    label_source,
    parameters_from_labels,
    subsample,
    unlike_units,
)
from gmmseg.core.missing import prepared, weight_of_seen
from gmmseg.core.noise import noise_around
from gmmseg.core.noise_start import dense_samples
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import in_units
from gmmseg.errors import InputError

Array = NDArray[np.float64]
Criterion = Literal["bic", "icl", "held-out"]

PATIENCE = 2  # times in a row that more components may be worse before a family is left
HELD_OUT = 0.25  # share of the samples that "held-out" judges by
MUCH_DATA = 4  # times the subsample, from which on candidates are fitted to that first
AT_FLOOR = 1.0 + 1e-6  # floors


@dataclass(frozen=True, kw_only=True)
class SelectionPlan:
    """What to choose from, how to judge, and how to begin.

    Parameters
    ----------
    n_components : tuple of int
        Numbers of components, ascending.
    covariance_types : tuple of str
        Names of covariance families.
    criterion : {"bic", "icl", "held-out"}, default="bic"
        What candidates are judged by.
    method : {"k-means++", "random", "hierarchical"}, default="k-means++"
        How groups to start from are found. All candidates start from the tree of merged samples,
        too: chance would prefer the numbers of components that it had luck with.
    n_init : int, default=1
        Number of starts of each candidate by that method.
    noise : bool, default=False
        Whether there is uniform noise besides the Gaussians.
    """

    n_components: tuple[int, ...]
    covariance_types: tuple[str, ...]
    criterion: Criterion = "bic"
    method: str = "k-means++"
    n_init: int = 1
    noise: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The method of each start."""
        by_chance = () if self.method == "hierarchical" else (self.method,) * self.n_init
        return (*by_chance, "hierarchical")


@dataclass(frozen=True)
class Candidate:
    """One mixture that was tried.

    Parameters
    ----------
    n_components : int
        Number of Gaussians.
    covariance_type : str
        Covariance family.
    value : float
        The criterion: lower is better.
    log_likelihood : float
        ``sum_i s_i log p(x_i)`` of the samples it was fitted to; for "held-out", of the others.
    n_parameters : int
        Number of free parameters.
    is_converged : bool
        Whether EM came to rest.
    is_degenerate : bool
        Whether a component is as narrow as the variance floor lets it be. Then the floor decides
        the likelihood, and BIC and ICL mean little: such a candidate is chosen only if all are so.
    """

    n_components: int
    covariance_type: str
    value: float
    log_likelihood: float
    n_parameters: int
    is_converged: bool
    is_degenerate: bool


@dataclass(frozen=True)
class Selection:
    """What was tried, how it was judged, and what was best; printed, it is a table.

    Parameters
    ----------
    criterion : {"bic", "icl", "held-out"}
        What candidates were judged by. "held-out" is minus the mean log-likelihood of a quarter of
        the samples, drawn once, that no candidate was fitted to.
    candidates : tuple of Candidate
        All mixtures that were tried.
    stopped : tuple of str
        Families that were left before the largest number of components, since more components had
        been worse twice in a row.

    Examples
    --------
    >>> tried = Candidate(1, "full", 8.0, -2.0, 2, is_converged=True, is_degenerate=False)
    >>> better = Candidate(2, "full", 6.5, -0.4, 5, is_converged=True, is_degenerate=False)
    >>> selection = Selection("bic", (tried, better))
    >>> selection.best.n_components
    2
    >>> print(selection)
    bic (lower is better): best is full with 2 components
                        1          2
    full              8.0       6.5*
    more components than were tried may be better
    """

    criterion: Criterion
    candidates: tuple[Candidate, ...]
    stopped: tuple[str, ...] = ()

    @property
    def best(self) -> Candidate:
        """The candidate of lowest value, the first of equals."""
        return min(self.candidates, key=self.rank)

    @property
    def is_at_limit(self) -> bool:
        """Whether the best has the largest number of components tried, so more may be better."""
        numbers = {candidate.n_components for candidate in self.candidates}
        return len(numbers) > 1 and self.best.n_components == max(numbers)

    def rank(self, candidate: Candidate) -> tuple[bool, float]:
        """Return what candidates are sorted by: the lower, the better."""
        return candidate.is_degenerate and self.criterion != "held-out", candidate.value

    def __str__(self) -> str:
        """Return a table: families down, numbers of components across."""
        numbers = sorted({candidate.n_components for candidate in self.candidates})
        families = dict.fromkeys(candidate.covariance_type for candidate in self.candidates)
        found = {(c.covariance_type, c.n_components): c for c in self.candidates}
        best = self.best
        components = f"{best.n_components} component{'s' * (best.n_components != 1)}"
        lines = [
            f"{self.criterion} (lower is better): best is {best.covariance_type} with {components}",
            " " * 10 + "".join(f"{number:11d}" for number in numbers),
        ]
        lines += [
            f"{family:10}" + "".join(self._cell(found.get((family, number))) for number in numbers)
            for family in families
        ]
        if any(candidate.is_degenerate for candidate in self.candidates):
            lines.append("! a component is as narrow as the variance floor lets it be")
        if self.stopped:
            lines.append(f"left early, as more components were worse: {', '.join(self.stopped)}")
        if self.is_at_limit:
            lines.append("more components than were tried may be better")
        return "\n".join(line.rstrip() for line in lines)

    def _cell(self, candidate: Candidate | None) -> str:
        if candidate is None:
            return f"{'-':>11}"
        mark = "!" * candidate.is_degenerate + "*" * (candidate is self.best)
        digits = 4 if self.criterion == "held-out" else 1
        return f"{f'{candidate.value:.{digits}f}{mark}':>11}"


def select_mixture(
    X: NDArray[Any],
    sample_weight: Array | None,
    plan: SelectionPlan,
    options: EMOptions,
    *,
    rng: np.random.Generator,
    n_jobs: int | None = None,
) -> tuple[MixtureParameters, FitRecord, Selection]:
    """Return the best mixture of the plan, the record of its fit, and what else was tried.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Checked samples, C-ordered float32 or float64.
    sample_weight : ndarray of shape (n_samples,) or None
        Checked weights.
    plan : SelectionPlan
        What to choose from.
    options : EMOptions
        When EM stops.
    rng : Generator
        Source of chance.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Returns
    -------
    parameters : MixtureParameters
        The best mixture, fitted to all samples.
    record : FitRecord
        How its fit went.
    selection : Selection
        All candidates.

    Raises
    ------
    InputError
        If there are too few samples to hold some out.
    """
    bench = _Bench(X, sample_weight, plan, options, rng=rng, n_jobs=n_jobs)
    candidates: list[Candidate] = []
    stopped: list[str] = []
    best: tuple[MixtureParameters, FitRecord] | None = None
    for covariance_type in plan.covariance_types:
        n_worse, last = 0, None
        for n_components in plan.n_components:
            fitted = bench.fitted(n_components, covariance_type)
            candidates.append(bench.judged(*fitted, n_components))
            now = Selection(plan.criterion, tuple(candidates))
            if now.best is candidates[-1]:
                best = fitted
            is_worse = last is not None and now.rank(last) < now.rank(candidates[-1])
            n_worse, last = n_worse + 1 if is_worse else 0, candidates[-1]
            if n_worse == PATIENCE and n_components != plan.n_components[-1]:
                stopped.append(covariance_type)
                break
    assert best is not None
    selection = Selection(plan.criterion, tuple(candidates), tuple(stopped))
    return *bench.on_all(*best), selection


class _Bench:
    """The work that all candidates share."""

    def __init__(
        self,
        X: NDArray[Any],
        sample_weight: Array | None,
        plan: SelectionPlan,
        options: EMOptions,
        *,
        rng: np.random.Generator,
        n_jobs: int | None,
    ) -> None:
        self.X, self.plan, self.options, self.rng, self.n_jobs = X, plan, options, rng, n_jobs
        self.all_weight, self.unit = in_units(weight_of_seen(X, sample_weight))
        self.table = prepared(X)
        self.noise = noise_around(X, self.all_weight) if plan.noise else None
        self.train = self.judges = self.all_weight
        if plan.criterion == "held-out":
            self.train, self.judges = self._split()
        self.groups: dict[int, list[tuple[Array, Array, Labels]]] = {}

    def _split(self) -> tuple[Array, Array]:
        """Return weights of the samples to fit to, and of those to judge by; others have 0."""
        weight = np.ones(len(self.X)) if self.all_weight is None else self.all_weight
        counting = np.flatnonzero(weight)
        if len(counting) < 2:
            raise InputError(
                "criterion='held-out' needs at least two samples of positive weight, got "
                f"{len(counting)}; choose by 'bic'"
            )
        n_held_out = max(1, round(HELD_OUT * len(counting)))
        is_held_out = np.zeros(len(weight), dtype=bool)
        is_held_out[self.rng.choice(counting, n_held_out, replace=False)] = True
        return np.where(is_held_out, 0.0, weight), np.where(is_held_out, weight, 0.0)

    @cached_property
    def sample(self) -> tuple[Array, Array]:
        """The samples that starts are found on, and their weights."""
        return subsample(self.X, self.train, self.rng)

    @cached_property
    def _sources(self) -> list[LabelSource]:
        searched = self.sample
        if self.noise is not None:
            searched = dense_samples(*searched, self.rng)
        unit = None if self.options.has_one_unit else unlike_units(searched[0])
        return [
            label_source(*searched, method=method, rng=self.rng, unit=its_unit)
            for method in self.plan.methods
            for its_unit in ((1.0,) if unit is None else (1.0, unit))
        ]

    def starts(self, n_components: int, covariance_type: str) -> Iterator[MixtureParameters]:
        """Yield mixtures to begin with, from groups that all families share."""
        if n_components not in self.groups:
            self.groups[n_components] = [source(n_components) for source in self._sources]
        for labelled in self.groups[n_components]:
            yield parameters_from_labels(
                *labelled, n_components, covariance_type=covariance_type
            ).with_noise(self.noise)

    def fitted(
        self, n_components: int, covariance_type: str
    ) -> tuple[MixtureParameters, FitRecord]:
        """Return the likeliest mixture that EM reaches from the starts, and its record."""
        starts = self.starts(n_components, covariance_type)
        if len(self.X) > MUCH_DATA * len(self.sample[0]):
            best, _ = self._likeliest(run_em(self._estep, s, self.options) for s in starts)
            starts = iter([best])
        return self._likeliest(self._goes_on(start, self.train) for start in starts)

    def on_all(
        self, parameters: MixtureParameters, record: FitRecord
    ) -> tuple[MixtureParameters, FitRecord]:
        """Return the mixture fitted to all samples, where some were held out; without idle ones."""
        if self.plan.criterion == "held-out":
            parameters, record = self._goes_on(parameters, self.all_weight)
        used = np.flatnonzero(parameters.weights)
        if not 0 < len(used) < parameters.n_components:  # there are none where all is noise
            return parameters, record
        return parameters.subset(used), record

    def judged(
        self, parameters: MixtureParameters, record: FitRecord, n_components: int
    ) -> Candidate:
        """Return what the criterion says of a mixture."""
        statistics = weighted_statistics(self.table, parameters, self.judges, self.n_jobs)
        log_likelihood = statistics.log_likelihood * self.unit
        return Candidate(
            n_components=n_components,
            covariance_type=parameters.covariance_type,
            value=self._value(parameters, statistics),
            log_likelihood=log_likelihood,
            n_parameters=parameters.n_free_parameters,
            is_converged=record.is_converged,
            is_degenerate=_is_at_floor(parameters, self.options.floor_of(statistics)),
        )

    def _value(self, parameters: MixtureParameters, statistics: SufficientStatistics) -> float:
        if self.plan.criterion == "held-out":
            return -statistics.mean_log_likelihood
        value = criteria.bic(
            statistics.log_likelihood * self.unit,
            parameters.n_free_parameters,
            statistics.weight_sum * self.unit,
        )
        if self.plan.criterion == "bic":
            return value
        entropy = criteria.assignment_entropy(self.X, parameters, self.judges, self.n_jobs)
        return criteria.icl(value, entropy * self.unit)

    def _estep(self, parameters: MixtureParameters) -> SufficientStatistics:
        rows, weight = self.sample
        # In the precision of X, whose kernels are compiled already.
        table = prepared(rows.astype(self.X.dtype))
        return weighted_statistics(table, parameters, weight, self.n_jobs)

    def _goes_on(
        self, parameters: MixtureParameters, weight: Array | None
    ) -> tuple[MixtureParameters, FitRecord]:
        start = Start(
            n_components=parameters.n_components,
            covariance_type=parameters.covariance_type,
            rng=self.rng,
            previous=parameters,
            sample=self.sample[0],
            noise=self.plan.noise,
        )
        return fit_mixture(self.X, weight, start, self.options, n_jobs=self.n_jobs)

    @staticmethod
    def _likeliest(
        fits: Iterator[tuple[MixtureParameters, FitRecord]],
    ) -> tuple[MixtureParameters, FitRecord]:
        return max(fits, key=lambda fit: fit[1].lower_bounds[-1])


def _is_at_floor(parameters: MixtureParameters, floor: Floor) -> bool:
    """Tell whether the floor holds a component in use."""
    spelled_out = parameters.component_covariances[parameters.weights > 0.0]
    if len(spelled_out) == 0:  # where all is noise
        return False
    unit = np.broadcast_to(np.sqrt(parameters.family.floors(floor)), (parameters.n_features,))
    if spelled_out.ndim == 3:
        smallest = np.linalg.eigvalsh(spelled_out / np.outer(unit, unit))[:, 0]
    else:
        smallest = spelled_out / unit**2
    return bool(smallest.min() <= AT_FLOOR)
