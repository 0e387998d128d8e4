"""The prior of voice activity: one discriminant of the context, and mixtures of speech and noise.

Linear weights reduce the context of a frame to one number, large where there is voice; Gaussian
mixtures of that number in speech and in noise make it log-odds, that is, calibrate it.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.voice_features import N_CONTEXT
from gmmseg.core.halves import joint_log_densities
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError

KIND = "voice-activity"
RECIPE = 1  # of the features: a model of others would be nonsense
SHIPPED = Path(__file__).with_name("voice_prior.gmm")
MOST_LOG_ODDS = 12.0


@dataclass(frozen=True, eq=False)
class VoiceModel:
    """Hold what speech and noise are like: frozen.

    Parameters
    ----------
    weights : ndarray of float32 of shape (n_features,)
        Of the features, in the discriminant.
    intercept : float
        Added to the discriminant.
    limits : tuple of float
        Where the discriminant is cut, since the mixtures know nothing beyond.
    speech, noise : MixtureParameters
        Mixtures over the discriminant, one feature.
    scale, shift : float
        ``log_odds = scale * log(p_speech / p_noise) + shift``: the neighbours of a frame tell much
        the same as it does.
    """

    weights: NDArray[np.float32]
    intercept: float
    limits: tuple[float, float]
    speech: MixtureParameters
    noise: MixtureParameters
    scale: float
    shift: float

    def log_odds(self, context: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log-odds of speech (n_frames,) of a context (n_frames, n_features)."""
        if len(context) == 0:
            return np.zeros(0)
        # In float64, for in float32 the sums depend on how many rows there are at once.
        value = context.astype(np.float64) @ self.weights.astype(np.float64) + self.intercept
        inside = np.clip(value, *self.limits)[:, np.newaxis]
        joint = joint_log_densities(inside, self._both)
        n_speech = self.speech.n_components
        ratio = np.logaddexp.reduce(joint[:n_speech]) - np.logaddexp.reduce(joint[n_speech:])
        return np.clip(self.scale * ratio + self.shift, -MOST_LOG_ODDS, MOST_LOG_ODDS)

    @functools.cached_property
    def _both(self) -> MixtureParameters:
        """One mixture of speech and noise, half of each: one call is enough for a few frames."""
        own = (self.speech, self.noise)
        return MixtureParameters(
            0.5 * np.concatenate([one.weights for one in own]),
            np.concatenate([one.means for one in own]),
            np.concatenate([one.covariances for one in own]),
            covariance_type="diag",
        )

    def write(self, path: str | PathLike[str], options: Mapping[str, Any]) -> None:
        """Write the model, with plain options of the detector, to a file."""
        header = {
            "recipe": RECIPE,
            "intercept": self.intercept,
            "limits": list(self.limits),
            "scale": self.scale,
            "shift": self.shift,
            "options": dict(options),
        }
        arrays: dict[str, NDArray[Any]] = {"weights": self.weights}
        for name, mixture in (("speech", self.speech), ("noise", self.noise)):
            arrays |= {
                f"{name}_weights": mixture.weights,
                f"{name}_means": mixture.means,
                f"{name}_covariances": mixture.covariances,
            }
        write_model(path, kind=KIND, header=header, arrays=arrays)

    @classmethod
    def read(cls, path: str | PathLike[str]) -> tuple[Self, dict[str, Any]]:
        """Return the model and the options that `write` wrote.

        Raises
        ------
        ModelFileError
            If the file holds no such model, or anything in it does not fit together.
        """
        header, arrays = read_model(path, kind=KIND)
        with as_damage(path):
            if header["recipe"] != RECIPE:
                raise InputError(
                    f"its features are of recipe {header['recipe']!r}, this gmmseg has {RECIPE}"
                )
            names = ("intercept", "scale", "shift")
            intercept, scale, shift = (float(header[name]) for name in names)
            low, high = (float(limit) for limit in header["limits"])
            weights = arrays["weights"].astype(np.float32)
            if weights.shape != (N_CONTEXT,):
                raise InputError(f"weights must have shape ({N_CONTEXT},), got {weights.shape}")
            if not np.isfinite([intercept, scale, shift, low, high, *weights]).all() or low > high:
                raise InputError("its numbers are not finite, or its limits are in the wrong order")
            speech, noise = _mixture(arrays, "speech"), _mixture(arrays, "noise")
            model = cls(weights, intercept, (low, high), speech, noise, scale, shift)
            return model, dict(header["options"])


def _mixture(arrays: Mapping[str, NDArray[Any]], name: str) -> MixtureParameters:
    parts = (arrays[f"{name}_{part}"] for part in ("weights", "means", "covariances"))
    mixture = MixtureParameters(*parts, covariance_type="diag")
    if mixture.n_features != 1:
        raise InputError(f"the {name} mixture must have 1 feature, got {mixture.n_features}")
    return mixture


@functools.cache
def shipped_model() -> VoiceModel:
    """Return the model that comes with gmmseg; PRIORS.md tells what it was learned from."""
    return VoiceModel.read(SHIPPED)[0]
