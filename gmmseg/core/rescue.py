"""Components that explain nothing of their own: find them, try them elsewhere, switch them off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance_base import Floor, shares_of
from gmmseg.core.parameters import MixtureParameters

STARVED = 1e-9  # share of the sample weight below which a component explains nothing
TWINS = 1e-6  # difference of means and covariances, in standard deviations, that separates nothing
TRIAL_WEIGHT = 0.01  # of a component that is tried elsewhere; EM raises it if it fits there

Array = NDArray[np.float64]
Reason = Literal["starved", "duplicate"]


@dataclass(frozen=True, eq=False)
class RescueTrial:
    """A component at a new place, and the mixture to go back to if that is no better."""

    component: int
    reason: Reason
    parameters: MixtureParameters
    fallback: MixtureParameters


@dataclass(frozen=True)
class Redundant:
    """A component that explains nothing of its own: without samples, or the twin of another."""

    component: int
    reason: Reason
    twin: int | None = None

    def try_at(
        self,
        parameters: MixtureParameters,
        find_worst: Callable[[MixtureParameters], Array] | None,
        floor: Floor,
    ) -> RescueTrial:
        """Return a trial with the component where ``parameters`` explain the data worst."""
        without = switch_off(parameters, self.component, self.twin)
        if find_worst is None:
            return RescueTrial(self.component, self.reason, without, without)
        moved = switch_on(without, self.component, find_worst(without), floor)
        return RescueTrial(self.component, self.reason, moved, without)


def starved_components(parameters: MixtureParameters) -> NDArray[np.intp]:
    """Return the components that have no samples, or next to none."""
    return np.flatnonzero(parameters.weights < STARVED)


def find_redundant(
    parameters: MixtureParameters, dropped: set[int], *, with_twins: bool
) -> Redundant | None:
    """Return the first component that explains nothing of its own and was not dropped."""
    for k in starved_components(parameters):
        if int(k) not in dropped:
            return Redundant(int(k), "starved")
    if not with_twins:
        return None
    for k in np.flatnonzero(parameters.weights > 0.0)[1:]:
        twin = _twin_before(parameters, int(k))
        if int(k) not in dropped and twin is not None:
            return Redundant(int(k), "duplicate", twin)
    return None


def _twin_before(parameters: MixtureParameters, k: int) -> int | None:
    """Return the first component in use before k with the same mean and covariance, if any."""
    deviation = np.sqrt(parameters.component_variances[k])
    shift = np.abs(parameters.means[:k] - parameters.means[k]) / deviation
    spelled_out = parameters.component_covariances
    scale = np.outer(deviation, deviation) if spelled_out.ndim == 3 else deviation**2
    spread = np.abs(spelled_out[:k] - spelled_out[k]) / scale
    apart = np.maximum(shift.max(axis=1), spread.reshape(k, -1).max(axis=1))
    is_twin = (apart < TWINS) & (parameters.weights[:k] > 0.0)
    return int(is_twin.argmax()) if is_twin.any() else None


def switch_off(
    parameters: MixtureParameters, k: int | NDArray[np.intp], heir: int | None = None
) -> MixtureParameters:
    """Return the mixture without component k: ``heir`` gets its weight, or all in proportion."""
    weights = parameters.weights.copy()
    if heir is not None:
        weights[heir] += weights[k]
    weights[k] = 0.0
    return parameters.replaced(weights=weights)


def switch_on(
    parameters: MixtureParameters, k: int, place: Array, floor: Floor
) -> MixtureParameters:
    """Return the mixture with component k at ``place``, as wide as the others on average."""
    weights, means = parameters.weights.copy(), parameters.means.copy()
    spelled_out = parameters.component_covariances.copy()
    spelled_out[k] = np.tensordot(shares_of(weights), spelled_out, axes=1)
    weights *= 1.0 - TRIAL_WEIGHT
    weights[k] = TRIAL_WEIGHT
    means[k] = place
    covariances = parameters.family.estimate(
        spelled_out, weights, floor, before=parameters.covariances
    )
    return parameters.replaced(weights=weights, means=means, covariances=covariances)


def raise_to_floor(parameters: MixtureParameters, floor: Floor) -> MixtureParameters:
    """Return the mixture with no variance below ``floor``: itself where none is."""
    raised = parameters.family.estimate(
        parameters.component_covariances,
        parameters.weights,
        floor,
        before=parameters.covariances,
    )
    if np.allclose(raised, parameters.covariances, rtol=1e-12, atol=0.0):
        return parameters
    return parameters.replaced(covariances=raised)
