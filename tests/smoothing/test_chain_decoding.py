import itertools

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from gmmseg.errors import InputError
from gmmseg.smoothing import chain_passes
from gmmseg.smoothing.chain import Chain, minimum_duration
from gmmseg.smoothing.chain_decoding import (
    expected_draws,
    expected_transitions,
    forward_backward,
    viterbi,
)
from tests import naive


def random_chain(rng, n_states, *, n_forbidden=0):
    """Return a chain of random probabilities, some of them 0."""
    transitions = rng.random((n_states, n_states)) ** 2 + 1e-3
    for _ in range(n_forbidden):
        transitions[rng.integers(n_states), rng.integers(n_states)] = 0.0
    transitions += 1e-3 * (transitions.sum(axis=1, keepdims=True) == 0)
    start = rng.random(n_states)
    return Chain(transitions / transitions.sum(axis=1, keepdims=True), start / start.sum())


def chains(rng):
    """Yield chains of every kind, small enough to look at every path."""
    for n_states in (1, 2, 3):
        yield random_chain(rng, n_states)
    yield random_chain(rng, 3, n_forbidden=4)
    yield Chain.sticky(0.9, [0.2, 0.5, 0.3])
    yield Chain.sticky(0.8, [0.4, 0.6, 0.0])
    yield Chain.sticky(0.0, [0.4, 0.6])
    yield minimum_duration(random_chain(rng, 2), 3)
    yield minimum_duration(random_chain(rng, 3, n_forbidden=3), [1, 2, 3])
    yield minimum_duration(Chain.sticky(0.9, [0.2, 0.5, 0.3]), [2, 1, 2])


def score_of(path, table, chain):
    """Return the log-probability of a path, step by step."""
    with np.errstate(divide="ignore"):
        log_start, logs = np.log(chain.start), np.log(chain.transitions)
    steps = sum(logs[i, j] for i, j in itertools.pairwise(path))
    return log_start[path[0]] + steps + table[np.arange(len(path)), path].sum()


