"""Slow shading of an image (MRI coils, microscope lamps), estimated together with a mixture.

In logarithms a shading that multiplies is one that adds. The mixture tells how bright a pixel of
its kind should be; what all pixels around lack to that, in the same way, is the shading. Noise
near black has no end in logarithms, so they are taken of averages over alike neighbours.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.em import EMOptions
from gmmseg.core.estep import responsibilities
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.halves import statistics_given
from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.image.arrays import with_channels
from gmmseg.image.color import scaled
from gmmseg.image.pixels import checked_mask
from gmmseg.image.sigma_filter import alike_means, neighbour_noise

USUAL_KINDS = 3  # of pixels, such as tissues
MOST_CELLS = 40_000  # that the field is estimated from; it is smooth, so these tell all
OPTIONS = EMOptions(tol=1e-4, max_iter=100)
FLOOR = 1e-6  # smallest variance, as a fraction of the mean feature variance
ROUNDS = 60  # of mixture and field, for each degree
STILL = 1e-3  # largest change of the logarithm of the field at which it is found

Array = NDArray[np.float64]


def estimate_bias_field(
    image: ArrayLike,
    n_segments: int = USUAL_KINDS,
    *,
    mask: ArrayLike | None = None,
    degree: int = 3,
    channel_axis: int | None = -1,
    n_jobs: int | None = None,
) -> NDArray[np.float32]:
    """Estimate the slow shading that an image was multiplied by; divide by it to be rid of it.

    Parameters
    ----------
    image : array_like of shape (rows, cols), (planes, rows, cols) or either with channels
        The image. Only pixels above 0 in all channels tell of the shading.
    n_segments : int
        Number of kinds of pixels, such as tissues.
    mask : array_like of bool of the shape of the image without channels, optional
        True (or not 0) where pixels are used; everywhere if None.
    degree : int
        Degree of the polynomial in the coordinates that is the logarithm of the field, at least 1.
        A higher one follows faster shading, and sooner takes what it shows for shading.
    channel_axis : int or None
        Axis of the channels, each of which has its own shading. A two-dimensional image has none;
        a volume of one channel needs None.
    n_jobs : int or None
        Number of threads; all processors if None. The field does not depend on it.

    Returns
    -------
    field : ndarray of float32 of the shape of image
        ``image / field`` has no shading. The mean over the pixels in use is 1 in each channel.

    Raises
    ------
    InputError
        If the image or an option cannot be used, or no pixel in use is above 0.

    References
    ----------
    Wells, Grimson, Kikinis, Jolesz (1996), "Adaptive segmentation of MRI data"; van Leemput, Maes,
    Vandermeulen, Suetens (1999), "Automated model-based bias field correction of MR images of the
    brain", whose polynomials these are.

    Examples
    --------
    >>> evenly_lit = np.tile([1.0, 1.0, 5.0, 5.0], (8, 3))
    >>> shaded = evenly_lit * np.exp(np.linspace(-0.2, 0.2, 8))[:, np.newaxis]
    >>> field = estimate_bias_field(shaded, n_segments=2)
    >>> (shaded / field)[[0, 3, 7], 0].round(1)
    array([1., 1., 1.])
    """
    check_number("n_segments", n_segments, least=1, is_whole=True)
    check_number("degree", degree, least=1, is_whole=True)
    pixels = with_channels(image, channel_axis)
    use = _pixels_in_use(pixels, mask)
    cells = _sample(use)
    light = np.log(alike_means(pixels, use, cells, neighbour_noise(pixels, use, cells)))
    start = Start(n_components=n_segments, rng=np.random.default_rng(0), covariance_type="diag")
    mixture, _ = fit_mixture(light, None, start, OPTIONS, n_jobs=n_jobs)
    shading = np.zeros_like(light)
    coefficients = np.zeros((0, light.shape[1]))
    for some in range(1, degree + 1):
        basis = _Basis(use.shape, some)
        coefficients, mixture, shading = _refined(
            light, basis.at(cells), mixture, shading, n_jobs=n_jobs
        )
    field = _evaluated(_Basis(use.shape, degree), coefficients, use)
    if channel_axis is None or np.ndim(image) == use.ndim:
        return field[..., 0]
    return np.moveaxis(field, -1, channel_axis)


def without_bias_field(
    image: ArrayLike,
    n_segments: int | Literal["auto"],
    *,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    n_jobs: int | None = None,
) -> NDArray[np.float32]:
    """Return an image divided by its estimated shading; integers become 0…1 and stay within.

    Where the number of segments is yet to be found, three kinds of pixels are looked for.
    """
    n_kinds = USUAL_KINDS if n_segments == "auto" else n_segments
    field = estimate_bias_field(image, n_kinds, mask=mask, channel_axis=channel_axis, n_jobs=n_jobs)
    image = np.asarray(image)
    even = scaled(image) / field
    return even if image.dtype.kind == "f" else np.minimum(even, 1)


def _refined(
    light: Array,
    basis: Array,
    mixture: MixtureParameters,
    shading: Array,
    *,
    n_jobs: int | None,
) -> tuple[Array, MixtureParameters, Array]:
    """Return the coefficients of the shading, the mixture of what is left, and the shading.

    Each round is an EM step for the mixture and one for the shading: no round makes the image less
    likely.
    """
    for _ in range(ROUNDS):
        X = light - shading
        resp = np.ascontiguousarray(responsibilities(X, mixture, n_jobs).T)
        statistics = statistics_given(X, resp, mixture, n_jobs)
        mixture = maximize(statistics, mixture, variance_floor(statistics, FLOOR))
        coefficients = _least_squares(light, basis, resp, mixture)
        before, shading = shading, basis @ coefficients
        if np.abs(shading - before).max() < STILL:
            break
    return coefficients, mixture, shading


def _least_squares(light: Array, basis: Array, resp: Array, mixture: MixtureParameters) -> Array:
    """Return the coefficients that make ``sum_ik r_ik (y_i - b_i - mean_k)² / variance_k`` least.

    For each channel that is one weighted fit to what pixels differ from the mean of their kind.
    """
    precisions = 1.0 / mixture.component_variances
    coefficients = np.empty((basis.shape[1], light.shape[1]))
    for channel in range(light.shape[1]):
        weight = precisions[:, channel] @ resp
        expected = (precisions[:, channel] * mixture.means[:, channel]) @ resp / weight
        weighted = basis * (weight / weight.max())[:, np.newaxis]
        found = np.linalg.lstsq(
            weighted.T @ basis, weighted.T @ (light[:, channel] - expected), rcond=1e-10
        )
        coefficients[:, channel] = found[0]
    return coefficients


@dataclass(frozen=True)
class _Basis:
    """Products of Legendre polynomials of up to a degree in all coordinates, but the constant.

    Parameters
    ----------
    shape : tuple of int
        Shape of the grid, whose axes run from -1 to 1.
    degree : int
        Largest sum of the degrees along the axes.
    """

    shape: tuple[int, ...]
    degree: int

    def at(self, cells: tuple[NDArray[np.intp], ...]) -> Array:
        """Return the values of all products at some cells, (n_cells, n_products)."""
        along = [table[:, index] for table, index in zip(self.along_axes, cells, strict=True)]
        return np.stack(
            [
                np.prod([table[d] for table, d in zip(along, degrees, strict=True)], axis=0)
                for degrees in self.degrees
            ],
            axis=1,
        )

    @property
    def degrees(self) -> list[tuple[int, ...]]:
        """Degrees along the axes, of each product."""
        every = itertools.product(range(self.degree + 1), repeat=len(self.shape))
        return [degrees for degrees in every if 0 < sum(degrees) <= self.degree]

    @property
    def along_axes(self) -> list[Array]:
        """Values of the polynomials along each axis, (degree + 1, length)."""
        tables = list[Array]()
        for length in self.shape:
            places = np.linspace(-1, 1, length) if length > 1 else np.zeros(1)
            tables.append(np.asarray(legvander(places, self.degree), dtype=np.float64).T)
        return tables


def _evaluated(basis: _Basis, coefficients: Array, use: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the field everywhere, (*grid, channels): of mean 1 over the pixels in use.

    Outside of these it goes no further than it does inside, as polynomials would.
    """
    field = np.empty((*use.shape, coefficients.shape[1]), dtype=np.float32)
    tables = [table.astype(np.float32) for table in basis.along_axes]
    axes = "pqr"[: use.ndim]
    formula = ",".join(f"{degree}{axis}" for degree, axis in zip("abc", axes, strict=False))
    for channel in range(field.shape[-1]):
        cube = np.zeros((basis.degree + 1,) * use.ndim, dtype=np.float32)
        for degrees, value in zip(basis.degrees, coefficients[:, channel], strict=True):
            cube[degrees] = value
        letters = "abc"[: use.ndim]
        shading = np.einsum(f"{letters},{formula}->{axes}", cube, *tables, optimize=True)
        inside = shading[use]
        shading = np.exp(np.clip(shading, inside.min(), inside.max()))
        field[..., channel] = shading / shading[use].mean(dtype=np.float64)
    return field


def _pixels_in_use(pixels: NDArray[Any], mask: ArrayLike | None) -> NDArray[np.bool_]:
    """Return where pixels are inside the mask, finite and above 0."""
    use = np.asarray((np.isfinite(pixels) & (pixels > 0)).all(axis=-1))
    if mask is not None:
        use &= checked_mask(mask, use.shape)
    if not use.any():
        raise InputError(
            "no pixel in use is above 0: a shading that multiplies leaves no trace on others"
        )
    return use


def _sample(use: NDArray[np.bool_]) -> tuple[NDArray[np.intp], ...]:
    """Return the indices of the pixels in use, or of those on a coarser grid if they are many."""
    stride = math.ceil((np.count_nonzero(use) / MOST_CELLS) ** (1 / use.ndim))
    cells = np.nonzero(use[(slice(None, None, stride),) * use.ndim])
    return tuple(index * stride for index in cells) if len(cells[0]) else np.nonzero(use)
