"""Claims about symmetric matrices of many rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import wide_matrices
from gmmseg.core.covariance_base import clip_eigenvalues, upper_precision_factors

FLOOR = 1e-6
N_ROWS = 60


def scatter_of_samples(rng, n_samples):
    """Return the mean outer product of a few samples, whose rank is at most their number."""
    samples = rng.normal(size=(n_samples, N_ROWS))
    return samples.T @ samples / n_samples


def clipped_plainly(matrix, floor):
    values, axes = np.linalg.eigh(matrix)
    return (axes * np.maximum(values, floor)) @ axes.T


def low_beside_zero(rng):
    """Return a matrix of which most eigenvalues are zero, and of the others one is low."""
    axes = np.linalg.qr(rng.normal(size=(N_ROWS, 5)))[0]
    return (axes * [1e-8, 0.1, 1.0, 2.0, 3.0]) @ axes.T


MATRICES = {
    "one sample": lambda rng: scatter_of_samples(rng, 1),
    "few samples": lambda rng: scatter_of_samples(rng, 20),
    "few samples, one of next to no weight": low_beside_zero,
    "nearly as many samples as rows": lambda rng: scatter_of_samples(rng, N_ROWS - 1),
    "many samples": lambda rng: scatter_of_samples(rng, 5 * N_ROWS),
    "nothing": lambda _: np.zeros((N_ROWS, N_ROWS)),
    "indefinite": lambda rng: scatter_of_samples(rng, 20) - 0.5 * np.eye(N_ROWS),
    "indefinite, without a diagonal": lambda _: np.eye(N_ROWS)[::-1],
    "thin and indefinite": lambda rng: np.diag(rng.permutation([1.0, -1.0] + [0.0] * (N_ROWS - 2))),
}


@pytest.mark.parametrize("floor", [0.0, FLOOR, 0.1])
@pytest.mark.parametrize("make", MATRICES.values(), ids=MATRICES)
def test_eigenvalues_below_the_floor_are_raised_to_it_and_no_others(rng, make, floor):
    matrix = make(rng)
    clipped = clip_eigenvalues(matrix, floor)
    assert_array_equal(clipped, clipped.T)
    assert_allclose(clipped, clipped_plainly(matrix, floor), atol=1e-13 * max(1.0, matrix.max()))


def test_what_was_raised_is_left_as_it_is_to_the_last_bit(rng):
    raised = clip_eigenvalues(scatter_of_samples(rng, 20), FLOOR)
    assert_array_equal(clip_eigenvalues(raised, FLOOR), raised)


def test_a_stack_is_worked_through_matrix_by_matrix(rng):
    stack = np.stack([make(rng) for make in MATRICES.values()])
    each = [clip_eigenvalues(matrix, FLOOR) for matrix in stack]
    assert_array_equal(clip_eigenvalues(stack, FLOOR), each)


def test_matrices_are_not_changed(rng):
    stack = np.stack([scatter_of_samples(rng, 20), scatter_of_samples(rng, 5 * N_ROWS)])
    before = stack.copy()
    upper_precision_factors(clip_eigenvalues(stack, FLOOR))
    assert_array_equal(stack, before)


@pytest.mark.parametrize("make", MATRICES.values(), ids=MATRICES)
def test_factors_are_upper_triangular_and_make_the_inverse(rng, make):
    covariance = clip_eigenvalues(make(rng), 0.01)
    factor = upper_precision_factors(covariance)
    assert_array_equal(np.tril(factor, -1), 0.0)
    assert_allclose(factor @ factor.T @ covariance, np.eye(N_ROWS), atol=1e-11)


def test_a_matrix_that_rounding_made_indefinite_has_a_finite_factor():
    factor = upper_precision_factors(np.ones((N_ROWS, N_ROWS)) - 1e-16 * np.eye(N_ROWS))
    assert np.isfinite(factor).all()
    assert (np.diag(factor) > 0.0).all()


def test_eigenvalues_are_not_taken_where_the_floor_can_be_told_without(rng, monkeypatch):
    monkeypatch.setattr(wide_matrices, "eigh", None)
    monkeypatch.setattr(np.linalg, "eigh", None)
    for n_samples in (20, 5 * N_ROWS):
        clip_eigenvalues(scatter_of_samples(rng, n_samples), FLOOR)


def test_a_thin_factor_is_refused_where_it_would_leave_something(rng):
    few, many = scatter_of_samples(rng, 20), scatter_of_samples(rng, N_ROWS)
    thin = wide_matrices.thin_factor(few, 1e-14)
    assert thin.shape == (N_ROWS, 20)
    assert_allclose(thin @ thin.T, few, atol=1e-14)
    assert wide_matrices.thin_factor(many, 1e-14) is None
    assert wide_matrices.thin_factor(few - 0.5 * np.eye(N_ROWS), 1e-14) is None
