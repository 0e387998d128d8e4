"""What every mixture can do once it has its parameters: label, score, draw, compare."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import validate_data

from gmmseg.core import criteria
from gmmseg.core.em import FitRecord
from gmmseg.core.estep import log_densities, predicted_labels, responsibilities
from gmmseg.core.missing import imputed, imputed_deviation, weight_of_seen
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.sampling import draw_samples
from gmmseg.core.similarity import Similarity
from gmmseg.core.validation import check_number, check_sample_weight
from gmmseg.errors import NotFittedError


class _NotFittedError(NotFittedError, SklearnNotFittedError):
    """The same for those who catch scikit-learn's."""


class MixtureBase(DensityMixin, BaseEstimator):
    """Hold a fitted mixture, ``parameters_``, and the record of its fit, ``record_``."""

    parameters_: MixtureParameters
    record_: FitRecord
    n_features_in_: int
    n_jobs: int | None
    random_state: int | np.random.RandomState | None

    def predict(self, X: ArrayLike) -> NDArray[np.intp]:
        """Return the component of largest posterior for each sample.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Numbers from 0 to ``n_components - 1``; -1 for noise.
        """
        return predicted_labels(self._checked(X), self._labelling(), self.n_jobs)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the posterior of each component for each sample.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        responsibilities : ndarray of shape (n_samples, n_components)
            Posteriors in the dtype of X; rows sum to 1. With noise there is one more column.
        """
        return responsibilities(self._checked(X), self._labelling(), self.n_jobs)

    def score_samples(self, X: ArrayLike) -> NDArray[Any]:
        """Return the log-density of each sample.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            ``log p(x)``, natural logarithm, in the dtype of X. Where entries are missing (NaN),
            that of the observed ones; 0 where there are none.
        """
        return log_densities(self._checked(X), self._fitted(), self.n_jobs)

    def score(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the mean log-density of the samples.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.
        y : None
            Ignored.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        score : float
            Mean of ``log p(x)``; samples of which every entry is missing (NaN) do not count.
        """
        del y
        checked, weight = self._checked_with_weight(X, sample_weight)
        log_density = log_densities(checked, self._fitted(), self.n_jobs).astype(np.float64)
        return float(np.average(log_density, weights=weight))

    def bic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the Bayesian information criterion: lower is better.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        bic : float
            ``-2 sum_i s_i log p(x_i) + n_parameters * log(sum_i s_i)`` (Schwarz 1978).
        """
        weight_sum, log_likelihood = self._total(X, sample_weight)
        return criteria.bic(log_likelihood, self._fitted().n_free_parameters, weight_sum)

    def aic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the Akaike information criterion: lower is better.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        aic : float
            ``-2 sum_i s_i log p(x_i) + 2 n_parameters`` (Akaike 1974).
        """
        _, log_likelihood = self._total(X, sample_weight)
        return criteria.aic(log_likelihood, self._fitted().n_free_parameters)

    def icl(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the integrated completed likelihood: lower is better.

        It is the BIC with a penalty for components that share their samples, so that it counts
        groups that lie apart rather than Gaussians.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        icl : float
            ``bic - 2 sum_i s_i sum_k r_ik log r_ik`` with the responsibilities ``r_ik``.

        References
        ----------
        Biernacki, Celeux, Govaert (2000), "Assessing a mixture model for clustering with the
        integrated completed likelihood".
        """
        checked, weight = self._checked_with_weight(X, sample_weight)
        entropy = criteria.assignment_entropy(checked, self._labelling(), weight, self.n_jobs)
        return criteria.icl(self.bic(checked, weight), entropy)

    def impute(self, X: ArrayLike) -> NDArray[Any]:
        """Fill in missing entries, each with its mean given the observed entries of its sample.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples; NaN where an entry is missing.

        Returns
        -------
        filled : ndarray of shape (n_samples, n_features)
            A copy of X, in its dtype, without NaN.

        Examples
        --------
        >>> from gmmseg import GaussianMixture
        >>> height_and_weight = GaussianMixture.from_parameters(
        ...     [1.0], [[1.7, 70.0]], [[[0.01, 0.6], [0.6, 100.0]]]
        ... )
        >>> height_and_weight.impute([[1.8, np.nan]])
        array([[ 1.8, 76. ]])
        """
        return imputed(self._checked(X), self._fitted(), self.n_jobs)

    def impute_deviation(self, X: ArrayLike) -> NDArray[Any]:
        """Return how far each missing entry may be from what `impute` fills in.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples; NaN where an entry is missing.

        Returns
        -------
        deviation : ndarray of shape (n_samples, n_features)
            Standard deviation of each missing entry given the observed entries of its sample, in
            the units of its feature; 0 where the entry is observed.
        """
        return imputed_deviation(self._checked(X), self._fitted(), self.n_jobs)

    def sample(self, n_samples: int = 1) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Draw new samples from the mixture.

        Parameters
        ----------
        n_samples : int, default=1
            Number of samples.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            The samples, one component after the other, then noise.
        labels : ndarray of shape (n_samples,)
            The component each was drawn from; -1 for noise.

        Raises
        ------
        InputError
            If n_samples is below 1.
        """
        check_number("n_samples", n_samples, least=1, is_whole=True)
        return draw_samples(self._fitted(), n_samples, check_random_state(self.random_state))

    def similarity(self) -> Similarity:
        """Return how near every two components lie, and what merging them would cost."""
        return Similarity.of(self._fitted())

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def n_components_(self) -> int:
        """Number of Gaussians, given or chosen."""
        return self._fitted().n_components

    @property
    def covariance_type_(self) -> str:
        """Covariance family, given or chosen; mclust's names for the common four become ours."""
        return self._fitted().covariance_type

    @property
    def weights_(self) -> NDArray[np.float64]:
        """Share of each component, (n_components,); they sum to 1, with noise to what it leaves."""
        return self._fitted().weights

    @property
    def means_(self) -> NDArray[np.float64]:
        """Centre of each component, (n_components, n_features)."""
        return self._fitted().means

    @property
    def covariances_(self) -> NDArray[np.float64]:
        """Covariances in the shape of their family."""
        return self._fitted().covariances

    @property
    def precisions_(self) -> NDArray[np.float64]:
        """Inverse covariances in the shape of their family."""
        return self._fitted().precisions

    @property
    def precisions_cholesky_(self) -> NDArray[np.float64]:
        """Upper factors U with ``precision = U @ U.T``, in the shape of their family."""
        return self._fitted().precision_factors

    @property
    def converged_(self) -> bool:
        """Whether the fit stopped because what it raises stood still."""
        self._fitted()
        return self.record_.is_converged

    @property
    def n_iter_(self) -> int:
        """Number of iterations of the best start."""
        self._fitted()
        return self.record_.n_iter

    @property
    def lower_bounds_(self) -> list[float]:
        """What the fit raises, in every iteration; for EM the mean log-likelihood per sample."""
        self._fitted()
        return list(self.record_.lower_bounds)

    @property
    def lower_bound_(self) -> float:
        """What the fit raises, in the last iteration; NaN if there was none."""
        return self.lower_bounds_[-1] if self.lower_bounds_ else float("nan")

    def _with(self, parameters: MixtureParameters, record: FitRecord) -> Self:
        self.parameters_, self.record_, self.n_features_in_ = (
            parameters,
            record,
            parameters.n_features,
        )
        return self

    def _fitted(self) -> MixtureParameters:
        if "parameters_" not in vars(self):
            raise _NotFittedError(
                f"this {type(self).__name__} has learned nothing yet; call fit or load first"
            )
        return self.parameters_

    def _labelling(self) -> MixtureParameters:
        """Return the mixture whose posteriors label samples."""
        return self._fitted()

    def _checked(self, X: ArrayLike) -> NDArray[Any]:
        self._fitted()
        checked: NDArray[Any] = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            order="C",
            ensure_all_finite="allow-nan",
            reset=False,
        )
        return checked

    def _checked_with_weight(
        self, X: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return samples and weights; rows of which every entry is missing count for nothing."""
        checked = self._checked(X)
        return checked, weight_of_seen(checked, check_sample_weight(sample_weight, len(checked)))

    def _total(self, X: ArrayLike, sample_weight: ArrayLike | None) -> tuple[float, float]:
        """Return total sample weight and total log-likelihood."""
        checked, weight = self._checked_with_weight(X, sample_weight)
        log_density = log_densities(checked, self._fitted(), self.n_jobs).astype(np.float64)
        if weight is None:
            return len(log_density), float(log_density.sum())
        return float(weight.sum()), float(weight @ log_density)