def run_lengths(path):
    return [(state, len(list(group))) for state, group in itertools.groupby(path)]


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("n_frames", [1, 2, 7])
def test_posteriors_agree_with_a_look_at_every_path(rng, n_frames, scale):
    for chain in chains(rng):
        table = rng.normal(scale=scale, size=(n_frames, chain.n_states))
        wanted, total, _ = naive.path_posteriors(
            table, chain.transitions, chain.start, chain.least_frames
        )
        posteriors, log_likelihood = forward_backward(table, chain)
        assert_allclose(posteriors, wanted, rtol=1e-9, atol=1e-250)
        assert_allclose(log_likelihood, total, rtol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_best_path_agrees_with_a_look_at_every_path(rng, scale):
    for chain in chains(rng):
        table = rng.normal(scale=scale, size=(7, chain.n_states))
        scores = naive.paths(table, chain.transitions, chain.start, chain.least_frames)
        path, log_probability = viterbi(table, chain)
        assert tuple(path) == max(scores, key=scores.get)
        assert_allclose(log_probability, max(scores.values()), rtol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_expected_transitions_agree_with_a_look_at_every_path(rng, scale):
    for chain in chains(rng):
        if chain.least_frames.max() > 1:
            continue
        table = rng.normal(scale=scale, size=(6, chain.n_states))
        _, _, steps = naive.path_posteriors(table, chain.transitions, chain.start, [1] * 3)
        assert_allclose(
            expected_transitions(table, chain).transitions, steps, rtol=1e-9, atol=1e-250
        )


def test_steps_within_the_least_length_do_not_count(rng):
    chain = minimum_duration(random_chain(rng, 2), [3, 2])
    table = np.array([[0, -50], [0, -50], [0, -50], [0, -50], [-50, 0], [-50, 0], [-50, 0]])
    # States 0 0 0 0 1 1 1: of the stays, one in each state is a choice.
    found = expected_transitions(table, chain).transitions
    assert_allclose(found, [[1, 1], [0, 1]], atol=1e-9)


def test_draws_of_a_sticky_chain_agree_with_its_transitions(rng):
    loop, weights = 0.8, np.array([0.5, 0.2, 0.3])
    chain = Chain.sticky(loop, weights)
    table = rng.normal(scale=2.0, size=(30, 3))
    expectation = expected_transitions(table, chain)
    # Of the steps from a state to itself, those that drew it anew are a known share.
    share = np.where(np.eye(3, dtype=bool), (1 - loop) * weights / chain.transitions, 1.0)
    wanted = expectation.posteriors[0] + (expectation.transitions * share).sum(axis=0)
    posteriors, log_likelihood, draws = expected_draws(table, chain)
    assert_allclose(draws, wanted, rtol=1e-10)
    assert_allclose(posteriors, expectation.posteriors, rtol=1e-10)
    assert_allclose(log_likelihood, expectation.log_likelihood)


@pytest.mark.parametrize("n_states", [2, 3, 6])
def test_long_tables_agree_with_hmmlearn(rng, n_states):
    chain = random_chain(rng, n_states)
    model = GaussianHMM(n_states)
    model.startprob_, model.transmat_ = chain.start, chain.transitions
    model.means_, model.covars_ = rng.normal(size=(n_states, 1)), np.ones((n_states, 1))
    samples = rng.normal(size=(5000, 1))
    total, wanted = model.score_samples(samples)
    best, path = model.decode(samples)
    table = norm.logpdf(samples, model.means_[:, 0])
    posteriors, log_likelihood = forward_backward(table, chain)
    assert_allclose(posteriors, wanted, atol=1e-9)
    assert_allclose(log_likelihood, total, rtol=1e-10)
    assert_array_equal(viterbi(table, chain)[0], path)
    assert_allclose(viterbi(table, chain)[1], best, rtol=1e-10)


def test_posteriors_sum_to_one(rng):
    for chain in chains(rng):
        for scale in (1.0, 1e5):
            table = rng.normal(scale=scale, size=(400, chain.n_states))
            assert_allclose(forward_backward(table, chain)[0].sum(axis=1), 1.0, rtol=1e-12)


def test_chain_without_memory_is_no_prior(rng):
    table = rng.normal(scale=3.0, size=(50, 4))
    uniform = Chain(np.full((4, 4), 0.25), np.full(4, 0.25))
    posteriors, log_likelihood = forward_backward(table, uniform)
    assert_allclose(posteriors, naive.responsibilities(table), rtol=1e-12)
    assert_allclose(log_likelihood, naive.logsumexp(table - np.log(4)).sum(), rtol=1e-12)


def test_order_of_states_does_not_matter(rng):
    for chain in chains(rng):
        order = rng.permutation(chain.n_states)
        table = rng.normal(scale=3.0, size=(60, chain.n_states))
        turned = Chain(
            chain.transitions[np.ix_(order, order)],
            chain.start[order],
            least_frames=chain.least_frames[order],
        )
        found, likelihood = forward_backward(table, chain)
        same, same_likelihood = forward_backward(table[:, order], turned)
        assert_allclose(same, found[:, order], rtol=1e-9, atol=1e-250)
        assert_allclose(same_likelihood, likelihood)
        assert_array_equal(order[viterbi(table[:, order], turned)[0]], viterbi(table, chain)[0])


@pytest.mark.parametrize("size", [1.0, 1e5])
def test_number_added_to_a_frame_changes_the_likelihood_alone(rng, size):
    for chain in chains(rng):
        table = rng.normal(scale=3.0, size=(60, chain.n_states))
        shift = rng.normal(scale=size, size=(60, 1))
        found, likelihood = forward_backward(table, chain)
        same, shifted = forward_backward(table + shift, chain)
        assert_allclose(same, found, rtol=1e-6, atol=1e-250)
        assert_allclose(shifted, likelihood + shift.sum(), rtol=1e-9)
        assert_array_equal(viterbi(table + shift, chain)[0], viterbi(table, chain)[0])


def test_best_path_scores_what_was_said_and_no_other_path_more(rng):
    for chain in chains(rng):
        if chain.least_frames.max() > 1:
            continue
        table = rng.normal(size=(20, chain.n_states))
        path, log_probability = viterbi(table, chain)
        assert_allclose(score_of(path, table, chain), log_probability, rtol=1e-12)
        for _ in range(1000):
            other = np.where(rng.random(20) < 0.1, rng.integers(chain.n_states, size=20), path)
            assert score_of(other, table, chain) <= log_probability + 1e-9


def test_runs_last_as_long_as_asked_for(rng):
    least = [4, 9, 1]
    chain = minimum_duration(Chain.of_durations([5, 5, 5]), least)
    path, _ = viterbi(rng.normal(scale=3.0, size=(3000, 3)), chain)
    runs = run_lengths(path)
    assert len(runs) > 100
    assert all(length >= least[state] for state, length in runs[:-1])


def test_least_length_of_one_frame_changes_nothing(rng):
    chain = random_chain(rng, 3)
    table = rng.normal(size=(50, 3))
    for one, other in zip(
        forward_backward(table, chain),
        forward_backward(table, minimum_duration(chain, 1)),
        strict=True,
    ):
        assert_array_equal(one, other)


def test_last_run_may_be_cut_by_the_end():
    table = np.array([[0.0, -9.0]] * 6 + [[-9.0, 0.0]] * 2)
    chain = minimum_duration(Chain.of_durations([3, 3]), 4)
    assert_array_equal(viterbi(table, chain)[0], [0] * 6 + [1] * 2)
    assert_array_equal(viterbi(table[:2], chain)[0], [0, 0])


def test_evidence_against_a_state_of_any_size_is_weighed_not_lost():
    # State 1 must last three frames; the first two speak against it, the third more for it.
    chain = minimum_duration(Chain([[0.5, 0.5], [0.5, 0.5]], [0.5, 0.5]), 3)
    table = np.array([[0.0, -1e5], [0.0, -1e5], [-2e5 - 1.0, 0.0]])
    posteriors, _ = forward_backward(table, chain)
    # One path each way: the odds are exp(1).
    assert_allclose(posteriors, [[1 / (1 + np.e), np.e / (1 + np.e)]] * 3, rtol=1e-9)
    assert_array_equal(viterbi(table, chain)[0], [1, 1, 1])


@pytest.mark.parametrize("transition", [1e-300, 5e-324])
def test_transition_as_rare_as_numbers_go_is_weighed_not_lost(transition):
    chain = Chain([[1.0, transition], [0.0, 1.0]], [1.0, 0.0])
    table = np.array([[0.0, 0.0], [0.0, 0.0], [-1e4, 0.0]])
    posteriors, log_likelihood = forward_backward(table, chain)
    assert_allclose(posteriors, [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], rtol=1e-9, atol=1e-250)
    assert_allclose(log_likelihood, np.log(transition) + np.log(2))
    assert_allclose(expected_transitions(table, chain).transitions, [[0.5, 1], [0, 0.5]])


def test_impossible_states_are_taken_out_of_a_frame():
    table = np.array([[0.0, 0.0], [-np.inf, 0.0], [0.0, -np.inf]])
    posteriors, _ = forward_backward(table, Chain.of_durations([5, 5]))
    assert_array_equal(posteriors[1:], [[0.0, 1.0], [1.0, 0.0]])
    assert_array_equal(viterbi(table, Chain.of_durations([5, 5]))[0], [1, 1, 0])


@pytest.mark.parametrize("function", [forward_backward, viterbi, expected_transitions])
def test_table_through_which_no_path_leads_is_refused(function):
    message = "no path through the states is possible from frame 2 on"
    table = np.zeros((4, 2))
    table[2] = -np.inf
    with pytest.raises(InputError, match=message):
        function(table, Chain.of_durations([5, 5]))
    table[2, 1] = 0.0
    with pytest.raises(InputError, match=message):
        function(table, Chain(np.eye(2), [1.0, 0.0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_that_of_the_table(rng, dtype):
    chain = Chain.of_durations([5, 9])
    table = rng.normal(size=(100, 2))
    posteriors, log_likelihood = forward_backward(table.astype(dtype), chain)
    wanted, likelihood = forward_backward(table, chain)
    assert posteriors.dtype == dtype
    assert_allclose(posteriors, wanted, atol=1e-5)
    assert_allclose(log_likelihood, likelihood, rtol=1e-5)


def test_table_without_frames_has_an_empty_answer():
    chain = Chain.of_durations([5, 9])
    posteriors, log_likelihood = forward_backward(np.empty((0, 2)), chain)
    assert posteriors.shape == (0, 2)
    assert log_likelihood == 0.0
    path, log_probability = viterbi(np.empty((0, 2)), chain)
    assert path.shape == (0,)
    assert log_probability == 0.0


def test_single_state_is_everywhere(rng):
    table = rng.normal(size=(20, 1))
    posteriors, log_likelihood = forward_backward(table, Chain.of_durations([5]))
    assert_array_equal(posteriors, np.ones((20, 1)))
    assert_allclose(log_likelihood, table.sum())
    assert_array_equal(viterbi(table, Chain.of_durations([5]))[0], np.zeros(20))


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_memory_of_the_forward_pass_does_not_matter(rng, monkeypatch, rows):
    for chain in chains(rng):
        table = rng.normal(size=(100, chain.n_states))
        whole = expected_transitions(table, chain)
        monkeypatch.setattr(chain_passes, "BLOCK_NUMBERS", rows * chain.least_frames.sum())
        parts = expected_transitions(table, chain)
        monkeypatch.undo()
        assert_array_equal(parts.posteriors, whole.posteriors)
        assert_allclose(parts.log_likelihood, whole.log_likelihood, rtol=1e-14)
        assert_allclose(parts.transitions, whole.transitions, rtol=1e-12)


def test_read_only_and_fortran_tables_are_taken(rng):
    table = rng.normal(size=(30, 2))
    wanted, _ = forward_backward(table, Chain.of_durations([5, 9]))
    turned = np.asfortranarray(table)
    turned.setflags(write=False)
    assert_array_equal(forward_backward(turned, Chain.of_durations([5, 9]))[0], wanted)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            np.zeros((4, 3)),
            r"must have shape \(n_frames, 2\) as the chain has 2 states, got \(4, 3\)",
        ),
        (np.zeros(4), r"log_densities must have shape \(n_frames, 2\)"),
        ([["a", "b"]], "log_densities must be a table of numbers, got something else"),
        (
            [[0.0, 0.0], [0.0, np.nan], [np.inf, 0.0]],
            "log_densities has NaN or \\+inf in 2 of 3 frames, first in frame 1",
        ),
    ],
)
def test_table_that_cannot_be_used_is_named(table, message):
    with pytest.raises(InputError, match=message):
        forward_backward(table, Chain.of_durations([5, 9]))


def test_draws_are_asked_of_sticky_chains_alone():
    chain = Chain([[0.5, 0.5], [0.9, 0.1]], [0.5, 0.5])
    with pytest.raises(InputError, match=r"chain must be one that Chain\.sticky made"):
        expected_draws(np.zeros((3, 2)), chain)
