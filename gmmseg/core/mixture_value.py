"""A mixture as a value: made from parameters, saved and read, moved towards new samples."""

from abc import abstractmethod
from os import PathLike
from typing import Self

from numpy.typing import ArrayLike
from sklearn.base import clone

from gmmseg.core.adaptation import adapted, standard_deviations_off, warn_if_far
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.estep import expectation
from gmmseg.core.fitted_mixture import FittedMixture
from gmmseg.core.merging import merge_mixtures
from gmmseg.core.mixture_file import as_damage, read_mixture, write_mixture
from gmmseg.core.noise import UniformNoise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import as_numbers
from gmmseg.errors import InputError


class MixtureValue(FittedMixture):
    """Hold what a mixture can do with parameters alone."""

    @abstractmethod
    def _options(self) -> EMOptions:
        """Return the options of the fit, checked."""

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
        it is. A warning names a feature in which samples lie far from all components, as those in
        another unit do.

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
        >>> from gmmseg import GaussianMixture
        >>> one = GaussianMixture.from_parameters([1.0], [[0.0]], [[[1.0]]])
        >>> one.adapt([[2.0]] * 16, relevance_factor=16).means_
        array([[1.]])
        """
        parameters, options = self._fitted(), self._options()
        checked, weight = self._checked_with_weight(X, sample_weight)
        statistics = expectation(checked, parameters, weight, n_jobs=self.n_jobs)
        names = tuple(map(str, getattr(self, "feature_names_in_", ())))
        warn_if_far(standard_deviations_off(statistics, parameters), names)
        moved = adapted(
            parameters,
            statistics,
            relevance_factor=relevance_factor,
            floor=options.floor_of(statistics),
        )
        seen = self.record_.weight_sum + statistics.weight_sum
        record = FitRecord(
            (), is_converged=False, stop_reason="adapted to new samples", weight_sum=seen
        )
        return clone(self)._with(moved, record)  # noqa: SLF001 (of the same class)

    def merge(
        self, other: "MixtureValue", *, share: float = 0.5, n_components: int | None = None
    ) -> Self:
        """Return a new mixture of this one and another, as if fitted to the samples of both.

        Both mixtures stay as they are.

        Parameters
        ----------
        other : GaussianMixture
            A fitted mixture of the same features and the same ``covariance_type``.
        share : float, default=0.5
            Weight of this mixture in the new one, from 0 to 1: where this one was fitted to n and
            the other to m samples, ``n / (n + m)``.
        n_components : int, optional
            Number of components wanted: the pair that costs least is merged until so many are left.
            All of both if None.

        Returns
        -------
        merged : GaussianMixture
            The new mixture, with the other options of this one.

        Raises
        ------
        InputError
            If the mixtures do not fit together, or share or n_components cannot be used.
        NotFittedError
            If one of the two has learned nothing yet.

        References
        ----------
        Runnalls (2007), "Kullback-Leibler approach to Gaussian mixture reduction", equations 2 to 4
        and 21, DOI 10.1109/TAES.2007.4383588.
        """
        if not isinstance(other, MixtureValue):
            raise InputError(f"other must be a fitted mixture, got {type(other).__name__}")
        theirs = other._fitted()  # noqa: SLF001 (of the same class)
        merged = merge_mixtures(
            self._fitted(), theirs, first_share=share, n_components=n_components
        )
        seen = self.record_.weight_sum + other.record_.weight_sum
        record = FitRecord(
            (), is_converged=False, stop_reason="merged with another mixture", weight_sum=seen
        )
        new: Self = clone(self).set_params(n_components=merged.n_components)
        return new._with(merged, record)

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
        names = getattr(self, "feature_names_in_", ())  # of a data frame (scikit-learn)
        options = self._plain_options()
        write_mixture(path, self._fitted(), self.record_, options, feature_names=names)

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
        noise: UniformNoise | None = None,
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
        covariance_type : str, default="full"
            Covariance family, or one of mclust's names.
        noise : UniformNoise, optional
            One more component, of samples that belong to no Gaussian.

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
        >>> from gmmseg import GaussianMixture
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
            noise=noise,
        )
        has_noise = noise is not None
        mixture = cls(parameters.n_components, covariance_type=covariance_type, noise=has_noise)
        return mixture._with(
            parameters, FitRecord((), is_converged=False, stop_reason="made from parameters")
        )
