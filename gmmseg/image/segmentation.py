"""Segment an image: a mixture over its pixels, each component a segment, from dark to light."""

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.covariance import family_named
from gmmseg.core.criteria import bic
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.estep import predicted_labels, weighted_statistics
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.initialization import parameters_from_labels
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.selection import SelectionPlan, select_mixture
from gmmseg.core.validation import check_number, generator_of
from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image.bias_field import without_shading
from gmmseg.image.color import scaled
from gmmseg.image.contrast import ContrastScale, NeighbourSquares
from gmmseg.image.dither import dithered, steps_of
from gmmseg.image.features import as_array, dark_to_light, light_of
from gmmseg.image.pixels import Pixels, pixels_of
from gmmseg.image.recipe import Features, Recipe, feature_pixels, sampled_rows, within
from gmmseg.image.segment_model import SegmentModel
from gmmseg.smoothing.prior_maps import log_prior_maps

LEARNED_FROM = 2**18  # pixels, about, that a mixture is learned from, drawn by chance
CHOSEN_ON = 1_000  # pixels, about, that the number of segments is chosen on
MOST_SEGMENTS = 9  # that "auto" tries
OPTIONS = EMOptions(tol=1e-3, max_iter=200, accelerate=True)
SMOOTHNESS = 2.0
COVARIANCE = "EVV"


@dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """What is asked of the segments of an image.

    Parameters
    ----------
    n_segments : int or "auto", default=5
        Number of segments, or "auto" to let the integrated likelihood choose up to nine.
    texture : bool, default=False
        Whether local spread counts as well.
    position : float, default=0
        Weight of the pixel's place against its colour.
    covariance_type : str, default="EVV"
        Shape of the components.
    smoothness : float or "auto", default=2
        How much a neighbour that looks alike counts; "auto" estimates it.
    log_prior : ndarray of shape (n_segments, planes, rows, cols), optional
        What is known of where the segments are, as of `log_prior_maps`; it gives them their order.
    spacing : tuple of float, optional
        Length of a step along each axis.
    """

    n_segments: int | Literal["auto"] = 5
    texture: bool = False
    position: float = 0.0
    covariance_type: str = COVARIANCE
    smoothness: float | Literal["auto"] = SMOOTHNESS
    log_prior: NDArray[np.float32] | None = None
    spacing: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be used."""
        if self.n_segments != "auto":
            check_number("n_segments", self.n_segments, least=1, is_whole=True)
        if self.smoothness != "auto":
            check_number("smoothness", self.smoothness, least=0)


def segment_image(
    image: ArrayLike,
    n_segments: int | Literal["auto"] = 5,
    *,
    mask: ArrayLike | None = None,
    features: Features = "auto",
    texture: bool = False,
    position: float = 0.0,
    covariance_type: str = COVARIANCE,
    smoothness: float | Literal["auto"] = SMOOTHNESS,
    prior: ArrayLike | None = None,
    bias_field: bool = False,
    spacing: tuple[float, ...] | None = None,
    channel_axis: int | None = -1,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> NDArray[np.int32]:
    """Label the pixels of an image, or the voxels of a volume, by what they look like.

    A Gaussian mixture learns the colours of the image; every pixel gets the label of its most
    likely component, given its neighbours. The same stuff gets the same label wherever it lies.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of any number of channels; boolean, integer or floating. With `channel_axis` None it
        may be a volume (planes, rows, cols); a volume with channels has four axes.
    n_segments : int or "auto"
        Number of segments wanted; there are fewer when the image has fewer colours. "auto" lets
        the integrated completed likelihood (ICL) choose from one to nine.
    mask : array_like of bool of the shape of the labels, optional
        True (or not 0) where pixels are used. Pixels that are not finite never are.
    features : {"auto", "lab", "rgb", "hsv", "gray", "log", "none"}, callable or ndarray
        Colour space of `pixel_features` ("auto": Lab for three channels, else the channels as they
        are, or their logarithm where bright things lie on a dark ground), a function that maps the
        image to features of shape (rows, cols, n_features), or such an array.
    texture : bool
        Whether the local spread of the lightness counts besides colour.
    position : float
        Weight of the pixel's place against its colour, at least 0. Search it on a log scale:
        0.1, 0.3, 1, 3.
    covariance_type : str
        Shape of the components: "full", "tied", "diag", "spherical", or a family of mclust. "EVV"
        lets every segment have its own shape but no more volume than the others, so that none
        becomes the heap of all that fits nowhere else.
    smoothness : float or "auto"
        How much every neighbour that looks alike counts, in units of the log-likelihood; 0 labels
        every pixel by itself, "auto" estimates it by pseudo-likelihood.
    prior : array_like of shape (rows, cols, n_segments), optional
        How likely each segment is at every pixel before it is looked at, as of an atlas; a pixel
        that is 0 in all maps is open. The segments then are those of the maps, in their order.
    bias_field : bool
        Whether slow shading, as of magnetic resonance or a microscope, is estimated and taken out
        first (`estimate_bias_field`).
    spacing : tuple of float, optional
        Distance between neighbours along each axis, as `read_volume` gives it: neighbours farther
        off count less. All alike if None.
    channel_axis : int or None
        Axis of the channels. A two-dimensional image has none.
    random_state : int or None
        Seed: the same seed gives the same labels.
    n_jobs : int or None
        Number of threads; all processors if None. The labels do not depend on it.

    Returns
    -------
    labels : ndarray of int32 of shape (rows, cols) or (planes, rows, cols)
        1 to n_segments, from the darkest segment to the lightest, and 0 where masked out.

    Raises
    ------
    InputError
        If the image or an option cannot be used.

    Warns
    -----
    GmmsegWarning
        If there are fewer segments than wanted.

    References
    ----------
    Zhang, Brady, Smith (2001), "Segmentation of brain MR images through a hidden Markov random
    field model and the expectation-maximization algorithm", whose prior is coupled here by
    contrast, and approached by mean field.

    Examples
    --------
    >>> quadrants = [[0, 0, 200, 200], [0, 0, 200, 200], [90, 90, 255, 255], [90, 90, 255, 255]]
    >>> segment_image(np.array(quadrants, dtype=np.uint8), n_segments=4)
    array([[1, 1, 3, 3],
           [1, 1, 3, 3],
           [2, 2, 4, 4],
           [2, 2, 4, 4]], dtype=int32)
    """
    if bias_field:
        n_kinds = 3 if n_segments == "auto" else n_segments
        image = without_shading(image, n_kinds, mask=mask, channel_axis=channel_axis, n_jobs=n_jobs)
    pixels, color = feature_pixels(image, features, mask, channel_axis)
    options = SegmentOptions(
        n_segments=n_segments,
        texture=texture,
        position=position,
        covariance_type=covariance_type,
        smoothness=smoothness,
        log_prior=None if prior is None else log_prior_of(prior, pixels, n_segments),
        spacing=spacing,
    )
    model = learn_segments(
        pixels,
        options,
        color=color,
        shown=pixels_of(image, channel_axis=channel_axis),
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return model.labels(pixels, n_jobs=n_jobs)


def learn_segments(
    pixels: Pixels,
    options: SegmentOptions,
    *,
    color: str = "auto",
    shown: Pixels | None = None,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> SegmentModel:
    """Return the mixture of an image's pixels, its components ordered from dark to light.

    Parameters
    ----------
    pixels : Pixels
        What the features are made of.
    options : SegmentOptions
        What is asked for.
    color : str
        Colour space of the features.
    shown : Pixels, optional
        The image whose lightness orders the segments; `pixels` if None.
    random_state : int or None
        Seed.
    n_jobs : int or None
        Number of threads; all processors if None.

    Returns
    -------
    model : SegmentModel
        The mixture.

    Raises
    ------
    InputError
        If an option cannot be used, or no pixel is in use.

    Warns
    -----
    GmmsegWarning
        If there are fewer segments than wanted.
    """
    rng = generator_of(random_state)
    recipe = Recipe.fitting(pixels, color=color, texture=options.texture, position=options.position)
    seed = int(rng.integers(2**32))
    sample = _sample(pixels, shown or pixels, recipe, seed, log_prior=options.log_prior)
    parameters, record = _fit(sample, pixels, recipe, options, rng=rng, n_jobs=n_jobs)
    log_likelihood = weighted_statistics(sample.X, parameters, None, n_jobs).log_likelihood
    model = SegmentModel(
        parameters,
        record,
        bic(log_likelihood, parameters.n_free_parameters, len(sample.X)),
        len(sample.X),
        pixels.n_channels,
        recipe,
        sample.contrast,
        0.0,
        options.log_prior,
        options.spacing,
    )
    if options.smoothness == "auto":
        return replace(model, smoothness=model.estimated_smoothness(pixels, n_jobs))
    return replace(model, smoothness=options.smoothness)


def log_prior_of(
    prior: ArrayLike, pixels: Pixels, n_segments: int | Literal["auto"]
) -> NDArray[np.float32]:
    """Check prior maps and return what they add, (n_segments, planes, rows, cols)."""
    maps = as_array(prior, "prior")
    n_maps = maps.shape[-1] if n_segments == "auto" and maps.ndim else n_segments
    wanted = (*pixels.grid, n_maps)
    if maps.shape != wanted:
        raise InputError(
            f"prior must have shape {wanted}, a map for every segment, got {maps.shape}"
        )
    return log_prior_maps(np.moveaxis(maps, -1, 0)).reshape(-1, *pixels.shape)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Features (n, n_features), lightness (n,), likeliest segments (n,) by a prior; contrast."""

    X: NDArray[np.float32]
    light: NDArray[np.float32]
    expected: NDArray[np.intp]
    contrast: ContrastScale


