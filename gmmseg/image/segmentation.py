"""Segment an image: a mixture over its pixels, each component a segment, from dark to light."""

import warnings
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.criteria import bic
from gmmseg.core.estep import weighted_statistics
from gmmseg.core.validation import check_number, generator_of
from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image.arrays import as_array
from gmmseg.image.bias_field import without_bias_field
from gmmseg.image.numbering import close_gaps
from gmmseg.image.pixels import Pixels, pixels_of
from gmmseg.image.recipe import Features, Recipe, feature_pixels
from gmmseg.image.segment_model import SegmentModel
from gmmseg.image.segment_number import NumberSearch
from gmmseg.image.segment_sample import sample_of
from gmmseg.image.segment_search import AUTO_COVARIANCE, OPTIONS, SegmentSearch
from gmmseg.smoothing.grid import unit_steps
from gmmseg.smoothing.prior_maps import log_prior_maps

SMOOTHNESS = 2.0


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
    covariance_type : str, default="auto"
        Shape of the components, as in `segment_image`.
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
    covariance_type: str = AUTO_COVARIANCE
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
    covariance_type: str = AUTO_COVARIANCE,
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
        image to features of shape (rows, cols, n_features), or such an array. Where two segments
        are such things and their ground, and `smoothness` is not 0, both are taken as they are
        around each place, so that dim things are not cut smaller than bright ones.
    texture : bool
        Whether the local spread of the lightness counts besides colour.
    position : float
        Weight of the pixel's place against its colour, at least 0. Search it on a log scale:
        0.1, 0.3, 1, 3.
    covariance_type : str
        Shape of the components: "full", "tied", "diag", "spherical", or a family of mclust. "auto"
        searches segments of any shape but equal volume ("EVV"), so that none becomes the heap of
        all that fits nowhere else, and then, unless `smoothness` is 0, gives each the covariance of
        its own pixels.
    smoothness : float or "auto"
        How much every neighbour that looks alike counts, in units of the log-likelihood; "auto"
        estimates it by pseudo-likelihood. Unless it is 0, which learns from every pixel and labels
        it by itself, colours are averaged first over neighbours that look alike.
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
        1 to the number of segments found, from the darkest segment to the lightest, and 0 where
        masked out. A segment of few pixels may lose all of them to what is around them, as in
        pictures of noise alone: it is none then, and with `prior` leaves its number unused.

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
    contrast, and approached by mean field; Tomasi, Manduchi (1998), "Bilateral filtering for gray
    and color images", for the averages.

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
        image = without_bias_field(
            image, n_segments, mask=mask, channel_axis=channel_axis, n_jobs=n_jobs
        )
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
    labels = model.labels(pixels, n_jobs=n_jobs)
    if prior is None:
        n_learned, n_found = model.parameters.n_components, len(close_gaps(labels))
        if n_segments != "auto" and n_found < n_learned:
            warn_of_fewer(n_found, n_segments, stacklevel=3)
    return labels


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
    unit_steps(options.spacing, pixels.n_axes)  # refuses what are no lengths
    recipe = Recipe.fitting(pixels, color=color, texture=options.texture, position=options.position)
    n_segments = _number_of_segments(pixels, recipe, options, rng, n_jobs=n_jobs)
    search = SegmentSearch(options.covariance_type, rng, n_jobs)
    bilateral = None
    if options.smoothness != 0:
        bilateral = search.bilateral(pixels, recipe, n_segments, options.spacing)
    sample = sample_of(
        pixels,
        shown or pixels,
        recipe,
        bilateral,
        seed=int(rng.integers(2**32)),
        log_prior=options.log_prior,
        n_jobs=n_jobs,
    )
    parameters, searched, record = search.mixture(sample, n_segments)
    if parameters.n_components < n_segments:
        warn_of_fewer(parameters.n_components, n_segments, stacklevel=4)
    log_likelihood = weighted_statistics(sample.X, parameters, None, n_jobs).log_likelihood
    model = SegmentModel(
        parameters=parameters,
        record=record,
        bic=bic(log_likelihood, parameters.n_free_parameters, len(sample.X)),
        n_pixels=len(sample.X),
        n_channels=pixels.n_channels,
        recipe=recipe,
        searched=searched,
        bilateral=bilateral,
        contrast=sample.contrast,
        smoothness=0.0,
        log_prior=options.log_prior,
        spacing=options.spacing,
    )
    if options.smoothness == "auto":
        return replace(model, smoothness=model.estimated_smoothness(pixels, n_jobs))
    return replace(model, smoothness=options.smoothness)


def _number_of_segments(
    pixels: Pixels,
    recipe: Recipe,
    options: SegmentOptions,
    rng: np.random.Generator,
    *,
    n_jobs: int | None,
) -> int:
    """Return how many segments are wanted, or the best number if that is to be found."""
    if options.log_prior is not None:
        return len(options.log_prior)
    if options.n_segments != "auto":
        return options.n_segments
    search = NumberSearch(
        pixels,
        recipe,
        is_averaged=options.smoothness != 0,
        spacing=options.spacing,
        seed=int(rng.integers(2**32)),
        n_jobs=n_jobs,
    )
    return search.best_number(OPTIONS, rng)


def warn_of_fewer(n_found: int, n_wanted: int, *, stacklevel: int) -> None:
    """Warn of fewer segments than wanted, on behalf of a caller so many calls away."""
    warnings.warn(
        f"found {n_found} of {n_wanted} segments: no pixel belongs to the others",
        GmmsegWarning,
        stacklevel=stacklevel,
    )


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
