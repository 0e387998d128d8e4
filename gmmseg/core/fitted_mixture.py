"""What mixtures that are fitted by iteration share: options, seed, warm start, warnings."""

import warnings
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from gmmseg.core.covariance import family_named
from gmmseg.core.mixture_base import MixtureBase
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_magnitude, check_number, check_sample_weight
from gmmseg.errors import InputError

RandomState = int | np.random.RandomState | None


class FittedMixture(MixtureBase, ABC):
    """Hold the options that all such mixtures have, and use them."""

    n_components: Any
    covariance_type: Any
    tol: float
    max_iter: int
    n_init: int
    warm_start: bool

    @abstractmethod
    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the mixture from samples."""

    def fit_predict(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> NDArray[np.intp]:
        """Learn the mixture and return the component of each sample, as ``fit(X).predict(X)``.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
            Samples.
        y : array_like of shape (n_samples,), optional
            As in `fit`. A sample of known label gets the one that the mixture gives it.
        sample_weight : array_like of shape (n_samples,), optional
            How often each sample counts, at least 0.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Numbers from 0 to ``n_components - 1``; -1 for noise.
        """
        return self.fit(X, y, sample_weight).predict(X)

    def _samples(
        self, X: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return checked samples to learn from, and their weights."""
        checked = validate_data(
            self, X, dtype=[np.float64, np.float32], order="C", ensure_all_finite="allow-nan"
        )
        check_magnitude(checked)
        return checked, check_sample_weight(sample_weight, len(checked))

    def _check_iteration(self, *, has_number: bool = True) -> None:
        """Raise InputError unless the options of the iteration can be used."""
        if has_number:
            check_number("n_components", self.n_components, least=1, is_whole=True)
        check_number("max_iter", self.max_iter, least=1, is_whole=True)
        check_number("n_init", self.n_init, least=1, is_whole=True)
        check_number("tol", self.tol, least=0)

    def _generator(self) -> np.random.Generator:
        """Return the source of chance that ``random_state`` seeds."""
        seed = check_random_state(self.random_state).randint(2**32, size=4, dtype=np.uint32)
        return np.random.default_rng(seed)

    def _previous(self) -> MixtureParameters | None:
        """Return the last solution, if a warm start is to go on from one."""
        previous: MixtureParameters | None = vars(self).get("parameters_")
        if previous is None or not self.warm_start:
            return None
        family = family_named(self.covariance_type).name
        wanted = (self.n_components, self.n_features_in_, family)
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
        names = options.get("fixed", ())  # any collection, of which JSON knows the list alone
        if not isinstance(names, str) and names:
            options["fixed"] = sorted(names)
        plain = (bool, int, float, str, type(None))
        return {
            name: value
            for name, value in options.items()
            if isinstance(value, plain) or (name == "fixed" and value)
        }

    def _warn_unless_converged(self, method: str, measure: str) -> None:
        """Warn the caller of `fit`, which calls this, if the last iteration came too soon."""
        if not self.record_.is_converged and self.tol > 0:
            warnings.warn(
                f"{method} stopped after max_iter={self.max_iter} iterations, before the "
                f"{measure} stood still; raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=3,
            )
