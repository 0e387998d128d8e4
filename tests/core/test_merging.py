"""Laws of merging: the moments stay, the order does not matter, a share of 1 is the first."""

import itertools
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, MixtureParameters, merge_mixtures
from gmmseg.core.merging import combined, merge_steps, reduced
from gmmseg.errors import InputError, NotFittedError
from tests import naive
from tests.mixtures import CONSTRAINED_TYPES, SKLEARN_TYPES, draw, random_mixture, spelled_out


def moments(parameters):
    """Return mean and covariance of the whole mixture."""
    weights, means = parameters.weights, parameters.means
    mean = weights @ means
    dev = means - mean
    within = np.tensordot(weights, spelled_out(parameters), axes=1)
    return mean, within + dev.T @ (weights[:, None] * dev)


def in_order(parameters):
    """Return the components in the order of their first feature."""
    return parameters.subset(np.argsort(parameters.means[:, 0]))


def assert_same_mixture(one, other):
    one, other = in_order(one), in_order(other)
    assert_allclose(one.weights, other.weights)
    assert_allclose(one.means, other.means, rtol=1e-9)
    assert_allclose(one.covariances, other.covariances, rtol=1e-9, atol=1e-12)


def test_two_unit_gaussians_two_apart_make_one_of_variance_two():
    pair = MixtureParameters([0.5, 0.5], [[0.0], [2.0]], [[1.0], [1.0]], covariance_type="diag")
    one = reduced(pair, 1)
    assert_array_equal(one.weights, [1.0])
    assert_array_equal(one.means, [[1.0]])
    assert_array_equal(one.covariances, [[2.0]])


@pytest.mark.parametrize("n_components", [1, 2, 3, 4])
@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_mean_and_covariance_stay_as_far_as_the_family_holds_them(
    rng, covariance_type, n_components
):
    before = random_mixture(rng, covariance_type, n_components=5, n_features=3)
    after = reduced(before, n_components)
    assert after.n_components == n_components
    (mean, covariance), (new_mean, new_covariance) = moments(before), moments(after)
    assert_allclose(new_mean, mean)
    if before.family.scatter_kind == "full":
        assert_allclose(new_covariance, covariance)
    assert_allclose(np.trace(new_covariance), np.trace(covariance))
    if covariance_type == "diag":
        assert_allclose(np.diag(new_covariance), np.diag(covariance))


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_one_component_has_the_moments_of_all(rng, covariance_type):
    before = random_mixture(rng, covariance_type, n_components=4)
    mean, covariance = moments(before)
    after = reduced(before, 1)
    assert_allclose(after.means, [mean])
    in_family = naive.in_family(covariance_type, [1.0], covariance[None])
    assert_allclose(after.covariances, in_family)


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_the_components_that_are_not_merged_stay_as_they_are(rng, covariance_type):
    before = random_mixture(rng, covariance_type, n_components=4)
    cheapest = merge_steps(before)[0]
    pair = (*cheapest.first, *cheapest.second)
    rest = [k for k in range(4) if k not in pair]
    after = reduced(before, 3)
    kept = [k - (k > pair[1]) for k in rest]
    assert_allclose(after.weights[kept], before.weights[rest])
    assert_array_equal(after.means[kept], before.means[rest])
    if covariance_type != "tied":
        assert_array_equal(after.covariances[kept], before.covariances[rest])
    assert_same_mixture(after, reduced(before.subset(np.array([3, 1, 0, 2])), 3))


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_the_order_of_two_mixtures_does_not_matter(rng, covariance_type):
    first = random_mixture(rng, covariance_type)
    second = random_mixture(rng, covariance_type, n_components=2)
    for n_components in (None, 4, 3, 1):
        one = merge_mixtures(first, second, first_share=0.3, n_components=n_components)
        other = merge_mixtures(second, first, first_share=0.7, n_components=n_components)
        assert_same_mixture(one, other)


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_a_share_of_1_is_the_first_mixture_and_of_0_the_second(rng, covariance_type):
    first, second = random_mixture(rng, covariance_type), random_mixture(rng, covariance_type)
    assert merge_mixtures(first, second, first_share=1) is first
    assert merge_mixtures(first, second, first_share=0) is second
    nearly = combined(first, second, 1 - 1e-12)
    assert_allclose(nearly.weights[:3], first.weights)
    assert_allclose(nearly.means[:3], first.means)
    assert_allclose(spelled_out(nearly)[:3], spelled_out(first))


def test_the_union_of_full_mixtures_has_the_mean_of_their_densities(rng):
    first, second = random_mixture(rng), random_mixture(rng)
    union = GaussianMixture().merge  # the method exists on an unfitted mixture, too
    with pytest.raises(NotFittedError, match="has learned nothing yet"):
        union(GaussianMixture())
    one, other = (
        GaussianMixture.from_parameters(p.weights, p.means, p.covariances) for p in (first, second)
    )
    X = rng.normal(size=(50, 2))
    expected = 0.25 * np.exp(one.score_samples(X)) + 0.75 * np.exp(other.score_samples(X))
    assert_allclose(np.exp(one.merge(other, share=0.25).score_samples(X)), expected)


def test_the_tied_covariance_of_a_union_is_the_mean_by_share(rng):
    first, second = random_mixture(rng, "tied"), random_mixture(rng, "tied")
    union = combined(first, second, 0.25)
    assert_allclose(union.covariances, 0.25 * first.covariances + 0.75 * second.covariances)


