"""What is known of voices before the first is enrolled: a small mixture, and a PLDA over it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.background import fit_background
from gmmseg.audio.ivectors import TotalVariability, fit_total_variability, ivectors
from gmmseg.audio.plda import PLDA
from gmmseg.audio.plda_fit import fit_plda
from gmmseg.audio.speech_frames import N_BANDS, NEPER, Frames, loudness
from gmmseg.audio.supervectors import supervector
from gmmseg.core.estep import expectation
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.serialization import read_model, write_model
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.errors import InputError

KIND = "speaker-prior"
SHIPPED = Path(__file__).parent / "speaker_prior.gmm"
N_COMPONENTS = 4  # more need more than a second of speech each time
N_DIMS = 60
LEVEL_SPREAD = 6.0  # dB by which loudness varies: it is no mark of a voice
CHANNEL_SPREAD = 2.5  # dB by which the response of a microphone varies along the bands
N_CHANNELS = 2  # random microphones that every window is heard through
INDEPENDENT_FRAMES = 0.5  # of neighbouring frames, for i-vectors
WINDOWS = (60, 100, 150, 250)  # frames: recordings to come are as short as these

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpeakerPrior:
    """Hold a background mixture of speech and a PLDA of its supervectors.

    Parameters
    ----------
    background : MixtureParameters
        Mixture of the frames of many speakers, diagonal.
    plda : PLDA
        How embeddings of short recordings differ within and across speakers.
    variability : TotalVariability, optional
        What makes i-vectors of frames; without it they become supervectors.

    Raises
    ------
    InputError
        If the PLDA is not one of such embeddings.

    Examples
    --------
    >>> prior = load_speaker_prior()
    >>> prior.background.n_components, prior.plda.n_dims
    (4, 60)
    """

    background: MixtureParameters
    plda: PLDA
    variability: TotalVariability | None = None

    def __post_init__(self) -> None:
        """Check that the parts belong together."""
        wanted = self.background.means.size
        if self.variability is not None:
            wanted = self.variability.n_dims
            if self.variability.spread.shape != self.background.means.shape:
                raise InputError("the variability of a speaker prior is of another mixture")
        if self.background.covariance_type != "diag" or self.plda.n_features != wanted:
            raise InputError(
                f"a speaker prior needs a diagonal mixture and a PLDA of {wanted} features, "
                f"got {self.background.covariance_type!r} and {self.plda.n_features} features"
            )

    def levelled(self, frames: Frames) -> Frames:
        """Return frames as they are at the gain of those that the prior was learned from.

        Microphone and distance decide how loud a recording is: it is no mark of a voice.
        """
        levelled = frames.copy()
        levelled[:, 0] += self._loudness - loudness(frames)
        return levelled

    @cached_property
    def _loudness(self) -> float:
        """What `loudness` endless frames of the background have."""
        one = self.background
        means, variances = one.means[:, 0] / NEPER, one.component_variances[:, 0] / NEPER**2
        return float(NEPER * np.log(one.weights @ np.exp(means + 0.5 * variances)))

    def embed(self, frames: Frames) -> Array:
        """Return the supervector or i-vector of some frames, (n_features of the PLDA,)."""
        return _embeddings([self.statistics(frames)], self.background, self.variability)[0]

    def statistics(self, frames: Frames) -> SufficientStatistics:
        """Return the sufficient statistics of some frames under the background mixture."""
        return expectation(frames, self.background, n_jobs=1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for a model file."""
        names = ("weights", "means", "covariances")
        mixture = {f"prior_{name}": getattr(self.background, name) for name in names}
        own = mixture | {f"prior_{name}": array for name, array in self.plda.arrays().items()}
        if self.variability is not None:
            for name in ("spread", "shift", "loadings"):
                own[f"prior_{name}"] = getattr(self.variability, name)
        return own

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "SpeakerPrior":
        """Return the prior of what `arrays` gave."""
        own = {
            name.removeprefix("prior_"): array
            for name, array in arrays.items()
            if name.startswith("prior_")
        }
        mixture = MixtureParameters(
            own["weights"], own["means"], own["covariances"], covariance_type="diag"
        )
        variability = None
        if "loadings" in own:
            variability = TotalVariability(own["spread"], own["shift"], own["loadings"])
        return cls(mixture, PLDA.from_arrays(own), variability)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the prior to a model file."""
        write_model(path, kind=KIND, header={}, arrays=self.arrays())


def load_speaker_prior(path: str | PathLike[str] | None = None) -> SpeakerPrior:
    """Read a prior over voices: the one that ships with gmmseg, or one of your own.

    Parameters
    ----------
    path : str or path, optional
        File that ``SpeakerPrior.save`` wrote; the shipped one if None.

    Returns
    -------
    prior : SpeakerPrior
        The prior.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged or something else.

    Examples
    --------
    >>> load_speaker_prior().background.n_features
    40
    """
    path = SHIPPED if path is None else path
    _, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        return SpeakerPrior.from_arrays(arrays)


def fit_speaker_prior(
    recordings: Mapping[str, Sequence[Frames]],
    *,
    n_components: int = N_COMPONENTS,
    n_dims: int = N_DIMS,
    embedding: Literal["supervector", "i-vector"] = "supervector",
    random_state: int | None = 0,
) -> SpeakerPrior:
    """Learn a prior over voices from recordings of many speakers.

    Recordings are cut into windows of 0.6 to 2.5 s, so that the PLDA learns how much short
    recordings of one speaker differ by what is said; and each is heard through random smooth
    responses of microphones, so that it does not take a microphone for a voice.

    Parameters
    ----------
    recordings : mapping of str to sequence of ndarray of shape (n_frames, n_features)
        Frames of the recordings of each speaker, from `speaker_frames`.
    n_components : int, default=4
        Number of Gaussians of the background mixture.
    n_dims : int, default=60
        Number of principal components of the supervectors that are kept, or of dimensions of
        i-vectors.
    embedding : {"supervector", "i-vector"}, default="supervector"
        What frames become. From hundreds of speakers on, i-vectors of 64 Gaussians or more are
        worth it; on 35, supervectors of 4 made half their errors.
    random_state : int or None, default=0
        Seed of the start of the mixture.

    Returns
    -------
    prior : SpeakerPrior
        The prior.

    Raises
    ------
    InputError
        If there are fewer than two speakers, or too little speech of each.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> voices = {name: [rng.normal(at, 1.0, size=(300, 2))] for name, at in [("a", 0), ("b", 2)]}
    >>> fit_speaker_prior(voices, n_components=1, n_dims=2).plda.n_dims
    2
    """
    if embedding not in {"supervector", "i-vector"}:
        raise InputError(f"embedding must be 'supervector' or 'i-vector', got {embedding!r}")
    tables = [table for name in recordings for table in recordings[name]]
    if not tables:
        raise InputError("recordings of at least two speakers are needed, got none")
    background = fit_background(np.vstack(tables), n_components, random_state=random_state)
    statistics, names = _heard_windows(recordings, background, random_state)
    variability = None
    if embedding == "i-vector":
        spread = np.sqrt(background.component_variances)
        scaled = [one.scale(INDEPENDENT_FRAMES) for one in statistics]
        variability = fit_total_variability(scaled, spread, n_dims=n_dims)
    vectors = _embeddings(statistics, background, variability)
    return SpeakerPrior(background, fit_plda(vectors, names, n_components=n_dims), variability)


def _heard_windows(
    recordings: Mapping[str, Sequence[Frames]],
    background: MixtureParameters,
    random_state: int | None,
) -> tuple[list[SufficientStatistics], list[str]]:
    """Return the statistics of every window through every microphone, and who speaks in each."""
    rng = np.random.default_rng(random_state)
    statistics, names = [], []
    for _ in range(N_CHANNELS):
        for name, own in recordings.items():
            for window in (window for table in own for window in windows_of(table)):
                heard = window + _random_channel(window.shape[1], rng)
                statistics.append(expectation(heard, background, n_jobs=1))
                names.append(name)
    return statistics, names


def _embeddings(
    statistics: Sequence[SufficientStatistics],
    background: MixtureParameters,
    variability: TotalVariability | None,
) -> Array:
    if variability is None:
        return np.array([supervector(one, background) for one in statistics])
    return ivectors([one.scale(INDEPENDENT_FRAMES) for one in statistics], variability)


def _random_channel(n_features: int, rng: np.random.Generator) -> Array:
    """Return cepstra of a random level and smooth response, the same in all frames: slopes stay."""
    decay = 1.0 / np.array([1.0, 1.5, 2.0, 2.5, 3.0])
    shape = CHANNEL_SPREAD / np.sqrt((decay**2).sum()) * decay
    smooth = np.sqrt(N_BANDS) * np.append(LEVEL_SPREAD, shape) * rng.normal(size=len(decay) + 1)
    channel = np.zeros(n_features)
    channel[: len(smooth)] = smooth[:n_features]
    return channel


def windows_of(frames: Frames) -> Iterator[Frames]:
    """Yield windows of every length, each half over the last; a short table whole, once each."""
    for length in WINDOWS:
        for start in range(0, max(1, len(frames) - length + 1), length // 2):
            yield frames[start : start + length]
