"""A background mixture of all enrolled speech, and one mixture per speaker adapted from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.background import FLOOR, fit_background
from gmmseg.audio.speaker_kernels import Gaussians, add_log_ratios
from gmmseg.audio.speech_frames import Frames, pooled
from gmmseg.core.adaptation import adapted
from gmmseg.core.estep import expectation
from gmmseg.core.mstep import variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.errors import InputError

FRAMES_PER_COMPONENT = 100  # of the speech of one speaker
FEWEST_COMPONENTS, MOST_COMPONENTS = 4, 64
RELEVANCE_FACTOR = 4.0
N_ROUNDS = 3
FRAMES_AT_ONCE = 10_000  # are copied as float64
N_BEST = 5  # Gaussians of the background that a frame is scored with

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpeakerMixtures:
    """Hold a background mixture and the mixtures of speakers adapted from it.

    Parameters
    ----------
    background : MixtureParameters
        Mixture of the frames of all speakers, diagonal.
    weights : ndarray of shape (n_speakers, n_components)
        Weights of each speaker's mixture.
    means, covariances : ndarray of shape (n_speakers, n_components, n_features)
        Means and variances of each speaker's mixture.

    Raises
    ------
    InputError
        If the arrays are no mixtures of the shape of the background.

    References
    ----------
    Reynolds, Quatieri, Dunn (2000), "Speaker verification using adapted Gaussian mixture models",
    Digital Signal Processing 10, sections 3 and 4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> voices = {name: [rng.normal(at, 1.0, size=(300, 2))] for name, at in [("a", 0), ("b", 4)]}
    >>> mixtures = fit_speaker_mixtures(voices)
    >>> mixtures.log_ratios(np.zeros((10, 2))).argmax()
    np.int64(0)
    """

    background: MixtureParameters
    weights: Array
    means: Array
    covariances: Array

    def __post_init__(self) -> None:
        """Check every mixture, as each may come from a file."""
        n_speakers = len(self.weights)
        if not n_speakers == len(self.means) == len(self.covariances) > 0:
            raise InputError("weights, means and covariances must be of the same speakers")
        for part in zip(self.weights, self.means, self.covariances, strict=True):
            one = MixtureParameters(*part, covariance_type="diag")
            if one.means.shape != self.background.means.shape:
                raise InputError(
                    f"the mixture of a speaker has shape {one.means.shape}, "
                    f"the background {self.background.means.shape}"
                )

    def log_ratios(self, frames: Frames) -> Array:
        """Return log p(frames | speaker) - log p(frames | background) for all speakers.

        Parameters
        ----------
        frames : ndarray of shape (n_frames, n_features)
            Frames of one recording.

        Returns
        -------
        ratios : ndarray of shape (n_speakers,)
            Sums over the frames, each over the 5 likeliest Gaussians of the background.
        """
        out = np.zeros(len(self.weights))
        best = np.empty(min(N_BEST, self.background.n_components), dtype=np.intp)
        for first in range(0, len(frames), FRAMES_AT_ONCE):
            X = np.ascontiguousarray(frames[first : first + FRAMES_AT_ONCE], dtype=np.float64)
            add_log_ratios(X, *self._gaussians, best, out)
        return out

    @cached_property
    def _gaussians(self) -> tuple[Gaussians, Gaussians]:
        one = self.background
        return (
            _gaussians(one.weights[None], one.means[None], one.covariances[None]),
            _gaussians(self.weights, self.means, self.covariances),
        )

    def with_speaker(self, tables: Sequence[Frames]) -> "SpeakerMixtures":
        """Return the mixtures with one more, adapted to these frames."""
        new = _adapted_to(self.background, pooled(tables))
        return _stacked(
            self.background, [*self._parts(), (new.weights, new.means, new.covariances)]
        )

    def _parts(self) -> list[tuple[Array, Array, Array]]:
        return list(zip(self.weights, self.means, self.covariances, strict=True))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for a model file."""
        names = ("weights", "means", "covariances")
        arrays = {f"background_{name}": getattr(self.background, name) for name in names}
        return arrays | {f"speaker_{name}": getattr(self, name) for name in names}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SpeakerMixtures":
        """Return the mixtures of what `arrays` gave."""
        names = ("weights", "means", "covariances")
        background = MixtureParameters(
            *(arrays[f"background_{name}"] for name in names), covariance_type="diag"
        )
        return cls(background, *(arrays[f"speaker_{name}"] for name in names))


def fit_speaker_mixtures(
    recordings: Mapping[str, Sequence[Frames]], *, random_state: int | None = 0
) -> SpeakerMixtures:
    """Fit the background to all frames, and adapt it to each speaker.

    There is one Gaussian for every 100 frames of the speech of a speaker, at least 4 and at most
    64: more would be adapted to next to nothing.

    Parameters
    ----------
    recordings : mapping of str to sequence of ndarray of shape (n_frames, n_features)
        Frames of the recordings of each speaker.
    random_state : int or None, default=0
        Seed of the start of the background mixture.

    Returns
    -------
    mixtures : SpeakerMixtures
        Background and speakers, in the order of the mapping.

    Raises
    ------
    InputError
        If there is no speaker, or no frame.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> voices = {name: [rng.normal(at, 1.0, size=(300, 2))] for name, at in [("a", 0), ("b", 4)]}
    >>> fit_speaker_mixtures(voices).background.n_components
    4
    """
    if not recordings:
        raise InputError("recordings of at least one speaker are needed, got none")
    own = [pooled(tables) for tables in recordings.values()]
    everything = pooled(own)
    typical = len(everything) / len(own)
    n_components = int(np.clip(typical / FRAMES_PER_COMPONENT, FEWEST_COMPONENTS, MOST_COMPONENTS))
    background = fit_background(everything, n_components, random_state=random_state)
    new = [_adapted_to(background, frames) for frames in own]
    return _stacked(background, [(one.weights, one.means, one.covariances) for one in new])


def _adapted_to(background: MixtureParameters, frames: Frames) -> MixtureParameters:
    """Return the background adapted to some frames: in rounds, as frames change component."""
    mixture = background
    for _ in range(N_ROUNDS):
        statistics = _about(expectation(frames, mixture), background.means)
        floor = variance_floor(
            SufficientStatistics.of_parameters(background, 1.0), FLOOR, has_one_unit=True
        )
        mixture = adapted(background, statistics, relevance_factor=RELEVANCE_FACTOR, floor=floor)
    return mixture


def _about(statistics: SufficientStatistics, means: Array) -> SufficientStatistics:
    """Return the same statistics about other means."""
    way = statistics.means - means
    n = statistics.resp_sum[:, None]
    return SufficientStatistics(
        means=means,
        resp_sum=statistics.resp_sum,
        dev_sum=statistics.dev_sum + n * way,
        dev2_sum=statistics.dev2_sum + 2.0 * way * statistics.dev_sum + n * way**2,
        log_likelihood=statistics.log_likelihood,
    )


def _stacked(
    background: MixtureParameters, parts: list[tuple[Array, Array, Array]]
) -> SpeakerMixtures:
    return SpeakerMixtures(background, *(np.array(arrays) for arrays in zip(*parts, strict=True)))


def _gaussians(weights: Array, means: Array, covariances: Array) -> Gaussians:
    """Return mixtures in the form of the kernel."""
    with np.errstate(divide="ignore"):  # a component of weight 0 was switched off
        log_weights = np.log(weights)
    log_norms = log_weights - 0.5 * np.log(2.0 * np.pi * covariances).sum(axis=2)
    return Gaussians(*map(np.ascontiguousarray, (log_norms, means, 1.0 / covariances)))
