"""Claims about the families of mclust: optimal under the floor, wider ones likelier."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.linalg import expm

from gmmseg.core.covariance import family_named
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import CONSTRAINED_TYPES, COVARIANCE_TYPES, SEARCHED_TYPES, random_covariances

SEEDS = st.integers(0, 2**32 - 1)
ITERATIVE_TYPES = ["VEI", "VEE", "EVE", "VVE", "VEV"]
# Each family beside those that hold it: a letter becomes more free.
WIDER = [
    (narrow, wide)
    for narrow in [*CONSTRAINED_TYPES, "VVI", "VII", "EEE"]
    for wide in [*CONSTRAINED_TYPES, "VVI", "VII", "EEE", "VVV"]
    if narrow != wide
    and all("IEV".index(a) <= "IEV".index(b) for a, b in zip(narrow, wide, strict=True))
]


def needed(family, scatter):
    """Return of the scatter what the family needs."""
    diagonal = np.diagonal(scatter, axis1=1, axis2=2)
    return scatter if family.scatter_kind == "full" else diagonal


def cost(covariance_type, covariances, scatter, resp_sum):
    """Return minus twice the mean log-likelihood that the covariances decide, matrix by matrix."""
    name = family_named(covariance_type).name
    matrices = naive.spelled_out(name, covariances, len(scatter), scatter.shape[-1])
    return sum(
        share * (np.linalg.slogdet(matrix).logabsdet + np.trace(np.linalg.solve(matrix, s)))
        for matrix, s, share in zip(matrices, scatter, resp_sum / resp_sum.sum(), strict=True)
    )


def estimated(covariance_type, scatter, resp_sum, floor=0.0, **options):
    family = family_named(covariance_type)
    return family.estimate(needed(family, scatter), resp_sum, floor, **options)


def neighbour(rng, covariance_type, covariances, *, floor, size):
    """Return a member of the family nearby that obeys the floor, from volume, shape and axes."""
    volume, shape, orientation = covariance_type
    n_components, n_features = len(covariances), covariances.shape[1]
    if orientation == "I":
        axes, along = np.array([np.eye(n_features)] * n_components), covariances
    elif orientation == "E":
        unlike = np.arange(1, n_components + 1) ** 0.3
        common = np.linalg.eigh(np.tensordot(unlike, covariances, axes=1))[1]
        axes = np.array([common] * n_components)
        along = np.array([np.diag(common.T @ matrix @ common) for matrix in covariances])
    else:
        along, axes = np.linalg.eigh(covariances)
    stretch = size * rng.normal(size=(n_components, n_features))
    stretch -= stretch.mean(axis=1, keepdims=True)
    stretch = {"I": 0.0 * stretch, "E": stretch[:1], "V": stretch}[shape]
    growth = size * rng.normal(size=(n_components, 1))
    moved = np.log(along) + stretch + (growth[:1] if volume == "E" else growth)
    lack = np.maximum(0.0, np.log(max(floor, 1e-300)) - moved.min(axis=1, keepdims=True))
    moved = np.exp(moved + (lack.max() if volume == "E" else lack))
    if orientation == "I":
        return moved
    noise = size * rng.normal(size=(n_components, n_features, n_features))
    turns = np.array([expm(matrix - matrix.T) for matrix in noise])
    axes = axes @ (turns[:1] if orientation == "E" else turns)
    return (axes * moved[:, None, :]) @ np.swapaxes(axes, 1, 2)


@pytest.mark.parametrize("covariance_type", CONSTRAINED_TYPES)
@pytest.mark.parametrize("floor", [0.0, 0.2, 2.0], ids=["no floor", "low floor", "high floor"])
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_estimate_is_the_optimum_of_the_family_under_the_floor(
    rng, covariance_type, floor, n_features
):
    scatter, resp_sum = random_covariances(rng, 3, n_features), np.array([5.0, 2.0, 1.0])
    scatter *= np.array([1.0, 0.2, 3.0])[:, None, None]
    found = estimated(covariance_type, scatter, resp_sum, floor)
    best = cost(covariance_type, found, scatter, resp_sum)
    for size in (1e-4, 1e-3, 1e-2, 0.1, 0.5):
        for _ in range(20):
            other = neighbour(rng, covariance_type, found, floor=floor, size=size)
            assert cost(covariance_type, other, scatter, resp_sum) >= best - 1e-9


@pytest.mark.parametrize("covariance_type", CONSTRAINED_TYPES)
@given(seed=SEEDS, n_features=st.integers(1, 4), exponent=st.sampled_from([-12, 0, 12]))
@settings(max_examples=10)
def test_a_member_of_the_family_is_its_own_estimate(covariance_type, seed, n_features, exponent):
    rng = np.random.default_rng(seed)
    scatter = 10.0**exponent * random_covariances(rng, 3, n_features)
    member = naive.in_family(covariance_type, np.full(3, 1 / 3), scatter)
    full = naive.spelled_out(covariance_type, member, 3, n_features)
    for before in (None, member):
        found = estimated(covariance_type, full, rng.uniform(1.0, 9.0, 3), before=before)
        assert_allclose(found / 10.0**exponent, member / 10.0**exponent, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_a_wider_family_is_at_least_as_likely(narrow, wide, floor):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        scatter, resp_sum = random_covariances(rng, 3, 3), rng.uniform(1.0, 9.0, 3)
        costs = [
            cost(name, estimated(name, scatter, resp_sum, floor), scatter, resp_sum)
            for name in (narrow, wide)
        ]
        assert costs[1] <= costs[0] + 1e-9


@pytest.mark.parametrize("covariance_type", CONSTRAINED_TYPES)
@given(seed=SEEDS, floor=st.sampled_from([1e-9, 0.1, 1.0, 10.0]), rank=st.integers(0, 3))
@settings(max_examples=15)
def test_no_eigenvalue_is_below_the_floor(covariance_type, seed, floor, rank):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(4, 3, rank)) * 10.0 ** rng.uniform(-3, 3, size=(4, 1, 1))
    resp_sum = rng.uniform(0.0, 2.0, 4) * (rng.random(4) < 0.7)
    resp_sum[0] = 1.0
    found = estimated(covariance_type, factors @ np.swapaxes(factors, 1, 2), resp_sum, floor)
    values = np.linalg.eigvalsh(naive.spelled_out(covariance_type, found, 4, 3))
    assert np.isfinite(values).all()
    assert (values[:, 0] >= floor - 1e-12 * values[:, -1]).all()


@pytest.mark.parametrize("covariance_type", CONSTRAINED_TYPES)
@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_components_without_samples_do_not_matter(rng, covariance_type, scale):
    scatter = random_covariances(rng, 4, 3)
    scatter *= np.array([1.0, 0.05, scale, 20.0])[:, None, None]
    scatter[0, 0] *= 9.0  # no longer symmetric in its axes
    scatter[0, :, 0] *= 9.0
    used = [0, 1, 3]
    for floor in (0.0, 0.01, 0.1, 0.5):
        found = estimated(covariance_type, scatter, np.array([3.0, 1.0, 0.0, 2.0]), floor)
        alone = estimated(covariance_type, scatter[used], np.array([3.0, 1.0, 2.0]), floor)
        assert_allclose(found[used], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("covariance_type", ITERATIVE_TYPES)
@given(seed=SEEDS, floor=st.sampled_from([1e-9, 0.3]), exponent=st.floats(0.0, 3.0))
@settings(max_examples=25)
def test_the_estimate_is_at_least_as_likely_as_what_was_before(
    covariance_type, seed, floor, exponent
):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-exponent, exponent, size=(2, 3, 1, 1))
    first, then = random_covariances(rng, 6, 3).reshape(2, 3, 3, 3) * scales
    resp_sum = rng.uniform(0.1, 9.0, 3)
    before = estimated(covariance_type, first, resp_sum, floor)
    after = estimated(covariance_type, then, resp_sum, floor, before=before)
    old, new = (cost(covariance_type, c, then, resp_sum) for c in (before, after))
    assert new <= old + 1e-9 * max(1.0, abs(old))
    # Nor does a second look make it worse.
    again = estimated(covariance_type, then, resp_sum, floor, before=after)
    assert cost(covariance_type, again, then, resp_sum) <= new + 1e-9 * max(1.0, abs(new))


@pytest.mark.parametrize("covariance_type", sorted(set(COVARIANCE_TYPES) - {"spherical"}))
def test_turning_the_scatter_turns_the_covariances(rng, covariance_type):
    family = family_named(covariance_type)
    if family.scatter_kind == "diag":
        # Along the features a change of unit takes the place of the rotation.
        turn = np.diag([0.5, 2.0, 2.0]) if covariance_type != "EII" else 3.0 * np.eye(3)
    else:
        turn = expm(np.array([[0.0, 1.0, -0.4], [-1.0, 0.0, 0.7], [0.4, -0.7, 0.0]]))
    scatter, resp_sum = random_covariances(rng, 3, 3), np.array([5.0, 2.0, 1.0])
    here = estimated(covariance_type, scatter, resp_sum)
    there = estimated(covariance_type, turn @ scatter @ turn.T, resp_sum)
    name = family.name
    here, there = (naive.spelled_out(name, c, 3, 3) for c in (here, there))
    assert_allclose(there, turn @ here @ turn.T, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("covariance_type", SEARCHED_TYPES)
def test_common_axes_are_found_where_features_are_exchangeable(covariance_type):
    # Along the features the variances are equal: no small turn makes this likelier.
    scatter = np.array([[[1.0, 0.8], [0.8, 1.0]], [[2.0, -1.2], [-1.2, 2.0]]])
    found = estimated(covariance_type, scatter, np.ones(2))
    across = np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2.0)
    off_diagonal = (across @ found @ across.T)[:, 0, 1]
    assert_allclose(off_diagonal, 0.0, atol=1e-12)
    if covariance_type == "VVE":
        assert_allclose(found, scatter, rtol=1e-10)


def test_one_volume_of_many_is_their_mean_by_hand():
    # Products 4 and 36, volumes 2 and 6: their mean is 4.
    scatter = np.array([[4.0, 1.0], [4.0, 9.0]])
    found = family_named("EVI").estimate(scatter, np.ones(2), 0.0)
    assert_allclose(found, [[8.0, 2.0], [8.0 / 3.0, 6.0]])


def test_one_volume_under_a_floor_by_hand():
    # t = (2, 0) has mean 1. The first component takes half its scatter, or the floor; the second
    # has none, and takes the same product, 8, in any way.
    scatter = np.array([[8.0, 2.0], [0.0, 0.0]])
    found = family_named("EVI").estimate(scatter, np.ones(2), 2.0)
    assert_allclose(found[0], [4.0, 2.0])
    assert_allclose(found[1].prod(), 8.0)


def test_one_shape_of_two_volumes_by_hand():
    found = family_named("VEI").estimate(np.array([[4.0, 1.0], [12.0, 3.0]]), np.ones(2), 0.0)
    assert_allclose(found, [[4.0, 1.0], [12.0, 3.0]])
    uneven = family_named("VEI").estimate(np.array([[1.0, 4.0], [4.0, 1.0]]), np.ones(2), 0.0)
    assert_allclose(uneven, np.full((2, 2), 2.5))


@pytest.mark.parametrize(
    ("covariance_type", "covariances"),
    [
        ("EII", [[1.0, 1.0], [2.0, 2.0]]),
        ("EEI", [[1.0, 2.0], [1.0, 3.0]]),
        ("VEI", [[1.0, 2.0], [2.0, 3.0]]),
        ("EVI", [[1.0, 2.0], [2.0, 2.0]]),
        ("VEE", [np.diag([1.0, 2.0]), np.diag([2.0, 1.0])]),
        ("VVE", [np.diag([1.0, 2.0]), [[2.0, 1.0], [1.0, 2.0]]]),
        ("EEV", [np.diag([1.0, 2.0]), np.diag([1.0, 3.0])]),
    ],
)
def test_covariances_of_another_family_are_refused(covariance_type, covariances):
    message = (
        rf"^covariances must be of the family {covariance_type}; those of component \d are not. "
        "Its letters say how volume, shape and orientation compare: E equal, V variable, I round "
        "or along the features$"
    )
    with pytest.raises(InputError, match=message):
        MixtureParameters(
            [0.5, 0.5], np.zeros((2, 2)), covariances, covariance_type=covariance_type
        )
