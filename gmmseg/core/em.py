"""The EM loop: E-step, M-step, until the likelihood stands still; and a record of what happened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.acceleration import FIRST_PLAIN, Leaps
from gmmseg.core.covariance_base import Floor
from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.prior import CovariancePrior, prior_of_data
from gmmseg.core.rescue import (
    Reason,
    RescueTrial,
    find_redundant,
    raise_to_floor,
    starved_components,
    switch_off,
)
from gmmseg.core.statistics import SufficientStatistics

PRECISION = 1e-10  # relative fall of the likelihood that is rounding and no reason to stop

Action = Literal["re-seeded", "dropped"]
EStep = Callable[[MixtureParameters], SufficientStatistics]
FindWorst = Callable[[MixtureParameters], NDArray[np.float64]]


@dataclass(frozen=True)
class EMOptions:
    """When to stop, and how narrow a component may get.

    Parameters
    ----------
    tol : float, default=1e-3
        Stop when the mean log-likelihood per sample changes by less.
    max_iter : int, default=100
        Largest number of iterations.
    covariance_floor : float, default=1e-6
        Smallest variance, as a fraction of that of all data in the same feature.
    has_one_unit : bool, default=False
        Whether all features have one unit, as the channels of a colour: then the floor is a
        fraction of their mean variance.
    covariance_prior : float, default=0
        Number of samples that the prior over covariances counts as, in each component.
    fixed : frozenset of str, default=frozenset()
        Which of "weights", "means" and "covariances" stay as they are at the start.
    accelerate : bool, default=False
        Whether to leap where EM goes the same way in ever shorter steps.
    """

    tol: float = 1e-3
    max_iter: int = 100
    covariance_floor: float = 1e-6
    has_one_unit: bool = False
    covariance_prior: float = 0.0
    fixed: frozenset[str] = frozenset()
    accelerate: bool = False

    def floor_of(self, statistics: SufficientStatistics) -> NDArray[np.float64]:
        """Return the smallest variance that data of these statistics allow in each feature."""
        return variance_floor(statistics, self.covariance_floor, has_one_unit=self.has_one_unit)


@dataclass(frozen=True)
class FitEvent:
    """One component that lost its samples or became the twin of another, and what was done."""

    iteration: int
    component: int
    reason: Reason
    action: Action


@dataclass(frozen=True)
class FitRecord:
    """How a fit went.

    Parameters
    ----------
    lower_bounds : tuple of float
        What the fit raises, before each M-step, per unit of sample weight: the mean log-likelihood,
        with a prior that of the posterior, in variational Bayes the bound. It never falls.
    is_converged : bool
        Whether the change fell below ``tol``.
    stop_reason : str
        The same in words.
    events : tuple of FitEvent
        Components that were re-seeded or dropped.
    weight_sum : float, default=0
        Total weight of the samples that were learned from.
    """

    lower_bounds: tuple[float, ...]
    is_converged: bool
    stop_reason: str
    events: tuple[FitEvent, ...] = ()
    weight_sum: float = 0.0

    @property
    def n_iter(self) -> int:
        """Number of iterations."""
        return len(self.lower_bounds)


def run_em(
    estep: EStep,
    start: MixtureParameters,
    options: EMOptions,
    *,
    find_worst: FindWorst | None = None,
    has_labels: bool = False,
) -> tuple[MixtureParameters, FitRecord]:
    """Return the mixture that EM reaches from ``start``, and the record of the way.

    Parameters
    ----------
    estep : callable
        Maps parameters to the statistics of all data under them.
    start : MixtureParameters
        Where to begin.
    options : EMOptions
        When to stop.
    find_worst : callable, optional
        Maps parameters to a sample they explain badly, (n_features,): there a component that lost
        its samples is tried anew. Without it such a component is dropped (its weight becomes 0).
    has_labels : bool, default=False
        Whether samples are known to belong to certain components: then all of these stay.

    Returns
    -------
    parameters : MixtureParameters
        The fitted mixture.
    record : FitRecord
        Likelihoods, the reason to stop, and what befell components.
    """
    statistics = estep(start)
    goal = _Goal.of(statistics, options)
    parameters = start if "covariances" in options.fixed else raise_to_floor(start, goal.floor)
    if parameters is not start:
        statistics = estep(parameters)
    progress = _Progress(options)
    leaps = Leaps(is_on=options.accelerate and parameters.family.is_linear)
    may_move = not options.fixed and not has_labels
    before = parameters
    while not progress.is_at_limit(goal.bound(statistics, parameters)):
        progress.note(goal.bound(statistics, parameters))
        before, parameters = parameters, goal.maximize(statistics, parameters)
        redundant = None
        if may_move:
            redundant = find_redundant(
                parameters, progress.dropped, with_twins=progress.is_converged
            )
        if progress.is_exhausted:
            if may_move:
                parameters = _without_starved(parameters, progress)
            return parameters, progress.record()
        if redundant is not None:
            is_first = redundant.component not in progress.reseeded
            trial = redundant.try_at(parameters, find_worst if is_first else None, goal.floor)
            parameters, statistics = _better_of(trial, estep, goal, progress)
            leaps.begin_anew()
        elif progress.is_converged:
            return parameters, progress.record()
        else:
            steps, bound = (before, parameters), progress.bounds[-1]
            parameters, statistics = _leap_or_step(steps, leaps, estep, goal=goal, bound=bound)
    return before, progress.record(is_at_limit=True)


@dataclass(frozen=True, eq=False)
class _Goal:
    """What EM makes as large as it can: the likelihood, or with a prior the posterior."""

    floor: Floor
    prior: CovariancePrior | None
    fixed: frozenset[str]

    @classmethod
    def of(cls, statistics: SufficientStatistics, options: EMOptions) -> "_Goal":
        """Return the goal for these data."""
        floor = options.floor_of(statistics)
        strength = options.covariance_prior
        prior = prior_of_data(statistics, strength, floor) if strength > 0.0 else None
        return cls(floor, prior, options.fixed)

    def bound(self, statistics: SufficientStatistics, parameters: MixtureParameters) -> float:
        """Return the value of the goal per unit of sample weight."""
        if self.prior is None:
            return statistics.mean_log_likelihood
        bonus = self.prior.log_density(parameters)
        return (statistics.log_likelihood + bonus) / statistics.weight_sum

    def maximize(
        self, statistics: SufficientStatistics, parameters: MixtureParameters
    ) -> MixtureParameters:
        """Return the mixture that is best for these statistics."""
        return maximize(statistics, parameters, self.floor, prior=self.prior, fixed=self.fixed)


def _leap_or_step(
    steps: tuple[MixtureParameters, MixtureParameters],
    leaps: Leaps,
    estep: EStep,
    *,
    goal: _Goal,
    bound: float,
) -> tuple[MixtureParameters, SufficientStatistics]:
    """Return where EM goes on, and the statistics there: a leap ahead if that reaches ``bound``."""
    leap = leaps.propose(*steps, goal.floor)
    if leap is not None:
        statistics = estep(leap)
        is_good = goal.bound(statistics, leap) >= bound
        leaps.judge(was_good=is_good)
        if is_good:
            return leap, statistics
    return steps[1], estep(steps[1])


def _better_of(
    trial: RescueTrial, estep: EStep, goal: _Goal, progress: "_Progress"
) -> tuple[MixtureParameters, SufficientStatistics]:
    """Return the mixture with the component at its new place, or without it, and its statistics."""
    without = estep(trial.fallback)
    if trial.parameters is not trial.fallback:
        moved = estep(trial.parameters)
        if goal.bound(moved, trial.parameters) > goal.bound(without, trial.fallback):
            progress.note_rescue(trial.component, trial.reason, "re-seeded")
            return trial.parameters, moved
    progress.note_rescue(trial.component, trial.reason, "dropped")
    # Where one found no place, others without samples will not find one either.
    parameters = _without_starved(trial.fallback, progress)
    is_same = np.array_equal(parameters.weights, trial.fallback.weights)
    return parameters, without if is_same else estep(parameters)


def _without_starved(parameters: MixtureParameters, progress: "_Progress") -> MixtureParameters:
    """Return the mixture without the components that have no samples."""
    starved = np.setdiff1d(starved_components(parameters), list(progress.dropped))
    for k in starved:
        progress.note_rescue(int(k), "starved", "dropped")
    return switch_off(parameters, starved) if len(starved) else parameters


class _Progress:
    """What the loop remembers from iteration to iteration."""

    def __init__(self, options: EMOptions) -> None:
        self.options = options
        self.bounds: list[float] = []
        self.events: list[FitEvent] = []
        self.n_still = 0
        self.is_converged = False
        self.is_restarted = False

    @property
    def dropped(self) -> set[int]:
        """Components that were switched off."""
        return {event.component for event in self.events if event.action == "dropped"}

    @property
    def reseeded(self) -> set[int]:
        """Components that were tried elsewhere once; they are not tried again."""
        return {event.component for event in self.events if event.action == "re-seeded"}

    @property
    def is_exhausted(self) -> bool:
        """Whether no iteration is left."""
        return len(self.bounds) >= self.options.max_iter

    def is_at_limit(self, bound: float) -> bool:
        """Tell whether the likelihood fell, which only rounding can make it do."""
        last = self.bounds[-1] if self.bounds else -np.inf
        return bound < last - PRECISION * abs(last)

    def note(self, bound: float) -> None:
        """Append a likelihood and see whether it stands still."""
        change = abs(bound - self.bounds[-1]) if self.bounds else np.inf
        self.n_still = self.n_still + 1 if change < self.options.tol else 0
        # Where leaps are made, one of them must bring no more than a step.
        n_wanted = 2 if self.options.accelerate and len(self.bounds) > FIRST_PLAIN else 1
        # A component at a new place needs an iteration to show what it is worth.
        self.is_converged = self.n_still >= n_wanted and not self.is_restarted
        self.is_restarted = False
        self.bounds.append(bound)

    def note_rescue(self, component: int, reason: Reason, action: Action) -> None:
        """Write down what befell a component."""
        self.is_restarted = action == "re-seeded"
        self.events.append(FitEvent(len(self.bounds), component, reason, action))

    def record(self, *, is_at_limit: bool = False) -> FitRecord:
        """Return all of it, frozen."""
        if is_at_limit:
            reason = "the likelihood reached the limit of floating-point precision"
        elif self.is_converged:
            reason = f"the mean log-likelihood changed by less than tol={self.options.tol:g}"
        else:
            reason = f"max_iter={self.options.max_iter} was reached"
        return FitRecord(
            lower_bounds=tuple(self.bounds),
            is_converged=self.is_converged or is_at_limit,
            stop_reason=reason,
            events=tuple(self.events),
        )
