"""SufficientStatistics: all that a mixture needs to know of its data, as sums that can be added.

This is the seam of the system: blocks, threads, files, streams and days all meet here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance_base import diagonals
from gmmseg.core.kernel_matrices import scatter_of
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """Hold the weighted sums over samples that an M-step needs, about the old means.

    With samples ``x_i`` of weight ``s_i``, responsibilities ``r_ik`` and the means ``m_k`` that the
    E-step used. Taken about the old means, the sums lose no digits however far the data lie from
    the origin.

    Parameters
    ----------
    means : ndarray of shape (n_components, n_features)
        The means ``m_k`` of the E-step.
    resp_sum : ndarray of shape (n_components,)
        ``resp_sum[k] = sum_i s_i r_ik``.
    dev_sum : ndarray of shape (n_components, n_features)
        ``dev_sum[k] = sum_i s_i r_ik (x_i - m_k)``.
    dev2_sum : ndarray of shape (n_components, n_features[, n_features])
        ``dev2_sum[k] = sum_i s_i r_ik (x_i - m_k) (x_i - m_k).T``, its diagonal for the families
        that need no more.
    log_likelihood : float
        ``sum_i s_i log p(x_i)``, natural logarithm.
    noise_sum : float, default=0.0
        What the noise has of the samples, as ``resp_sum``.

    Examples
    --------
    >>> import numpy as np
    >>> standard = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    >>> from gmmseg.core import expectation
    >>> both = expectation([[1.0]], standard) + expectation([[3.0]], standard)
    >>> both.resp_sum, both.dev_sum, both.dev2_sum
    (array([2.]), array([[4.]]), array([[10.]]))
    """

    means: Array
    resp_sum: Array
    dev_sum: Array
    dev2_sum: Array
    log_likelihood: float
    noise_sum: float = 0.0

    @classmethod
    def zero(cls, parameters: MixtureParameters) -> "SufficientStatistics":
        """Return the statistics of no data at all."""
        n_components, n_features = parameters.means.shape
        is_full = parameters.family.scatter_kind == "full"
        return cls(
            means=parameters.means,
            resp_sum=np.zeros(n_components),
            dev_sum=np.zeros((n_components, n_features)),
            dev2_sum=np.zeros((n_components, n_features) + (n_features,) * is_full),
            log_likelihood=0.0,
        )

    @classmethod
    def of_parameters(
        cls, parameters: MixtureParameters, weight_sum: float
    ) -> "SufficientStatistics":
        """Return the statistics that a mixture is the M-step of; their likelihood is NaN."""
        resp_sum = weight_sum * parameters.weights
        spelled_out = parameters.component_covariances
        return cls(
            means=parameters.means,
            resp_sum=resp_sum,
            dev_sum=np.zeros_like(parameters.means),
            dev2_sum=resp_sum.reshape((-1,) + (1,) * (spelled_out.ndim - 1)) * spelled_out,
            log_likelihood=float("nan"),
            noise_sum=weight_sum * parameters.noise_weight,
        )

    def __add__(self, other: "SufficientStatistics") -> "SufficientStatistics":
        """Return the statistics of both sets of samples together."""
        if not isinstance(other, SufficientStatistics):
            return NotImplemented
        if self.dev2_sum.shape != other.dev2_sum.shape or not np.array_equal(
            self.means, other.means
        ):
            raise InputError(
                "only statistics about the same means can be added, got statistics about other "
                "means or of another family; run both E-steps with the same parameters"
            )
        return SufficientStatistics(
            means=self.means,
            resp_sum=self.resp_sum + other.resp_sum,
            dev_sum=self.dev_sum + other.dev_sum,
            dev2_sum=self.dev2_sum + other.dev2_sum,
            log_likelihood=self.log_likelihood + other.log_likelihood,
            noise_sum=self.noise_sum + other.noise_sum,
        )

    def __radd__(self, other: object) -> "SufficientStatistics":
        """Return the statistics themselves for 0, which `sum` begins with."""
        return self if other == 0 else NotImplemented

    def scale(self, factor: float) -> "SufficientStatistics":
        """Return the statistics of the same samples at ``factor`` times their weight."""
        check_number("factor", factor, least=0)
        return SufficientStatistics(
            means=self.means,
            resp_sum=factor * self.resp_sum,
            dev_sum=factor * self.dev_sum,
            dev2_sum=factor * self.dev2_sum,
            log_likelihood=factor * self.log_likelihood,
            noise_sum=factor * self.noise_sum,
        )

    @property
    def weight_sum(self) -> float:
        """Total weight of the samples, ``sum_i s_i``."""
        return float(self.resp_sum.sum()) + self.noise_sum

    @property
    def mean_log_likelihood(self) -> float:
        """Log-likelihood per unit of sample weight; NaN where there are no samples."""
        return self.log_likelihood / self.weight_sum if self.weight_sum > 0.0 else float("nan")

    def new_means(self) -> Array:
        """Return the mean of each component's samples; the old mean where a component has none."""
        return self.means + self._shift()

    def new_scatter(self) -> Array:
        """Return the mean squared deviation from the new means, 0 where there are no samples."""
        return self.scatter_about(self.new_means())

    def scatter_about(self, means: Array) -> Array:
        """Return the mean squared deviation from any means, 0 where there are no samples."""
        # From the old means it is dev2_sum / n; with the way s to the new means and the way m to
        # these, from these it is dev2_sum / n - s s' + (s - m) (s - m)'.
        shift, way = self._shift(), np.where(self._is_used(), means - self.means, 0.0)
        n, apart = _one_where_zero(self.resp_sum), shift - way
        if self.dev2_sum.ndim == 2:
            return self.dev2_sum / n[:, None] - (shift**2 - apart**2)
        scatter = np.empty(self.dev2_sum.shape)
        scatter_of(np.ascontiguousarray(self.dev2_sum), n, shift, apart, scatter)
        return scatter

    def total_mean(self) -> Array:
        """Return the mean of all samples that are no noise, (n_features,)."""
        weights, means = self._shares(), self.new_means()
        # Taken about one of the means, so that a far origin costs no digits; a component without
        # samples may lie anywhere.
        about = means[weights.argmax()]
        mean: Array = about + weights @ np.where(weights[:, None] > 0.0, means - about, 0.0)
        return mean

    def total_variance(self) -> Array:
        """Return the variance per feature of all samples that are no noise, (n_features,)."""
        within = diagonals(self.new_scatter())
        between = np.where(self._is_used(), self.new_means() - self.total_mean(), 0.0) ** 2
        variance: Array = self._shares() @ (within + between)
        return np.maximum(variance, 0.0)

    def mean_dev2(self) -> Array:
        """Return the mean squared deviation from the means of the E-step, (n_features,)."""
        total: Array = diagonals(self.dev2_sum).sum(axis=0)
        return total / max(float(self.resp_sum.sum()), np.finfo(np.float64).tiny)

    def _is_used(self) -> NDArray[np.bool_]:
        return (self.resp_sum > 0.0)[:, None]

    def _shares(self) -> Array:
        return self.resp_sum / _one_where_zero(self.resp_sum.sum(keepdims=True))

    def _shift(self) -> Array:
        return self.dev_sum / _one_where_zero(self.resp_sum)[:, None]


def _one_where_zero(values: Array) -> Array:
    return np.where(values > 0.0, values, 1.0)
