"""Claims about all detectors of anomalies as estimators: one protocol, copies, words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from gmmseg.anomaly import AnomalyDetector, FusedDetector
from gmmseg.audio import AudioAnomalyDetector
from gmmseg.errors import GmmsegWarning, InputError, NotFittedError
from gmmseg.image import ImageAnomalyDetector

pytestmark = pytest.mark.filterwarnings("ignore:.*too few to count")


@dataclass
class Case:
    """A detector with options of its own, and samples as it takes them, each of which is one."""

    detector: Any
    normal: Any
    new: Any
    more: Any


def table_case(rng):
    detector = AnomalyDetector(("gaussian",), false_alarm=0.2, random_state=3)
    return Case(detector, *(rng.normal(size=(n, 2)) for n in (12, 5, 4)))


def fused_case(rng):
    detector = FusedDetector(["gaussian", "residual"], false_alarm=0.2, random_state=3)
    samples = ({name: rng.normal(size=(n, 2)) for name in "ab"} for n in (12, 5, 4))
    return Case(detector, *samples)


def sound_case(rng):
    detector = AudioAnomalyDetector(sr=4000, seconds=0.5, false_alarm=0.2)
    samples = ([(rng.normal(size=2000), 4000) for _ in range(n)] for n in (12, 5, 4))
    return Case(detector, *samples)


def texture_case(rng):
    detector = ImageAnomalyDetector(mode="tied", false_alarm=0.2, random_state=3)
    return Case(detector, *([rng.random((24, 28)) for _ in range(n)] for n in (12, 5, 4)))


def part_case(rng):
    detector = ImageAnomalyDetector(mode="aligned", features="given", smoothing=0.0)
    detector.set_params(false_alarm=0.2)
    return Case(detector, *([rng.random((6, 7, 2)) for _ in range(n)] for n in (12, 5, 4)))


CASES = {
    "table": table_case,
    "fused": fused_case,
    "sound": sound_case,
    "texture": texture_case,
    "part": part_case,
}


@pytest.fixture(params=CASES)
def case(request, rng):
    return CASES[request.param](rng)


def learned_by(detector):
    return sorted(name for name in vars(detector) if name.endswith("_"))


def test_a_clone_has_the_options_and_nothing_learned(case):
    fitted = case.detector.fit(case.normal)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert "null_" in learned_by(fitted)
    assert learned_by(copy) == []


def test_options_that_are_got_can_be_set(case):
    other = type(case.detector)()
    assert other.get_params() != case.detector.get_params()
    assert other.set_params(**case.detector.get_params()).get_params() == case.detector.get_params()


def test_the_constructor_keeps_what_it_is_given_and_fit_refuses_it(case):
    detector = clone(case.detector).set_params(false_alarm=1.5)
    assert type(detector)(false_alarm=1.5).false_alarm == detector.false_alarm == 1.5
    with pytest.raises(InputError, match=r"^false_alarm must lie between 0 and 1, got 1\.5$"):
        detector.fit(case.normal)


def test_too_few_normal_samples_are_told_where_fit_is_called(case):
    few = clone(case.detector).set_params(false_alarm=0.01)
    with pytest.warns(GmmsegWarning, match=r"false-alarm rate of 0\.01, .*; 99 would do$") as told:
        few.fit(case.normal)
    assert [warning.filename for warning in told] == [__file__]


def test_a_detector_says_how_it_was_made(case):
    assert repr(case.detector).startswith(f"{type(case.detector).__name__}(")
    assert "false_alarm=0.2" in repr(case.detector)


def test_an_adapted_detector_has_the_options_of_the_first(case):
    fitted = case.detector.fit(case.normal)
    adapted = fitted.adapt(case.more)
    assert adapted is not fitted
    assert adapted.get_params() == fitted.get_params()
    assert learned_by(adapted) == learned_by(fitted)
    assert len(adapted.null_.scores) == 12 - len(getattr(fitted, "outliers_", [])) + 4


def test_scores_p_values_verdicts_and_threshold_say_the_same(case):
    fitted = case.detector.fit(case.normal)
    scores, p_values = fitted.score_samples(case.new), fitted.p_values(case.new)
    assert scores.shape == p_values.shape == (5,)
    assert_array_equal(p_values, fitted.null_.p_values(scores))
    for rate in (0.2, 0.5, 0.9):
        fitted.set_params(false_alarm=rate)
        assert_array_equal(fitted.predict(case.new), p_values <= rate)
        assert_array_equal(fitted.predict(case.new), scores >= fitted.threshold_)


def test_a_strange_rate_of_false_alarms_is_refused_after_the_fit_too(case):
    fitted = case.detector.fit(case.normal).set_params(false_alarm=0.0)
    for call in (lambda: fitted.predict(case.new), lambda: fitted.threshold_):
        with pytest.raises(InputError, match=r"^false_alarm must lie between 0 and 1, got 0\.0$"):
            call()


def test_what_has_learned_nothing_says_so(case, tmp_path):
    name = type(case.detector).__name__
    for call in (
        lambda d: d.score_samples(case.new),
        lambda d: d.p_values(case.new),
        lambda d: d.predict(case.new),
        lambda d: d.adapt(case.more),
        lambda d: d.threshold_,
        lambda d: d.save(tmp_path / "nothing.gmm"),
    ):
        with pytest.raises(
            NotFittedError, match=f"^this {name} has learned nothing yet; call fit$"
        ):
            call(case.detector)


def test_a_weight_that_is_none_is_refused(case):
    fitted = case.detector.fit(case.normal)
    with pytest.raises(InputError, match=r"^weight must be a number above 0\.0, got 0$"):
        fitted.adapt(case.more, weight=0)


def test_samples_of_weight_three_count_as_three(case):
    fitted = case.detector.fit(case.normal)
    once, thrice = fitted.adapt(case.more), fitted.adapt(case.more, weight=3.0)
    again = fitted.adapt(case.more).adapt(case.more).adapt(case.more)
    scores = [d.score_samples(case.new) for d in (once, thrice, again)]
    assert not np.allclose(scores[0], scores[1])
    assert_allclose(scores[1], scores[2], rtol=1e-5)  # features are float32
