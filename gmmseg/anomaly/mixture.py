"""A mixture: several kinds of normal, of which a sample need resemble only one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.backend import Array, Backend, Setting
from gmmseg.anomaly.folds import cross_fitted
from gmmseg.anomaly.moment_arrays import moment_arrays, moments_of, number, prefixed, unprefixed
from gmmseg.anomaly.moments import Moments
from gmmseg.anomaly.spectrum import Spectrum
from gmmseg.core.covariance import spelled_out_family
from gmmseg.core.covariance_base import log_determinants
from gmmseg.core.em import EMOptions
from gmmseg.core.estep import expectation, log_densities, responsibilities
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.mstep import maximize
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.errors import InputError

COMPONENTS = (1, 2, 3, 4, 6, 8)
LEAST_SAMPLES = 10  # of a component
TRIAL_FOLDS, SCORE_FOLDS = 4, 8
FLOOR = 1e-4  # smallest variance, of features whose variance is 1
PATIENCE = 2  # times in a row that more components may be worse


@dataclass(frozen=True, eq=False)
class MixtureBackend(Backend):
    """Measure how far below its peak the density of a mixture is.

    The distance is ``2 log(sum_k peak_k) - 2 log p(x)``, which for one component is the squared
    Mahalanobis distance. The mixture is fitted to whitened features, in which a prior of unit
    variance shrinks all its components alike.

    Parameters
    ----------
    moments : Moments
        What is known of the normal samples together.
    shrinkage : float
        Share of no correlation in the correlations that features are whitened with.
    parameters : MixtureParameters
        The mixture of the whitened features.
    count : float
        Number of samples that it was fitted to.
    """

    moments: Moments
    shrinkage: float
    parameters: MixtureParameters
    count: float
    name: ClassVar[str] = "mixture"

    @classmethod
    def learn(cls, X: Array, setting: Setting) -> tuple[Self, Array]:
        """Return the mixture that makes left-out samples likeliest, and their distances."""
        n_components, family = cls._chosen(X, setting)

        def score(rest: Array, left_out: Array) -> Array:
            return cls._fitted(rest, setting, n_components, family).distances(left_out)

        whole = cls._fitted(X, setting, n_components, family)
        if n_components == 1 and family == "diag":
            return whole, setting.distances
        return whole, cross_fitted(X, score, SCORE_FOLDS)

    @classmethod
    def _chosen(cls, X: Array, setting: Setting) -> tuple[int, str]:
        """Return number of components and covariance family by held-out likelihood."""
        best, chosen = -np.inf, (1, "diag")
        if len(X) < 2 * LEAST_SAMPLES:
            return chosen
        for family in _families(X):
            n_worse, last = 0, -np.inf
            for n_components in (k for k in COMPONENTS if k * LEAST_SAMPLES <= len(X)):
                mean = cls._held_out(X, setting, n_components, family)
                if mean > best:
                    best, chosen = mean, (n_components, family)
                n_worse = n_worse + 1 if mean < last else 0
                last = max(last, mean)
                if n_worse == PATIENCE:
                    break
        return chosen

    @classmethod
    def _held_out(cls, X: Array, setting: Setting, n_components: int, family: str) -> float:
        def score(rest: Array, left_out: Array) -> Array:
            part = cls._fitted(rest, setting, n_components, family)
            return log_densities(part.whitened(left_out), part.parameters)

        return float(cross_fitted(X, score, TRIAL_FOLDS).mean())

    @classmethod
    def _fitted(cls, X: Array, setting: Setting, n_components: int, family: str) -> Self:
        """Return the back-end of some of the samples."""
        moments = Moments.of_samples(X, setting.prior_variance)
        spectrum = Spectrum.of_moments(moments)
        white = np.ascontiguousarray(spectrum.whitened(X, setting.shrinkage))
        n_features = white.shape[1]
        if n_components == 1 and family == "diag":
            unit = np.ones((1, n_features))
            parameters = MixtureParameters.trusted(
                np.ones(1), np.zeros((1, n_features)), unit, "diag"
            )
        else:
            rng = np.random.default_rng(setting.seed)
            start = Start(n_components=n_components, rng=rng, covariance_type=family)
            options = EMOptions(
                max_iter=50, covariance_floor=FLOOR, covariance_prior=prior_count(n_features)
            )
            parameters, _ = fit_mixture(white, None, start, options)
        return cls(moments, setting.shrinkage, parameters, float(len(X)))

    @cached_property
    def spectrum(self) -> Spectrum:
        """The principal axes of the correlations."""
        return Spectrum.of_moments(self.moments)

    def whitened(self, X: Array) -> Array:
        """Return samples in the features of the mixture."""
        return np.ascontiguousarray(self.spectrum.whitened(X, self.shrinkage))

    def distances(self, X: Array) -> Array:
        """Return twice how far the log-density is below its peak."""
        return self._below_peak(self.whitened(X))

    def contributions(self, X: Array) -> Array:
        """Return the distances shared out by the components that explain a sample."""
        white = self.whitened(X)
        resp = responsibilities(white, self.parameters)
        shares = np.zeros_like(white)
        for k, parts in enumerate(distance_parts(white, self.parameters)):
            shares += resp[:, [k]] * parts
        total = shares.sum(axis=1, keepdims=True)
        even = np.full_like(shares, 1.0 / shares.shape[1])
        shares = np.divide(shares, total, out=even, where=total > 0.0)
        return shares * self._below_peak(white)[:, np.newaxis]

    def adapted(self, X: Array, weight: float) -> Self:
        """Return the mixture of old and new samples; what whitens them stays as it is."""
        old = SufficientStatistics.of_parameters(self.parameters, self.count)
        new = expectation(self.whitened(X), self.parameters).scale(weight)
        # The prior is in the old covariances already.
        moved = maximize(old + new, self.parameters, FLOOR)
        count = self.count + weight * len(X)
        return type(self)(self.moments, self.shrinkage, moved, count)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return moments, shrinkage, the mixture and how many samples it has seen."""
        return {
            **prefixed("whole", moment_arrays(self.moments)),
            "shrinkage": np.array(self.shrinkage),
            "weights": self.parameters.weights,
            "means": self.parameters.means,
            "covariances": self.parameters.covariances,
            "count": np.array(self.count),
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the back-end of these arrays."""
        moments = moments_of(unprefixed("whole", arrays))
        family = spelled_out_family(arrays["covariances"]).name
        parameters = MixtureParameters(
            arrays["weights"], arrays["means"], arrays["covariances"], covariance_type=family
        )
        n_features = len(moments.mean)
        if parameters.n_features != n_features:
            raise InputError(
                f"the mixture must have {n_features} features, got {parameters.n_features}"
            )
        shrinkage = number(arrays["shrinkage"], "shrinkage", 1e-9, 1.0)
        count = number(arrays["count"], "count", 1e-9, np.inf)
        return cls(moments, shrinkage, parameters, count)

    def _below_peak(self, white: Array) -> Array:
        factors = self.parameters.component_factors
        log_norm = log_determinants(factors) - 0.5 * white.shape[1] * np.log(2.0 * np.pi)
        used = self.parameters.weights > 0.0
        peak = np.logaddexp.reduce(np.log(self.parameters.weights[used]) + log_norm[used])
        below: Array = np.maximum(2.0 * (peak - log_densities(white, self.parameters)), 0.0)
        return below


def _families(X: Array) -> Iterator[str]:
    yield "diag"
    if len(X) >= 2 * LEAST_SAMPLES and len(X) > 2 * X.shape[1]:
        yield "full"


def distance_parts(X: NDArray[Any], parameters: MixtureParameters) -> Iterator[Array]:
    """Yield what each feature adds to the squared distance from each component, at least 0.

    ``dev' P dev`` is shared out as ``dev * (P dev)``; what that makes negative counts as 0.
    """
    for mean, factor in zip(parameters.means, parameters.component_factors, strict=True):
        dev = X - mean
        pull = dev @ factor @ factor.T if factor.ndim == 2 else dev * factor**2
        yield np.maximum(dev * pull, 0.0)


def prior_count(n_features: int) -> float:
    """Return the number of samples that the prior counts as (Fraley, Raftery 2007)."""
    return n_features + 2.0
