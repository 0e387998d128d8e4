import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.recording_scale import KEPT, TYPICAL, neighbour_variances, within_scale
from gmmseg.audio.speech_windows import SpeechWindows


def windows_of(n_windows):
    n_frames = 150 + 50 * (n_windows - 1)
    return SpeechWindows.of(np.ones(n_frames, dtype=bool), length=150, step=50)


def seen_by_windows(rng, n_windows, scale=1.0):
    """Return windows as sums of independent thirds, of so much deviation."""
    thirds = rng.normal(scale=scale / np.sqrt(3.0), size=(n_windows + 2, 30))
    return thirds[:-2] + thirds[1:-1] + thirds[2:]


def test_the_scale_of_independent_frames_is_their_variance(rng):
    X = seen_by_windows(rng, 400, scale=3.0)
    assert KEPT * within_scale(X, windows_of(400)) == pytest.approx(9.0, rel=0.1)


def test_speakers_far_apart_do_not_widen_it(rng):
    voices = 30.0 * rng.normal(size=(4, 30))
    X = voices[np.arange(400) // 5 % 4] + seen_by_windows(rng, 400)
    assert KEPT * within_scale(X, windows_of(400)) == pytest.approx(1.0, rel=0.15)


def test_a_pair_that_lies_two_apart_has_a_variance_of_two_over_what_is_seen():
    X = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert_allclose(neighbour_variances(X, windows_of(2)), [[6.0 / KEPT, 0.0]])


def test_without_neighbours_it_is_what_is_typical():
    assert within_scale(np.zeros((1, 3)), windows_of(1)) == TYPICAL


def test_eight_pairs_count_as_much_as_what_is_typical():
    X = np.resize([[0.0], [2.0]], (9, 1))  # pairs that lie 2 apart: 4 / 2 over a third of 0.8
    assert within_scale(X, windows_of(9)) == pytest.approx(np.sqrt(7.5 * 1.4))


def test_few_neighbours_draw_it_less_far_than_many(rng):
    few, many = (within_scale(seen_by_windows(rng, n, scale=9.0), windows_of(n)) for n in (4, 60))
    assert TYPICAL < few < many < 150.0


def test_copies_of_one_sound_leave_it_above_zero():
    assert within_scale(np.ones((50, 3)), windows_of(50)) > 0.0
