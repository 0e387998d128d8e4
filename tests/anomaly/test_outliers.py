"""Claims about scales of scores, and about samples given as normal that are none."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.anomaly import AnomalyDetector
from gmmseg.anomaly.outliers import Learned, is_outlier, without_outliers
from gmmseg.anomaly.view import Scale

SCORES = st.lists(st.integers(-3, 3) | st.floats(-1e3, 1e3), min_size=2, max_size=40)


@given(scores=SCORES, n_far=st.integers(0, 20))
def test_at_most_a_quarter_of_normal_samples_are_taken_for_none(scores, n_far):
    far = 10.0 ** np.arange(7, 7 + n_far)
    all_scores = np.concatenate([scores, far])
    assert is_outlier(all_scores).sum() <= len(all_scores) / 4


def test_a_quarter_of_far_samples_are_taken_for_none(rng):
    scores = np.concatenate([rng.normal(size=31), np.full(10, 1e3)])
    assert_array_equal(np.flatnonzero(is_outlier(scores)), np.arange(31, 41))


def test_units_and_offsets_of_scores_do_not_matter(rng):
    scores = np.concatenate([rng.normal(size=50), [9.0, 12.0]])
    assert_array_equal(is_outlier(7.0 * scores - 30.0), is_outlier(scores))
    assert_allclose(Scale.of(7.0 * scores - 30.0).apply(7.0 * scores - 30.0),
                    Scale.of(scores).apply(scores))  # fmt: skip


def test_normal_scores_are_brought_to_median_0_and_deviation_1(rng):
    scores = rng.normal(40.0, 5.0, size=100_000)
    scaled = Scale.of(scores).apply(scores)
    assert abs(np.median(scaled)) < 1e-12
    assert abs(scaled.std() - 1.0) < 0.01


def test_equal_scores_keep_their_unit():
    assert Scale.of(np.full(5, 3.0)).spread == 1.0
    assert_array_equal(Scale.of(np.full(5, 3.0)).apply(np.array([3.0, 4.0])), [0.0, 1.0])


@dataclass(frozen=True)
class Middle:
    """Learn nothing but a mean, and score by the distance from it."""

    X: np.ndarray

    def learn(self, kept):
        numbers = np.arange(len(self.X))
        means = [self.X[kept & (numbers != n)].mean() for n in numbers]
        return Learned(self.X[kept].mean(), np.abs(self.X - means), kept)

    def screen(self, kept, _):
        return self.learn(kept).scores

    def normal(self, labels=None):
        labels = np.zeros(len(self.X), dtype=np.intp) if labels is None else labels
        return without_outliers(self.learn, self.screen, labels).kept


def test_strange_samples_that_hide_one_another_are_left_out(rng):
    X = np.concatenate([rng.normal(size=33), np.full(7, 40.0)])
    assert_array_equal(np.flatnonzero(~Middle(X).normal()), np.arange(33, 40))


@given(seed=st.integers(0, 2**32 - 1), n_samples=st.integers(2, 60))
def test_of_normal_samples_all_are_kept_that_are_not_far_out(seed, n_samples):
    X = np.random.default_rng(seed).uniform(-1.0, 1.0, size=n_samples)
    assert Middle(X).normal().mean() >= 0.75


def test_samples_of_one_kind_are_kept_whole(rng):
    for _ in range(50):
        assert Middle(rng.uniform(-1.0, 1.0, size=40)).normal().all()


def test_who_is_far_out_only_among_the_nearest_comes_back(rng):
    # Of 40, the 12 on the right are more than a quarter; once all are seen, they are none too far.
    X = np.concatenate([rng.normal(size=28), rng.normal(3.0, size=12)])
    assert Middle(X).normal().all()


@pytest.mark.parametrize("n_strange", [2, 10, 25, 50])
@pytest.mark.parametrize("are_alike", [True, False], ids=["alike", "scattered"])
def test_up_to_a_tenth_of_strange_samples_in_a_table_do_no_harm(rng, n_strange, are_alike):
    X, new = rng.normal(size=(500, 3)), rng.normal(size=(200, 3))
    away = np.array([0.0, 0.0, 1.0]) if are_alike else rng.normal(size=(n_strange, 3))
    X[:n_strange] += 9.0 * away / np.linalg.norm(away, axis=-1, keepdims=True)
    detector = AnomalyDetector().fit(X)
    assert np.isin(np.arange(n_strange), detector.outliers_).mean() > 0.9
    assert len(detector.outliers_) < n_strange + 5
    assert detector.predict(new + np.array([0.0, 0.0, 9.0])).mean() > 0.95
    assert 0.01 < detector.predict(new).mean() < 0.12
