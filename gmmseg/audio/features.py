"""Turn a sound into features, a row per frame."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.frame_stream import FrameStream
from gmmseg.audio.neighbours import standardized
from gmmseg.audio.recipe import Cmvn, Kind
from gmmseg.audio.signals import checked_signal

_SAMPLES_AT_ONCE = 2**20  # the chain of stages copies what it works on


def frame_features(
    y: ArrayLike,
    *,
    sr: float,
    kind: Kind = "mfcc",
    n_mfcc: int = 20,
    n_mels: int = 40,
    deltas: int = 0,
    cmvn: Cmvn | None = None,
    hop_length: int | None = None,
    n_fft: int | None = None,
) -> NDArray[np.float32]:
    """Describe every frame of a sound by features.

    Frame ``t`` is centred at ``t * hop_length`` samples, as librosa's are; beyond both ends lies
    silence.

    Parameters
    ----------
    y : array_like of shape (n_samples,) or (n_channels, n_samples)
        Sound; of several channels the mean is taken. Integers are scaled to -1…1.
    sr : float
        Sampling rate, in Hz.
    kind : {"mfcc", "log-mel", "voice"}
        "log-mel": power in mel bands, in dB; "mfcc": the cosine transform of these; both have
        librosa's values (``power_to_db`` with ``top_db=None``). "voice": the bands and behind
        them six cues of voice: energy (mean square, in dB below full scale); snr (how far the
        bands rise above the noise floor tracked under them, mean in dB); harmonicity (largest
        normalised autocorrelation at a peak between 70 and 400 Hz) and pitch (where it lies, in
        Hz, 0 without any); flatness (geometric over arithmetic mean of the spectrum); flux (rise
        of the bands since the frame before, mean in dB).
    n_mfcc : int
        Number of cepstral coefficients, for "mfcc".
    n_mels : int
        Number of mel bands.
    deltas : {0, 1, 2}
        Up to which derivative along the frames the features are repeated, each behind the last.
    cmvn : {"file", "sliding"} or None
        Whether every column is given mean 0 and spread 1: over the whole sound, or over the 3 s
        around each frame.
    hop_length : int, optional
        Samples from frame to frame; None is 10 ms.
    n_fft : int, optional
        Samples of a frame; None is 25 ms, padded with zeros to a power of two.

    Returns
    -------
    features : ndarray of float32 of shape (n_frames, n_features)
        Features, ``n_frames = 1 + n_samples // hop_length``; all finite, whatever the sound.

    Raises
    ------
    InputError
        If `y` has no samples or NaN in it, or an option is none.

    See Also
    --------
    FrameStream : The same, of sound that comes in blocks.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 200 * np.arange(8000) / 8000)
    >>> features = frame_features(tone, sr=8000, kind="voice")
    >>> features.shape
    (101, 46)
    >>> harmonicity, pitch = features[50, [42, 43]]
    >>> bool(harmonicity > 0.99), round(float(pitch))
    (True, 200)
    """
    samples = checked_signal(y, sr=sr)
    mono = samples if samples.ndim == 1 else samples.mean(axis=0)
    stream = FrameStream(
        sr=sr,
        kind=kind,
        n_mfcc=n_mfcc,
        n_mels=n_mels,
        deltas=deltas,
        cmvn=None if cmvn == "file" else cmvn,
        hop_length=hop_length,
        n_fft=n_fft,
    )
    starts = range(0, len(mono), _SAMPLES_AT_ONCE)
    tables = [stream.push(mono[start : start + _SAMPLES_AT_ONCE]) for start in starts]
    features = np.concatenate([*tables, stream.finish()])
    return standardized(features) if cmvn == "file" else features
