"""Claims about parts of clips: they cover them, and their p-values are put together fairly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from gmmseg.audio.clip_parts import Parts, combined, is_too_short, normal_rows
from gmmseg.audio.clip_recipe import ClipRecipe

RECIPE = ClipRecipe(8000, 1.0, 1.0)
P_VALUES = st.lists(st.floats(1e-300, 1.0), min_size=1, max_size=50).map(np.array)


@given(n_samples=st.integers(1, 200_000))
def test_parts_cover_a_clip_and_are_as_long_as_what_they_are_compared_with(n_samples):
    parts = Parts.of_clip(n_samples, RECIPE)
    ends = np.array(parts.starts) + parts.length
    assert (parts.starts[0], ends[-1]) == (0, n_samples)
    assert (np.array(parts.starts[1:]) <= ends[:-1]).all()
    if not is_too_short(n_samples, RECIPE):
        assert abs(parts.length / RECIPE.lengths[parts.level] - 1.0) <= 0.05 + 1e-12
        assert len(parts.starts) <= np.ceil(n_samples / parts.length)


def test_lengths_are_halves_down_to_an_eighth_or_four_frames():
    assert RECIPE.lengths == (8000, 4000, 2000, 1000)
    assert ClipRecipe(8000, 0.5, 1.0).lengths == (4000, 2000, 1000)
    assert ClipRecipe(8000, 1e-9, 1.0).lengths == (1,)


def test_a_normal_clip_is_heard_whole_and_in_parts_from_all_over_it(rng):
    # Silence, and noise in its last fifth: a part has heard that or has not.
    y = np.zeros(8000)
    y[6400:] = rng.normal(size=1600)
    loudest = np.array([normal_rows(RECIPE, y, number)[:, 0] for number in range(40)])
    assert np.ptp(loudest[:, 0]) == 0.0
    assert 0.05 < (loudest[:, -1] > loudest[:, -1].min() + 20.0).mean() < 0.5


@given(p_values=P_VALUES)
def test_the_p_value_of_a_clip_lies_between_those_of_its_parts(p_values):
    assert p_values.min() <= combined(p_values) <= p_values.max()


@given(p_value=st.floats(1e-300, 0.95), times=st.integers(1, 50))
def test_equal_parts_have_the_p_value_of_each(p_value, times):
    assert combined(np.full(times, p_value)) == pytest.approx(p_value, rel=1e-9)


@pytest.mark.parametrize("n_parts", [2, 8, 60])
def test_independent_parts_have_as_many_small_p_values_as_there_should_be(rng, n_parts):
    found = np.array([combined(row) for row in rng.uniform(size=(4000, n_parts))])
    for share in (0.01, 0.05):
        assert 0.7 * share < (found <= share).mean() < 1.6 * share
    assert kstest(found[found < 0.5] / 0.5, "uniform").statistic < 0.15


def test_one_part_far_from_normal_makes_a_clip_strange():
    assert combined(np.array([1e-6, *np.full(20, 1.0)])) < 1e-4
