"""Claims about the noise floor: it follows noise, and what pauses stands above it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio import frame_features
from gmmseg.audio.framing import Framing
from gmmseg.audio.noise_floor import NoiseFloor
from gmmseg.audio.spectrum import decibels
from tests import naive


def log_mel(y, sr):
    return frame_features(y, sr=sr, kind="log-mel")


@pytest.mark.parametrize("sr", [8000, 16000, 44100])
def test_the_floor_of_white_noise_is_its_mean_power_in_every_band(rng, sr):
    bands = log_mel(0.1 * rng.normal(size=20 * sr), sr)
    floor = NoiseFloor(Framing.of(sr=sr), n_mels=40).track(bands)
    power = 10 * np.log10(np.mean(10 ** (bands.astype(float) / 10), axis=0))
    assert_allclose(floor[200:-50].mean(axis=0), power, atol=0.6)


def test_the_floor_is_the_least_smoothed_power_from_the_past_to_ahead(rng):
    # One frame is smoothed over nine; hop and window do not matter to what is the least.
    framing = Framing.of(sr=8000)
    floor = NoiseFloor(framing, n_mels=3, past=0.07, ahead=0.02)
    power = rng.exponential(size=(60, 3)).astype(np.float32)
    padded = np.pad(power, ((4, 4), (0, 0)), mode="edge")
    smooth = np.array([padded[t : t + 9].mean(axis=0) for t in range(60)])
    tracked = floor.track(decibels(power))
    above = tracked - 10 * np.log10(naive.least_around(smooth, 7, 2))
    assert_allclose(above, np.broadcast_to(above[0], above.shape), atol=1e-4)
    assert (above[0] > 0).all()


def test_a_sound_that_pauses_stands_above_the_floor_and_its_pauses_do_not(rng):
    sr, n_each = 8000, 4000
    noise = 0.001 * rng.normal(size=8 * n_each)
    is_on = np.repeat([False, True] * 4, n_each)
    y = np.where(is_on, 0.1 * rng.normal(size=len(noise)), noise)
    snr = frame_features(y, sr=sr, kind="voice")[:, 41]
    frames_on = is_on[:: sr // 100]
    # 40 dB apart by construction; the smoothing of the floor blurs the edges.
    assert abs(np.median(snr[: len(frames_on)][frames_on]) - 40) < 3
    assert abs(np.median(snr[: len(frames_on)][~frames_on])) < 3


def test_the_floor_forgets_after_its_window(rng):
    sr = 8000
    quiet, loud = 0.001 * rng.normal(size=2 * sr), 0.1 * rng.normal(size=4 * sr)
    snr = frame_features(np.concatenate([quiet, loud]), sr=sr, kind="voice")[:, 41]
    assert np.median(snr[210:330]) > 35
    assert abs(np.median(snr[370:])) < 3
