import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gmmseg.audio.slivers import without_slivers


def frames(*runs):
    """Return frames of (label, length) runs."""
    return np.repeat([label for label, _ in runs], [length for _, length in runs])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (((0, 9), (1, 3), (2, 30)), ((0, 9), (2, 33))),
        (((2, 30), (1, 3), (0, 9)), ((2, 33), (0, 9))),
        (((1, 3), (2, 30)), ((2, 33),)),
        (((2, 30), (1, 3)), ((2, 33),)),
    ],
)
def test_a_short_run_at_an_edge_joins_the_run_beside_it(before, after):
    rest = (0, 1), (1, 40)
    assert_array_equal(without_slivers(frames(*before, *rest), shortest=5), frames(*after, *rest))


def test_short_words_between_pauses_and_between_turns_stay():
    labels = frames((1, 40), (0, 9), (2, 3), (0, 9), (1, 40), (2, 3), (1, 40))
    assert_array_equal(without_slivers(labels, shortest=5), labels)


def test_nobody_loses_all_they_said():
    labels = frames((0, 9), (1, 3), (2, 30))
    assert_array_equal(without_slivers(labels, shortest=5), labels)


@given(labels=st.lists(st.integers(0, 3), max_size=60), shortest=st.integers(1, 9))
def test_speech_and_speakers_are_the_same_before_and_after(labels, shortest):
    before = np.array(labels, dtype=np.intp)
    after = without_slivers(before, shortest=shortest)
    assert_array_equal(after > 0, before > 0)
    assert set(after) == set(before)
