"""Noise of the camera is measured, and what is tolerated follows it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.video import BackgroundSubtractor
from gmmseg.video.lighting import inverse_table
from gmmseg.video.noise import noise_variance
from gmmseg.video.scene import Event

ROWS, COLS = 120, 160
PLAIN = inverse_table(np.zeros((3, 16)), np.arange(256.0))


@pytest.fixture
def wall():
    stripes = 120 + 20 * np.sin(np.arange(COLS) / 9)
    return np.tile(stripes[:, np.newaxis], (ROWS, 1, 3))


def seen(picture, rng, scale):
    noisy = picture + rng.normal(scale=scale, size=picture.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def modes_of(picture):
    modes = np.zeros((ROWS, 1, 5, COLS), np.float32)
    modes[:, 0, 2:] = picture.transpose(0, 2, 1)
    return modes


@pytest.mark.parametrize("scale", [2.0, 5.0, 20.0])
def test_noise_is_measured_whatever_light_and_things_do(wall, rng, scale):
    modes = modes_of(wall)
    frame = wall * 1.3
    frame[:, :60] = (60, 120, 30)
    variance = noise_variance(seen(frame, rng, scale), PLAIN, modes)
    assert_allclose(variance, scale**2, rtol=0.12)


@pytest.mark.parametrize("scale", [14.0, 20.0, 30.0])
@pytest.mark.parametrize("n_channels", [1, 3])
def test_in_strong_noise_a_thing_is_found_and_nothing_else(wall, rng, scale, n_channels):
    subtractor, n_false = BackgroundSubtractor(), 0
    for t in range(50):
        picture, left = wall.copy(), 3 * (t - 20)
        if t >= 20:
            picture[40:70, left : left + 25] = (240, 20, 20)
        mask = subtractor.apply(seen(picture, rng, scale)[:, :, :n_channels]) == 255
        assert subtractor.event_ is Event.NOTHING
        if t >= 20:
            assert mask[42:68, left + 2 : left + 23].mean() > 0.8
            mask[37:73, max(left - 3, 0) : left + 28] = False
        n_false += np.count_nonzero(mask)
    assert n_false < 1e-4 * 50 * mask.size


def test_noise_that_rises_slowly_is_no_new_scene_and_nothing_moves(wall, rng):
    subtractor = BackgroundSubtractor()
    for t in range(300):
        mask = subtractor.apply(seen(wall, rng, 3.0 + 0.07 * t))
        assert subtractor.event_ is Event.NOTHING
        assert (mask == 255).mean() < 0.001
    assert_allclose(subtractor._known().noise ** 0.5, 23.0, rtol=0.1)


def test_little_noise_is_tolerated_as_none(wall, rng):
    subtractor = BackgroundSubtractor()
    for _ in range(20):
        subtractor.apply(seen(wall, rng, 4.0))
    pace = [
        subtractor._learning.pace(20, drifts=True, noise=noise)
        for noise in (0.0, subtractor._known().noise)
    ]
    assert pace[0] == pace[1]
