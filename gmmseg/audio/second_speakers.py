"""Second speakers: who else speaks around a change of speakers, where two explain the sound better.

Only where that is clear, as a second label that is wrong costs as much as one that is missed.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.slivers import SHORTEST
from gmmseg.core.adaptation import adapted
from gmmseg.core.estep import expectation, log_densities
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import GmmsegWarning

Array = NDArray[np.float64]
Index = NDArray[np.intp]

NEAR = 100  # frames from a change of speakers: elsewhere the evidence errs too often
SMOOTH = 51  # frames that evidence is the mean of
CLEAR = 2.0  # nats a frame by which two must be better than either alone
N_SOUNDS = 16  # Gaussians of a voice
MOST_FRAMES = 20_000  # that the sounds of a recording are learned from
RELEVANCE = 16.0  # frames that the recording counts as, in each sound of a voice
FLOOR = 10.0  # dB**2: no variance of a band goes below
PER_DECIBEL = np.log(10.0) / 10.0


def second_speakers(levels: NDArray[np.float32], labels: Index) -> Index:
    """Return who else speaks in each frame.

    Near a change from one speaker to another, the two at once must be likelier than either alone,
    on the mean of half a second; no third speaker is looked for.

    Parameters
    ----------
    levels : ndarray of shape (n_frames, n_bands)
        Power in bands of frequency, in dB.
    labels : ndarray of int of shape (n_frames,)
        Speaker of each frame, numbered from 1; 0 where nobody speaks.

    Returns
    -------
    seconds : ndarray of int of shape (n_frames,)
        Second speaker of each frame; 0 where there is none, or it is not clear.
    """
    seconds = np.zeros_like(labels)
    is_change = (labels[:-1] != labels[1:]) & (labels[:-1] > 0) & (labels[1:] > 0)
    if not is_change.any():
        return seconds
    voices = _voices(levels, labels)
    nearest = np.full(len(labels), float(NEAR))
    for place in np.flatnonzero(is_change).tolist():
        reach = NEAR + SMOOTH // 2
        around = np.arange(max(0, place + 1 - reach), min(len(labels), place + 1 + reach))
        around = around[labels[around] > 0]
        one, other = labels[place], labels[place + 1]
        gain = _gain(levels[around], voices[one], voices[other])
        distance = np.abs(around - place - 0.5)
        is_theirs = np.isin(labels[around], (one, other)) & (distance < nearest[around])
        theirs = around[is_theirs]
        nearest[theirs] = distance[is_theirs]
        seconds[theirs] = np.where(gain[is_theirs] > CLEAR, one + other - labels[theirs], 0)
    return _without_short(seconds)


def both_at_once(one: MixtureParameters, other: MixtureParameters) -> MixtureParameters:
    """Return the mixture of two voices that sound together, a component for each pair of theirs.

    Powers add, so levels ``a`` and ``b`` in dB become ``10 log10(10**(a / 10) + 10**(b / 10))``, to
    first order of mean ``m(a, b)`` and variance ``g**2 var(a) + (1 - g)**2 var(b)`` with the share
    ``g`` of the first in the power.

    Parameters
    ----------
    one, other : MixtureParameters
        Mixtures of levels of bands, in dB, of diagonal covariances.

    Returns
    -------
    both : MixtureParameters
        Mixture of as many components as the product of theirs.

    References
    ----------
    Varga, Moore (1990), "Hidden Markov model decomposition of speech and noise",
    DOI 10.1109/ICASSP.1990.115970; to first order after Moreno, Raj, Stern (1996), "A vector Taylor
    series approach for environment-independent speech recognition",
    DOI 10.1109/ICASSP.1996.543225.
    """
    a, b = PER_DECIBEL * one.means[:, np.newaxis], PER_DECIBEL * other.means[np.newaxis]
    together = np.logaddexp(a, b)
    share = np.exp(a - together)
    first, second = one.component_covariances, other.component_covariances
    variances = share**2 * first[:, np.newaxis] + (1.0 - share) ** 2 * second[np.newaxis]
    n_bands = one.n_features
    return MixtureParameters(
        np.outer(one.weights, other.weights).ravel(),
        together.reshape(-1, n_bands) / PER_DECIBEL,
        np.maximum(variances, FLOOR).reshape(-1, n_bands),
        covariance_type="diag",
    )


def _voices(levels: NDArray[np.float32], labels: Index) -> dict[int, MixtureParameters]:
    """Return the mixture of each speaker, adapted from one of the recording."""
    from gmmseg.core.mixture import GaussianMixture

    speech = np.flatnonzero(labels > 0)
    some = speech[:: 1 + len(speech) // MOST_FRAMES]
    mixture = GaussianMixture(
        min(N_SOUNDS, len(some)), covariance_type="diag", covariance_floor=1e-3, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmsegWarning)  # fewer sounds than asked for are no loss
        mixture.fit(levels[some])
    recording = mixture.parameters_
    return {
        int(speaker): adapted(
            recording,
            expectation(levels[labels == speaker], recording),
            relevance_factor=RELEVANCE,
            floor=FLOOR,
        )
        for speaker in np.unique(labels[speech])
    }


def _gain(levels: NDArray[np.float32], one: MixtureParameters, other: MixtureParameters) -> Array:
    """Return by how much two voices at once explain frames better than the likelier alone."""
    from scipy.ndimage import uniform_filter1d

    alone_one, alone_other, together = (
        uniform_filter1d(log_densities(levels, voice), SMOOTH, mode="nearest")
        for voice in (one, other, both_at_once(one, other))
    )
    gain: Array = together - np.maximum(alone_one, alone_other)
    return gain


def _without_short(labels: Index) -> Index:
    """Return labels without the runs that are too short for a turn."""
    bounds = np.flatnonzero(np.diff(labels, prepend=labels[:1] - 1, append=-1))
    lengths = np.diff(bounds)
    return np.where(lengths < SHORTEST, 0, labels[bounds[:-1]]).repeat(lengths)
