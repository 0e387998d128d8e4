import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain, minimum_duration


def test_runs_have_the_mean_length_that_was_asked_for():
    chain = Chain.of_durations([4, 10, 25], weights=[1, 2, 3])
    # A run of which each frame is the last with probability p lasts 1 / p frames.
    assert_allclose(1.0 / (1.0 - chain.transitions.diagonal()), [4, 10, 25])


def test_next_state_comes_in_proportion_to_its_weight():
    chain = Chain.of_durations([4, 10, 25], weights=[1, 2, 3])
    assert_allclose(chain.transitions[0, 2] / chain.transitions[0, 1], 1.5)
    assert_allclose(chain.transitions[1, 2] / chain.transitions[1, 0], 3.0)


def test_chain_of_durations_starts_in_its_balance():
    chain = Chain.of_durations([4, 10, 25], weights=[1, 2, 3])
    assert_allclose(chain.start @ chain.transitions, chain.start, rtol=1e-12)
    assert_allclose(Chain.of_durations([10, 30]).start, [0.25, 0.75])


def test_chain_of_one_state_stays():
    chain = Chain.of_durations([7])
    assert_array_equal(chain.transitions, [[1.0]])
    assert_array_equal(chain.start, [1.0])


def test_sticky_chain_stays_or_draws_anew():
    chain = Chain.sticky(0.9, [0.2, 0.3, 0.5])
    assert_allclose(
        chain.transitions, [[0.92, 0.03, 0.05], [0.02, 0.93, 0.05], [0.02, 0.03, 0.95]], rtol=1e-12
    )
    assert_array_equal(chain.start, [0.2, 0.3, 0.5])


def test_sums_may_differ_from_1_by_rounding():
    rounded = np.float32([0.1, 0.2, 0.7])
    assert rounded.sum(dtype=np.float64) != 1.0
    assert Chain([rounded] * 3, rounded).n_states == 3


def test_chain_is_frozen():
    chain = Chain.of_durations([4, 10])
    with pytest.raises(ValueError, match="read-only"):
        chain.transitions[0, 0] = 1.0


def test_chain_does_not_freeze_what_it_was_made_of():
    start = np.array([0.5, 0.5])
    Chain(np.eye(2), start)
    start[0] = 1.0


def test_least_lengths_are_given_for_all_states_or_for_each():
    chain = Chain.of_durations([4, 10])
    assert_array_equal(chain.least_frames, [1, 1])
    assert_array_equal(minimum_duration(chain, 3).least_frames, [3, 3])
    assert_array_equal(minimum_duration(chain, [2, 5]).least_frames, [2, 5])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chain([[1.0]], 1.0), r"start must have shape \(n_states,\), got \(\)"),
        (lambda: Chain(np.empty((0, 0)), []), r"start must have shape \(n_states,\), got \(0,\)"),
        (lambda: Chain("ab", [1.0]), "transitions must be an array of numbers"),
        (
            lambda: Chain([[1.0]], [0.5, 0.5]),
            r"transitions must have shape \(2, 2\) as start has 2 states, got \(1, 1\)",
        ),
        (
            lambda: Chain(np.eye(2), [0.5, 0.6]),
            r"start must be at least 0 and sum to 1, got \[0.5, 0.6\]; divide by the sum",
        ),
        (
            lambda: Chain([[1.0, 0.0], [1.5, -0.5]], [0.5, 0.5]),
            r"rows of transitions must be at least 0 and sum to 1, got \[1.5, -0.5\]",
        ),
        (
            lambda: Chain([[1.0, 0.0], [np.nan, 1.0]], [0.5, 0.5]),
            r"rows of transitions must be at least 0 and sum to 1, got \[nan, 1.0\]",
        ),
        (
            lambda: Chain.of_durations([0.5, 3.0]),
            r"mean_frames must be numbers of at least 1, one for each state, got \[0.5, 3.0\]",
        ),
        (
            lambda: Chain.of_durations([2.0, 3.0], weights=[1.0, 0.0]),
            r"weights must be numbers above 0, one for each of 2 states, got \[1.0, 0.0\]",
        ),
        (lambda: Chain.sticky(1.5, [1.0]), "loop_probability must be at most 1, got 1.5"),
        (
            lambda: Chain.sticky(-0.1, [1.0]),
            "loop_probability must be a number of at least 0, got -0.1",
        ),
        (
            lambda: minimum_duration(Chain.of_durations([2, 3]), 0),
            r"must be a whole number from 1 to a million, or one for each of 2 states, got \[0.0",
        ),
        (
            lambda: minimum_duration(Chain.of_durations([2, 3]), [1.5, 1]),
            "the least frames of runs must be a whole number",
        ),
        (
            lambda: minimum_duration(Chain.of_durations([2, 3]), [1, 1_000_000]),
            r"or one for each of 2 states, got \[1.0, 1000000.0\]",
        ),
        (
            lambda: Chain(np.eye(2), [0.5, 0.50001]),
            r"start must be at least 0 and sum to 1, got \[0.5, 0.50001\]; divide by the sum",
        ),
    ],
)
def test_what_makes_no_chain_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
