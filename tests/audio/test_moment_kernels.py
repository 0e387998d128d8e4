"""Claims about means and spreads around rows: the naive twin agrees, and nothing drifts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.moment_kernels import moving_moments
from tests import naive


def moments_of(table, before, after, least=1e-6):
    means, spreads = np.empty((2, *table.shape), dtype=np.float32)
    moving_moments(table, 0, before, after, least, means, spreads)
    return means, spreads


@pytest.mark.parametrize(("before", "after"), [(0, 0), (3, 3), (5, 0), (0, 4), (40, 90)])
@pytest.mark.parametrize("n_rows", [1, 2, 30])
def test_moments_agree_with_their_naive_twin_at_both_ends(rng, n_rows, before, after):
    table = rng.normal(5.0, 2.0, size=(n_rows, 3)).astype(np.float32)
    means, spreads = moments_of(table, before, after)
    wanted = naive.moments_around(table.astype(np.float64), before, after, 1e-6)
    assert_allclose(means, wanted[0], rtol=1e-5)
    assert_allclose(spreads, wanted[1], rtol=1e-4, atol=1e-5)


def test_means_alone_are_the_same_means(rng):
    table = rng.normal(size=(50, 4)).astype(np.float32)
    means = np.empty_like(table)
    moving_moments(table, 0, 7, 3, 1e-6, means, np.empty((0, 0), dtype=np.float32))
    assert (means == moments_of(table, 7, 3)[0]).all()


@pytest.mark.parametrize(("first", "n_some"), [(0, 4), (20, 5), (45, 5), (7, 0)])
def test_some_rows_are_those_of_all(rng, first, n_some):
    table = rng.normal(size=(50, 4)).astype(np.float32)
    means, spreads = np.empty((2, n_some, 4), dtype=np.float32)
    moving_moments(table, first, 12, 6, 1e-6, means, spreads)
    for some, every in zip((means, spreads), moments_of(table, 12, 6), strict=True):
        assert_allclose(some, every[first : first + n_some], rtol=1e-5, atol=1e-6)


def test_a_loud_start_leaves_nothing_behind_after_a_million_rows():
    table = np.zeros((1_000_000, 1), dtype=np.float32)
    table[:1000:2] = 40.0
    means, spreads = moments_of(table, 10, 10)
    assert means[-1, 0] == 0.0
    assert_allclose(spreads[-1, 0], 1e-3, rtol=1e-6)
