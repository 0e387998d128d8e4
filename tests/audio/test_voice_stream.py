"""Claims about streams of voice activity: they are the whole-file filter of the same lag."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio import Segment, VoiceActivityDetector, read_audio
from gmmseg.errors import InputError


@pytest.fixture(scope="module")
def conversation():
    return read_audio("data/conversation.flac")


def streamed(detector, y, *, sr, lag, n_at_once):
    stream = detector.stream(sr=sr, lag=lag)
    starts = range(0, len(y), n_at_once)
    parts = [stream.push(y[start : start + n_at_once]) for start in starts]
    return np.concatenate([*parts, stream.finish()])


@pytest.mark.parametrize(("lag", "n_at_once"), [(0.8, 320), (0.8, 777), (0.8, 16000), (2.0, 4000)])
def test_a_stream_gives_what_the_filter_of_the_whole_gives(conversation, lag, n_at_once):
    y, sr = conversation
    y = y[: 8 * sr]
    detector = VoiceActivityDetector()
    whole = detector.predict_proba(y, sr=sr, lag=lag)
    assert whole.shape == (1 + len(y) // 160,)
    assert_allclose(streamed(detector, y, sr=sr, lag=lag, n_at_once=n_at_once), whole, atol=2e-6)


def test_other_rates_are_resampled_as_one_stream(rng):
    y = rng.normal(size=44100)
    detector = VoiceActivityDetector()
    whole = detector.predict_proba(y, sr=22050, lag=0.8)
    parts = streamed(detector, y, sr=22050, lag=0.8, n_at_once=1000)
    assert_allclose(parts, whole, atol=2e-6)


def test_a_frame_is_given_its_lag_later_and_not_before(conversation):
    y, sr = conversation
    stream = VoiceActivityDetector().stream(sr=sr, lag=1.0)
    n_given = 0
    for end in range(1600, 3 * sr, 1600):
        n_given += len(stream.push(y[end - 1600 : end]))
        newest = end / sr
        if n_given:
            assert newest - 0.01 * (n_given - 1) <= 1.0 + 0.1


def test_what_comes_after_the_lag_changes_nothing(conversation):
    y, sr = conversation
    changed = y.copy()
    changed[5 * sr :] = 0.0
    one, other = (VoiceActivityDetector().predict_proba(x, sr=sr, lag=0.8) for x in (y, changed))
    assert_allclose(one[:420], other[:420], atol=1e-6)
    assert not np.allclose(one[500:], other[500:], atol=0.1)


def test_adapted_levels_count_in_streams(conversation):
    y, sr = conversation
    plain = VoiceActivityDetector()
    adapted = VoiceActivityDetector().adapt(y, sr=sr)
    one = plain.predict_proba(y, sr=sr, lag=1.0)
    other = adapted.predict_proba(y, sr=sr, lag=1.0)
    assert not np.allclose(one, other, atol=0.05)
    parts = streamed(adapted, y, sr=sr, lag=1.0, n_at_once=8000)
    assert_allclose(parts, other, atol=1e-4)


def test_adapting_leaves_the_old_detector_as_it_is(conversation):
    y, sr = conversation
    detector = VoiceActivityDetector(threshold=0.4)
    before = vars(detector).copy()
    adapted = detector.adapt(y, sr=sr)
    assert vars(detector) == before
    assert adapted.get_params() == detector.get_params()


def test_adapting_keeps_what_fit_learned(conversation):
    y, sr = conversation
    detector = VoiceActivityDetector().fit([y], [[Segment(1.0, 5.0)]], sr=sr)
    assert detector.adapt(y, sr=sr).model_ is detector.model_


def test_a_lag_shorter_than_the_features_see_is_refused():
    with pytest.raises(InputError, match=r"lag must be at least 0\.\d\d s, got 0\.1"):
        VoiceActivityDetector().stream(sr=16000, lag=0.1)


def test_a_stream_takes_one_channel():
    with pytest.raises(InputError, match=r"a stream takes one channel, got y of shape \(2, 100\)"):
        VoiceActivityDetector().stream(sr=16000).push(np.zeros((2, 100)))


def test_a_stream_without_samples_cannot_end():
    with pytest.raises(InputError, match="y has no samples"):
        VoiceActivityDetector().stream(sr=16000).finish()
