"""Learn a voice model from frames with labels: a logistic discriminant, then two mixtures."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import HOP
from gmmseg.audio.voice_model import VoiceModel
from gmmseg.core.mixture import GaussianMixture
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError

Array = NDArray[np.float64]

PENALTY = 300.0  # on the squared weights of standardized features, against the sum over frames
SPEECH_COMPONENTS, NOISE_COMPONENTS = 3, 6
TAIL = 1e-3  # share of the frames beyond either limit of the discriminant
LEAST_FRAMES = 100  # of either class: a second


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """Frames to learn from.

    Parameters
    ----------
    context : ndarray of float32 of shape (n_frames, n_features)
        Context of every frame.
    is_speech : ndarray of bool of shape (n_frames,)
        Whether somebody speaks.
    sample_weight : ndarray of shape (n_frames,)
        What every frame counts.
    """

    context: NDArray[np.float32]
    is_speech: NDArray[np.bool_]
    sample_weight: Array


def learn_voice_model(frames: LabelledFrames, *, random_state: int | None = 0) -> VoiceModel:
    """Return the model that tells the speech of labelled frames from the rest.

    Raises
    ------
    InputError
        If there is less than a second of speech, or of anything else.
    """
    n_speech = int(frames.is_speech.sum())
    n_noise = len(frames.is_speech) - n_speech
    if min(n_speech, n_noise) < LEAST_FRAMES:
        raise InputError(
            f"at least 1 s of speech and 1 s without are needed to learn from, got "
            f"{n_speech * HOP:.2f} s and {n_noise * HOP:.2f} s"
        )
    weights, intercept = _discriminant(frames)
    value = (frames.context @ weights).astype(np.float64) + intercept
    low, high = (float(limit) for limit in np.quantile(value, [TAIL, 1.0 - TAIL]))
    inside = np.clip(value, low, high)
    is_speech, shares = frames.is_speech, frames.sample_weight
    mixture = partial(_mixture, random_state=random_state)
    speech = mixture(inside[is_speech], shares[is_speech], n_components=SPEECH_COMPONENTS)
    noise = mixture(inside[~is_speech], shares[~is_speech], n_components=NOISE_COMPONENTS)
    plain = VoiceModel(weights, intercept, (low, high), speech, noise, 1.0, 0.0)
    ratio = plain.log_odds(frames.context)
    scale, shift = logistic(ratio[:, np.newaxis], frames, penalty=1e-3)
    return VoiceModel(weights, intercept, (low, high), speech, noise, float(scale[0]), shift)


def _discriminant(frames: LabelledFrames) -> tuple[NDArray[np.float32], float]:
    """Return weights and intercept that tell speech from the rest by their weighted sum."""
    mean = frames.context.mean(axis=0, dtype=np.float64)
    spread = frames.context.std(axis=0, dtype=np.float64) + 1e-6
    standardized = ((frames.context - mean) / spread).astype(np.float32)
    weights, intercept = logistic(standardized, frames, penalty=PENALTY)
    scaled = weights / spread
    return scaled.astype(np.float32), float(intercept - mean @ scaled)


def logistic(
    X: NDArray[np.float32] | Array, frames: LabelledFrames, *, penalty: float
) -> tuple[Array, float]:
    """Return weights and intercept of the logistic regression of speech on features.

    They maximise ``sum(sample_weight * log p(label)) - penalty / 2 * |weights|^2``.
    """
    from scipy.optimize import minimize

    sign = np.where(frames.is_speech, 1.0, -1.0)
    total = frames.sample_weight.sum()

    def loss(parameters: Array) -> tuple[float, Array]:
        weights = parameters[:-1]
        margin = sign * (X @ weights.astype(X.dtype) + parameters[-1])
        cost = frames.sample_weight @ np.logaddexp(0.0, -margin)
        pull = -sign * frames.sample_weight * np.exp(-np.logaddexp(0.0, margin))
        slope = np.append(pull.astype(X.dtype) @ X + penalty * weights, pull.sum())
        return (cost + 0.5 * penalty * weights @ weights) / total, slope / total

    found = minimize(loss, np.zeros(X.shape[1] + 1), jac=True, method="L-BFGS-B", tol=1e-7)
    return found.x[:-1], float(found.x[-1])


def _mixture(
    value: Array, sample_weight: Array, *, n_components: int, random_state: int | None
) -> MixtureParameters:
    """Return the mixture of the discriminant in one class."""
    mixture = GaussianMixture(
        n_components, covariance_type="diag", covariance_floor=0.02, random_state=random_state
    )
    mixture.fit(value[:, np.newaxis], sample_weight=sample_weight)
    return MixtureParameters(
        mixture.weights_, mixture.means_, mixture.covariances_, covariance_type="diag"
    )
