import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.region_features import (
    color_codes,
    comparable_colors,
    log_spread,
    region_features,
    smoothed,
    texture_codes,
)


@pytest.fixture
def channel(rng):
    return rng.random((40, 50), dtype=np.float32)[..., None]


EVERYWHERE = np.ones((40, 50), dtype=bool)


@pytest.mark.parametrize(("factor", "offset"), [(1e-12, 0), (1e12, 0), (4, -1e3)])
def test_scale_and_offset_of_a_channel_do_not_matter(channel, factor, offset):
    moved = (channel * factor + offset).astype(np.float32)
    expected = comparable_colors(channel, EVERYWHERE)
    assert_allclose(comparable_colors(moved, EVERYWHERE), expected, atol=0.05)


def test_one_channel_spreads_from_0_to_100(channel):
    low, high = np.percentile(comparable_colors(channel, EVERYWHERE), (1, 99))
    assert_allclose((low, high), (0, 100), atol=1e-3)


def test_an_outlier_does_not_change_the_scale(channel):
    spoiled = channel.copy()
    spoiled[3, 4] = 1e30
    colors, expected = (comparable_colors(c, EVERYWHERE) for c in (spoiled, channel))
    assert colors.max() == 200
    assert_allclose(np.delete(colors, 3, axis=0), np.delete(expected, 3, axis=0), atol=0.5)


def test_seven_channels_become_three_colours_and_equal_channels_one(channel):
    colors = comparable_colors(np.repeat(channel, 7, axis=2), EVERYWHERE)
    single = comparable_colors(channel, EVERYWHERE)[:, :, 0]
    assert colors.shape[2] == 3
    assert_allclose(colors[:, :, 0] - 50, single - single.mean(), atol=1e-2)
    assert_allclose(colors[:, :, 1:], 50, atol=1e-2)


@pytest.mark.parametrize("n_channels", [2, 4, 5, 6, 8])
def test_the_first_colour_grows_with_the_sum_of_the_channels(channel, rng, n_channels):
    noise = rng.normal(0, 0.1, size=(40, 50, n_channels))
    features = (channel + noise).astype(np.float32)
    first = comparable_colors(features, EVERYWHERE)[:, :, 0]
    assert np.corrcoef(first.ravel(), features.sum(axis=2).ravel())[0, 1] > 0.9


def test_lab_is_only_moved(rng):
    lab = rng.uniform(-20, 90, size=(40, 50, 3)).astype(np.float32)
    assert_array_equal(comparable_colors(lab, EVERYWHERE), lab + np.float32([0, 50, 50]))


def test_a_constant_channel_is_zero():
    constant = np.full((40, 50, 1), 7, dtype=np.float32)
    assert_array_equal(comparable_colors(constant, EVERYWHERE), 0)


def test_means_are_those_of_the_pixels_inside():
    values = np.full((40, 50), 3, dtype=np.float32)
    inside = EVERYWHERE.copy()
    inside[:, 20:] = False
    values[~inside] = 1e6
    assert_allclose(smoothed(values, inside, 2.0)[inside], 3, rtol=1e-5)


def test_spread_of_alternating_pixels_is_half_their_step():
    light = np.zeros((40, 50), dtype=np.float32)
    light[:, ::2] = 10
    assert_allclose(log_spread(light, EVERYWHERE, 4.0)[20, 25], np.log(6), atol=1e-3)


def test_colours_are_coded_in_equal_steps():
    assert_array_equal(color_codes(np.float32([-5, 0, 7, 8, 99, 300])), [0, 0, 0, 1, 12, 12])


def test_texture_codes_tell_direction_and_strength_but_not_sign():
    row, col = np.mgrid[:40, :50].astype(np.float32)
    down, up, right, steep = (
        int(texture_codes(light, EVERYWHERE)[20, 25])
        for light in (2 * row, -2 * row, 2 * col, 4 * row)
    )
    assert down == up
    assert len({0, down, right, steep}) == 4
    assert_array_equal(texture_codes(np.ones((40, 50), dtype=np.float32), EVERYWHERE), 0)


def test_features_are_colours_and_two_spreads_of_the_pixels_inside(rng):
    colors = rng.uniform(0, 100, size=(40, 50, 3)).astype(np.float32)
    inside = rng.random((40, 50)) < 0.5
    X = region_features(colors, inside)
    assert X.shape == (inside.sum(), 5)
    assert_allclose(X[:, :3], colors[inside] * [0.6, 1.2, 1.2], rtol=1e-6)
