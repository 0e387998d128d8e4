"""ImageSegmenter: learn segments from one image, find them in others."""

from dataclasses import replace
from os import PathLike
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from gmmseg.errors import InputError, NotFittedError
from gmmseg.image.bias_field import without_bias_field
from gmmseg.image.pixels import Pixels, pixels_of
from gmmseg.image.recipe import Features, feature_pixels
from gmmseg.image.segment_file import read_segmenter, write_segmenter
from gmmseg.image.segment_model import SegmentModel
from gmmseg.image.segment_search import AUTO_COVARIANCE
from gmmseg.image.segmentation import (
    SMOOTHNESS,
    SegmentOptions,
    learn_segments,
    log_prior_of,
)


class ImageSegmenter(BaseEstimator):
    """Learn the segments of an image as a Gaussian mixture, and label this image or others.

    `segment_image` does both at once; this class keeps the mixture, gives probabilities, labels
    the frames of a series alike, and is saved to a file for another day. A label depends on pixels
    up to 24 steps away, with `texture` up to 40: with such a halo, `label_in_tiles` labels tiles of
    an even size as the whole image, unless `position` or `bias_field` count.

    Parameters
    ----------
    n_segments : int or "auto"
        Number of segments wanted. There are fewer when the image has fewer colours.
    features : {"auto", "lab", "rgb", "hsv", "gray", "log", "none"}, callable or ndarray
        Colour space of `pixel_features`, a function that maps an image to features of shape
        (rows, cols, n_features), or such an array.
    texture : bool
        Whether the local spread of the lightness counts besides colour.
    position : float
        Weight of the pixel's place against its colour, at least 0.
    covariance_type : str
        Shape of the components, as in `segment_image`.
    smoothness : float or "auto"
        How much every neighbour that looks alike counts; 0 takes every pixel by itself.
    bias_field : bool
        Whether every image, in `fit` and later, is first divided by the slow shading of its own
        (`estimate_bias_field`), which leaves its mean brightness as it is.
    spacing : tuple of float, optional
        Distance between neighbours along each axis, of the image in `fit` and of later ones, as
        `read_volume` gives it: neighbours farther off count less. All alike if None.
    channel_axis : int or None
        Axis of the channels. A two-dimensional image has none; a volume of one channel needs None.
    random_state : int or None
        Seed: the same seed gives the same segments.
    n_jobs : int or None
        Number of threads; all processors if None. The result does not depend on it.

    Attributes
    ----------
    model_ : SegmentModel
        The segments: ``model_.parameters`` is the mixture, ``model_.bic`` its BIC.

    Examples
    --------
    >>> image = np.array([[0, 0, 250], [2, 1, 255]], dtype=np.uint8)
    >>> segmenter = ImageSegmenter(n_segments=2).fit(image)
    >>> segmenter.predict(image)
    array([[1, 1, 2],
           [1, 1, 2]], dtype=int32)
    """

    def __init__(
        self,
        n_segments: int | Literal["auto"] = 5,
        *,
        features: Features = "auto",
        texture: bool = False,
        position: float = 0.0,
        covariance_type: str = AUTO_COVARIANCE,
        smoothness: float | Literal["auto"] = SMOOTHNESS,
        bias_field: bool = False,
        spacing: tuple[float, ...] | None = None,
        channel_axis: int | None = -1,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_segments = n_segments
        self.features = features
        self.texture = texture
        self.position = position
        self.covariance_type = covariance_type
        self.smoothness = smoothness
        self.bias_field = bias_field
        self.spacing = spacing
        self.channel_axis = channel_axis
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        image: ArrayLike,
        y: object = None,
        *,
        mask: ArrayLike | None = None,
        prior: ArrayLike | None = None,
    ) -> Self:
        """Learn the segments of an image, or of a volume.

        Parameters
        ----------
        image : array_like of shape (rows, cols) or (rows, cols, channels)
            The image, or a volume (planes, rows, cols), as in `segment_image`.
        y : None
            Ignored; here as in every estimator.
        mask : array_like of bool of the shape of the labels, optional
            True (or not 0) where pixels are used.
        prior : array_like of shape (rows, cols, n_segments), optional
            How likely each segment is at every pixel of this image, as in `segment_image`. The
            segments then are those of the maps, in their order. Maps belong to their image and are
            not kept: another image has its own.

        Returns
        -------
        self : ImageSegmenter
            The fitted segmenter.

        Raises
        ------
        InputError
            If the image, the mask, the maps or an option cannot be used.
        """
        del y
        image = self._even(image, mask)
        pixels, color = self._pixels(image, mask)
        options = SegmentOptions(
            n_segments=self.n_segments,
            texture=self.texture,
            position=self.position,
            covariance_type=self.covariance_type,
            smoothness=self.smoothness,
            log_prior=None if prior is None else log_prior_of(prior, pixels, self.n_segments),
            spacing=self.spacing,
        )
        model = learn_segments(
            pixels,
            options,
            color=color,
            shown=pixels_of(image, channel_axis=self.channel_axis),
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )
        self.model_ = replace(model, log_prior=None)
        return self

    def predict(
        self,
        image: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        prior: ArrayLike | None = None,
    ) -> NDArray[np.int32]:
        """Label the pixels of an image.

        Parameters
        ----------
        image : array_like of shape (rows, cols) or (rows, cols, channels)
            An image of the same kind as the one in `fit`.
        mask : array_like of bool of the shape of the labels, optional
            True (or not 0) where pixels are used.
        prior : array_like of shape (rows, cols, n_segments), optional
            How likely each segment is at every pixel of this image.

        Returns
        -------
        labels : ndarray of int32 of shape (rows, cols) or (planes, rows, cols)
            1 to n_segments, from dark to light or as the maps in `fit`, and 0 where masked out.

        Raises
        ------
        InputError
            If the image has other features than the one in `fit`, or the maps do not fit.
        NotFittedError
            If nothing was learned yet.
        """
        model, pixels = self._prepared(image, mask, prior)
        return model.labels(pixels, n_jobs=self.n_jobs)

    def predict_proba(
        self,
        image: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        prior: ArrayLike | None = None,
    ) -> NDArray[np.float32]:
        """Return how probable every segment is at every pixel.

        Parameters
        ----------
        image : array_like of shape (rows, cols) or (rows, cols, channels)
            An image of the same kind as the one in `fit`.
        mask : array_like of bool of the shape of the labels, optional
            True (or not 0) where pixels are used.
        prior : array_like of shape (rows, cols, n_segments), optional
            How likely each segment is at every pixel of this image.

        Returns
        -------
        probabilities : ndarray of float32 of shape (rows, cols, n_segments)
            ``probabilities[:, :, k]`` is that of label ``k + 1``. They sum to 1, to 0 where masked
            out.

        Raises
        ------
        InputError
            If the image has other features than the one in `fit`, or the maps do not fit.
        NotFittedError
            If nothing was learned yet.
        """
        model, pixels = self._prepared(image, mask, prior)
        return model.probabilities(pixels, self.n_jobs)

    def fit_predict(
        self,
        image: ArrayLike,
        y: object = None,
        *,
        mask: ArrayLike | None = None,
        prior: ArrayLike | None = None,
    ) -> NDArray[np.int32]:
        """Learn the segments of an image and label it, as ``fit(image).predict(image)``.

        Parameters
        ----------
        image : array_like of shape (rows, cols) or (rows, cols, channels)
            The image, or a volume (planes, rows, cols).
        y : None
            Ignored; here as in every estimator.
        mask : array_like of bool of the shape of the labels, optional
            True (or not 0) where pixels are used.
        prior : array_like of shape (rows, cols, n_segments), optional
            How likely each segment is at every pixel, as in `fit`.

        Returns
        -------
        labels : ndarray of int32 of shape (rows, cols) or (planes, rows, cols)
            1 to n_segments, from dark to light or as the maps, and 0 where masked out.
        """
        return self.fit(image, y, mask=mask, prior=prior).predict(image, mask=mask, prior=prior)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the segmenter to a model file, without pickle.

        Features that are a function or an array cannot be written: make an image of them, and fit
        with ``features="none"``. Whether threads are limited is not written.

        Parameters
        ----------
        path : str or path
            Where to write, by custom ending in ".gmm".

        Raises
        ------
        InputError
            If the features are a function or an array, or the file cannot be written.
        NotFittedError
            If nothing was learned yet.
        """
        self._fitted()
        write_segmenter(path, self)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a segmenter from a model file that `save` wrote.

        Parameters
        ----------
        path : str or path
            The model file.

        Returns
        -------
        segmenter : ImageSegmenter
            The segmenter, whose labels and probabilities are the same to the last bit.

        Raises
        ------
        ModelFileError
            If the file is missing, damaged, hostile, from a newer version or holds something else.
        """
        return read_segmenter(path, cls)

    def _fitted(self) -> SegmentModel:
        if "model_" not in vars(self):
            raise NotFittedError("this ImageSegmenter has learned nothing yet; call fit first")
        return self.model_

    def _even(self, image: ArrayLike, mask: ArrayLike | None) -> ArrayLike:
        """Return an image without its shading, if that is wanted."""
        if not self.bias_field:
            return image
        return without_bias_field(
            image,
            self.n_segments,
            mask=mask,
            channel_axis=self.channel_axis,
            n_jobs=self.n_jobs,
        )

    def _pixels(self, image: ArrayLike, mask: ArrayLike | None) -> tuple[Pixels, str]:
        return feature_pixels(image, self.features, mask, self.channel_axis)

    def _prepared(
        self, image: ArrayLike, mask: ArrayLike | None, prior: ArrayLike | None
    ) -> tuple[SegmentModel, Pixels]:
        """Return what labels an image, and its pixels."""
        model = self._fitted()
        pixels, _ = self._pixels(self._even(image, mask), mask)
        if pixels.n_channels != model.n_channels:
            raise InputError(
                f"the image has {pixels.n_channels} channels, the one in fit had "
                f"{model.n_channels}; give an image with as many"
            )
        n_features = model.recipe.n_features(pixels.n_channels, pixels.n_axes)
        if n_features != model.parameters.n_features:
            n_more = model.parameters.n_features - n_features
            raise InputError(
                f"the place of a pixel has {pixels.n_axes} coordinates in this image, in fit it "
                f"had {pixels.n_axes + n_more}; give an image with as many axes"
            )
        if prior is None:
            return model, pixels
        log_prior = log_prior_of(prior, pixels, model.parameters.n_components)
        return replace(model, log_prior=log_prior), pixels
