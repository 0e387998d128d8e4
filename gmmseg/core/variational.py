"""Variational Bayes for a mixture: the posterior given statistics, and the bound it reaches.

The model is that of Bishop (2006), "Pattern recognition and machine learning", section 10.2: each
component has a mean and a precision with a normal-Wishart prior. A covariance family narrows the
*posterior*: the expected precisions are those of the family, and within it the posterior is the
best there is. So every step is an exact coordinate ascent, whatever the family, and no bound falls.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, logsumexp, multigammaln

from gmmseg.core.covariance import family_named
from gmmseg.core.covariance_base import CovarianceFamily, log_determinants
from gmmseg.core.mstep import SMALLEST_VARIANCE
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.weight_priors import WeightPrior, weight_prior_named

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Prior:
    """What is believed of a mixture before any data.

    Parameters
    ----------
    covariance_type : str
        Covariance family of the posterior.
    weight_type : str
        Name of the prior over the weights.
    weight_concentration : float
        Its concentration: the lower, the fewer components are used.
    mean : ndarray of shape (n_features,)
        Where the means are expected.
    mean_precision : float
        Number of samples that this expectation counts as.
    covariance : ndarray
        Inverse scale of the Wishart prior, in the shape of one covariance of the family.
    degrees_of_freedom : float
        Degrees of freedom of the Wishart prior, above ``n_features - 1``: about the number of
        samples that it counts as.
    """

    covariance_type: str
    weight_type: str
    weight_concentration: float
    mean: Array
    mean_precision: float
    covariance: Array
    degrees_of_freedom: float

    @property
    def family(self) -> CovarianceFamily:
        """The covariance family that ``covariance_type`` names."""
        return family_named(self.covariance_type)

    @property
    def weights(self) -> WeightPrior:
        """The prior over the weights that ``weight_type`` names."""
        return weight_prior_named(self.weight_type)

    @cached_property
    def scatter(self) -> Array:
        """The covariance spelled out: (n_features, n_features), or its diagonal."""
        return self._as_mixture.component_covariances[0]

    @cached_property
    def factor(self) -> Array:
        """The upper factor of its inverse, spelled out likewise."""
        return self._as_mixture.component_factors[0]

    @property
    def _as_mixture(self) -> MixtureParameters:
        covariances = self.covariance.reshape(self.family.shape(1, len(self.mean)))
        return MixtureParameters.trusted(
            np.ones(1), self.mean[None], covariances, self.covariance_type
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Posterior:
    """What is believed of a mixture after the data: a distribution over its parameters.

    Parameters
    ----------
    prior : Prior
        What was believed before.
    weight_concentration : ndarray
        Posterior of the weights, in the shape of their prior.
    means : ndarray of shape (n_components, n_features)
        Expected means.
    mean_precision : ndarray of shape (n_components,)
        Number of samples that each mean rests on.
    covariances : ndarray
        Inverses of the expected precisions, in the shape of their family.
    degrees_of_freedom : ndarray of shape (n_components,)
        Degrees of freedom of each Wishart posterior.
    """

    prior: Prior
    weight_concentration: Array
    means: Array
    mean_precision: Array
    covariances: Array
    degrees_of_freedom: Array

    @property
    def n_components(self) -> int:
        """Number of components, surplus ones included."""
        return len(self.means)

    @property
    def counts(self) -> Array:
        """Samples that each component explains, (n_components,)."""
        return self.mean_precision - self.prior.mean_precision

    @cached_property
    def mean_mixture(self) -> MixtureParameters:
        """The mixture of the expected weights, means and precisions."""
        weights = self.prior.weights.mean(self.weight_concentration)
        return self._mixture(weights)

    @cached_property
    def expected_mixture(self) -> MixtureParameters:
        """The mixture whose E-step is that of the posterior (Bishop 2006, 10.46 and 10.67).

        The expected log-density of a component is that of a Gaussian but for a constant, which
        goes into its weight.
        """
        return self._mixture(np.exp(self._log_weights - self.log_weight_sum))

    @cached_property
    def log_weight_sum(self) -> float:
        """Logarithm of what the weights of `expected_mixture` were divided by; at most 0."""
        return float(logsumexp(self._log_weights))

    @property
    def _log_weights(self) -> Array:
        """Unnormalised log-weights of `expected_mixture`, (n_components,)."""
        n_features, dof = self.means.shape[1], self.degrees_of_freedom
        log_weights = self.prior.weights.expected_log(self.weight_concentration)
        # What the expected log-determinant is less than the log-determinant of the expectation.
        lacking = _multidigamma(dof, n_features) + n_features * np.log(2.0 / dof)
        return log_weights + 0.5 * (lacking - n_features / self.mean_precision)

    @cached_property
    def divergence(self) -> float:
        """Kullback-Leibler divergence from the prior, of all parameters, in nats."""
        prior = self.prior
        of_weights = prior.weights.divergence(self.weight_concentration, prior.weight_concentration)
        return of_weights + float((self._mean_divergence() + self._wishart_divergence()).sum())

    def _mean_divergence(self) -> Array:
        """Return the divergence of each mean, given its precision, (n_components,)."""
        ratio = self.prior.mean_precision / self.mean_precision
        dev, factors = self.means - self.prior.mean, self._factors
        is_full = factors.ndim == 3
        scaled = np.einsum("ki,kij->kj", dev, factors) if is_full else dev * factors
        moved = self.prior.mean_precision * (scaled**2).sum(axis=1)
        return 0.5 * (dev.shape[1] * (ratio - 1.0 - np.log(ratio)) + moved)

    def _wishart_divergence(self) -> Array:
        """Return the divergence of each precision, (n_components,) (Bishop 2006, B.79 to B.81)."""
        n_features, dof = self.means.shape[1], self.degrees_of_freedom
        before, factors = self.prior.degrees_of_freedom, self._factors
        # The prior scatter in units of the expected covariance.
        if factors.ndim == 3:
            trace = (self.prior.scatter @ factors * factors).sum(axis=(1, 2))
        else:
            trace = (self.prior.scatter * factors**2).sum(axis=1)
        log_det = 2.0 * (log_determinants(factors) - log_determinants(self.prior.factor[None]))
        return (
            0.5 * (dof - before) * _multidigamma(dof, n_features)
            - multigammaln(0.5 * dof, n_features)
            + multigammaln(0.5 * before, n_features)
            - 0.5 * before * (log_det - n_features * np.log(dof))
            + 0.5 * (trace - n_features * dof)
        )

    @property
    def _factors(self) -> Array:
        return self.expected_mixture.component_factors

    def _mixture(self, weights: Array) -> MixtureParameters:
        return MixtureParameters.trusted(
            weights, self.means, self.covariances, self.prior.covariance_type
        )


def updated_posterior(prior: Prior, statistics: SufficientStatistics) -> Posterior:
    """Return the best posterior for these statistics (Bishop 2006, 10.58 and 10.60 to 10.63).

    A component without samples gets the prior back.
    """
    resp_sum, scatter = statistics.resp_sum, statistics.new_scatter()
    mean_precision = prior.mean_precision + resp_sum
    dof = prior.degrees_of_freedom + _counts_behind_covariances(prior.family, resp_sum)
    dev = statistics.new_means() - prior.mean
    dev2 = dev[:, :, None] * dev[:, None, :] if scatter.ndim == 3 else dev**2
    per_component = (-1,) + (1,) * (scatter.ndim - 1)
    pull = (prior.mean_precision / mean_precision).reshape(per_component)
    share = (resp_sum / dof).reshape(per_component)
    scatter = prior.scatter / dof.reshape(per_component) + share * (scatter + pull * dev2)
    return Posterior(
        prior=prior,
        weight_concentration=prior.weights.posterior(resp_sum, prior.weight_concentration),
        means=prior.mean + (resp_sum / mean_precision)[:, None] * dev,
        mean_precision=mean_precision,
        # The best expected precisions of the family: those of largest likelihood for the scatter.
        covariances=prior.family.estimate(scatter, dof, SMALLEST_VARIANCE),
        degrees_of_freedom=dof,
    )


def lower_bound(posterior: Posterior, statistics: SufficientStatistics) -> float:
    """Return the lower bound on the log-evidence, in nats (Bishop 2006, 10.70).

    The statistics are those of all data under ``posterior.expected_mixture``. With the best
    responsibilities, the likelihood and entropy terms of the bound add up to the log-likelihood
    of the expected mixture, unnormalised weights and all.
    """
    unnormalised = statistics.log_likelihood + statistics.weight_sum * posterior.log_weight_sum
    return unnormalised - posterior.divergence


def is_shared(family: CovarianceFamily) -> bool:
    """Tell whether all components have one covariance: its shape does not know their number."""
    return family.shape(1, 1) == family.shape(2, 1)


def _counts_behind_covariances(family: CovarianceFamily, resp_sum: Array) -> Array:
    """Return how many samples the covariance of each component rests on, (n_components,).

    Components that share one share its posterior, which is that of the average component.
    """
    return np.full_like(resp_sum, resp_sum.mean()) if is_shared(family) else resp_sum


def _multidigamma(dof: Array, n_features: int) -> Array:
    """Return ``sum_i digamma((dof - i) / 2)`` over the features, in the shape of ``dof``."""
    values: Array = digamma(0.5 * (dof[:, None] - np.arange(n_features))).sum(axis=1)
    return values
