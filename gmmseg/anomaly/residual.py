"""What the main axes of the normal samples leave unexplained of a sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.backend import Array, Backend, Setting
from gmmseg.anomaly.folds import cross_fitted
from gmmseg.anomaly.moment_arrays import moment_arrays, moments_of, number
from gmmseg.anomaly.moments import Moments
from gmmseg.anomaly.spectrum import Spectrum

SHARES = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.9)
"""Numbers of axes that are tried, as shares of what there can be."""
LEAST_NOISE = 1e-6


@dataclass(frozen=True, eq=False)
class ResidualBackend(Backend):
    """Measure the distance from the plane of the main axes, in deviations of the features.

    Parameters
    ----------
    moments : Moments
        What is known of the normal samples.
    n_axes : int
        Number of axes that count as normal variation.

    References
    ----------
    Tipping, Bishop (1999), "Probabilistic principal component analysis", whose likelihood of
    left-out samples chooses the number of axes.
    """

    moments: Moments
    n_axes: int
    name: ClassVar[str] = "residual"

    @classmethod
    def learn(cls, X: Array, setting: Setting) -> tuple[Self, Array]:
        """Return the back-end with the number of axes that makes left-out samples likeliest."""
        # Axes of a fold that are only rounding are none.
        most = max(min(X.shape[1], len(X) - 2), 1)
        tried = sorted({int(share * most) for share in SHARES})

        def score(rest: Array, left_out: Array) -> Array:
            spectrum = Spectrum.of_moments(Moments.of_samples(rest, setting.prior_variance))
            squares = spectrum.coordinates(left_out) ** 2
            found = [_residual(spectrum, squares, n_axes) for n_axes in tried]
            return np.stack(found, axis=2)

        found = cross_fitted(X, score)
        best = int(found[:, 1].sum(axis=0).argmax())
        moments = Moments.of_samples(X, setting.prior_variance)
        return cls(moments, tried[best]), found[:, 0, best]

    @cached_property
    def spectrum(self) -> Spectrum:
        """The principal axes of the correlations."""
        return Spectrum.of_moments(self.moments)

    def distances(self, X: Array) -> Array:
        """Return the squared residuals over their variance."""
        return _residual(self.spectrum, self.spectrum.coordinates(X) ** 2, self.n_axes)[:, 0]

    def contributions(self, X: Array) -> Array:
        """Return the squared residual of each feature over the variance of the residuals."""
        rest = self.spectrum.axes[:, self.n_axes :]
        residual = self.spectrum.coordinates(X)[:, self.n_axes :] @ rest.T
        return residual**2 / _noise(self.spectrum, self.n_axes)

    def adapted(self, X: Array, weight: float) -> Self:
        """Return the back-end of old and new samples."""
        return type(self)(self.moments.with_samples(X, weight), self.n_axes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return moments and number of axes."""
        return {**moment_arrays(self.moments), "n_axes": np.array(self.n_axes)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the back-end of these arrays."""
        moments = moments_of(arrays)
        return cls(moments, int(number(arrays["n_axes"], "n_axes", 0, len(moments.mean) - 1)))


def _noise(spectrum: Spectrum, n_axes: int) -> float:
    """Return the mean variance along the axes that are left."""
    return max(float(spectrum.values[n_axes:].mean()), LEAST_NOISE)


def _residual(spectrum: Spectrum, squares: Array, n_axes: int) -> Array:
    """Return squared residuals over their variance, and log-likelihoods, (n_samples, 2)."""
    noise, kept = _noise(spectrum, n_axes), np.maximum(spectrum.values[:n_axes], LEAST_NOISE)
    residual = squares[:, n_axes:].sum(axis=1) / noise
    n_left = squares.shape[1] - n_axes
    log_det = np.log(kept).sum() + n_left * np.log(noise) + 2.0 * np.log(spectrum.deviation).sum()
    log_likelihood = -0.5 * (squares[:, :n_axes] @ (1.0 / kept) + residual + log_det)
    return np.stack([residual, log_likelihood], axis=1)
