import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.speech_windows import SpeechWindows


def windows_of(*stretches, n_frames=1000, length=150, step=50):
    is_speech = np.zeros(n_frames, dtype=bool)
    for start, end in stretches:
        is_speech[start:end] = True
    return SpeechWindows.of(is_speech, length=length, step=step)


def test_windows_lie_a_step_apart_inside_the_stretch():
    windows = windows_of((100, 350))
    assert_array_equal(windows.starts, [100, 150, 200])
    assert_array_equal(windows.ends, [250, 300, 350])


def test_a_core_ends_halfway_to_the_middle_of_the_next_window():
    windows = windows_of((100, 350))
    assert_array_equal(windows.core_starts, [100, 200, 250])
    assert_array_equal(windows.core_ends, [200, 250, 350])


def test_a_short_stretch_is_one_window():
    windows = windows_of((10, 30), (500, 600))
    assert_array_equal(windows.starts, [10, 500])
    assert_array_equal(windows.durations, [20, 100])


def test_without_speech_there_are_no_windows():
    assert len(windows_of()) == 0


@given(runs=st.lists(st.integers(1, 400), max_size=8), is_first=st.booleans())
def test_cores_tile_the_speech_and_lie_in_their_windows(runs, is_first):
    is_speech = np.repeat((np.arange(len(runs)) % 2 == 0) == is_first, runs)
    windows = SpeechWindows.of(is_speech, length=150, step=50)
    covered = np.zeros(len(is_speech), dtype=int)
    for start, end in zip(windows.core_starts, windows.core_ends, strict=True):
        covered[start:end] += 1
    assert_array_equal(covered, is_speech)
    assert (windows.starts <= windows.core_starts).all()
    assert (windows.core_ends <= windows.ends).all()
    assert (windows.durations <= 150).all()


def test_labels_of_windows_become_labels_of_frames():
    frames = windows_of((100, 350), n_frames=400).spread(np.array([7, 8, 7]), 400)
    assert_array_equal(np.flatnonzero(frames == 8), np.arange(200, 250))
    assert_array_equal(np.flatnonzero(frames == -1), [*range(100), *range(350, 400)])


def test_neighbours_overlap_and_share_what_they_have_in_common():
    left, apart = windows_of((0, 350), (400, 575), (700, 850)).neighbours()
    # Windows start at 0, 50, 100, 150, 200; 400, 425; 700.
    assert_array_equal(left, [0, 1, 2, 3, 5])
    assert_allclose(apart, [1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 6])


@pytest.mark.parametrize("n_frames", [1, 149, 150, 151, 200, 201])
def test_windows_are_as_few_as_lie_at_most_a_step_apart(n_frames):
    windows = windows_of((0, n_frames))
    assert len(windows) == 1 + max(0, int(np.ceil((n_frames - 150) / 50)))
    assert windows.ends[-1] == n_frames
