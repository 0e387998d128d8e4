"""The EM loop: E-step, M-step, until the likelihood stands still; and a record of what happened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
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
        Smallest variance, as a fraction of the mean feature variance of the data.
    """

    tol: float = 1e-3
    max_iter: int = 100
    covariance_floor: float = 1e-6


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
        What the fit raises, before each M-step: for EM the mean log-likelihood per unit of sample
        weight. It never falls.
    is_converged : bool
        Whether the change fell below ``tol``.
    stop_reason : str
        The same in words.
    events : tuple of FitEvent
        Components that were re-seeded or dropped.
    """

    lower_bounds: tuple[float, ...]
    is_converged: bool
    stop_reason: str
    events: tuple[FitEvent, ...] = ()

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

    Returns
    -------
    parameters : MixtureParameters
        The fitted mixture.
    record : FitRecord
        Likelihoods, the reason to stop, and what befell components.
    """
    statistics = estep(start)
    floor = variance_floor(statistics, options.covariance_floor)
    parameters = raise_to_floor(start, floor)
    if parameters is not start:
        statistics = estep(parameters)
    progress = _Progress(options)
    before = parameters
    while not progress.is_at_limit(statistics.mean_log_likelihood):
        progress.note(statistics.mean_log_likelihood)
        before, parameters = parameters, maximize(statistics, parameters, floor)
        redundant = find_redundant(parameters, progress.dropped, with_twins=progress.is_converged)
        if progress.is_exhausted:
            return _without_starved(parameters, progress), progress.record()
        if redundant is not None:
            is_first = redundant.component not in progress.reseeded
            trial = redundant.try_at(parameters, find_worst if is_first else None, floor)
            parameters, statistics = _better_of(trial, estep, progress)
        elif progress.is_converged:
            return parameters, progress.record()
        else:
            statistics = estep(parameters)
    return before, progress.record(is_at_limit=True)


def _better_of(
    trial: RescueTrial, estep: EStep, progress: "_Progress"
) -> tuple[MixtureParameters, SufficientStatistics]:
    """Return the mixture with the component at its new place, or without it, and its statistics."""
    without = estep(trial.fallback)
    if trial.parameters is not trial.fallback:
        moved = estep(trial.parameters)
        if moved.log_likelihood > without.log_likelihood:
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
        # A component at a new place needs an iteration to show what it is worth.
        self.is_converged = change < self.options.tol and not self.is_restarted
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
