"""Claims about strange sounds: faults are found and shown, and normal clips stay normal."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import lfilter
from scipy.stats import kstest

from gmmseg.audio import AudioAnomalyDetector
from gmmseg.audio.anomaly import describe_all
from gmmseg.audio.anomaly_file import KIND
from gmmseg.audio.clips import recipe_of
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import GmmsegWarning, InputError, ModelFileError, NotFittedError

RATE = 8000
pytestmark = pytest.mark.filterwarnings("ignore:.*too few to count")


def machine(rng, *, seconds=1.0, hertz=300.0, rate=RATE):
    """Return a hum in coloured noise, a little different every time."""
    t = np.arange(round(seconds * rate)) / rate
    hum = np.sin(2 * np.pi * hertz * (1 + rng.normal(scale=0.01)) * t + rng.uniform(0.0, 6.0))
    noise = lfilter([1.0], [1.0, -0.7], rng.normal(size=len(t)))
    return rng.uniform(0.8, 1.2) * (0.2 * hum + 0.05 * rng.uniform(0.8, 1.2) * noise)


def clips(rng, number, **how):
    return [(machine(rng, **how), how.get("rate", RATE)) for _ in range(number)]


def with_event(rng, *, start=0.4, hertz=2000.0):
    """Return a machine with a tone of a tenth of a second."""
    y = machine(rng)
    first = round(start * RATE)
    y[first : first + 800] += 0.3 * np.sin(2 * np.pi * hertz * np.arange(800) / RATE)
    return y


@pytest.fixture(scope="module")
def detector():
    return AudioAnomalyDetector().fit(clips(np.random.default_rng(1), 30))


def test_an_event_and_a_change_that_lasts_are_strange_and_normal_clips_are_not(detector, rng):
    event, other_hum = with_event(rng), machine(rng, hertz=450.0)
    assert detector.predict([(event, RATE), (other_hum, RATE)]).all()
    assert detector.predict(clips(rng, 40)).mean() <= 0.15


def test_p_values_of_normal_clips_are_uniform_and_false_alarms_as_many_as_asked(rng):
    normal = clips(rng, 700, seconds=0.5)
    recipe = recipe_of(normal[:10])
    X = describe_all(recipe, normal)
    rates = []
    for number in range(6):
        order = rng.permutation(len(X))
        train, new = X[order[:100]], X[order[100:]]
        fitted = AudioAnomalyDetector().fit_described(recipe, train)
        p_values = fitted.null_.p_values(fitted.model_.scores(new[:, 0]))
        rates.append((p_values <= 0.05).mean())
        if number == 0:
            assert kstest(p_values[:100], "uniform").pvalue > 0.01
    assert 0.03 <= np.mean(rates) <= 0.08


def test_the_explanation_shows_when_and_in_which_band_an_event_is(detector, rng):
    found = detector.explain(with_event(rng, start=0.4, hertz=2000.0), sr=RATE)
    assert 0.35 < found.times[found.frame_scores.argmax()] < 0.55
    assert abs(found.frequencies[found.band_scores.argmax()] - 2000.0) < 150.0
    start, end = found.strange_times[0][0], found.strange_times[-1][1]
    assert 0.3 < start < end < 0.65
    assert all(1500 < low <= high < 2600 for low, high in found.strange_bands)


def test_what_lasts_is_shown_all_the_time(detector, rng):
    found = detector.explain(machine(rng, hertz=450.0), sr=RATE)
    assert found.frame_scores.min() > 0.2 * found.frame_scores.mean()
    assert abs(found.frequencies[found.band_scores.argmax()] - 450.0) < 100.0


def test_contributions_sum_to_the_distance_and_score_and_p_value_are_those_of_the_clip(
    detector, rng
):
    y = with_event(rng)
    found = detector.explain(y, sr=RATE)
    assert found.score == pytest.approx(detector.score_samples([(y, RATE)])[0])
    assert found.p_value == pytest.approx(detector.p_values([(y, RATE)])[0])
    parts, _ = detector.model_.contributions(describe_all(detector.recipe_, [(y, RATE)])[0, 0])
    assert_allclose(found.contributions.sum(), parts.sum())
    assert (found.contributions >= 0.0).all()


def noise(rng, seconds):
    return rng.normal(size=round(seconds * RATE)), RATE


@pytest.fixture(scope="module")
def noise_detector():
    """A detector of what is no steady noise of a second."""
    rng = np.random.default_rng(2)
    return AudioAnomalyDetector().fit([noise(rng, 1.0) for _ in range(99)])


@pytest.mark.parametrize("seconds", [0.13, 0.25, 0.4, 0.5, 0.7, 0.96, 1.04, 1.5, 3.0, 8.0])
def test_p_values_of_longer_and_shorter_normal_clips_are_those_of_typical_ones(
    noise_detector, rng, seconds
):
    p_values = noise_detector.p_values([noise(rng, seconds) for _ in range(40)])
    assert 0.25 < np.median(p_values) < 0.85
    assert (p_values <= 0.05).mean() <= 0.15


@pytest.mark.parametrize("seconds", [0.13, 0.5, 2.2, 6.0])
def test_normal_clips_of_a_machine_stay_normal_at_other_lengths_and_faults_strange(
    detector, rng, seconds
):
    assert detector.predict(clips(rng, 40, seconds=seconds)).mean() <= 0.2
    assert detector.predict(clips(rng, 10, seconds=seconds, hertz=450.0)).mean() >= 0.8


def test_normal_clips_of_two_lengths_leave_both_normal(rng):
    fitted = AudioAnomalyDetector().fit(clips(rng, 20, seconds=1.0) + clips(rng, 20, seconds=3.0))
    for seconds in (0.5, 1.0, 3.0):
        assert fitted.predict(clips(rng, 20, seconds=seconds)).mean() <= 0.2
    assert fitted.predict(clips(rng, 10, seconds=3.0, hertz=450.0)).all()


def test_an_event_in_a_long_clip_is_shown_where_it_is(detector, rng):
    y = np.concatenate([machine(rng, seconds=5.0), with_event(rng), machine(rng, seconds=2.3)])
    found = detector.explain(y, sr=RATE)
    assert 5.35 < found.times[found.frame_scores.argmax()] < 5.55
    assert found.p_value == pytest.approx(detector.p_values([(y, RATE)])[0])
    assert found.contributions.shape == found.levels.shape
    assert detector.predict([(y, RATE)])[0]


def test_a_clip_shorter_than_any_cut_of_a_normal_one_is_told(detector, rng):
    words = (
        r"^too short to be compared: clip 1 \(0.1 s\) and 1 more; normal clips were heard in parts "
        r"of 0.125 s or more, and what is shorter may be called anomalous for that alone$"
    )
    with pytest.warns(GmmsegWarning, match=words):
        detector.p_values([*clips(rng, 1), *clips(rng, 2, seconds=0.1)])
    with pytest.warns(
        GmmsegWarning, match=r"^too short to be compared: the clip \(0.1 s\); normal"
    ):
        detector.explain(machine(rng, seconds=0.1), sr=RATE)


def test_the_rate_of_a_clip_means_nothing(detector, rng):
    import soxr

    y = with_event(rng)
    faster = soxr.resample(y, RATE, 22050)
    expected = detector.score_samples([(y, RATE)])
    # The highest band alone shows where the resampler's filter ends.
    assert_allclose(detector.score_samples([(faster, 22050)]), expected, rtol=0.1)


def test_a_clip_of_a_lower_rate_is_refused_in_one_line(detector):
    with pytest.raises(InputError, match=r"clip 0: it has 4000 Hz, .* a model of 8000 Hz; .* 4000"):
        detector.score_samples([(np.ones(4000), 4000)])


@pytest.mark.parametrize("unit", [1e-12, 1e9])
def test_the_unit_of_the_samples_means_nothing(rng, unit):
    normal = clips(rng, 6)
    new = [(with_event(rng), RATE)]
    expected = AudioAnomalyDetector().fit(normal).score_samples(new)
    scaled = AudioAnomalyDetector().fit([(unit * y, sr) for y, sr in normal])
    found = scaled.score_samples([(unit * y, sr) for y, sr in new])
    assert_allclose(found, expected, rtol=0.05)


def test_an_offset_of_the_samples_means_nothing(detector, rng):
    y = machine(rng)
    found = detector.score_samples([(y, RATE), (y + 1e6, RATE)])
    assert found[1] == pytest.approx(found[0], rel=1e-3, abs=1e-3)


def test_slow_records_of_a_sensor_are_heard_too(rng):
    normal = clips(rng, 12, rate=100, hertz=7.0, seconds=30.0)
    fitted = AudioAnomalyDetector().fit(normal)
    assert fitted.recipe_.frequencies[-1] < 50.0
    strange = machine(rng, rate=100, hertz=12.0, seconds=30.0)
    normal = clips(rng, 1, rate=100, hertz=7.0, seconds=30.0)
    score, other = fitted.score_samples([(strange, 100), *normal])
    assert score > other + 2.0


def test_a_strange_clip_among_the_normal_ones_is_left_out(rng):
    normal = clips(rng, 20)
    fitted = AudioAnomalyDetector().fit([*normal, (rng.normal(size=RATE), RATE)])
    assert_array_equal(fitted.outliers_, [20])
    assert len(fitted.null_.scores) == 20


@pytest.mark.parametrize("n_strange", [1, 2, 3, 4, 6])
def test_strange_clips_of_one_kind_do_not_hide_one_another(rng, n_strange):
    strange = [(with_event(rng), RATE) for _ in range(n_strange)]
    fitted = AudioAnomalyDetector().fit(clips(rng, 40 - n_strange) + strange)
    assert_array_equal(fitted.outliers_, np.arange(40 - n_strange, 40))
    assert fitted.predict([(with_event(rng), RATE) for _ in range(20)]).mean() > 0.9
    assert fitted.predict(clips(rng, 40)).mean() <= 0.15


def test_of_each_domain_the_nearest_are_kept(rng):
    low, high = clips(rng, 30, hertz=300.0), clips(rng, 8, hertz=900.0)
    strange = [(with_event(rng), RATE) for _ in range(3)]
    names = ["low"] * 33 + ["high"] * 8
    fitted = AudioAnomalyDetector().fit(low + strange + high, names)
    assert_array_equal(fitted.outliers_, [30, 31, 32])
    assert fitted.predict(clips(rng, 10, hertz=900.0)).mean() <= 0.3


def test_one_clip_is_refused_and_two_are_enough(rng):
    (one,) = clips(rng, 1)
    with pytest.raises(InputError, match=r"normal clips must be at least 2, .* got 1; cut a long"):
        AudioAnomalyDetector().fit([one])
    with pytest.warns(GmmsegWarning, match="2 normal samples are too few"):
        fitted = AudioAnomalyDetector().fit([one, *clips(rng, 1)])
    scores = fitted.score_samples([(rng.normal(size=RATE), RATE), one])
    assert scores[0] > scores[1] + 1.0


def test_no_clip_is_refused():
    with pytest.raises(InputError, match="normal clips must be at least 2, got 0"):
        AudioAnomalyDetector().fit([])


def test_among_identical_clips_the_same_is_normal_and_another_strange(rng):
    y = machine(rng)
    fitted = AudioAnomalyDetector().fit([(y, RATE)] * 25)
    assert_array_equal(fitted.predict([(y, RATE), (machine(rng, hertz=600.0), RATE)]), [0, 1])


def test_silence_is_strange_to_a_machine_and_a_machine_to_silence(detector, rng):
    silence = (np.zeros(RATE), RATE)
    assert detector.predict([silence]).all()
    quiet = AudioAnomalyDetector().fit([silence] * 25)
    assert_array_equal(quiet.predict([silence, (machine(rng), RATE)]), [0, 1])


def test_clips_shorter_than_a_frame_have_a_score(detector):
    with pytest.warns(GmmsegWarning, match="too short to be compared: clip 0"):
        scores = detector.score_samples([(np.ones(1), RATE), (np.ones(20), RATE)])
    assert np.isfinite(scores).all()


def test_a_clip_need_resemble_only_one_domain(rng):
    low, high = clips(rng, 20, hertz=300.0), clips(rng, 20, hertz=900.0)
    fitted = AudioAnomalyDetector().fit(low + high, ["low"] * 20 + ["high"] * 20)
    assert fitted.domains_ == ["low", "high"]
    normal = clips(rng, 10, hertz=300.0) + clips(rng, 10, hertz=900.0)
    assert fitted.predict(normal).mean() <= 0.2
    assert fitted.predict(clips(rng, 5, hertz=520.0)).all()


def test_a_domain_of_one_clip_and_a_wrong_number_of_domains_are_refused(rng):
    three = clips(rng, 3)
    with pytest.raises(InputError, match="each domain must have at least 2 clips, 'b' has 1"):
        AudioAnomalyDetector().fit(three, ["a", "a", "b"])
    with pytest.raises(InputError, match="domains must be 3, one for each clip, got 2"):
        AudioAnomalyDetector().fit(three, ["a", "a"])


def test_adapting_makes_new_normal_clips_normal_and_leaves_the_old_detector(detector, rng):
    new = clips(rng, 30, hertz=330.0)
    probe = clips(rng, 10, hertz=330.0)
    before = detector.score_samples(probe)
    with pytest.warns(GmmsegWarning, match="anomalous to the detector so far: .* of 30 new clips"):
        adapted = detector.adapt(new)
    assert adapted.score_samples(probe).mean() < before.mean()
    assert_allclose(detector.score_samples(probe), before)
    assert len(adapted.null_.scores) == 60


def test_new_normal_clips_are_judged_by_a_detector_that_knows_the_others(detector, rng):
    new = clips(rng, 16, hertz=330.0)
    with pytest.warns(GmmsegWarning, match="anomalous to the detector so far: .* of 16 new clips"):
        joined = detector.adapt(new).null_.scores
    assert joined.sum() - detector.null_.scores.sum() < detector.score_samples(new).sum() - 5.0


def test_adapting_adds_up_to_the_sums_of_all(detector, rng):
    new = clips(rng, 8)
    adapted = detector.adapt(new)
    X = describe_all(detector.recipe_, clips(np.random.default_rng(1), 30) + new)
    (moments,) = adapted.model_.domains
    bands, *kinds = np.split(X[:, 0], detector.recipe_.borders, axis=1)
    assert moments.count == 38
    assert_allclose(moments.mean, bands.mean(axis=0), rtol=1e-9)
    assert_allclose(moments.scatter, np.cov(bands.T, bias=True), rtol=1e-6, atol=1e-8)
    for model, lines in zip(adapted.model_.lines, kinds, strict=True):
        assert model.counts == 38
        assert_allclose(model.means[0], lines.mean(axis=0), rtol=1e-9, atol=1e-9)
        assert_allclose(model.squares[0], 38 * lines.var(axis=0), rtol=1e-9)


def test_adapting_asks_for_a_known_domain_and_a_weight(rng):
    fitted = AudioAnomalyDetector().fit(clips(rng, 4), ["a", "a", "b", "b"])
    with pytest.raises(InputError, match=r"domain must be one of \['a', 'b'\], got None"):
        fitted.adapt(clips(rng, 1))
    with pytest.raises(InputError, match=r"weight must be a number above 0.0, got 0"):
        fitted.adapt(clips(rng, 1), domain="a", weight=0)
    assert [m.count for m in fitted.adapt(clips(rng, 1), domain="b").model_.domains] == [2, 3]


def test_of_a_detector_without_domains_none_can_be_named(detector, rng):
    words = "domain must be None, as the fit was given none, got 'foo'"
    with pytest.raises(InputError, match=words):
        detector.adapt(clips(rng, 1), domain="foo")
    named = AudioAnomalyDetector().fit(clips(rng, 20), ["a"] * 20)
    with pytest.raises(InputError, match=r"domain must be one of \['a'\], got 'foo'"):
        named.adapt(clips(rng, 1), domain="foo")
    for domain in ("a", None):
        assert named.adapt(clips(rng, 1), domain=domain).model_.domains[0].count == 21


def test_adapting_takes_longer_clips_by_a_part_and_refuses_shorter_ones(detector, rng):
    adapted = detector.adapt(clips(rng, 30, seconds=3.0))
    assert len(adapted.null_.scores) == 60
    assert kstest(detector.null_.p_values(adapted.null_.scores), "uniform").pvalue > 0.01
    words = (
        "^clip 1: it lasts 0.5 s, but a detector adapts only to clips as long as those it was "
        "fitted to, 1 s, or longer ones$"
    )
    with pytest.raises(InputError, match=words):
        detector.adapt([*clips(rng, 1), *clips(rng, 1, seconds=0.5)])


def test_adapting_to_what_is_anomalous_is_warned_of(detector, rng):
    words = (
        "^anomalous to the detector so far: 1 of 1 new clips, first clip 0; if they are faults, it "
        "will take such for normal$"
    )
    with pytest.warns(GmmsegWarning, match=words):
        detector.adapt([noise(rng, 1.0)])
    with pytest.warns(
        GmmsegWarning, match="^anomalous to the detector so far: . of 30 new clips, first"
    ):
        detector.adapt([*clips(rng, 29), (with_event(rng), RATE)])


def test_adapting_to_normal_clips_is_hardly_ever_warned_of(detector, rng):
    X = describe_all(detector.recipe_, clips(rng, 400))
    for number in (1, 4, 20):
        parts = [X[first : first + number] for first in range(0, 400, number)]
        names = [str(k) for k in range(number)]
        warned = [bool(detector.caution(part, names)) for part in parts]
        assert np.mean(warned) <= 0.2


def test_a_saved_detector_is_bit_equal(detector, rng, tmp_path):
    detector.save(tmp_path / "machine.gmm")
    loaded = AudioAnomalyDetector.load(tmp_path / "machine.gmm")
    new = clips(rng, 3)
    assert_array_equal(loaded.score_samples(new), detector.score_samples(new))
    assert_array_equal(loaded.p_values(new), detector.p_values(new))
    assert loaded.threshold_ == detector.threshold_
    loaded.save(tmp_path / "again.gmm")
    assert (tmp_path / "again.gmm").read_bytes() == (tmp_path / "machine.gmm").read_bytes()


def test_a_subclass_is_read_as_what_it_is(detector, tmp_path):
    class PumpDetector(AudioAnomalyDetector):
        pass

    detector.save(tmp_path / "machine.gmm")
    assert type(PumpDetector.load(tmp_path / "machine.gmm")) is PumpDetector


def test_the_threshold_is_the_score_of_the_false_alarm_rate(detector):
    limit = detector.threshold_
    assert detector.null_.p_values(np.array([limit + 1e-9]))[0] <= 0.05
    assert detector.null_.p_values(np.array([limit - 1e-6]))[0] > 0.05


def test_few_clips_are_told_and_enough_are_not(rng):
    with pytest.warns(GmmsegWarning, match="5 normal samples are too few to count"):
        AudioAnomalyDetector().fit(clips(rng, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        AudioAnomalyDetector().fit(clips(rng, 19))


def test_what_was_not_fitted_says_so(tmp_path):
    for call in (
        lambda d: d.score_samples([]),
        lambda d: d.explain(np.ones(9), sr=RATE),
        lambda d: d.save(tmp_path / "x.gmm"),
        lambda d: d.adapt([]),
    ):
        with pytest.raises(NotFittedError, match="has learned nothing yet; call fit"):
            call(AudioAnomalyDetector())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"false_alarm": 1.5}, "false_alarm must lie between 0 and 1, got 1.5"),
        ({"sr": "fast"}, "sr must be a sampling rate in Hz, for example 16000, got 'fast'"),
        ({"sr": 0}, "sr must be at least 1 Hz, got 0"),
        ({"seconds": -1}, "seconds must be a number above 0.0, got -1"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(rng, options, words):
    with pytest.raises(InputError, match=words):
        AudioAnomalyDetector(**options).fit(clips(rng, 2))


def test_a_bad_clip_is_named(detector):
    with pytest.raises(InputError, match="clip 1: y holds NaN"):
        detector.score_samples([(np.ones(RATE), RATE), (np.full(9, np.nan), RATE)])
    with pytest.raises(InputError, match=r"clip 0: a clip must be a file or a pair \(y, sr\), got"):
        detector.score_samples([np.ones(99)])
    with pytest.raises(InputError, match=r"^nowhere.wav does not exist"):
        detector.score_samples(["nowhere.wav"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda header, _: header.update(false_alarm=2.0), "a number must lie between 0.0 and 1"),
        (lambda header, _: header["recipe"].update(sr=-1), "a number must lie between"),
        (lambda header, _: header["recipe"].update(n_bands=9), "other ratios or bands"),
        (lambda header, _: header.update(domains=[]), "it must have a domain"),
        (lambda header, _: header.update(domains=["a", "b"]), "'mean'"),
        (lambda _, arrays: arrays.update(views=np.ones((2, 5))), "it must have 11 views"),
        (lambda _, arrays: arrays.update(views=-arrays["views"]), "shrinkage must lie from 0 to"),
        (lambda _, arrays: arrays.pop("null_scores"), "null_scores"),
        (lambda _, arrays: arrays.update(null_scores=np.ones((2, 30))), "have scores at 4 lengths"),
        (lambda _, arrays: arrays.update(shifts=np.ones((2, 120))), "have shifts of 4 lengths and"),
    ],
)
def test_a_damaged_file_is_refused(detector, tmp_path, change, words):
    path = tmp_path / "machine.gmm"
    detector.save(path)
    header, arrays = read_model(path, kind=KIND)
    change(header, arrays)
    write_model(path, kind=KIND, header=header, arrays=arrays)
    with pytest.raises(ModelFileError, match=words):
        AudioAnomalyDetector.load(path)
