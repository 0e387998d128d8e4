"""GaussianMixture: the scikit-learn shaped face of the core."""

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from gmmseg.core.adaptation import adapted
from gmmseg.core.covariance import family_named
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.estep import expectation
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.mixture_base import MixtureBase
from gmmseg.core.mixture_file import read_mixture, write_mixture
from gmmseg.core.mixture_selection import check_criterion, is_choice, selection_plan
from gmmseg.core.mstep import variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.selection import Criterion, select_mixture
from gmmseg.core.validation import check_magnitude, check_number, check_sample_weight
from gmmseg.errors import GmmsegWarning, InputError, ModelFileError

RandomState = int | np.random.RandomState | None


class GaussianMixture(MixtureBase):
    """Gaussian mixture fitted by EM: fast, weighted, and without a way to fail.

    It has scikit-learn's interface and differs where users asked for it: samples can have weights,
    memory does not grow with their number, float32 stays float32, a variance floor takes the place
    of the ridge (so the likelihood never falls), components that lose their samples are re-seeded
    or switched off instead of raising, and models are saved without pickle.

    Parameters
    ----------
    n_components : int, "auto" or list of int, default=1
        Number of Gaussians; of several, or of 1 to 9 if "auto", ``criterion`` chooses.
    covariance_type : str or list of str, default="full"
        Shape of the covariances: "full" one matrix each, "tied" one matrix for all, "diag" a
        variance per feature, "spherical" a variance per component, or a family of mclust: three
        letters say whether volume, shape and orientation are E (equal in all components),
        V (variable) or I (round; along the features), as in "VEV". Of several, or of all if
        "auto", ``criterion`` chooses.
    tol : float, default=1e-3
        Stop when the mean log-likelihood per sample changes by less.
    max_iter : int, default=100
        Largest number of EM iterations.
    n_init : int, default=1
        Number of starts, of which the most likely result is kept.
    init_params : {"k-means++", "random", "hierarchical"}, default="k-means++"
        How a start is found, on at most 20,000 of the samples (2,000 for "hierarchical", which
        leaves nothing to chance). Where there is a choice, "hierarchical" is always tried, too.
    weights_init : array_like of shape (n_components,), optional
        Weights to start from.
    means_init : array_like of shape (n_components, n_features), optional
        Means to start from.
    precisions_init : array_like, optional
        Inverse covariances to start from, in the shape of the covariances.
    covariance_floor : float, default=1e-6
        Smallest variance (for "full" and "tied": eigenvalue), as a fraction of the mean feature
        variance of the data; 1e-60 in any case.
    criterion : {"bic", "icl", "held-out"}, default="bic"
        What chooses: an information criterion, or the likelihood of a quarter of the samples that
        candidates are not fitted to. A component as narrow as the floor disqualifies from the first
        two. More components are not tried after two in a row were worse.
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
    n_components_, covariance_type_ : int, str
        Those given or chosen.
    selection_ : Selection
        What was tried, where there was a choice: print it for a table.
    n_features_in_ : int
        Number of features seen in `fit`.

    References
    ----------
    Dempster, Laird, Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".
    Celeux, Govaert (1995), "Gaussian parsimonious clustering models".

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
        n_components: int | str | Sequence[int] = 1,
        *,
        covariance_type: str | Sequence[str] = "full",
        tol: float = 1e-3,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "k-means++",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        covariance_floor: float = 1e-6,
        criterion: Criterion = "bic",
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
        self.criterion = criterion
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the mixture from samples.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples; float32 and float64 are computed in their own precision, all else as float64.
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
        checked = validate_data(self, X, dtype=[np.float64, np.float32], order="C")
        check_magnitude(checked)
        weight = check_sample_weight(sample_weight, len(checked))
        self.__dict__.pop("selection_", None)  # of another fit
        if is_choice(self.n_components, self.covariance_type):
            self._choose(checked, weight)
        else:
            self.parameters_, self.record_ = fit_mixture(
                checked, weight, self._start(), self._options(), n_jobs=self.n_jobs
            )
        self._warn()
        return self

    def fit_predict(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.intp]:
        """Learn the mixture and return the component of each sample, as ``fit(X).predict(X)``.

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
        labels : ndarray of shape (n_samples,)
            Numbers from 0 to ``n_components - 1``.
        """
        return self.fit(X, y, sample_weight).predict(X)

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
        statistics = expectation(self._checked(X), parameters, sample_weight, n_jobs=self.n_jobs)
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
        try:
            mixture = cls(**options)
            mixture._options()
        except (TypeError, InputError) as error:
            raise ModelFileError(f"{path} is damaged: {error}") from None
        return mixture._with(parameters, record)

    def _choose(self, X: NDArray[Any], weight: NDArray[np.float64] | None) -> None:
        """Fit all that the options leave open, and keep the best."""
        options, starts = self._options(), (self.weights_init, self.means_init)
        if self.warm_start or any(s is not None for s in (*starts, self.precisions_init)):
            raise InputError(
                "warm_start, weights_init, means_init and precisions_init belong to one mixture; "
                "with several to choose from, leave them out"
            )
        plan = selection_plan(
            X,
            n_components=self.n_components,
            covariance_type=self.covariance_type,
            criterion=self.criterion,
            method=self.init_params,
            n_init=int(self.n_init),
        )
        self.parameters_, self.record_, self.selection_ = select_mixture(
            X, weight, plan, options, rng=self._rng(), n_jobs=self.n_jobs
        )

    def _options(self) -> EMOptions:
        if not is_choice(self.n_components, self.covariance_type):
            check_number("n_components", self.n_components, least=1, is_whole=True)
        check_criterion(self.criterion)
        check_number("max_iter", self.max_iter, least=1, is_whole=True)
        check_number("n_init", self.n_init, least=1, is_whole=True)
        check_number("tol", self.tol, least=0)
        check_number("covariance_floor", self.covariance_floor, least=0)
        return EMOptions(float(self.tol), int(self.max_iter), float(self.covariance_floor))

    def _rng(self) -> np.random.Generator:
        seed = check_random_state(self.random_state).randint(2**32, size=4, dtype=np.uint32)
        return np.random.default_rng(seed)

    def _start(self) -> Start:
        return Start(
            n_components=cast("int", self.n_components),
            rng=self._rng(),
            covariance_type=cast("str", self.covariance_type),
            method=self.init_params,
            n_init=self.n_init,
            weights=self.weights_init,
            means=self.means_init,
            precisions=self.precisions_init,
            previous=self._previous() if self.warm_start else None,
        )

    def _previous(self) -> MixtureParameters | None:
        """Return the last solution, which a warm start goes on from."""
        previous: MixtureParameters | None = vars(self).get("parameters_")
        family = family_named(cast("str", self.covariance_type))
        wanted = (self.n_components, self.n_features_in_, family.name)
        if previous is None:
            return None
        had = (previous.n_components, previous.n_features, previous.covariance_type)
        if had != wanted:
            raise InputError(
                "warm_start goes on with the n_components, features and covariance_type of the "
                f"last fit, {had}, got {wanted}; set warm_start=False to begin anew"
            )
        return previous

    def _plain_options(self) -> dict[str, Any]:
        """Return the options that fit into a JSON header: arrays and generators stay behind."""
        options = {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in self.get_params(deep=False).items()
        }
        plain = (bool, int, float, str, type(None))
        return {name: value for name, value in options.items() if isinstance(value, plain)}

    def _warn(self) -> None:
        if not self.record_.is_converged and self.tol > 0:
            warnings.warn(
                f"EM stopped after max_iter={self.max_iter} iterations, before the likelihood "
                "stood still; raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=3,
            )
        n_dropped = int((self.weights_ == 0.0).sum())
        if n_dropped:
            warnings.warn(
                f"of {self.n_components_} components {n_dropped} explained nothing of their own "
                "and got weight 0; lower n_components",
                GmmsegWarning,
                stacklevel=3,
            )
