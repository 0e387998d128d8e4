"""Claims about faults that only lines show: a little faster, a throb, a tone more or less."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest

from gmmseg.audio import AudioAnomalyDetector
from gmmseg.audio.anomaly import describe_all
from gmmseg.audio.anomaly_file import KIND
from gmmseg.audio.clip_views import VIEWS
from gmmseg.audio.clips import recipe_of
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import ModelFileError
from tests.machines import Machine

FAN = Machine("fan", sr=8000, seconds=4.0, seed=1)
SHAFT, ORDERS, LEVELS, _ = FAN.parts


def clips(rng, number, fault=None):
    return [(FAN.clip(rng, fault), FAN.sr) for _ in range(number)]


@pytest.fixture(scope="module")
def detector():
    return AudioAnomalyDetector().fit(clips(np.random.default_rng(1), 40))


@pytest.mark.parametrize("fault", ["speed 1 %", "speed 2 %", "missing tone", "sidebands"])
def test_small_changes_of_speed_tones_and_throbs_are_strange(detector, rng, fault):
    assert detector.predict(clips(rng, 20, fault)).mean() >= 0.8


def test_p_values_of_normal_clips_are_uniform_though_lines_may_add_to_their_scores(rng):
    short = Machine("fan", sr=8000, seconds=1.0, seed=1)
    normal = [(short.clip(rng), short.sr) for _ in range(700)]
    recipe = recipe_of(normal[:10])
    X = describe_all(recipe, normal)
    rates = []
    for number in range(8):
        order = rng.permutation(len(X))
        train, new = X[order[:100]], X[order[100:]]
        fitted = AudioAnomalyDetector().fit_described(recipe, train)
        p_values = fitted.null_.p_values(fitted.model_.scores(new[:, 0]))
        rates.append([(p_values <= rate).mean() for rate in (0.01, 0.05)])
        if number == 0:
            assert kstest(p_values[:100], "uniform").pvalue > 0.01
    rare, usual = np.mean(rates, axis=0)
    assert rare <= 0.03
    assert 0.03 <= usual <= 0.08


def test_a_normal_clip_whose_tones_lie_aside_is_kept_and_the_next_one_is_normal():
    aside, rng = Machine("fan", seed=1), np.random.default_rng(3)
    normal = [(aside.clip(rng), aside.sr) for _ in range(40)]
    fitted = AudioAnomalyDetector().fit(normal)
    (tones, _) = fitted.model_.lines
    *_, second, first = tones.nulls[0].scores
    assert first > second + 0.5
    assert len(fitted.outliers_) == 0
    assert fitted.predict([(aside.clip(rng), aside.sr) for _ in range(40)]).mean() <= 0.1


def test_hardly_any_normal_clip_has_strange_lines_to_tell(detector, rng):
    told = [detector.explain(y, sr=sr) for y, sr in clips(rng, 60)]
    assert np.mean([bool(found.tones or found.beats) for found in told]) <= 0.1


def test_a_tone_that_is_missing_is_told(detector, rng):
    (y, sr) = clips(rng, 1, "missing tone")[0]
    hertz, change = detector.explain(y, sr=sr).tones[0]
    lost = ORDERS[np.argsort(LEVELS)[-3:]] * SHAFT
    assert np.abs(lost - hertz).min() < 10.0
    assert change < -10.0


def test_a_new_tone_is_told_and_shown_in_its_band(detector, rng):
    y = FAN.clip(rng)
    y += 0.3 * np.std(y) * np.sin(2 * np.pi * 2345.0 * np.arange(len(y)) / FAN.sr)
    found = detector.explain(y, sr=FAN.sr)
    hertz, change = found.tones[0]
    assert hertz == pytest.approx(2345.0, abs=FAN.sr / 4096)
    assert change > 10.0
    assert found.frequencies[found.band_scores.argmax()] == pytest.approx(2345.0, rel=0.1)


def test_a_throb_is_told_with_its_rate(detector, rng):
    (y, sr) = clips(rng, 1, "sidebands")[0]
    low, high, rate, change = detector.explain(y, sr=sr).beats[0]
    assert rate == pytest.approx(SHAFT, abs=0.7)  # a beat is 1 Hz wide
    assert change > 5.0
    assert 0.0 < low < high < sr / 2


@pytest.mark.parametrize("fault", [None, "missing tone"])
def test_lines_take_their_share_of_the_distance_and_add_nothing_to_it(detector, rng, fault):
    model = detector.model_
    x = describe_all(detector.recipe_, clips(rng, 1, fault))[0, 0]
    parts, _ = model.contributions(x)
    bands, *lines = np.split(parts, detector.recipe_.borders)
    mean = model.domains[0].mean
    log_distance = sum(
        view.weight * np.log(gaussian.distances(view.apply(x[np.newaxis, : len(mean)] - mean))[0])
        for view, gaussian in zip(VIEWS, model.gaussians, strict=True)
    )
    assert np.log(parts.sum()) == pytest.approx(log_distance)
    added = np.array([seen for seen, _, _ in model.line_shares(x)])
    score = model.scores(x[np.newaxis])[0]
    if fault:
        expected = added / score * parts.sum()
        assert_allclose([own.sum() for own in lines], expected)
        assert added.sum() > 0.5
    assert bands.sum() + sum(own.sum() for own in lines) == pytest.approx(parts.sum())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays: arrays.pop("tones_means"), "tones_means"),
        (lambda arrays: arrays.update(beats_counts=np.zeros(1)), "beats must not be below 0"),
        (lambda arrays: arrays.update(beats_squares=-arrays["beats_squares"]), "must not be below"),
        (
            lambda arrays: arrays.update(tones_shifts=arrays["tones_shifts"][:1]),
            r"its tones must be 1843, of 1 domains and 4 lengths",
        ),
    ],
)
def test_a_file_with_damaged_lines_is_refused(detector, tmp_path, change, words):
    path = tmp_path / "fan.gmm"
    detector.save(path)
    header, arrays = read_model(path, kind=KIND)
    change(arrays)
    write_model(path, kind=KIND, header=header, arrays=arrays)
    with pytest.raises(ModelFileError, match=words):
        AudioAnomalyDetector.load(path)
