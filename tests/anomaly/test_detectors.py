"""Claims about detectors of anomalies: laws, calibration, hostile samples, files."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from gmmseg.anomaly import AnomalyDetector, FusedDetector
from gmmseg.anomaly.view import BACKENDS
from gmmseg.errors import GmmsegWarning, InputError, ModelFileError
from tests import naive

EACH = pytest.mark.parametrize("backend", sorted(BACKENDS))


def two_clouds(rng, n_samples, n_features=4):
    """Return normal samples of two kinds, whose features are correlated."""
    mix = np.random.default_rng(7).normal(size=(n_features, n_features))
    X = rng.normal(size=(n_samples, n_features)) @ mix
    return X + 4.0 * rng.integers(0, 2, size=(n_samples, 1))


@EACH
def test_neither_units_nor_offsets_of_features_matter(rng, backend):
    X, new = two_clouds(rng, 60), two_clouds(rng, 30)
    scale, shift = np.array([1e-6, 3.0, 1e6, -2.0]), np.array([0.0, 50.0, -1e6, 0.1])
    expected = AnomalyDetector((backend,)).fit(X).score_samples(new)
    moved = AnomalyDetector((backend,)).fit(X * scale + shift).score_samples(new * scale + shift)
    assert_allclose(moved, expected, rtol=1e-5, atol=1e-5)


def test_leave_one_out_equals_as_many_refits(rng):
    X = two_clouds(rng, 20)
    view = AnomalyDetector(("gaussian",)).fit(X).views_["X"]
    (backend,), (scale,) = view.backends, view.scales
    expected = naive.left_out_distances(X, backend.shrinkage)
    scores = scale.apply(np.log(expected + 0.5 * X.shape[1]))
    null = AnomalyDetector(("gaussian",)).fit(X).null_.scores
    assert_allclose(null, np.sort(scores), rtol=1e-8)


def test_contributions_sum_to_the_squared_mahalanobis_distance(rng):
    X, new = two_clouds(rng, 100), two_clouds(rng, 10)
    detector = AnomalyDetector(("gaussian",)).fit(X)
    backend = detector.views_["X"].backends[0]
    covariance = naive.shrunk_covariance(X, backend.shrinkage, X.var(axis=0))
    dev = new - X.mean(axis=0)
    expected = np.einsum("ni,ij,nj->n", dev, np.linalg.inv(covariance), dev)
    assert_allclose(detector.contributions(new).sum(axis=1), expected, rtol=1e-9)


@EACH
def test_contributions_sum_to_the_distance_and_name_the_strange_feature(rng, backend):
    X = rng.normal(size=(80, 5))
    new = np.zeros((3, 5))
    new[1, 3] = new[2, 0] = 9.0
    detector = AnomalyDetector((backend,)).fit(X)
    contributions = detector.contributions(new)
    distances = detector.views_["X"].backends[0].distances(new)
    assert (contributions >= 0.0).all()
    assert_allclose(contributions.sum(axis=1), distances, rtol=1e-8)
    assert_array_equal(contributions[1:].argmax(axis=1), [3, 0])


def test_p_values_of_held_out_normal_samples_are_uniform():
    p_values, false_alarms = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        detector = AnomalyDetector().fit(two_clouds(rng, 30))
        found = detector.p_values(two_clouds(rng, 40))
        p_values.append(found[0])
        false_alarms.append((found <= 0.05).mean())
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
    assert 0.03 < np.mean(false_alarms) < 0.08


def test_what_lies_between_two_kinds_of_normal_is_strange(rng):
    X = rng.normal(size=(200, 2)) * 0.3 + rng.choice([-4.0, 4.0], size=(200, 1))
    detector = AnomalyDetector().fit(X)
    assert_array_equal(detector.predict([[0.0, 0.0], [4.0, 4.0]]), [True, False])


def test_an_anomaly_among_the_normal_samples_is_left_out(rng):
    X = rng.normal(size=(40, 3))
    X[17] = 30.0
    detector = AnomalyDetector().fit(X)
    assert_array_equal(detector.outliers_, [17])
    assert detector.predict([[7.0, -7.0, 7.0]]).all()


def test_one_normal_sample_is_refused():
    with pytest.raises(InputError, match=r"at least 2, so that it can be seen .* got 1"):
        AnomalyDetector().fit([[1.0, 2.0]])


def test_few_normal_samples_are_used_and_said_to_be_few():
    with pytest.warns(GmmsegWarning, match=r"2 normal samples are too few .* 19 would do"):
        detector = AnomalyDetector().fit([[0.0, 1.0], [1.0, 1.0]])
    assert not detector.predict([[0.5, 1.0]]).any()


@pytest.mark.filterwarnings("ignore::gmmseg.errors.GmmsegWarning")
@pytest.mark.parametrize("n_samples", [2, 3, 5, 30])
@pytest.mark.parametrize("kind", ["identical", "zero", "constant column", "far", "tiny", "wide"])
def test_hostile_samples_have_finite_scores(rng, n_samples, kind):
    X = rng.normal(size=(n_samples, 3))
    if kind == "identical":
        X[:] = X[0]
    elif kind == "zero":
        X[:] = 0.0
    elif kind == "constant column":
        X[:, 1] = 5.0
    elif kind == "far":
        X += 1e8
    elif kind == "tiny":
        X *= 1e-12
    else:
        X = rng.normal(size=(n_samples, 80))
    detector = AnomalyDetector().fit(X)
    new = np.concatenate([X, X + 1.0, X * 1e6])
    p_values = detector.p_values(new)
    assert np.isfinite(detector.score_samples(new)).all()
    assert np.isfinite(detector.contributions(new)).all()
    assert ((p_values > 0.0) & (p_values <= 1.0)).all()


def test_a_change_of_what_never_varied_is_strange(rng):
    X = rng.normal(size=(50, 3))
    X[:, 1] = 5.0
    detector = AnomalyDetector().fit(X)
    assert_array_equal(detector.predict([[0.0, 5.0, 0.0], [0.0, 9.0, 0.0]]), [False, True])


def test_identical_normal_samples_make_all_else_strange():
    detector = AnomalyDetector().fit(np.full((30, 2), 3.0))
    assert_array_equal(detector.predict([[3.0, 3.0], [3.0, 3.1]]), [False, True])


def test_sums_of_old_and_new_samples_are_those_of_all(rng):
    X, more = two_clouds(rng, 50), two_clouds(rng, 30) + 2.0
    adapted = AnomalyDetector(("gaussian",)).fit(X).adapt(more)
    moments = adapted.views_["X"].backends[0].moments
    both = np.concatenate([X, more])
    assert_allclose(moments.mean, both.mean(axis=0))
    assert_allclose(moments.scatter, np.cov(both.T, bias=True))


@EACH
def test_adapting_makes_new_normal_samples_less_strange(rng, backend):
    X = rng.normal(size=(100, 3))
    other = rng.normal(size=(60, 3)) + np.array([4.0, 0.0, 0.0])
    before = AnomalyDetector((backend,)).fit(X)
    after = before.adapt(other[:40], weight=3.0)
    assert after.predict(other[40:]).mean() < 0.3
    assert before.predict(other[40:]).mean() > 0.5
    assert after.predict([[30.0, 30.0, 30.0]]).all()


@pytest.mark.parametrize("backend", ["gaussian", "mixture", "residual"])
def test_new_samples_of_weight_three_count_as_three(rng, backend):
    more, new = two_clouds(rng, 30) + 2.0, two_clouds(rng, 10)
    detector = AnomalyDetector((backend,)).fit(two_clouds(rng, 100))
    once, weighted, repeated = (
        detector.adapt(samples, weight=weight).views_["X"].backends[0].distances(new)
        for samples, weight in ((more, 1.0), (more, 3.0), (more.repeat(3, axis=0), 1.0))
    )
    assert_allclose(weighted, repeated, rtol=1e-8)
    assert not np.allclose(weighted, once, rtol=0.01)


def test_partial_fit_fits_once_and_then_adapts(rng):
    X, more = two_clouds(rng, 50), two_clouds(rng, 30)
    stream = AnomalyDetector().partial_fit(X).partial_fit(more)
    expected = AnomalyDetector().fit(X).adapt(more)
    new = two_clouds(rng, 5)
    assert_array_equal(stream.p_values(new), expected.p_values(new))


def test_a_saved_detector_is_equal_to_the_last_bit(rng, tmp_path):
    X, new = two_clouds(rng, 60), two_clouds(rng, 20)
    detector = AnomalyDetector(false_alarm=0.1).fit(X)
    detector.save(tmp_path / "normal.gmm")
    loaded = AnomalyDetector.load(tmp_path / "normal.gmm")
    assert loaded.false_alarm == 0.1
    assert_array_equal(loaded.score_samples(new), detector.score_samples(new))
    assert_array_equal(loaded.p_values(new), detector.p_values(new))
    assert loaded.threshold_ == detector.threshold_


def test_a_file_of_another_detector_is_refused(rng, tmp_path):
    FusedDetector().fit({"a": rng.normal(size=(30, 2))}).save(tmp_path / "fused.gmm")
    with pytest.raises(ModelFileError, match="it holds a FusedDetector, wanted AnomalyDetector"):
        AnomalyDetector.load(tmp_path / "fused.gmm")


def test_views_are_fused_whatever_their_order(rng):
    a, b = rng.normal(size=(60, 3)), rng.normal(size=(60, 2))
    new = {"a": np.zeros((2, 3)), "b": [[0.0, 0.0], [0.0, 8.0]]}
    one = FusedDetector().fit({"a": a, "b": b})
    other = FusedDetector().fit({"b": b, "a": a})
    assert_allclose(one.score_samples(new), other.score_samples(new), rtol=1e-12)
    assert_array_equal(one.predict(new), [False, True])
    assert one.contributions(new)["b"][1].argmax() == 1


def test_views_of_different_length_are_refused():
    with pytest.raises(InputError, match="all views must have the same samples"):
        FusedDetector().fit({"a": np.zeros((5, 1)), "b": np.zeros((6, 1))})


def test_a_table_is_no_mapping_of_views():
    with pytest.raises(InputError, match="for one table use AnomalyDetector"):
        FusedDetector().fit(np.zeros((5, 1)))


def test_views_that_were_not_learned_are_refused(rng):
    detector = FusedDetector().fit({"a": rng.normal(size=(30, 2))})
    with pytest.raises(InputError, match=r"X must hold the views \['a'\], got \['b'\]"):
        detector.predict({"b": np.zeros((1, 2))})
    with pytest.raises(InputError, match="view 'a': X must have 2 features"):
        detector.predict({"a": np.zeros((1, 3))})


def test_missing_entries_are_refused():
    with pytest.raises(InputError, match="X has NaN in 1 of 3 rows, first in row 1"):
        AnomalyDetector().fit([[0.0], [np.nan], [1.0]])


@pytest.mark.parametrize("backends", [("gauss",), (), "gaussian"])
def test_unknown_backends_are_refused(backends):
    with pytest.raises(InputError, match="backends must be some of gaussian, mixture, neighbors"):
        AnomalyDetector(backends).fit(np.eye(3))


@pytest.mark.parametrize("false_alarm", [0.0, 1.0])
def test_a_false_alarm_rate_is_between_0_and_1(false_alarm):
    with pytest.raises(InputError, match="false_alarm must lie between 0 and 1"):
        AnomalyDetector(false_alarm=false_alarm).fit(np.eye(3))


@pytest.mark.parametrize("random_state", [-1, "seven"])
def test_what_is_no_seed_is_refused(random_state):
    words = "^random_state must be None or a whole number of at least 0, got "
    with pytest.raises(InputError, match=f"{words}{random_state!r}$"):
        AnomalyDetector(random_state=random_state).fit(np.eye(3))


def test_no_warning_where_there_are_enough_normal_samples(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AnomalyDetector().fit(rng.normal(size=(19, 2)))
