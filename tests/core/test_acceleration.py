"""Claims about leaps along the way of EM."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters
from gmmseg.core.acceleration import FIRST_PLAIN, Leaps
from gmmseg.core.noise import UniformNoise
from tests.mixtures import SKLEARN_TYPES, draw, random_mixture


def after_plain_steps(path, floor=1e-12):
    """Return what is proposed after the first plain iterations and two steps along the path."""
    leaps = Leaps()
    leaps._n_steps = FIRST_PLAIN
    assert leaps.propose(path[0], path[1], floor) is None
    return leaps, leaps.propose(path[1], path[2], floor)


def gaussian(mean, variance=1.0):
    return MixtureParameters([1.0], [[mean]], [variance], covariance_type="spherical")


def test_a_way_of_halving_steps_is_leapt_to_its_end():
    # 1, 1/2, 1/4, ... ends at 0.
    _, leap = after_plain_steps([gaussian(1.0), gaussian(0.5), gaussian(0.25)])
    assert_allclose(leap.means, [[0.0]], atol=1e-15)


def test_covariances_and_weights_are_leapt_as_means_are():
    path = [
        MixtureParameters(
            np.exp([step, 0.0]) / np.exp([step, 0.0]).sum(),
            [[step], [0.0]],
            [2.0 + step, 1.0],
            covariance_type="spherical",
        )
        for step in (0.4, 0.2, 0.1)
    ]
    _, leap = after_plain_steps(path)
    assert_allclose(leap.means, [[0.0], [0.0]], atol=0.02)
    assert_allclose(leap.covariances, [2.0, 1.0], atol=0.02)
    assert_allclose(leap.weights, [0.5, 0.5], atol=0.02)


def test_the_weight_of_the_noise_is_leapt_with_the_others():
    box = np.zeros(1), np.ones(1)
    path = [
        MixtureParameters(
            [1.0 - share],
            [[0.0]],
            [1.0],
            covariance_type="spherical",
            noise=UniformNoise(share, *box),
        )
        for share in (0.104, 0.102, 0.101)
    ]
    _, leap = after_plain_steps(path)
    assert_allclose(leap.noise.weight, 0.1, atol=1e-4)
    assert_allclose(leap.weights.sum() + leap.noise.weight, 1.0)


def test_no_leap_ends_below_the_floor():
    path = [gaussian(0.0, variance) for variance in (1.0, 0.5, 0.25)]
    _, leap = after_plain_steps(path, floor=0.1)
    assert_array_equal(leap.covariances, [0.1])


def test_a_way_that_does_not_bend_has_no_end_to_leap_to():
    _, leap = after_plain_steps([gaussian(0.0), gaussian(1.0), gaussian(2.0)])
    assert leap is None


def test_good_long_leaps_make_room_for_longer_ones_and_bad_ones_take_it():
    path = [gaussian(0.0), gaussian(1.0), gaussian(1.99)]  # would end at 100
    leaps, leap = after_plain_steps(path)
    near = leap.means[0, 0]
    leaps.judge(was_good=True)
    leaps.propose(path[0], path[1], 0.0)
    far = leaps.propose(path[1], path[2], 0.0).means[0, 0]
    assert near < far < 100.0
    leaps.judge(was_good=False)
    leaps.propose(path[0], path[1], 0.0)
    assert leaps.propose(path[1], path[2], 0.0).means[0, 0] == near


def between(start, end, share):
    """Return the mixture at this share of the way from one to another."""
    parts = zip(
        (start.weights, start.means, start.covariances),
        (end.weights, end.means, end.covariances),
        strict=True,
    )
    return MixtureParameters(
        *((1.0 - share) * a + share * b for a, b in parts), covariance_type=start.covariance_type
    )


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_units_do_not_matter_to_a_leap(rng, covariance_type):
    start, end = (random_mixture(rng, covariance_type) for _ in range(2))
    path = [between(start, end, share) for share in (0.0, 0.3, 0.5)]
    other_units = [
        MixtureParameters(
            one.weights, 1e3 * one.means, 1e6 * one.covariances, covariance_type=covariance_type
        )
        for one in path
    ]
    _, leap = after_plain_steps(path)
    _, same = after_plain_steps(other_units)
    assert_allclose(same.means, 1e3 * leap.means, rtol=1e-9)
    assert_allclose(same.covariances, 1e6 * leap.covariances, rtol=1e-9, atol=1e-6)
    assert_allclose(same.weights, leap.weights, rtol=1e-9)


def overlapping(rng):
    """Return samples on which EM is slow, and where to begin."""
    X = np.concatenate([rng.normal(0, 1, (600, 2)), rng.normal(1.5, 1, (600, 2))])
    return X, {"n_components": 2, "means_init": [[-1.0, 0.0], [1.0, 0.0]]}


def test_leaps_reach_the_same_optimum_in_half_the_iterations(rng):
    X, options = overlapping(rng)
    plain, fast = (
        GaussianMixture(**options, tol=1e-7, max_iter=2000, accelerate=accelerate).fit(X)
        for accelerate in (False, True)
    )
    assert fast.lower_bound_ >= plain.lower_bound_ - 1e-6
    assert fast.n_iter_ < plain.n_iter_ / 2
    assert_allclose(fast.means_, plain.means_, atol=0.02)


def test_the_likelihood_never_falls_on_the_way(rng):
    X, options = overlapping(rng)
    for covariance_type in SKLEARN_TYPES:
        mixture = GaussianMixture(
            **options, covariance_type=covariance_type, tol=1e-9, max_iter=300
        ).fit(X)
        assert np.diff(mixture.lower_bounds_).min() >= -1e-10


def test_the_first_iterations_are_those_of_plain_em(rng):
    X = draw(rng, random_mixture(rng), 300)
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "max_iter": FIRST_PLAIN}
    plain, fast = (
        GaussianMixture(**options, accelerate=accelerate).fit(X) for accelerate in (False, True)
    )
    assert_array_equal(fast.means_, plain.means_)


def test_a_short_step_alone_is_no_rest_where_a_leap_may_follow(rng):
    X, options = overlapping(rng)
    tol = 1e-4
    mixture = GaussianMixture(**options, tol=tol, max_iter=300).fit(X)
    changes = np.diff(mixture.lower_bounds_)
    assert len(changes) > FIRST_PLAIN
    # The first plain steps that are short enough end the fit; later it takes two in a row.
    assert (changes[-2:] < tol).all()
    assert changes[-3] >= tol
