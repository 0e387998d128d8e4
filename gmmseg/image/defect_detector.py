"""ImageAnomalyDetector: where an image is not as normal ones are, learned from these alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gmmseg.anomaly.calibrated import CalibratedDetector, check_false_alarm, warn_if_few
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.core.validation import check_above, check_number, generator_of
from gmmseg.errors import InputError
from gmmseg.image.arrays import as_array, with_channels
from gmmseg.image.defect_file import read_defect_detector, write_defect_detector
from gmmseg.image.defect_fit import FitOptions, Mode, fit_model
from gmmseg.image.defect_model import DefectModel, score_of
from gmmseg.image.image_source import Images, ImageSource
from gmmseg.image.strange_regions import StrangeRegion, strange_regions

FEATURES = ("texture", "given")
MODES = ("auto", "tied", "aligned")


@dataclass(frozen=True, eq=False)
class Inspection:
    """Tell what an image is found to be.

    Parameters
    ----------
    score : float
        How strange the image is: the mean of the strangest thousandth of its map, each place
        compared with those as near to the edge.
    p_value : float
        How likely a normal image is to be as strange.
    is_anomalous : bool
        Whether the p-value is at most the false-alarm rate.
    map : ndarray of float32 of shape (rows, cols)
        How strange every pixel is; 0 is usual, and 1 as far above as quartiles lie apart.
    marked : ndarray of bool of shape (rows, cols)
        Where an image is as strange as hardly any normal one, so near to the edge.

    Examples
    --------
    >>> import numpy as np
    >>> nothing = np.zeros((8, 8), np.float32)
    >>> usual = Inspection(0.5, 0.6, is_anomalous=False, map=nothing, marked=nothing > 3.0)
    >>> usual.is_anomalous
    False
    """

    score: float
    p_value: float
    is_anomalous: bool
    map: NDArray[np.float32]
    marked: NDArray[np.bool_]


class ImageAnomalyDetector(CalibratedDetector):
    """Detector of defects in images, learned from normal images alone.

    Images are divided by their local brightness and described by points at three scales (mean,
    spread, spots, ridges, slopes) and by texture averaged over three windows, in colour, too.
    Mixtures learn these features: one for all places of a texture, or a Gaussian at every place
    of a part that always lies alike. Images are read one at a time, so memory does not grow with
    their number.

    Parameters
    ----------
    features : {"texture", "given"}, default="texture"
        "given" takes the channels of an image as features, so that feature maps of your own may
        take the place of ours.
    mode : {"auto", "tied", "aligned"}, default="auto"
        "tied": any place may look like any other, and images may differ in size. "aligned": every
        place has its own Gaussian, and all images one size. "auto" takes what makes left-out normal
        images likelier.
    local_brightness : float or None, default=24.0
        Standard deviation, in pixels, of the window whose mean an image is divided by. None leaves
        brightness as it is, where that is told apart by it.
    smoothing : float, default=2.0
        Standard deviation, in pixels, of the window that a map is averaged over.
    false_alarm : float, default=0.05
        Share of normal images that may be called anomalous, between 0 and 1.
    random_state : int or None, default=0
        Seed of what is drawn.
    n_jobs : int, optional
        Number of threads; all processors if None. The result does not depend on it.

    Attributes
    ----------
    model_ : DefectModel
        What was learned.
    mode_ : str
        "tied" or "aligned".
    null_ : NullScores
        Scores of normal images, by models that had not seen them.

    Notes
    -----
    After the ideas of Böttger, Ulrich (2016), "Real-time texture error detection on textured
    surfaces with compressed sensing", and of Defard et al. (2021), "PaDiM".

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> normal = [rng.normal(0.5, 0.05, size=(64, 64)) for _ in range(24)]
    >>> detector = ImageAnomalyDetector().fit(normal)
    >>> scratched = rng.normal(0.5, 0.05, size=(64, 64))
    >>> scratched[30:33, 10:50] = 0.1
    >>> found = detector.inspect(scratched)
    >>> found.is_anomalous, abs(int(found.map.argmax()) // 64 - 31) < 5
    (True, True)
    """

    model_: DefectModel

    def __init__(
        self,
        *,
        features: str = "texture",
        mode: str = "auto",
        local_brightness: float | None = 24.0,
        smoothing: float = 2.0,
        false_alarm: float = 0.05,
        random_state: int | None = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.features = features
        self.mode = mode
        self.local_brightness = local_brightness
        self.smoothing = smoothing
        self.false_alarm = false_alarm
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, images: Images, y: object = None) -> Self:
        """Learn from normal images, read one at a time and twice.

        Parameters
        ----------
        images : sequence of array_like or path, or callable
            Images (rows, cols) or (rows, cols, channels), or names of files; or a function that
            returns a new iterator over such. From 19 on, a false-alarm rate of 5 % is counted; with
            fewer it is extrapolated, with fewer than 4 nothing is ever anomalous, and a warning
            says so. The first tells the channels; grey is equal red, green and blue.
        y : None
            Ignored.

        Returns
        -------
        self : ImageAnomalyDetector
            The fitted detector.

        Raises
        ------
        InputError
            If there is no image, an image cannot be used, or images do not fit together.
        """
        options = self._options()
        self.model_, scores = fit_model(ImageSource(images), options)
        self.null_ = NullScores.of(scores)
        warn_if_few(len(scores), self.false_alarm, "images")
        return self

    @property
    def mode_(self) -> str:
        """The mode that was given or chosen."""
        return self._fitted().layers[0].name

    def score_samples(self, images: Images | Iterator[Any]) -> NDArray[np.float64]:
        """Return how strange images are, each as a whole; higher is stranger.

        Parameters
        ----------
        images : sequence of array_like or path, callable or iterator
            Images like the normal ones, as `fit` takes them. They are read once.

        Returns
        -------
        scores : ndarray of shape (n_images,)
            For each image the mean of the strangest thousandth of its map, each place compared
            with those as near to the edge.

        Raises
        ------
        InputError
            If there is no image, or one cannot be used.
        NotFittedError
            If nothing was learned yet.
        """
        model, scores = self._fitted(), []
        source = ImageSource((lambda: images) if isinstance(images, Iterator) else images)
        for number, image in enumerate(source):
            try:
                scores.append(model.score(image, self.n_jobs))
            except InputError as error:
                raise InputError(f"image {number}: {error}") from None
        if not scores:
            raise InputError("there must be at least one image, got none")
        return np.array(scores)

    def inspect(self, image: ArrayLike) -> Inspection:
        """Return how strange an image is, as a whole and at every pixel.

        Parameters
        ----------
        image : array_like of shape (rows, cols) or (rows, cols, channels)
            An image like the normal ones.

        Returns
        -------
        inspection : Inspection
            Score, p-value, decision and map.

        Raises
        ------
        InputError
            If the image cannot be used or has other channels than the normal ones.
        NotFittedError
            If nothing was learned yet.
        """
        array, _, places = self._places(image)
        threshold = self.threshold_
        judged = self.model_.judged(places)
        score = score_of(judged)
        p_value = float(self.null_.p_values(np.array([score]))[0])
        return Inspection(
            score=score,
            p_value=p_value,
            is_anomalous=p_value <= self.false_alarm,
            map=self.model_.full_size(places, array.shape[:2]),
            marked=self.model_.full_size(judged, array.shape[:2]) > threshold,
        )

    def explain(self, image: ArrayLike) -> tuple[StrangeRegion, ...]:
        """Return the strange regions of an image, and the features that make them so.

        Parameters
        ----------
        image : array_like of shape (rows, cols) or (rows, cols, channels)
            An image like the normal ones.

        Returns
        -------
        regions : tuple of StrangeRegion
            Where the map is above the threshold, the strangest first; at most 20.

        Raises
        ------
        InputError
            If the image cannot be used or has other channels than the normal ones.
        NotFittedError
            If nothing was learned yet.
        """
        array, features, places = self._places(image)
        return strange_regions(
            self.model_,
            features,
            self.model_.judged(places),
            threshold=self.threshold_,
            shape=array.shape[:2],
            n_jobs=self.n_jobs,
        )

    def adapt(self, images: Images, *, weight: float = 1.0) -> Self:
        """Return a new detector that knows further normal images, without a refit.

        Sums are added and mixtures moved. The new images' scores, each by a detector adapted to
        the other half of them, join those of normal images. This detector stays as it is.

        Parameters
        ----------
        images : sequence of array_like or path, or callable
            New normal images.
        weight : float, default=1.0
            How many of the images of `fit` each of these counts as, above 0.

        Returns
        -------
        adapted : ImageAnomalyDetector
            The new detector.

        Raises
        ------
        InputError
            If there is no image, an image cannot be used, or weight is not above 0.
        NotFittedError
            If nothing was learned yet.
        """
        model, source = self._fitted(), ImageSource(images)
        check_above("weight", weight, 0.0)
        halves = [self._moved(model, _every_other(source, first), weight) for first in (0, 1)]
        scores = [
            halves[1 - number % 2].score(image, self.n_jobs) for number, image in enumerate(source)
        ]
        if not scores:
            raise InputError("there must be at least one normal image, got none")
        new: Self = clone(self)
        new.model_ = self._moved(halves[0], _every_other(source, 1), weight)
        new.null_ = NullScores.of(np.concatenate([self.null_.scores, scores]))
        return new

    def save(self, path: str | PathLike[str]) -> None:
        """Write the detector to a model file, without pickle."""
        self._fitted()
        write_defect_detector(path, self)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a detector from a model file that `save` wrote."""
        return read_defect_detector(path, cls)

    def _places(
        self, image: ArrayLike
    ) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.float32]]:
        """Return an image as an array, its features and how strange its places are."""
        model, array = self._fitted(), as_array(image, "image")
        with_channels(array)  # refuses what is no image
        features = model.features(array, self.n_jobs)
        return array, features, model.fused(model.log_distances(features, self.n_jobs))

    def _moved(
        self, model: DefectModel, images: Iterable[NDArray[Any]], weight: float
    ) -> DefectModel:
        """Return a model with further normal images, each counting ``weight``."""
        for image in images:
            features = model.features(image, self.n_jobs)
            model = model.adapted(features, weight=weight, n_jobs=self.n_jobs)
        return model

    def _fitted(self) -> DefectModel:
        self._check_fitted()
        return self.model_

    def _options(self) -> FitOptions:
        if self.features not in FEATURES:
            raise InputError(f"features must be one of {FEATURES}, got {self.features!r}")
        if self.mode not in MODES:
            raise InputError(f"mode must be one of {MODES}, got {self.mode!r}")
        if self.local_brightness is not None:
            check_above("local_brightness", self.local_brightness, 0.0)
        check_number("smoothing", self.smoothing, least=0.0)
        check_false_alarm(self.false_alarm)
        generator_of(self.random_state)  # refuses what is no seed
        return FitOptions(
            features=self.features,
            mode=cast("Mode", self.mode),
            local_brightness=self.local_brightness,
            smoothing=float(self.smoothing),
            seed=self.random_state,
            n_jobs=self.n_jobs,
        )


def _every_other(source: ImageSource, first: int) -> Iterator[NDArray[Any]]:
    """Yield every other image of a source."""
    return (image for number, image in enumerate(source) if number % 2 == first)
