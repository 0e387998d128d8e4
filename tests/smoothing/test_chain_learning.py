import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain, minimum_duration
from gmmseg.smoothing.chain_learning import learn_chain


def made_table(rng, chain, n_frames, *, contrast=3.0):
    """Return log-densities of a recording that a chain made, 1 of its state and 0 of others."""
    state, states = rng.choice(chain.n_states, p=chain.start), []
    for _ in range(n_frames):
        states.append(state)
        state = rng.choice(chain.n_states, p=chain.transitions[state])
    return rng.normal(size=(n_frames, chain.n_states)) + contrast * np.eye(chain.n_states)[states]


def test_log_likelihood_never_falls(rng):
    chain = Chain.of_durations([8, 20, 40])
    tables = [made_table(rng, chain, n) for n in (300, 50, 1)]
    _, log_likelihoods = learn_chain(tables, Chain.of_durations([2, 2, 2]), tol=0.0)
    assert (np.diff(log_likelihoods) >= -1e-9 * abs(log_likelihoods[0])).all()
    assert log_likelihoods[-1] > log_likelihoods[0] + 10.0


def test_chain_that_made_the_recording_is_found_again(rng):
    chain = Chain([[0.9, 0.1, 0.0], [0.0, 0.8, 0.2], [0.5, 0.0, 0.5]], [1.0, 0.0, 0.0])
    table = made_table(rng, chain, 5000, contrast=9.0)
    learned, _ = learn_chain([table], Chain.of_durations([2, 2, 2]))
    assert_allclose(learned.transitions, chain.transitions, atol=0.06)  # three deviations
    assert_allclose(learned.start, [1, 0, 0], atol=1e-3)


def test_rounds_end_when_the_log_likelihood_gains_less_than_tol(rng):
    table = rng.normal(size=(200, 2))
    _, found = learn_chain([table], Chain.of_durations([5, 5]), max_iter=500, tol=0.01)
    assert 2 < len(found) < 500
    gains = np.diff(found)
    assert gains[-1] < 0.01
    assert (gains[:-1] >= 0.01).all()


def test_sure_states_are_counted():
    table = np.where(np.eye(2)[[0, 0, 0, 1, 1, 0]] > 0, 0.0, -1e5)
    learned, _ = learn_chain([table, table], Chain.of_durations([2, 2]))
    # Per table: 0 stays twice and leaves once, 1 stays once and leaves once.
    assert_allclose(learned.transitions, [[2 / 3, 1 / 3], [1 / 2, 1 / 2]])
    assert_allclose(learned.start, [1, 0], atol=1e-12)


def test_prior_counts_as_so_many_frames():
    table = np.where(np.eye(2)[[0, 0, 0, 1, 1, 0]] > 0, 0.0, -1e5)
    start = Chain([[0.9, 0.1], [0.1, 0.9]], [0.5, 0.5])
    learned, _ = learn_chain([table], start, prior_frames=7.0)
    assert_allclose(learned.transitions[0], [(2 + 6.3) / 10, (1 + 0.7) / 10])
    assert_allclose(learned.start, [4.5 / 8, 3.5 / 8])
    fixed, _ = learn_chain([table], start, prior_frames=1e12)
    assert_allclose(fixed.transitions, start.transitions)


def test_least_lengths_and_impossible_transitions_are_kept(rng):
    chain = minimum_duration(
        Chain([[0.5, 0.5, 0.0], [0.2, 0.4, 0.4], [0.0, 0.5, 0.5]], [0.5, 0.5, 0.0]), [2, 3, 4]
    )
    learned, _ = learn_chain([rng.normal(scale=2.0, size=(300, 3))], chain)
    assert_array_equal(learned.least_frames, [2, 3, 4])
    assert learned.transitions[0, 2] == learned.transitions[2, 0] == learned.start[2] == 0.0


def test_state_that_is_never_left_keeps_its_transitions():
    table = np.array([[0.0, -np.inf]] * 5)
    chain = Chain.of_durations([4, 9])
    learned, _ = learn_chain([table], chain)
    assert_array_equal(learned.transitions[1], chain.transitions[1])
    assert_allclose(learned.transitions[0], [1.0, 0.0])


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        ([], {}, "tables must hold at least one table of log-densities, got none"),
        ([np.zeros((3, 3))], {}, r"log_densities must have shape \(n_frames, 2\)"),
        ([np.zeros((3, 2))], {"prior_frames": -1.0}, "prior_frames must be a number of at least 0"),
        ([np.zeros((3, 2))], {"max_iter": 0}, "max_iter must be a whole number of at least 1"),
        ([np.zeros((3, 2))], {"tol": -1.0}, "tol must be a number of at least 0"),
    ],
)
def test_what_cannot_be_used_is_named(tables, options, message):
    with pytest.raises(InputError, match=message):
        learn_chain(tables, Chain.of_durations([2, 2]), **options)
