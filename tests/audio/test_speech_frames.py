"""Frames of speakers: cepstra of what is loud, alike at every rate, or one clear line."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.features import frame_features
from gmmseg.audio.speech_frames import loud_frames, speaker_frames, without_mean
from gmmseg.errors import InputError
from tests.voices import SPEAKERS, spoken


def test_frames_are_mfcc_and_slopes_of_what_is_loud(rng):
    y = 0.1 * rng.normal(size=8000).astype(np.float32)
    y -= y.mean()
    expected = frame_features(y, sr=8000, kind="mfcc", n_mfcc=20, deltas=1)
    assert_allclose(speaker_frames(y, sr=8000), expected, atol=1e-3)


def test_pauses_are_left_out(rng):
    y = 0.1 * rng.normal(size=11000)
    y[3000:8000] *= 1e-4
    n_frames = len(speaker_frames(y, sr=8000))
    assert 73 <= n_frames <= 81


def test_loudness_does_not_decide_what_speech_is(rng):
    log_mel = 20.0 * rng.normal(size=(300, 40)).astype(np.float32)
    assert_array_equal(loud_frames(log_mel), loud_frames(log_mel - 30.0))


def test_a_higher_rate_gives_about_the_same_frames(rng):
    speech = spoken(rng, **SPEAKERS["ben"], seconds=2.0, sr=8000)
    spectrum = np.fft.rfft(speech)
    twice = 2.0 * np.fft.irfft(np.pad(spectrum, (0, len(spectrum) - 1)), 2 * len(speech))
    frames, others = speaker_frames(speech, sr=8000), speaker_frames(twice, sr=16000)
    assert abs(len(frames) - len(others)) <= 1
    assert np.median(np.abs(frames.mean(axis=0) - others.mean(axis=0))) < 1.0


def test_an_offset_changes_nothing(rng):
    speech = spoken(rng, **SPEAKERS["ben"], seconds=2.0)
    assert_allclose(
        speaker_frames(speech + 0.5, sr=8000), speaker_frames(speech, sr=8000), atol=0.1
    )


def test_channels_are_averaged(rng):
    y = 0.1 * rng.normal(size=(2, 4000))
    assert_allclose(speaker_frames(y, sr=8000), speaker_frames(y.mean(axis=0), sr=8000), atol=1e-3)


def test_mean_of_cepstra_goes_and_slopes_stay(rng):
    frames = rng.normal(3.0, 1.0, size=(50, 40)).astype(np.float32)
    centred = without_mean(frames)
    assert_allclose(centred[:, :20].mean(axis=0), 0.0, atol=1e-6)
    assert_array_equal(centred[:, 20:], frames[:, 20:])
    assert centred.dtype == np.float32


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(8000), "the recording is silent: no sample is above 0.0001 of full scale; is"),
        (np.ones(8000), "the recording is silent"),
        (np.sin(np.arange(80)), "has 2 frames of speech, 0.02 s; at least 0.1 s are needed"),
        (np.zeros(0), "y has no samples"),
        (np.full(8000, np.nan), "NaN"),
    ],
)
def test_what_is_no_speech_is_refused(y, message):
    with pytest.raises(InputError, match=message):
        speaker_frames(y, sr=8000)


@pytest.mark.parametrize("sr", [8000, 44100])
def test_tones_noise_and_clicks_have_nobody_in_them_and_speech_over_noise_has(rng, sr):
    t = np.arange(4 * sr) / sr
    clicks = np.zeros(len(t))
    clicks[:: sr // 4] = 0.9
    noise = 0.1 * rng.normal(size=len(t))
    for y in (0.5 * np.sin(2 * np.pi * 220 * t), noise, clicks):
        with pytest.raises(InputError, match="nobody is heard in the recording: no half second"):
            speaker_frames(y, sr=sr)
    speech = spoken(rng, **SPEAKERS["ben"], seconds=4.0, sr=sr)
    assert len(speaker_frames(speech + 0.3 * noise[: len(speech)], sr=sr)) > 100


def test_what_is_too_short_to_judge_is_described(rng):
    assert len(speaker_frames(0.1 * rng.normal(size=11999), sr=8000)) == 150


def test_short_clicks_and_clipped_speech_are_described(rng):
    clicks = np.zeros(8000)
    clicks[::800] = 1.0
    clipped = np.clip(20.0 * spoken(rng, **SPEAKERS["anna"], seconds=1.0), -1.0, 1.0)
    for y in (clicks, clipped, np.sin(np.arange(8000.0))):
        assert np.isfinite(speaker_frames(y, sr=8000)).all()