def test_two_halves_of_the_data_merge_into_what_the_whole_would_give(rng):
    truth = random_mixture(rng, spread=9.0)
    left, right = (draw(rng, truth, n) for n in (3000, 1000))
    one, other = (GaussianMixture(3, random_state=0).fit(X) for X in (left, right))
    whole = GaussianMixture(3, random_state=0).fit(np.concatenate([left, right]))
    merged = one.merge(other, share=0.75, n_components=3)
    assert merged.get_params() == one.get_params()
    assert merged.record_.stop_reason == "merged with another mixture"
    assert one.n_components == other.n_components == 3
    assert_allclose(
        in_order(merged.parameters_).means, in_order(whole.parameters_).means, atol=1e-3
    )
    X = draw(rng, truth, 1000)
    assert_allclose(merged.score(X), whole.score(X), atol=1e-4)


def test_the_cheapest_pair_is_merged_first_and_costs_are_reckoned_anew():
    # 0 and 1 are near each other; 2 is light and costs less than 3 to join them.
    means = [[0.0], [1.0], [3.5], [-6.0]]
    four = MixtureParameters([0.4, 0.4, 0.05, 0.15], means, [1.0] * 4, covariance_type="spherical")
    steps = merge_steps(four)
    assert [(step.first, step.second) for step in steps] == [
        ((0,), (1,)),
        ((0, 1), (2,)),
        ((0, 1, 2), (3,)),
    ]
    assert_allclose(steps[1].cost, merge_steps(reduced(four, 3))[0].cost)


@pytest.mark.parametrize("covariance_type", ["full", "diag"])
def test_of_all_pairs_the_one_is_merged_whose_naive_cost_is_least(rng, covariance_type):
    before = random_mixture(rng, covariance_type, n_components=4)
    costs = {pair: naive.merge_cost(before, *pair) for pair in itertools.combinations(range(4), 2)}
    cheapest = merge_steps(before)[0]
    assert (*cheapest.first, *cheapest.second) == min(costs, key=costs.get)
    assert_allclose(cheapest.cost, min(costs.values()))


def test_components_that_are_switched_off_are_merged_first_and_change_nothing():
    off = MixtureParameters(
        [0.5, 0.0, 0.5, 0.0],
        [[0.0], [7.0], [1.0], [9.0]],
        [[1.0], [1e9], [2.0], [1e-9]],
        covariance_type="diag",
    )
    after = reduced(off, 2)
    assert_array_equal(after.means, [[0.0], [1.0]])
    assert_array_equal(after.covariances, [[1.0], [2.0]])
    assert [step.cost for step in merge_steps(off)][:2] == [0.0, 0.0]


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_what_rounding_would_make_singular_stays_a_mixture(covariance_type):
    # So far apart, in standard deviations, that the sum of both matrices is one of rank 1.
    covariances = naive.in_family(covariance_type, [0.5, 0.5], np.array([np.eye(3)] * 2))
    far = MixtureParameters(
        [0.5, 0.5], [[-1e10] * 3, [1e10] * 3], covariances, covariance_type=covariance_type
    )
    one = reduced(far, 1)
    MixtureParameters(one.weights, one.means, one.covariances, covariance_type=covariance_type)
    assert np.isfinite(one.precision_factors).all()


def test_offsets_of_a_hundred_million_cost_no_digits(rng):
    before = random_mixture(rng, n_components=4)
    means = np.round(before.means * 2**20) / 2**20
    near = MixtureParameters(before.weights, means, before.covariances)
    far = MixtureParameters(before.weights, means + 1e8, before.covariances)
    assert_allclose(reduced(far, 2).covariances, reduced(near, 2).covariances, rtol=1e-7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"n_components": 7},
            "n_components must be at most 6, as merging makes components fewer, got 7",
        ),
        ({"n_components": 0}, "n_components must be a whole number of at least 1, got 0"),
        (
            {"first_share": 1.5},
            "share must lie in 0…1, got 1.5; of n and m samples it is n / (n + m)",
        ),
        ({"first_share": -1}, "share must be a number of at least 0, got -1"),
    ],
)
def test_sizes_and_shares_that_cannot_be_are_refused(rng, options, message):
    mixture = random_mixture(rng)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        merge_mixtures(mixture, mixture, **options)


def test_mixtures_of_different_kinds_are_refused(rng):
    message = (
        "both mixtures must have the same number of features and covariance_type, "
        "got (2, 'full') and (2, 'diag')"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        merge_mixtures(random_mixture(rng), random_mixture(rng, "diag"))
    mixture = GaussianMixture().fit(rng.normal(size=(9, 1)))
    with pytest.raises(
        InputError, match=r"^other must be a fitted mixture, got MixtureParameters$"
    ):
        mixture.merge(mixture.parameters_)


@pytest.mark.parametrize("covariance_type", CONSTRAINED_TYPES)
def test_a_merged_mixture_of_a_constrained_family_belongs_to_it(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_components=4, n_features=3)
    smaller = reduced(parameters, 2)
    # Made anew with checks, which ask for the constraint.
    MixtureParameters(
        smaller.weights, smaller.means, smaller.covariances, covariance_type=covariance_type
    )
    total = parameters.weights @ parameters.means
    assert_allclose(smaller.weights @ smaller.means, total, rtol=1e-9, atol=1e-9)
