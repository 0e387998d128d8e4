"""Claims about largest values around rows: the naive twin agrees, of all rows and of some."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gmmseg.audio.extreme_kernels import moving_maximum
from tests import naive


@given(
    seed=st.integers(0, 1000),
    n_rows=st.integers(1, 40),
    before=st.integers(0, 15),
    after=st.integers(0, 15),
    ends=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_largest_values_agree_with_their_naive_twin(seed, n_rows, before, after, ends):
    table = np.random.default_rng(seed).normal(size=(n_rows, 3)).round(1)
    first, last = sorted(min(end, n_rows) for end in ends)
    out = np.empty((last - first, 3))
    moving_maximum(table, first, before, after, out)
    assert_array_equal(out, naive.maxima_around(table, before, after)[first:last])
