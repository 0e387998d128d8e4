"""Segment an image: a mixture over its pixels, each component a segment, from dark to light."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.criteria import bic
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.estep import predicted_labels, responsibilities, weighted_statistics
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.initialization import SUBSAMPLE_SIZE
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_number
from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image.features import Place, lightness
from gmmseg.image.table import Features, PixelTable, choose_pixels, pixel_table

MOST_PIXELS = 1_000_000  # pixels that a mixture is learned from; more are drawn at random
OPTIONS = EMOptions(tol=1e-3, max_iter=200)


@dataclass(frozen=True, eq=False)
class SegmentModel:
    """A mixture whose components are segments, from dark to light.

    Parameters
    ----------
    parameters : MixtureParameters
        One component per segment: component ``k`` is label ``k + 1``.
    record : FitRecord
        How the fit went.
    bic : float
        Bayesian information criterion over the pixels it was learned from; lower is better.
    n_pixels : int
        Number of these pixels.
    place : Place or None
        How row and column became features, if they did.
    """

    parameters: MixtureParameters
    record: FitRecord
    bic: float
    n_pixels: int
    place: Place | None

    def labels(self, table: PixelTable, n_jobs: int | None = None) -> NDArray[np.int32]:
        """Return the label of every pixel, (rows, cols): 1 to n_segments, 0 where not in use."""
        components = predicted_labels(table.X, self.parameters, n_jobs)
        return table.unfold((components + 1).astype(np.int32))

    def probabilities(self, table: PixelTable, n_jobs: int | None = None) -> NDArray[np.float32]:
        """Return the probability of every segment, (rows, cols, n_segments), 0 where not in use."""
        return table.unfold(responsibilities(table.X, self.parameters, n_jobs))


def segment_image(
    image: ArrayLike,
    n_segments: int = 5,
    *,
    mask: ArrayLike | None = None,
    features: Features = "auto",
    position: float = 0.0,
    covariance_type: str = "full",
    channel_axis: int | None = -1,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> NDArray[np.int32]:
    """Label the pixels of an image by what they look like.

    A Gaussian mixture learns the colours of the image; every pixel gets the label of its most
    likely component. The same stuff gets the same label wherever it lies.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of any number of channels; boolean, integer or floating.
    n_segments : int
        Number of segments wanted. There are fewer when the image has fewer colours.
    mask : array_like of bool of shape (rows, cols), optional
        True (or not 0) where pixels are used. Pixels that are not finite never are.
    features : {"auto", "lab", "rgb", "gray", "none"}, callable or ndarray
        Colour space of `pixel_features` ("auto": Lab for three channels, else the channels as
        they are), a function that maps the image to features of shape (rows, cols, n_features),
        or such an array.
    position : float
        Weight of the pixel's place against its colour, at least 0. Search it on a log scale:
        0.1, 0.3, 1, 3.
    covariance_type : {"full", "tied", "diag", "spherical"}
        Shape of the components.
    channel_axis : int or None
        Axis of the channels. A two-dimensional image has none.
    random_state : int or None
        Seed: the same seed gives the same labels.
    n_jobs : int or None
        Number of threads; all processors if None. The labels do not depend on it.

    Returns
    -------
    labels : ndarray of int32 of shape (rows, cols)
        1 to n_segments, from the darkest segment to the lightest, and 0 where masked out.

    Raises
    ------
    InputError
        If the image or an option cannot be used.

    Warns
    -----
    GmmsegWarning
        If there are fewer segments than wanted.

    Examples
    --------
    >>> quadrants = [[0, 0, 200, 200], [0, 0, 200, 200], [90, 90, 255, 255], [90, 90, 255, 255]]
    >>> segment_image(np.array(quadrants, dtype=np.uint8), n_segments=4)
    array([[1, 1, 3, 3],
           [1, 1, 3, 3],
           [2, 2, 4, 4],
           [2, 2, 4, 4]], dtype=int32)
    """
    table = pixel_table(
        image, mask=mask, features=features, position=position, channel_axis=channel_axis
    )
    model = learn_segments(
        table,
        lightness(image, channel_axis=channel_axis),
        n_segments=n_segments,
        covariance_type=covariance_type,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return model.labels(table, n_jobs)


def learn_segments(
    table: PixelTable,
    light: NDArray[Any],
    *,
    n_segments: int,
    covariance_type: str = "full",
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> SegmentModel:
    """Return the mixture of the pixels in a table, its components ordered from dark to light.

    Parameters
    ----------
    table : PixelTable
        The pixels.
    light : ndarray of shape (rows, cols)
        How light every pixel of the image is, which orders the segments.
    n_segments : int
        Number of segments wanted.
    covariance_type : str
        Shape of the components.
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
        If an option cannot be used.

    Warns
    -----
    GmmsegWarning
        If there are fewer segments than wanted.
    """
    check_number("n_segments", n_segments, least=1, is_whole=True)
    try:
        rng = np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise InputError(
            f"random_state must be None or a whole number of at least 0, got {random_state!r}"
        ) from None
    learned = choose_pixels(table.inside, MOST_PIXELS, rng)
    sample, sample_light = table.X[learned], light[table.inside][learned]
    start = Start(
        n_components=n_segments,
        rng=rng,
        covariance_type=covariance_type,
        sample=table.X[choose_pixels(table.inside, SUBSAMPLE_SIZE, rng)],
    )
    parameters, record = fit_mixture(sample, None, start, OPTIONS, n_jobs=n_jobs)
    used = _dark_to_light(predicted_labels(sample, parameters, n_jobs), sample_light)
    if len(used) < n_segments:
        warnings.warn(
            f"found {len(used)} of {n_segments} segments: no pixel belongs to the others",
            GmmsegWarning,
            stacklevel=3,
        )
    segments = parameters.subset(used)
    log_likelihood = weighted_statistics(sample, segments, None, n_jobs).log_likelihood
    score = bic(log_likelihood, segments.n_free_parameters, len(sample))
    return SegmentModel(segments, record, score, len(sample), table.place)


def _dark_to_light(components: NDArray[np.intp], light: NDArray[Any]) -> NDArray[np.intp]:
    """Return the components that have pixels, ordered by how light these are on average."""
    counts = np.bincount(components)
    sums = np.bincount(components, light)
    used = np.flatnonzero(counts)
    return used[np.argsort(sums[used] / counts[used], kind="stable")]
