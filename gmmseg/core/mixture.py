"""GaussianMixture: the scikit-learn shaped face of the core."""

import warnings
from os import PathLike
from typing import Self

from numpy.typing import ArrayLike
from sklearn.base import clone

from gmmseg.core.adaptation import adapted
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.estep import expectation
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.fitted_mixture import FittedMixture, RandomState
from gmmseg.core.mixture_file import as_damage, read_mixture, write_mixture
from gmmseg.core.mstep import variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import as_numbers, check_number
from gmmseg.errors import GmmsegWarning


class GaussianMixture(FittedMixture):
    """Gaussian mixture fitted by EM: fast, weighted, and without a way to fail.

    It has scikit-learn's interface and differs where users asked for it: samples can have weights
    and missing entries (NaN), memory does not grow with their number, float32 stays float32, a
    variance floor takes the place of the ridge (so the likelihood never falls), components that
    lose their samples are re-seeded or switched off instead of raising, and models are saved
    without pickle.

    Parameters
    ----------
    n_components : int, default=1
        Number of Gaussians.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Shape of the covariances: one matrix each, one matrix for all, a variance per feature, a
        variance per component.
    tol : float, default=1e-3
        Stop when the mean log-likelihood per sample changes by less.
    max_iter : int, default=100
        Largest number of EM iterations.
    n_init : int, default=1
        Number of starts, of which the most likely result is kept.
    init_params : {"k-means++", "random", "hierarchical"}, default="k-means++"
        How a start is found, on at most 20,000 of the samples (2,000 for "hierarchical", which
        leaves nothing to chance).
    weights_init : array_like of shape (n_components,), optional
        Weights to start from.
    means_init : array_like of shape (n_components, n_features), optional
        Means to start from.
    precisions_init : array_like, optional
        Inverse covariances to start from, in the shape of the covariances.
    covariance_floor : float, default=1e-6
        Smallest variance (for "full" and "tied": eigenvalue), as a fraction of the mean feature
        variance of the data; 1e-60 in any case.
    warm_start : bool, default=False
        Whether `fit` goes on from the last solution.
    random_state : int or RandomState, optional
        Seed of the starts and of `sample`. The same seed gives the same result for any ``n_jobs``.
    n_jobs : int, optional
        Number of threads; all processors if None.

    Attributes
    ----------
    parameters_ : MixtureParameters
        The fitted mixture; ``weights_``, ``means_``, ``covariances_``, ``precisions_`` and
        ``precisions_cholesky_`` are its parts.
    record_ : FitRecord
        Likelihood of every iteration, why the fit stopped, what befell components.
    n_features_in_ : int
        Number of features seen in `fit`.

    References
    ----------
    Dempster, Laird, Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".

    Examples
    --------
    >>> import numpy as np
    >>> from gmmseg import GaussianMixture
    >>> X = np.array([[1.0], [1.2], [0.8], [9.0], [9.2], [8.8]])
    >>> mixture = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> np.sort(mixture.means_.ravel())
    array([1., 9.])
    >>> mixture.predict([[0.0], [10.0]]) == mixture.predict([[1.0], [9.0]])
    array([ True,  True])
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: str = "full",
        tol: float = 1e-3,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "k-means++",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        covariance_floor: float = 1e-6,
        warm_start: bool = False,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.covariance_floor = covariance_floor
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the mixture from samples.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples; float32 and float64 are computed in their own precision, all else as float64.
            NaN is a missing entry, taken at its expectation given the others of its sample, so that
            nothing needs to be filled in before; such samples are computed in float64.
        y : None
            Ignored; here so that the mixture fits into a pipeline.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        self : GaussianMixture
            The fitted mixture.

        Raises
        ------
        InputError
            If an option or sample_weight cannot be used; ValueError, its base, if X cannot.

        Examples
        --------
        >>> GaussianMixture().fit([[0.0], [6.0]], sample_weight=[2, 1]).means_
        array([[2.]])
        """
        del y
        checked, weight = self._samples(X, sample_weight)
        self.parameters_, self.record_ = fit_mixture(
            checked, weight, self._start(), self._options(), n_jobs=self.n_jobs
        )
        self._warn_unless_converged("EM", "likelihood")
        self._warn_of_dropped()
        return self

    def adapt(
        self,
        X: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        relevance_factor: float = 16.0,
    ) -> Self:
        """Return a new mixture, moved towards new samples as far as they are many.

        Each component goes ``n / (n + relevance_factor)`` of the way to the ``n`` samples that it
        explains: a few samples move it a little, endless ones all the way. This mixture stays as
        it is.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            New samples.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.
        relevance_factor : float, default=16.0
            Number of samples that the mixture before counts as, in each component.

        Returns
        -------
        adapted : GaussianMixture
            The new mixture, with the options of this one.

        Raises
        ------
        InputError
            If relevance_factor or sample_weight cannot be used; ValueError, its base, if X cannot.
        NotFittedError
            If nothing was learned yet.

        References
        ----------
        Reynolds, Quatieri, Dunn (2000), "Speaker verification using adapted Gaussian mixture
        models", equations 11 to 14.

        Examples
        --------
        >>> one = GaussianMixture.from_parameters([1.0], [[0.0]], [[[1.0]]])
        >>> one.adapt([[2.0]] * 16, relevance_factor=16).means_
        array([[1.]])
        """
        parameters, options = self._fitted(), self._options()
        checked, weight = self._checked_with_weight(X, sample_weight)
        statistics = expectation(checked, parameters, weight, n_jobs=self.n_jobs)
        moved = adapted(
            parameters,
            statistics,
            relevance_factor=relevance_factor,
            floor=variance_floor(statistics, options.covariance_floor),
        )
        record = FitRecord((), is_converged=False, stop_reason="adapted to new samples")
        return clone(self)._with(moved, record)  # noqa: SLF001 (of the same class)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the mixture to a model file, without pickle.

        Arrays to start from and a RandomState are not saved.

        Parameters
        ----------
        path : str or path
            Where to write, by custom ending in ".gmm".

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        write_mixture(path, self._fitted(), self.record_, self._plain_options())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a mixture from a model file that `save` wrote.

        Parameters
        ----------
        path : str or path
            The model file.

        Returns
        -------
        mixture : GaussianMixture
            The mixture, equal to the last bit.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, hostile, from a newer version or holds something else.
        """
        parameters, record, options = read_mixture(path)
        with as_damage(path):
            mixture = cls(**options)
            mixture._options()
        return mixture._with(parameters, record)

    @classmethod
    def from_parameters(
        cls,
        weights: ArrayLike,
        means: ArrayLike,
        covariances: ArrayLike,
        *,
        covariance_type: str = "full",
    ) -> Self:
        """Return a mixture with these parameters, ready for use without a fit.

        Parameters
        ----------
        weights : array_like of shape (n_components,)
            Share of each component, summing to 1.
        means : array_like of shape (n_components, n_features)
            Centres.
        covariances : array_like
            Covariances in the shape of their family.
        covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
            Covariance family.

        Returns
        -------
        mixture : GaussianMixture
            The mixture.

        Raises
        ------
        InputError
            If the parameters do not make a mixture.

        Examples
        --------
        >>> coin = GaussianMixture.from_parameters(
        ...     [0.5, 0.5], [[-1.0], [1.0]], [0.1, 0.1], covariance_type="spherical"
        ... )
        >>> coin.predict([[-2.0], [3.0]])
        array([0, 1])
        """
        parameters = MixtureParameters(
            as_numbers(weights, "weights"),
            as_numbers(means, "means"),
            as_numbers(covariances, "covariances"),
            covariance_type=covariance_type,
        )
        mixture = cls(parameters.n_components, covariance_type=covariance_type)
        return mixture._with(
            parameters, FitRecord((), is_converged=False, stop_reason="made from parameters")
        )

    def _options(self) -> EMOptions:
        self._check_iteration()
        check_number("covariance_floor", self.covariance_floor, least=0)
        return EMOptions(float(self.tol), int(self.max_iter), float(self.covariance_floor))

    def _start(self) -> Start:
        return Start(
            n_components=self.n_components,
            rng=self._generator(),
            covariance_type=self.covariance_type,
            method=self.init_params,
            n_init=self.n_init,
            weights=self.weights_init,
            means=self.means_init,
            precisions=self.precisions_init,
            previous=self._previous(),
        )

    def _warn_of_dropped(self) -> None:
        n_dropped = int((self.weights_ == 0.0).sum())
        if n_dropped:
            warnings.warn(
                f"of {self.n_components} components {n_dropped} explained nothing of their own and "
                "got weight 0; lower n_components",
                GmmsegWarning,
                stacklevel=3,
            )
