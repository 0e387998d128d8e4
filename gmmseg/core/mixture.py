"""GaussianMixture: the scikit-learn shaped face of the core."""

import warnings
from collections.abc import Collection, Sequence
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.blocks import BlockData, comes_in_blocks, row_count
from gmmseg.core.em import EMOptions
from gmmseg.core.estep import expectation
from gmmseg.core.fit import Start, fit_data, fit_mixture
from gmmseg.core.fitted_mixture import RandomState
from gmmseg.core.fixed_parts import check_given, named_parts
from gmmseg.core.initialization import SUBSAMPLE_SIZE
from gmmseg.core.known_labels import MOST_COMPONENTS, Labels, known_labels
from gmmseg.core.mixture_selection import (
    check_criterion,
    is_choice,
    selection_plan,
    warn_at_limit,
)
from gmmseg.core.mixture_value import MixtureValue
from gmmseg.core.selection import Criterion, select_mixture
from gmmseg.core.stepwise import learned
from gmmseg.core.validation import check_number
from gmmseg.errors import GmmsegWarning, InputError


class GaussianMixture(MixtureValue):
    """Gaussian mixture fitted by EM: fast, weighted, and without a way to fail.

    It has scikit-learn's interface and differs where users asked for it: samples can have weights,
    missing entries (NaN) and known labels, they may come in blocks and need not fit into memory,
    float32 stays float32, a variance floor takes the place of the ridge (so the likelihood never
    falls), components that lose their samples are re-seeded or switched off instead of raising,
    and models are saved without pickle.

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
        Number of starts. Each gets a few iterations on a subsample, the best three some more, the
        best of these the whole fit.
    init_params : {"k-means++", "random", "hierarchical"}, default="k-means++"
        How a start is found, on at most 20,000 of the samples (2,000 for "hierarchical", which
        leaves nothing to chance). Where there is a choice, "hierarchical" is always tried, too.
    weights_init : array_like of shape (n_components,), optional
        Weights to start from; noise is besides them.
    means_init : array_like of shape (n_components, n_features), optional
        Means to start from.
    precisions_init : array_like, optional
        Inverse covariances to start from, in the shape of the covariances.
    covariance_floor : float, default=1e-6
        Smallest variance (for "full" and "tied": eigenvalue, features taken in units of their own),
        as a fraction of that of all data in the feature; 1e-60 in any case.
    covariance_prior : float, optional
        Number of samples, in each component, that a prior over the covariances counts as: as wide
        as equal parts of the data would be (Fraley, Raftery 2007). It steadies components with few
        samples for their features; about ``n_features + 2`` is a start. No prior if None.
    fixed : collection of {"weights", "means", "covariances"}, default=()
        Parameters that stay as they are given to start from, to the last bit. With noise, fixed
        weights leave room for its own, which then stays, too.
    noise : bool, default=False
        Whether there is uniform noise besides the Gaussians, for samples that belong to none
        (Banfield, Raftery 1993). `predict` labels it -1; in `predict_proba` it is the last column.
    forgetting_rate : float, default=0.7
        How fast `partial_fit` forgets: at 1 all blocks count the same, below it old ones fade.
        Above 0.5.
    criterion : {"bic", "icl", "held-out"}, default="bic"
        What chooses: an information criterion, or the likelihood of a quarter of the samples that
        candidates are not fitted to. A component as narrow as the floor disqualifies from the first
        two. More components are not tried after two in a row were worse.
    accelerate : bool, default=True
        Whether to leap where EM goes the same way in ever shorter steps (SQUAREM; Varadhan, Roland
        2008). The likelihood still never falls; from the eleventh iteration on, the way is another
        than that of plain EM, and shorter.
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
    Bishop (2006), "Pattern recognition and machine learning", equations 9.23 to 9.28. Celeux,
    Govaert (1995), "Gaussian parsimonious clustering models", sections 3 and 4.

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
        covariance_prior: float | None = None,
        fixed: Collection[str] = (),
        noise: bool = False,
        forgetting_rate: float = 0.7,
        criterion: Criterion = "bic",
        accelerate: bool = True,
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
        self.covariance_prior = covariance_prior
        self.fixed = fixed
        self.noise = noise
        self.forgetting_rate = forgetting_rate
        self.criterion = criterion
        self.accelerate = accelerate
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the mixture from samples.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features), memmap, list of ndarray, or callable
            Samples; float32 and float64 are computed in their own precision, all else as float64.
            NaN is a missing entry, taken at its expectation given the others of its sample, so that
            nothing needs to be filled in before; such samples are computed in float64.
            An array on disk, a list of arrays (which may be on disk), or a function that returns a
            new iterator over blocks (or over pairs of block and sample_weight) is read block by
            block, in every iteration anew, so that memory does not grow with the data. What
            ``n_components`` and ``covariance_type`` leave open is then chosen on a subsample.
        y : array_like of shape (n_samples,), optional
            Components that samples are known to belong to, and -1 where none is known: component
            k is the one of label k. A ``y`` without any -1, or not of whole numbers, is ignored,
            so that the mixture fits into a pipeline. `predict` tells what the mixture says of a
            sample, whatever its label was.
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
        if not (self.warm_start and "parameters_" in vars(self)):
            check_given(named_parts(self.fixed), self.get_params(deep=False))
        self.__dict__.pop("selection_", None)  # of another fit
        if comes_in_blocks(X):
            labels = self._known_labels(y, row_count(X))
            data = BlockData(X, sample_weight, labels=labels, n_jobs=self.n_jobs)
            self._fit_blocks(data, labels)
        else:
            checked, weight = self._samples(X, sample_weight)
            self._fit_table(checked, weight, self._known_labels(y, len(checked), weight))
        self._warn_unless_converged("EM", "likelihood")
        self._warn_of_dropped()
        if "selection_" in vars(self):
            warn_at_limit(self.selection_, self.n_components)
        return self

    def partial_fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from one more block of samples, and forget earlier ones a little.

        The first block is fitted as `fit` does, so it should show all components. A fitted or
        loaded mixture goes on from where it is; one made from parameters has seen no samples, so
        they are where the first block begins. The prior of ``covariance_prior`` acts in the first
        block, as samples that later fade like the others. `record_` tells of the last block.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples; NaN is a missing entry.
        y : None
            Ignored.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        self : GaussianMixture
            This mixture.

        Raises
        ------
        InputError
            If an option or sample_weight cannot be used; ValueError, its base, if X cannot.

        References
        ----------
        Cappé, Moulines (2009), "On-line expectation-maximization algorithm for latent data models",
        equation 12.

        Examples
        --------
        >>> stream = GaussianMixture(forgetting_rate=1.0)
        >>> for block in ([[0.0], [2.0]], [[4.0], [6.0]]):
        ...     stream = stream.partial_fit(block)
        >>> stream.means_
        array([[3.]])
        """
        del y
        if "parameters_" not in vars(self):
            return self.fit(X, sample_weight=sample_weight)
        options, parameters = self._options(), self._fitted()
        checked, weight = self._checked_with_weight(X, sample_weight)
        statistics = expectation(checked, parameters, weight, n_jobs=self.n_jobs)
        rate = float(self.forgetting_rate)
        self.parameters_, self.record_ = learned(
            parameters, self.record_, statistics, options, forgetting_rate=rate
        )
        return self

    def _fit_table(
        self, X: NDArray[Any], weight: NDArray[np.float64] | None, labels: Labels | None
    ) -> None:
        options = self._options()
        if self._is_open:
            self._choose(X, weight)
            return
        self.parameters_, self.record_ = fit_mixture(
            X, weight, self._start(labels), options, n_jobs=self.n_jobs
        )

    def _fit_blocks(self, data: BlockData, labels: Labels | None) -> None:
        """Fit to blocks; what is open is chosen on a subsample of them."""
        options, self.n_features_in_ = self._options(), data.n_columns
        self.__dict__.pop("feature_names_in_", None)  # of another fit (scikit-learn)
        if self._is_open:
            rows, weight = data.sample(self._generator())
            # The criteria count as many samples as were drawn.
            n_drawn = min(weight.sum(), SUBSAMPLE_SIZE)
            self._choose(rows.astype(data.dtype), weight * (n_drawn / weight.sum()))
            chosen = self.parameters_
            start = Start(
                n_components=chosen.n_components,
                rng=self._generator(),
                covariance_type=chosen.covariance_type,
                previous=chosen,
                noise=bool(self.noise),
            )
        else:
            start = self._start(labels)
        data = data if start.needs_unseen else data.without_unseen()
        self.parameters_, self.record_ = fit_data(data, start, options, n_jobs=self.n_jobs)

    def _choose(self, X: NDArray[Any], weight: NDArray[np.float64] | None) -> None:
        """Fit all that the options leave open, and keep the best."""
        options = self._options()
        starts = (self.weights_init, self.means_init, self.precisions_init)
        if self.warm_start or any(start is not None for start in starts):
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
            noise=bool(self.noise),
        )
        self.parameters_, self.record_, self.selection_ = select_mixture(
            X, weight, plan, options, rng=self._generator(), n_jobs=self.n_jobs
        )

    @property
    def _is_open(self) -> bool:
        """Whether the number of components or the family is to be chosen."""
        return is_choice(self.n_components, self.covariance_type)

    def _known_labels(
        self, y: Any, n_samples: int | None, weight: NDArray[np.float64] | None = None
    ) -> Labels | None:
        n_samples = np.size(y) if n_samples is None else n_samples  # of a function none is known
        if not self._is_open:
            check_number("n_components", self.n_components, least=1, is_whole=True)
            return known_labels(y, n_samples, cast("int", self.n_components), weight)
        if known_labels(y, n_samples, MOST_COMPONENTS) is not None:
            raise InputError(
                "y names components, so their number and family cannot be chosen; give "
                "n_components and covariance_type"
            )
        return None

    def _options(self) -> EMOptions:
        self._check_iteration(has_number=not self._is_open)
        check_criterion(self.criterion)
        check_number("covariance_floor", self.covariance_floor, least=0)
        prior = 0.0 if self.covariance_prior is None else self.covariance_prior
        check_number("covariance_prior", prior, least=0)
        check_number("forgetting_rate", self.forgetting_rate, least=0)
        if not 0.5 < self.forgetting_rate <= 1.0:
            raise InputError(
                f"forgetting_rate must be above 0.5 and at most 1, got {self.forgetting_rate}"
            )
        return EMOptions(
            tol=float(self.tol),
            max_iter=int(self.max_iter),
            covariance_floor=float(self.covariance_floor),
            covariance_prior=float(prior),
            fixed=named_parts(self.fixed),
            accelerate=bool(self.accelerate),
        )

    def _start(self, labels: Any = None) -> Start:
        return Start(
            n_components=cast("int", self.n_components),
            rng=self._generator(),
            covariance_type=cast("str", self.covariance_type),
            method=self.init_params,
            n_init=self.n_init,
            weights=self.weights_init,
            means=self.means_init,
            precisions=self.precisions_init,
            previous=self._previous(),
            labels=labels,
            noise=bool(self.noise),
        )

    def _warn_of_dropped(self) -> None:
        n_dropped = int((self.weights_ == 0.0).sum())
        if n_dropped:
            warnings.warn(
                f"of {self.n_components_} components {n_dropped} explained nothing of their own "
                "and got weight 0; lower n_components",
                GmmsegWarning,
                stacklevel=3,
            )
