"""Mixtures of speakers: adapted from the background, and scored by its best components."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.speaker_mixtures import SpeakerMixtures, fit_speaker_mixtures
from gmmseg.core import MixtureParameters
from gmmseg.core.estep import log_densities
from gmmseg.errors import InputError
from tests import naive


def tables(rng, *, n_frames=300, n_features=3):
    """Return frames of two speakers, who differ in each half of theirs."""
    shape = (n_frames, n_features)
    return {
        "anna": [rng.normal(0.0, 1.0, size=shape), rng.normal(3.0, 0.5, size=shape)],
        "ben": [rng.normal(0.5, 1.0, size=shape), rng.normal(3.5, 1.0, size=shape)],
    }


def parts(mixtures, speaker):
    return [getattr(mixtures, name)[speaker] for name in ("weights", "means", "covariances")]


def test_ratios_are_those_of_plain_loops(rng):
    mixtures = fit_speaker_mixtures(tables(rng))
    X = 2.0 * rng.normal(size=(40, 3))
    one = mixtures.background
    expected = naive.add_log_ratios(
        X,
        (one.weights, one.means, one.covariances),
        [parts(mixtures, 0), parts(mixtures, 1)],
        n_best=5,
    )
    assert_allclose(mixtures.log_ratios(X), expected, rtol=1e-9)


def test_the_best_components_say_nearly_what_all_say(rng):
    recordings = tables(rng)
    mixtures = fit_speaker_mixtures(recordings)
    X = np.ascontiguousarray(recordings["ben"][0][:100])
    whole = [
        log_densities(X, MixtureParameters(*parts(mixtures, k), covariance_type="diag")).sum()
        - log_densities(X, mixtures.background).sum()
        for k in (0, 1)
    ]
    assert_allclose(mixtures.log_ratios(X), whole, atol=0.02 * len(X))


def test_frames_add_up(rng):
    mixtures = fit_speaker_mixtures(tables(rng))
    X = rng.normal(size=(60, 3))
    halves = mixtures.log_ratios(X[:25]) + mixtures.log_ratios(X[25:])
    assert_allclose(mixtures.log_ratios(X), halves, rtol=1e-9)


def test_each_speaker_is_likeliest_under_the_own_mixture(rng):
    mixtures = fit_speaker_mixtures(tables(rng))
    new = tables(rng, n_frames=50)
    assert mixtures.log_ratios(np.vstack(new["anna"])).argmax() == 0
    assert mixtures.log_ratios(np.vstack(new["ben"])).argmax() == 1


def test_next_to_no_speech_leaves_the_background(rng):
    mixtures = fit_speaker_mixtures(tables(rng)).with_speaker([np.full((1, 3), 1.0)])
    assert_allclose(mixtures.means[2], mixtures.background.means, atol=1.0)
    assert abs(mixtures.log_ratios(rng.normal(size=(50, 3)))[2]) < 25.0


def test_one_more_speaker_is_the_same_as_with_the_others(rng):
    recordings = tables(rng)
    mixtures = fit_speaker_mixtures(recordings)
    more = mixtures.with_speaker(recordings["anna"])
    for name in ("weights", "means", "covariances"):
        assert_array_equal(getattr(more, name)[2], getattr(mixtures, name)[0])
        assert_array_equal(getattr(more, name)[:2], getattr(mixtures, name))


def test_components_grow_with_speech_between_4_and_64(rng):
    short = {name: [rng.normal(size=(50, 1))] for name in "ab"}
    long = {name: [rng.normal(size=(2000, 1))] for name in "ab"}
    assert fit_speaker_mixtures(short).background.n_components == 4
    assert fit_speaker_mixtures(long).background.n_components == 20


def test_arrays_give_the_same_mixtures_back(rng):
    mixtures = fit_speaker_mixtures(tables(rng))
    again = SpeakerMixtures.from_arrays(mixtures.arrays())
    X = rng.normal(size=(9, 3))
    assert_array_equal(again.log_ratios(X), mixtures.log_ratios(X))


@pytest.mark.parametrize(
    "spoil",
    [np.zeros_like, np.round, lambda X: X * 1e-12, lambda X: X * 1e12, lambda X: X + 1e8],
    ids=["constant", "duplicates", "tiny", "huge", "far"],
)
def test_nothing_is_nan(rng, spoil):
    recordings = {name: [spoil(one) for one in own] for name, own in tables(rng).items()}
    mixtures = fit_speaker_mixtures(recordings)
    assert np.isfinite(mixtures.log_ratios(recordings["anna"][0])).all()


def test_a_frame_far_from_all_says_little(rng):
    mixtures = fit_speaker_mixtures(tables(rng))
    for far in (1e3, 1e6, 1e150):
        assert np.abs(mixtures.log_ratios(np.full((1, 3), far))).max() <= np.log(999.0) + 1e-9


def test_mixtures_that_do_not_fit_are_refused(rng):
    arrays = fit_speaker_mixtures(tables(rng)).arrays()
    short = {"speaker_weights": arrays["speaker_weights"][:1]}
    negative = {"speaker_covariances": -arrays["speaker_covariances"]}
    narrow = {name: arrays[name][:, :, :2] for name in ("speaker_means", "speaker_covariances")}
    for change, message in [
        (short, "must be of the same speakers"),
        (negative, "covariances must be"),
        (narrow, r"has shape \(6, 2\), the background \(6, 3\)"),
    ]:
        with pytest.raises(InputError, match=message):
            SpeakerMixtures.from_arrays({**arrays, **change})
    with pytest.raises(InputError, match="at least one speaker are needed, got none"):
        fit_speaker_mixtures({})
