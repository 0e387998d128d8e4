"""BayesianGaussianMixture: the scikit-learn shaped face of variational Bayes."""

from os import PathLike
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.em import FitRecord
from gmmseg.core.fitted_mixture import FittedMixture, RandomState
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.posterior_file import read_posterior, write_posterior
from gmmseg.core.variational import Posterior
from gmmseg.core.variational_fit import Ascent, fit_posterior
from gmmseg.core.variational_prior import PriorOptions
from gmmseg.errors import InputError

Array = NDArray[np.float64]


class BayesianGaussianMixture(FittedMixture):
    """Gaussian mixture whose parameters have distributions: it uses as many components as it needs.

    Fitted by variational Bayes with scikit-learn's interface and equations: from the same start,
    all four families and both priors over the weights go the same way. It differs as
    `GaussianMixture` does: samples can have weights, memory does not grow with their number,
    float32 stays float32, no table of numbers makes it fail, and models are saved without pickle.

    Parameters
    ----------
    n_components : int, default=1
        Largest number of Gaussians. Those that the data do not need keep their prior and a weight
        near 0; `n_components_used_` counts the others.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        Shape of the covariances: one matrix each, one matrix for all, a variance per feature, a
        variance per component.
    tol : float, default=1e-3
        Stop when the lower bound changes by less, in nats over all samples.
    max_iter : int, default=100
        Largest number of iterations.
    n_init : int, default=1
        Number of starts, of which the result of highest lower bound is kept.
    init_params : {"k-means++", "random"}, default="k-means++"
        How a start is found, on at most 20,000 of the samples.
    weight_concentration_prior_type : {"dirichlet_process", "dirichlet_distribution"}, default=\
"dirichlet_process"
        Prior over the weights: a stick-breaking process, or a symmetric Dirichlet distribution.
    weight_concentration_prior : float, optional
        Concentration of that prior, above 0: the lower, the fewer components are used.
        ``1 / n_components`` if None.
    mean_precision_prior : float, optional
        Number of samples that ``mean_prior`` counts as in each component, above 0; 1 if None.
    mean_prior : array_like of shape (n_features,), optional
        Where the means are expected; the mean of the data if None.
    degrees_of_freedom_prior : float, optional
        Degrees of freedom of the Wishart prior of the precisions, above ``n_features - 1``;
        ``n_features`` if None.
    covariance_prior : array_like, optional
        Inverse scale of the Wishart prior: (n_features, n_features) for "full" and "tied",
        (n_features,) for "diag", a number for "spherical". The covariance of the data if None;
        where that is singular, it is raised by a millionth.
    warm_start : bool, default=False
        Whether `fit` goes on from the last solution.
    random_state : int or RandomState, optional
        Seed of the starts and of `sample`. The same seed gives the same result for any ``n_jobs``.
    n_jobs : int, optional
        Number of threads; all processors if None.

    Attributes
    ----------
    posterior_ : Posterior
        The fitted distribution over mixtures, and the prior in it.
    parameters_ : MixtureParameters
        The mixture of expected weights, means and precisions; ``weights_``, ``means_``,
        ``covariances_``, ``precisions_`` and ``precisions_cholesky_`` are its parts.
    record_ : FitRecord
        Lower bound of every iteration, and why the fit stopped.
    n_features_in_ : int
        Number of features seen in `fit`.

    Notes
    -----
    `predict` and `predict_proba` label samples with the posterior, as scikit-learn does: a
    component is also judged by how well its parameters are known. `score_samples`, `score` and
    `sample` use ``parameters_``, so that densities integrate to 1; scikit-learn's do not.

    ``lower_bound_`` is the bound on the log-evidence in nats, constants included, so that fits of
    the same data with other ``n_components`` or priors can be compared. Families narrow the
    posterior of one model and not the model: their bounds do not tell which family is better.

    References
    ----------
    Bishop (2006), "Pattern recognition and machine learning", section 10.2. Blei, Jordan (2006),
    "Variational inference for Dirichlet process mixtures", section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from gmmseg import BayesianGaussianMixture
    >>> X = np.array([[1.0], [1.2], [0.8], [9.0], [9.2], [8.8]]).repeat(5, axis=0)
    >>> mixture = BayesianGaussianMixture(n_components=5, random_state=0).fit(X)
    >>> mixture.n_components_used_
    2
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
        weight_concentration_prior_type: str = "dirichlet_process",
        weight_concentration_prior: float | None = None,
        mean_precision_prior: float | None = None,
        mean_prior: ArrayLike | None = None,
        degrees_of_freedom_prior: float | None = None,
        covariance_prior: ArrayLike | None = None,
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
        self.weight_concentration_prior_type = weight_concentration_prior_type
        self.weight_concentration_prior = weight_concentration_prior
        self.mean_precision_prior = mean_precision_prior
        self.mean_prior = mean_prior
        self.degrees_of_freedom_prior = degrees_of_freedom_prior
        self.covariance_prior = covariance_prior
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs

    posterior_: Posterior

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the posterior from samples.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples; float32 and float64 are computed in their own precision, all else as float64.
        y : None
            Ignored; here so that the mixture fits into a pipeline.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0. Evidence grows with their sum: weights that
            sum to 1 are the evidence of one sample.

        Returns
        -------
        self : BayesianGaussianMixture
            The fitted mixture.

        Raises
        ------
        InputError
            If an option or sample_weight cannot be used; ValueError, its base, if X cannot.

        Examples
        --------
        >>> BayesianGaussianMixture().fit([[0.0], [6.0]], sample_weight=[2, 1]).means_
        array([[2.]])
        """
        del y
        checked, weight = self._samples(X, sample_weight)
        options = self._prior_options()
        posterior, record = fit_posterior(
            checked, weight, options, self._ascent(), n_jobs=self.n_jobs
        )
        self._with_posterior(posterior, record)
        self._warn_unless_converged("variational Bayes", "lower bound")
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Write the mixture, its posterior and its prior to a model file, without pickle.

        Options that are arrays and a RandomState are not saved; the priors that came of them are.

        Parameters
        ----------
        path : str or path
            Where to write, by custom ending in ".gmm".

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        self._fitted()
        write_posterior(path, self.posterior_, self.record_, self._plain_options())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a mixture from a model file that `save` wrote.

        Parameters
        ----------
        path : str or path
            The model file.

        Returns
        -------
        mixture : BayesianGaussianMixture
            The mixture, equal to the last bit.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, hostile, from a newer version or holds something else.
        """
        posterior, record, options = read_posterior(path)
        with as_damage(path):
            mixture = cls(**options)
            mixture._prior_options()
        return mixture._with_posterior(posterior, record)

    @property
    def n_components_used_(self) -> int:
        """Number of components that explain one sample or more; at least 1."""
        self._fitted()
        return max(1, int((self.posterior_.counts >= 1.0).sum()))

    @property
    def weight_concentration_(self) -> Array | tuple[Array, Array]:
        """Posterior of the weights, (n_components,); a pair of such for a Dirichlet process."""
        self._fitted()
        concentration = self.posterior_.weight_concentration
        return concentration if concentration.ndim == 1 else (concentration[0], concentration[1])

    @property
    def weight_concentration_prior_(self) -> float:
        """Concentration of the prior over the weights."""
        self._fitted()
        return self.posterior_.prior.weight_concentration

    @property
    def mean_precision_(self) -> Array:
        """Number of samples that each mean rests on, (n_components,)."""
        self._fitted()
        return self.posterior_.mean_precision

    @property
    def mean_precision_prior_(self) -> float:
        """Number of samples that the prior of the means counts as."""
        self._fitted()
        return self.posterior_.prior.mean_precision

    @property
    def mean_prior_(self) -> Array:
        """Where the means were expected, (n_features,)."""
        self._fitted()
        return self.posterior_.prior.mean

    @property
    def degrees_of_freedom_(self) -> Array:
        """Degrees of freedom of each Wishart posterior, (n_components,)."""
        self._fitted()
        return self.posterior_.degrees_of_freedom

    @property
    def degrees_of_freedom_prior_(self) -> float:
        """Degrees of freedom of the Wishart prior."""
        self._fitted()
        return self.posterior_.prior.degrees_of_freedom

    @property
    def covariance_prior_(self) -> Array:
        """Inverse scale of the Wishart prior, in the shape of one covariance of the family."""
        self._fitted()
        return self.posterior_.prior.covariance

    def _labelling(self) -> MixtureParameters:
        self._fitted()
        return self.posterior_.expected_mixture

    def _with_posterior(self, posterior: Posterior, record: FitRecord) -> Self:
        self.posterior_ = posterior
        return self._with(posterior.mean_mixture, record)

    def _prior_options(self) -> PriorOptions:
        """Return the priors as given; all options are checked that can be without data."""
        self._check_iteration()
        options = PriorOptions(
            n_components=self.n_components,
            covariance_type=self.covariance_type,
            weight_type=self.weight_concentration_prior_type,
            weight_concentration=self.weight_concentration_prior,
            mean_precision=self.mean_precision_prior,
            mean=self.mean_prior,
            degrees_of_freedom=self.degrees_of_freedom_prior,
            covariance=self.covariance_prior,
        )
        options.check()
        return options

    def _ascent(self) -> Ascent:
        return Ascent(
            rng=self._generator(),
            method=self.init_params,
            n_init=int(self.n_init),
            tol=float(self.tol),
            max_iter=int(self.max_iter),
            previous=self._previous_posterior(),
        )

    def _previous_posterior(self) -> Posterior | None:
        if self._previous() is None:
            return None
        had = self.posterior_.prior.weight_type
        if had != self.weight_concentration_prior_type:
            raise InputError(
                f"warm_start goes on with the weight_concentration_prior_type of the last fit, "
                f"{had!r}, got {self.weight_concentration_prior_type!r}; "
                "set warm_start=False to begin anew"
            )
        return self.posterior_
