"""Claims about the measures of scores: by hand, by all thresholds, and by scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import det_curve, roc_auc_score

from gmmseg.errors import InputError
from gmmseg.evaluation import cllr, equal_error_rate, error_curve, min_dcf, roc_auc

MEASURES = [roc_auc, error_curve, equal_error_rate, min_dcf, cllr]


@st.composite
def trials(draw):
    n_trials = draw(st.integers(2, 40))
    values = st.integers(-5, 5) | st.floats(-9, 9)
    scores = np.array([draw(values) for _ in range(n_trials)], dtype=float)
    is_target = np.array([draw(st.booleans()) for _ in range(n_trials)])
    is_target[:2] = [True, False]
    return scores, is_target


@given(trials())
def test_area_is_that_of_scikit_learn(drawn):
    scores, is_target = drawn
    assert_allclose(roc_auc(scores, is_target), roc_auc_score(is_target, scores), atol=1e-12)


@given(trials())
def test_area_is_the_share_of_pairs_in_the_right_order(drawn):
    scores, is_target = drawn
    gaps = scores[is_target][:, None] - scores[~is_target]
    assert_allclose(roc_auc(scores, is_target), ((gaps > 0) + 0.5 * (gaps == 0)).mean())


@given(trials())
def test_curve_has_the_rates_of_every_threshold(drawn):
    scores, is_target = drawn
    curve = error_curve(scores, is_target)
    assert list(curve.thresholds) == [np.inf, *sorted(set(scores), reverse=True)]
    for index, threshold in enumerate(curve.thresholds):
        accepted = scores >= threshold
        assert_allclose(curve.miss_rates[index], (~accepted[is_target]).mean(), atol=1e-12)
        assert_allclose(curve.false_alarm_rates[index], accepted[~is_target].mean())


@given(trials())
def test_curve_holds_that_of_scikit_learn(drawn):
    scores, is_target = drawn
    curve = error_curve(scores, is_target)
    ours = set(zip(curve.false_alarm_rates.round(9), curve.miss_rates.round(9), strict=True))
    false_alarm, miss, _ = det_curve(is_target, scores)
    assert set(zip(false_alarm.round(9), miss.round(9), strict=True)) <= ours


@given(trials(), st.floats(0.01, 0.99), st.floats(0.1, 9.0), st.floats(0.1, 9.0))
def test_no_threshold_costs_less_than_the_minimum(drawn, p_target, miss_cost, false_alarm_cost):
    scores, is_target = drawn
    costs = {"miss_cost": miss_cost, "false_alarm_cost": false_alarm_cost}
    point = min_dcf(scores, is_target, p_target=p_target, **costs)
    least = []
    for threshold in [*scores, np.inf]:
        accepted = scores >= threshold
        miss = miss_cost * p_target * (~accepted[is_target]).mean()
        least.append(miss + false_alarm_cost * (1 - p_target) * accepted[~is_target].mean())
    trivial = min(miss_cost * p_target, false_alarm_cost * (1 - p_target))
    assert_allclose(point.value, min(least) / trivial)
    assert 0 <= point.value <= 1 + 1e-12
    accepted = scores >= point.threshold
    assert_allclose(point.miss_rate, (~accepted[is_target]).mean(), atol=1e-12)


@given(trials())
def test_equal_error_rate_lies_between_the_rates_around_it(drawn):
    scores, is_target = drawn
    point = equal_error_rate(scores, is_target)
    curve = error_curve(scores, is_target)
    is_before = curve.miss_rates > curve.false_alarm_rates
    low = max(curve.false_alarm_rates[is_before].max(), curve.miss_rates[~is_before].max())
    high = min(curve.miss_rates[is_before].min(), curve.false_alarm_rates[~is_before].min())
    assert low - 1e-12 <= point.value <= high + 1e-12
    assert abs(point.miss_rate - point.false_alarm_rate) == pytest.approx(
        np.abs(curve.miss_rates - curve.false_alarm_rates).min()
    )


@given(trials())
def test_order_alone_matters_but_for_the_cost_of_ratios(drawn):
    scores, is_target = drawn
    other = np.array([sorted(set(scores)).index(score) for score in scores]) ** 3
    assert roc_auc(other, is_target) == roc_auc(scores, is_target)
    for measure in (equal_error_rate, min_dcf):
        assert measure(other, is_target).value == measure(scores, is_target).value


def test_equal_error_rate_by_hand():
    # Four targets, two others. Down to 5: miss 1/4, false 0. Down to 4: miss 1/4, false 1/2.
    point = equal_error_rate([9, 6, 5, 1, 4, 0], [True, True, True, True, False, False])
    assert point.value == 0.25
    assert (point.threshold, point.miss_rate, point.false_alarm_rate) == (4.0, 0.25, 0.5)


def test_minimum_cost_by_hand():
    # Refusing all costs 0.1; accepting the best alone 0.1 / 2; the next is a false alarm: 0.9 / 2.
    point = min_dcf([3, 2, 1, 0], [True, False, True, False], p_target=0.1)
    assert_allclose(point.value, 0.5)
    assert (point.threshold, point.miss_rate, point.false_alarm_rate) == (3.0, 0.5, 0.0)


def test_cost_of_ratios_by_hand():
    odds = np.log([3.0, 1 / 3])  # log2(1 + 1/3) = 2 - log2(3) for either
    assert_allclose(cllr(odds, [True, False]), 2 - np.log2(3))
    assert_allclose(cllr(-odds, [True, False]), 2.0)
    assert cllr([1e5, -1e5], [True, False]) == 0


def test_scores_that_set_all_apart_make_no_error():
    scores, is_target = [np.inf, 2.0, -np.inf], [True, True, False]
    assert roc_auc(scores, is_target) == 1
    assert equal_error_rate(scores, is_target).value == 0
    assert min_dcf(scores, is_target).value == 0
    assert roc_auc([0, 0], [1, 0]) == 0.5


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("scores", "is_target", "message"),
    [
        ([1.0, np.nan], [True, False], "scores has NaN in 1 of 2 places, first in 1"),
        ([1.0, 2.0], [True, True], "there must be targets and others, got 2 targets of 2"),
        ([], np.zeros(0, dtype=bool), "there must be targets and others, got 0 targets of 0"),
        ([1.0], [True, False], r"one shape \(n,\), numbers and booleans, got \(1,\) and bool of"),
        ([1.0, 2.0], [0.5, 1.0], r"numbers and booleans, got \(2,\) and float64 of shape \(2,\)"),
        (["a", "b"], [True, False], "scores must be numbers: "),
    ],
)
def test_what_is_no_set_of_trials_is_refused(measure, scores, is_target, message):
    with pytest.raises(InputError, match=message):
        measure(scores, is_target)


@pytest.mark.parametrize("p_target", [0.0, 1.0, np.nan])
def test_a_probability_that_is_none_is_refused(p_target):
    with pytest.raises(InputError, match="p_target must lie between 0 and 1, got"):
        min_dcf([1.0, 2.0], [True, False], p_target=p_target)


@pytest.mark.parametrize("cost", [0.0, -1.0, np.inf])
def test_a_cost_that_is_none_is_refused(cost):
    with pytest.raises(InputError, match="costs must be above 0, got"):
        min_dcf([1.0, 2.0], [True, False], miss_cost=cost)
