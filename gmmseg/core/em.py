"""The EM loop: E-step, M-step, until the likelihood stands still; and a record of what happened."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.rescue import RescueTrial, find_redundant, raise_to_floor
from gmmseg.core.statistics import SufficientStatistics

PRECISION = 1e-10  # relative fall of the likelihood that is rounding and no reason to stop

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
    reason: str  # "starved" or "duplicate"
    action: str  # "re-seeded" or "dropped"


@dataclass(frozen=True)
class FitRecord:
    """How a fit went.

    Parameters
    ----------
    lower_bounds : tuple of float
        Mean log-likelihood per unit of sample weight before each M-step. It never falls.
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
    while True:
        if progress.is_fall(statistics.mean_log_likelihood):
            parameters = before
            break
        progress.note(statistics.mean_log_likelihood)
        before, parameters = parameters, maximize(statistics, parameters, floor)
        if progress.is_exhausted:
            break
        redundant = find_redundant(parameters, progress.tried, with_twins=progress.is_converged)
        if redundant is not None:
            trial = redundant.try_at(parameters, find_worst, floor)
            statistics = estep(trial.parameters)
            is_better = progress.judge(trial, statistics.mean_log_likelihood)
            parameters = trial.parameters if is_better else trial.fallback
            statistics = statistics if is_better else estep(parameters)
        elif progress.is_converged:
            break
        else:
            statistics = estep(parameters)
    return parameters, progress.record()


class _Progress:
    """What the loop remembers from iteration to iteration."""

    def __init__(self, options: EMOptions) -> None:
        self.options = options
        self.bounds: list[float] = []
        self.events: list[FitEvent] = []
        self.is_converged = False
        self.is_restarted = False
        self.stop_reason = f"max_iter={options.max_iter} was reached"

    @property
    def tried(self) -> set[int]:
        """Components that were tried elsewhere once; they are not tried again."""
        return {event.component for event in self.events}

    @property
    def is_exhausted(self) -> bool:
        """Whether no iteration is left."""
        return len(self.bounds) >= self.options.max_iter

    def is_fall(self, bound: float) -> bool:
        """Tell whether the likelihood fell, which only rounding can make it do, and stop if so."""
        if not self.bounds or bound >= self.bounds[-1] - PRECISION * abs(self.bounds[-1]):
            return False
        self.is_converged = True
        self.stop_reason = "the likelihood reached the limit of floating-point precision"
        return True

    def note(self, bound: float) -> None:
        """Append a likelihood and see whether it stands still."""
        change = abs(bound - self.bounds[-1]) if self.bounds else np.inf
        # A component at a new place needs an iteration to show what it is worth.
        self.is_converged = change < self.options.tol and not self.is_restarted
        self.is_restarted = False
        self.bounds.append(bound)
        if self.is_converged:
            self.stop_reason = (
                f"the mean log-likelihood changed by less than tol={self.options.tol:g}"
            )

    def judge(self, trial: RescueTrial, bound: float) -> bool:
        """Write down whether the component stays at its new place, and return it."""
        is_better = bound > self.bounds[-1] and trial.parameters is not trial.fallback
        self.is_restarted = is_better
        action = "re-seeded" if is_better else "dropped"
        self.events.append(FitEvent(len(self.bounds), trial.component, trial.reason, action))
        return is_better

    def record(self) -> FitRecord:
        """Return all of it, frozen."""
        return FitRecord(
            tuple(self.bounds), self.is_converged, self.stop_reason, tuple(self.events)
        )
