"""Priors over the weights of a mixture: one class each, holding what sets one apart.

A prior says what its posterior is once the samples of each component are counted, and what that
posterior expects. ``concentration`` is the one number of the prior, ``posterior`` an array of the
last axis n_components. A new prior is one new class in ``WEIGHT_PRIORS``.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, digamma, gammaln

from gmmseg.errors import InputError

Array = NDArray[np.float64]


class WeightPrior(ABC):
    """A distribution over weights that sum to 1, conjugate to counts of samples."""

    name: ClassVar[str]

    @abstractmethod
    def shape(self, n_components: int) -> tuple[int, ...]:
        """Return the shape of a posterior."""

    @abstractmethod
    def posterior(self, counts: Array, concentration: float) -> Array:
        """Return the posterior after so many samples of each component, (n_components,)."""

    @abstractmethod
    def expected_log(self, posterior: Array) -> Array:
        """Return the expected logarithm of each weight, (n_components,)."""

    @abstractmethod
    def mean(self, posterior: Array) -> Array:
        """Return the expected weights, (n_components,), scaled to sum to 1."""

    @abstractmethod
    def divergence(self, posterior: Array, concentration: float) -> float:
        """Return the Kullback-Leibler divergence of the posterior from the prior, in nats."""


class DirichletDistribution(WeightPrior):
    """All components are equals: a symmetric Dirichlet distribution.

    A posterior is its parameters, (n_components,).

    References
    ----------
    Bishop (2006), "Pattern recognition and machine learning", equations 10.57, 10.58 and 10.66.
    """

    name = "dirichlet_distribution"

    def shape(self, n_components: int) -> tuple[int, ...]:
        """Return (n_components,)."""
        return (n_components,)

    def posterior(self, counts: Array, concentration: float) -> Array:
        """Return the counts with ``concentration`` samples added to each."""
        return concentration + counts

    def expected_log(self, posterior: Array) -> Array:
        """Return the expectation under the Dirichlet distribution."""
        return digamma(posterior) - digamma(posterior.sum())

    def mean(self, posterior: Array) -> Array:
        """Return each share of the samples, those of the prior included."""
        return posterior / posterior.sum()

    def divergence(self, posterior: Array, concentration: float) -> float:
        """Return the divergence between two Dirichlet distributions."""
        n_components = len(posterior)
        log_norm = gammaln(posterior.sum()) - gammaln(posterior).sum()
        prior_norm = gammaln(n_components * concentration) - n_components * gammaln(concentration)
        tilt = (posterior - concentration) @ self.expected_log(posterior)
        return float(log_norm - prior_norm + tilt)


class DirichletProcess(WeightPrior):
    """Components queue up, each breaking its share off what those before it left of a stick.

    The share that component k breaks off is a Beta(1, concentration) variable; a posterior is the
    two parameters of each, (2, n_components). The process has endless components; no sample
    belongs to one past the last, whose sticks stay as the prior has them.

    References
    ----------
    Blei, Jordan (2006), "Variational inference for Dirichlet process mixtures", section 3; with
    the truncation of Kurihara, Welling, Vlassis (2006), "Accelerated variational Dirichlet process
    mixtures", section 3.
    """

    name = "dirichlet_process"

    def shape(self, n_components: int) -> tuple[int, ...]:
        """Return (2, n_components)."""
        return 2, n_components

    def posterior(self, counts: Array, concentration: float) -> Array:
        """Return for each component 1 + its samples, and concentration + those of all after it."""
        after = np.append(np.cumsum(counts[:0:-1])[::-1], 0.0)
        return np.stack([1.0 + counts, concentration + after])

    def expected_log(self, posterior: Array) -> Array:
        """Return the expectation under independent Beta distributions of the shares."""
        log_taken, log_left = self._expected_log_shares(posterior)
        return log_taken + np.append(0.0, np.cumsum(log_left[:-1]))

    def mean(self, posterior: Array) -> Array:
        """Return the expected pieces, as shares of what all components here broke off."""
        taken, left = posterior / posterior.sum(axis=0)
        pieces = taken * np.append(1.0, np.cumprod(left[:-1]))
        return pieces / pieces.sum()

    def divergence(self, posterior: Array, concentration: float) -> float:
        """Return the sum of the divergences between Beta distributions."""
        prior = np.array([[1.0], [concentration]])
        log_norm = betaln(*prior) - betaln(*posterior)
        tilt = ((posterior - prior) * self._expected_log_shares(posterior)).sum(axis=0)
        return float((log_norm + tilt).sum())

    def _expected_log_shares(self, posterior: Array) -> Array:
        """Return the expected logarithms of what is broken off and of what is left."""
        return digamma(posterior) - digamma(posterior.sum(axis=0))


WEIGHT_PRIORS: dict[str, WeightPrior] = {
    prior.name: prior for prior in (DirichletProcess(), DirichletDistribution())
}


def weight_prior_named(name: str) -> WeightPrior:
    """Return the prior of this name, or raise InputError with the names there are."""
    if name not in tuple(WEIGHT_PRIORS):
        raise InputError(
            f"weight_concentration_prior_type must be one of {', '.join(WEIGHT_PRIORS)}, "
            f"got {name!r}"
        )
    return WEIGHT_PRIORS[name]
