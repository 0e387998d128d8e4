"""Claims about what normal lines are like: rare ones count, each domain has its own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.clip_line_model import RARE, WEIGHT, LineModel

N_LINES = 60


def lines(rng, number, n_lengths=1):
    """Return clips whose lines lie about their own mean, by 1 dB."""
    return rng.normal(size=(number, n_lengths, N_LINES)) + np.arange(N_LINES)


def one_domain(X):
    return np.zeros(len(X), dtype=np.intp)


@pytest.fixture
def model(rng):
    X = lines(rng, 300)
    return LineModel.learn(X, one_domain(X))[0]


def test_a_single_line_far_from_normal_counts_and_what_is_normal_does_not(model, rng):
    new = lines(rng, 2000)[:, 0]
    share = (model.scores(new, 0) > 0.0).mean()
    assert share == pytest.approx(RARE, abs=0.008)
    strange = new[:20].copy()
    strange[:, 7] += 15.0
    assert (model.scores(strange, 0) > 3.0 * WEIGHT).all()
    shares, devs = model.shares(strange[0], 0)
    assert shares.argmax() == 7
    assert shares.sum() == pytest.approx(1.0)
    assert devs[7] == pytest.approx(strange[0, 7] - 7.0, abs=0.3)


def test_clips_that_were_learned_from_count_as_new_ones_do(rng):
    X = lines(rng, 30)
    X[4, 0, 9] += 12.0
    _, added = LineModel.learn(X, one_domain(X))
    without, _ = LineModel.learn(np.delete(X, 4, axis=0), np.zeros(29, dtype=np.intp))
    assert added[4, 0] == pytest.approx(without.scores(X[4], 0)[0], rel=0.2)
    assert_array_equal(np.delete(added, 4), 0.0)


def test_parts_are_compared_with_parts(rng):
    X = lines(rng, 100, n_lengths=2)
    X[:, 1] = 1.5 * X[:, 1] + 40.0
    model, _ = LineModel.learn(X, one_domain(X))
    new = 1.5 * lines(rng, 400)[:, 0] + 40.0
    assert (model.scores(new, 1) > 0.0).mean() < 0.05
    assert (model.scores(new, 0) > 0.0).all()
    new[:20, 7] += 25.0
    assert (model.scores(new[:20], 1) > 0.0).all()
    shares, devs = model.shares(new[0], 1)
    assert shares.argmax() == 7
    assert devs[7] == pytest.approx(25.0, abs=5.0)


def test_what_varies_in_one_domain_is_strange_in_another(rng):
    X, labels = lines(rng, 80), np.repeat([0, 1], 40)
    X[labels == 1] -= 20.0
    X[labels == 1, 0, 5] += rng.normal(scale=10.0, size=40)
    model, _ = LineModel.learn(X, labels)
    new = np.tile(model.means, (1, 1))
    new[:, 5] += 12.0
    first, second = model.scores(new, 0)
    assert second == 0.0
    assert first > WEIGHT


def test_adapting_knows_the_sums_of_all_and_joins_the_scores_of_new_clips(rng):
    X, new = lines(rng, 40), lines(rng, 8) + 1.0
    model, _ = LineModel.learn(X, one_domain(X))
    adapted, added = model.adapted(new, 0, 1.0)
    both = np.concatenate([X, new])[:, 0]
    assert_allclose(adapted.means[0], both.mean(axis=0))
    assert_allclose(adapted.squares[0], len(both) * both.var(axis=0))
    assert_array_equal(adapted.counts, [48.0])
    assert len(adapted.nulls[0].scores) == 48
    assert added.shape == (8, 1)
    # A clip of weight 2 is that clip twice.
    twice, _ = model.adapted(np.repeat(new, 2, axis=0), 0, 1.0)
    weighted, _ = model.adapted(new, 0, 2.0)
    assert_allclose(weighted.means, twice.means)
    assert_allclose(weighted.squares, twice.squares)


def test_equal_clips_leave_the_same_normal_and_any_other_strange(rng):
    X = np.tile(lines(rng, 1), (25, 1, 1))
    model, added = LineModel.learn(X, one_domain(X))
    assert_array_equal(added, 0.0)
    same, other = model.scores(np.stack([X[0, 0], X[0, 0] + 1.0]), 0)
    assert same == 0.0
    assert other > 0.0