def _sample(
    pixels: Pixels,
    shown: Pixels,
    recipe: Recipe,
    seed: int,
    *,
    log_prior: NDArray[np.float32] | None,
) -> _Sample:
    """Return about as many pixels as a mixture is learned from, and the contrast around them."""
    rows, light, expected = [], [], []
    squares = NeighbourSquares(pixels.n_axes)
    share = LEARNED_FROM / max(pixels.n_inside, 1)
    for outer, inner in pixels.strips(recipe.reach + 1):
        features, inside = recipe.features(pixels, outer)
        chosen, kept = np.zeros_like(inside), within(outer, inner)
        chosen[kept] = inside[kept] & pixels.chosen(inner, share, seed)
        squares.add(features, inside, chosen)
        rows.append(features[chosen])
        light.append(light_of(scaled(shown.read(outer)[0][chosen])))
        if log_prior is not None:
            expected.append(log_prior[(slice(None), *outer)].argmax(axis=0)[chosen])
    X, lightness = np.concatenate(rows), np.concatenate(light)
    if not len(X):
        raise InputError(
            "no pixel is left to segment: all are masked out, transparent, NaN or infinite"
        )
    # In an order of its own, a sample is to the bit that of the transposed image.
    order = np.lexsort((*X.T, lightness))
    labels = np.concatenate(expected)[order] if expected else np.zeros(len(X), dtype=np.intp)
    return _Sample(X[order], lightness[order], labels, squares.scale())


def _fit(
    sample: _Sample,
    pixels: Pixels,
    recipe: Recipe,
    options: SegmentOptions,
    *,
    rng: np.random.Generator,
    n_jobs: int | None,
) -> tuple[MixtureParameters, FitRecord]:
    """Return the mixture of a sample of pixels, its components in order, and its record."""
    family, n_segments = family_named(options.covariance_type).name, options.n_segments
    if options.log_prior is not None:
        n_segments = len(options.log_prior)
        previous = parameters_from_labels(
            sample.X.astype(np.float64),
            np.ones(len(sample.X)),
            sample.expected,
            n_segments,
            covariance_type=family,
        )
        start = Start(n_components=n_segments, rng=rng, covariance_type=family, previous=previous)
        return fit_mixture(sample.X, None, start, OPTIONS, n_jobs=n_jobs)
    if n_segments == "auto":
        n_segments = _chosen_number(pixels, recipe, rng, n_jobs)
    start = Start(n_components=n_segments, rng=rng, covariance_type=family)
    parameters, record = fit_mixture(sample.X, None, start, OPTIONS, n_jobs=n_jobs)
    used = dark_to_light(predicted_labels(sample.X, parameters, n_jobs), sample.light)
    if len(used) < n_segments:
        warnings.warn(
            f"found {len(used)} of {n_segments} segments: no pixel belongs to the others",
            GmmsegWarning,
            stacklevel=4,
        )
    return parameters.subset(used), record


def _chosen_number(
    pixels: Pixels,
    recipe: Recipe,
    rng: np.random.Generator,
    n_jobs: int | None,
) -> int:
    """Return the number of components of largest integrated completed likelihood.

    Neighbouring pixels are so alike that a million of them tell no more than a thousand, which
    is what the criterion is to count. Components may differ in volume here, or wide segments
    would count as several.
    """
    seed = int(rng.integers(2**32))
    steps = steps_of(sampled_rows(pixels, Recipe("none"), LEARNED_FROM))
    few = sampled_rows(dithered(pixels, steps, seed), recipe, CHOSEN_ON)
    few = few[np.lexsort(few.T)]
    numbers = range(1, min(MOST_SEGMENTS, len(np.unique(few, axis=0))) + 1)
    plan = SelectionPlan(n_components=tuple(numbers), covariance_types=("full",), criterion="icl")
    _, _, selection = select_mixture(few, None, plan, OPTIONS, rng=rng, n_jobs=n_jobs)
    return selection.best.n_components
