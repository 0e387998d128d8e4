"""Claims about deltas, held to librosa's, and about normalisation."""

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.neighbours import delta, standardized, standardized_sliding, with_deltas


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("n_frames", [9, 10, 60])
def test_deltas_are_those_of_librosa(rng, order, n_frames):
    table = rng.normal(size=(n_frames, 3)).astype(np.float32)
    wanted = librosa.feature.delta(table.T, order=order).T
    assert_allclose(delta(table, order=order), wanted, atol=1e-5)


@pytest.mark.parametrize("n_frames", [3, 4, 8, 9, 20])
def test_a_parabola_has_its_derivatives_however_short_it_is(n_frames):
    time = np.arange(n_frames, dtype=np.float32)
    line, parabola = (3 * time)[:, np.newaxis], (time**2)[:, np.newaxis]
    assert_allclose(delta(line, order=1), 3, rtol=1e-5)
    assert_allclose(delta(parabola, order=2), 2, rtol=1e-4)


@pytest.mark.parametrize("n_frames", [0, 1, 2])
def test_what_is_too_short_to_change_does_not_change(n_frames):
    table = np.ones((n_frames, 2), dtype=np.float32)
    assert_array_equal(with_deltas(table, order=2)[:, 2:], np.zeros((n_frames, 4)))


def test_a_standardized_table_has_mean_0_and_spread_1_and_a_constant_column_is_0(rng):
    table = rng.normal(5, 3, size=(100, 3)).astype(np.float32)
    table[:, 2] = 7
    result = standardized(table)
    assert_allclose(result.mean(axis=0), 0, atol=1e-6)
    assert_allclose(result.std(axis=0), [1, 1, 0], atol=1e-6)


def test_a_window_wider_than_the_sound_is_the_whole_sound(rng):
    table = rng.normal(5, 3, size=(50, 2)).astype(np.float32)
    assert_allclose(standardized_sliding(table, n_around=50), standardized(table), atol=1e-5)


def test_a_sliding_window_standardizes_each_frame_by_those_around_it(rng):
    table = rng.normal(-400, 3, size=(30, 2)).astype(np.float32)
    result = standardized_sliding(table, n_around=4)
    for t in (0, 3, 15, 29):
        around = table[max(t - 4, 0) : t + 5].astype(float)
        wanted = (table[t] - around.mean(axis=0)) / around.std(axis=0)
        assert_allclose(result[t], wanted, atol=1e-4)
