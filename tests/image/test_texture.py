"""Claims about local spreads: what they are, wherever the values lie."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.region_features import log_spread
from gmmseg.image.texture import local_deviation, local_spread


@pytest.fixture
def light(rng):
    """Values that, with 10 000 added, are numbers in float32: multiples of 1 / 128."""
    return (rng.integers(-300, 300, size=(40, 50)) / 128).astype(np.float32)


@pytest.mark.parametrize("offset", [-1e4, 1e2, 1e4])
def test_spread_does_not_depend_on_how_far_values_are_from_0(light, offset):
    far, inside = light + np.float32(offset), light < 2
    assert_allclose(local_deviation(far, 2.0), local_deviation(light, 2.0), rtol=1e-5)
    assert_allclose(local_spread(far[None], 2), local_spread(light[None], 2), atol=1e-5)
    for where in (np.ones_like(inside), inside):
        near = log_spread(light, where, 2.0)[inside]
        assert_allclose(log_spread(far, where, 2.0)[inside], near, atol=1e-5)


def test_deviation_is_that_of_the_pixels_in_a_window(rng):
    row = rng.normal(5.0, 2.0, size=401).astype(np.float32)
    window = np.exp(-0.5 * (np.arange(401) - 200.0) ** 2 / 9.0)
    inside = rng.random(401) < 0.5
    for used in (np.ones(401, bool), inside):
        weights = window * used / (window * used).sum()
        middle = weights @ row
        by_hand = np.sqrt(weights @ (row - middle) ** 2)
        assert local_deviation(row, 3.0, used)[200] == pytest.approx(by_hand, rel=1e-3)


def test_what_lies_outside_does_not_count(light):
    inside = np.ones(light.shape, dtype=bool)
    inside[:, 25:] = False
    other = np.where(inside, light, np.float32(1e9))
    assert_array_equal(
        local_deviation(other, 2.0, inside)[inside], local_deviation(light, 2.0, inside)[inside]
    )
