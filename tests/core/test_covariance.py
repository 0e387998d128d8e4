"""Claims about the covariance families: optimal under the floor, factors for any matrix."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.covariance import FAMILIES, SYNONYMS, family_named
from gmmseg.core.covariance_base import (
    clip_eigenvalues,
    is_positive_definite,
    upper_precision_factors,
)
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import (
    COVARIANCE_TYPES,
    SEARCHED_TYPES,
    SKLEARN_TYPES,
    random_covariances,
)

MATRIX_FAMILIES = ["full", "tied"]
# Of 3 components and 3 features: 1 or 3 volumes, 2 per shape, 3 per orientation.
N_PARAMETERS = {"full": 18, "tied": 6, "diag": 9, "spherical": 3}
N_PARAMETERS |= {"EII": 1, "EEI": 3, "VEI": 5, "EVI": 7, "VEE": 8}
N_PARAMETERS |= {"EVE": 10, "VVE": 12, "EEV": 12, "VEV": 14, "EVV": 16}
# Of 3 components and 2 features.
SHAPES = {"tied": (2, 2), "spherical": (3,)}
SHAPES |= dict.fromkeys(["diag", "EII", "EEI", "VEI", "EVI"], (3, 2))
SHAPES |= dict.fromkeys(["full", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV"], (3, 2, 2))


def mean_log_likelihood(covariances, scatter, resp_sum):
    """Return the part of the mean log-likelihood that covariances decide, from full matrices."""
    total = 0.0
    for covariance, matrix, share in zip(
        covariances, scatter, resp_sum / resp_sum.sum(), strict=True
    ):
        distance = np.trace(np.linalg.solve(covariance, matrix))
        total -= 0.5 * share * (np.linalg.slogdet(covariance).logabsdet + distance)
    return total


def perturbed(rng, covariances, *, family, floor, size):
    """Return covariances of the same family nearby that obey the floor and are not singular."""
    floor = max(floor, 1e-3)
    if family.scatter_kind == "diag":
        return np.maximum(covariances * np.exp(size * rng.normal(size=covariances.shape)), floor)
    moved = covariances * 1.0
    for matrix in moved.reshape(-1, *moved.shape[-2:]):
        noise = size * rng.normal(size=matrix.shape) * np.abs(matrix).max()
        values, vectors = np.linalg.eigh(matrix + noise + noise.T)
        matrix[:] = (vectors * np.maximum(values, floor)) @ vectors.T
    return moved


@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
@pytest.mark.parametrize("floor", [0.0, 0.2, 2.0], ids=["no floor", "low floor", "high floor"])
def test_estimate_is_the_optimum_among_all_that_obey_the_floor(rng, covariance_type, floor):
    family = family_named(covariance_type)
    scatter, resp_sum = random_covariances(rng, 3, 2), np.array([5.0, 2.0, 1.0])
    needed = scatter if family.scatter_kind == "full" else np.diagonal(scatter, axis1=1, axis2=2)

    def value(covariances):
        return mean_log_likelihood(
            naive.spelled_out(covariance_type, covariances, 3, 2), scatter, resp_sum
        )

    found = family.estimate(needed, resp_sum, floor)
    assert found.shape == SHAPES[covariance_type]
    best = value(found)
    for size in (1e-3, 1e-2, 0.1, 0.5):
        for _ in range(25):
            assert (
                value(perturbed(rng, found, family=family, floor=floor, size=size)) <= best + 1e-12
            )


@pytest.mark.parametrize("covariance_type", sorted(set(COVARIANCE_TYPES) - set(SEARCHED_TYPES)))
def test_estimate_without_floor_is_the_scatter_narrowed_to_the_family(rng, covariance_type):
    family = family_named(covariance_type)
    scatter, resp_sum = random_covariances(rng, 3, 2), np.array([5.0, 2.0, 1.0])
    needed = scatter if family.scatter_kind == "full" else np.diagonal(scatter, axis1=1, axis2=2)
    wanted = naive.in_family(covariance_type, resp_sum / resp_sum.sum(), scatter)
    assert_allclose(family.estimate(needed, resp_sum, 0.0), wanted, rtol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_estimate_keeps_every_variance_at_or_above_the_floor(covariance_type):
    family = family_named(covariance_type)
    needed = np.zeros((3, 2, 2) if family.scatter_kind == "full" else (3, 2))
    found = naive.spelled_out(covariance_type, family.estimate(needed, np.ones(3), 0.25), 3, 2)
    assert_allclose(found, np.broadcast_to(0.25 * np.eye(2), (3, 2, 2)))


def test_the_floor_of_spherical_is_under_the_mean_variance_not_under_each():
    found = family_named("spherical").estimate(np.array([[0.0, 4.0]]), np.ones(1), 1.0)
    assert_array_equal(found, [2.0])


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_factors_times_their_transpose_are_the_inverse(rng, covariance_type):
    family = family_named(covariance_type)
    covariances = naive.in_family(covariance_type, np.full(3, 1 / 3), random_covariances(rng, 3, 3))
    factors = naive_factors = family.per_component(family.precision_factors(covariances), 3, 3)
    if family.scatter_kind == "diag":
        factors = np.array([np.diag(row) for row in naive_factors])
    inverse = np.linalg.inv(naive.spelled_out(covariance_type, covariances, 3, 3))
    assert_allclose(factors @ np.swapaxes(factors, 1, 2), inverse, rtol=1e-10, atol=1e-12)
    assert_array_equal(np.tril(factors, -1), 0.0)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_precisions_are_the_inverse_and_their_inverse_the_covariances(rng, covariance_type):
    family = family_named(covariance_type)
    covariances = naive.in_family(covariance_type, np.full(3, 1 / 3), random_covariances(rng, 3, 2))
    precisions = family.precisions(covariances)
    assert precisions.shape == covariances.shape
    inverse = np.linalg.inv(naive.spelled_out(covariance_type, covariances, 3, 2))
    assert_allclose(naive.spelled_out(covariance_type, precisions, 3, 2), inverse, rtol=1e-10)
    assert_allclose(family.covariances(precisions), covariances, rtol=1e-10)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_shapes_and_numbers_of_parameters_are_those_counted_by_hand(covariance_type):
    family = family_named(covariance_type)
    assert family.shape(3, 2) == SHAPES[covariance_type]
    assert family.n_parameters(3, 3) == N_PARAMETERS[covariance_type]
    assert family.name == covariance_type


HARD_MATRICES = {
    "identity": np.eye(3),
    "scales of 1e12 and 1e-12": np.diag([1e12, 1.0, 1e-12]),
    "nearly singular": np.ones((3, 3)) + 1e-15 * np.eye(3),
    "singular": np.ones((3, 3)),
    "rank one, mixed scales": np.outer([1e6, 1.0, 1e-6], [1e6, 1.0, 1e-6]),
    "slightly indefinite": np.ones((3, 3)) - 1e-16 * np.eye(3),
    "hilbert": 1.0 / (np.arange(8)[:, None] + np.arange(8) + 1.0),
    "tiny": 1e-200 * np.eye(3),
    "huge": 1e200 * (np.eye(3) + 0.5),
}


@pytest.mark.parametrize("matrix", HARD_MATRICES.values(), ids=HARD_MATRICES)
def test_the_factor_of_any_covariance_is_finite_and_upper_triangular(matrix):
    factor = upper_precision_factors(matrix)
    assert np.isfinite(factor).all()
    assert (np.diag(factor) > 0.0).all()
    assert_array_equal(np.tril(factor, -1), 0.0)


def test_the_factor_of_mixed_scales_loses_no_digit():
    scale = np.array([1e9, 1.0, 1e-9])
    correlation = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, -0.3], [0.2, -0.3, 1.0]])
    factor = upper_precision_factors(correlation * np.outer(scale, scale)) * scale[:, None]
    assert_allclose(factor @ factor.T, np.linalg.inv(correlation), rtol=1e-12)


@pytest.mark.parametrize("floor", [0.0, 1e-6, 1.0])
@pytest.mark.parametrize("matrix", HARD_MATRICES.values(), ids=HARD_MATRICES)
def test_clipping_any_matrix_gives_a_symmetric_one_above_the_floor(matrix, floor):
    clipped = clip_eigenvalues(matrix, floor)
    assert_array_equal(clipped, clipped.T)
    lowest = np.linalg.eigvalsh(clipped)[0]
    rounding = 8 * np.finfo(float).eps * np.abs(matrix).max()
    assert lowest >= floor - rounding


def test_clipping_touches_only_the_eigenvalues_below_the_floor():
    turn = np.array([[3.0, -4.0], [4.0, 3.0]]) / 5.0
    clipped = clip_eigenvalues(turn @ np.diag([4.0, 0.5]) @ turn.T, 1.0)
    assert_allclose(clipped, turn @ np.diag([4.0, 1.0]) @ turn.T, rtol=1e-14)


def test_a_matrix_above_the_floor_is_returned_to_the_last_bit(rng):
    matrix = random_covariances(rng, 1, 4)[0]
    matrix = 0.5 * (matrix + matrix.T)
    assert_array_equal(clip_eigenvalues(matrix, 1e-3), matrix)


@pytest.mark.parametrize(
    ("matrix", "is_definite"),
    [
        ([[1.0, 0.5], [0.5, 1.0]], True),
        ([[1.0, 2.0], [2.0, 1.0]], False),
        ([[1e-30, 0.0], [0.0, 1e30]], True),
        ([[0.0, 0.0], [0.0, 1.0]], False),
        ([[-1.0, 0.0], [0.0, 1.0]], False),
    ],
)
def test_positive_definite_is_told_whatever_the_scales(matrix, is_definite):
    assert is_positive_definite(np.array(matrix)) is is_definite


@pytest.mark.parametrize(
    ("covariance_type", "matrices", "message"),
    [
        ("diag", [[1.0, 0.0]], "covariances must be positive, got 0.0 at index (0, 1)"),
        ("spherical", [1.0, -2.0], "covariances must be positive, got -2.0 at index (1,)"),
        (
            "full",
            [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]]],
            "covariances must be symmetric; matrix 1 is not",
        ),
        (
            "tied",
            [[1.0, 2.0], [2.0, 1.0]],
            "covariances must be positive definite; matrix 0 is not",
        ),
    ],
)
def test_matrices_that_are_no_covariances_are_refused(covariance_type, matrices, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        family_named(covariance_type).check_positive(np.array(matrices), "covariances")


def test_an_unknown_family_is_refused_with_the_known_ones():
    message = (
        "covariance_type must be one of full, tied, diag, spherical, EII, EEI, VEI, EVI, VEE, EVE, "
        "VVE, EEV, VEV, EVV, got 'round'"
    )
    with pytest.raises(InputError, match=f"^{message}$"):
        family_named("round")


def test_families_are_listed_by_their_names():
    assert {name: family.name for name, family in FAMILIES.items()} == dict(
        zip(FAMILIES, FAMILIES, strict=True)
    )


def test_the_names_of_mclust_for_the_common_four_are_taken_as_those():
    assert {family_named(name).name for name in SYNONYMS} == set(SKLEARN_TYPES)
    assert family_named("VVV") is family_named("full")
    assert family_named("EEE") is family_named("tied")
    assert family_named("VVI") is family_named("diag")
    assert family_named("VII") is family_named("spherical")
