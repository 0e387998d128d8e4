"""Claims about voice activity: what is speech, what is not, and what must not matter."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio import (
    Segment,
    VoiceActivityDetector,
    audio_blocks,
    detect_voice,
    read_audio,
    read_segments,
)
from gmmseg.errors import InputError, ModelFileError
from gmmseg.evaluation import detection_error

CONVERSATION = "data/conversation.flac"
TRUTH = "data/conversation.rttm"


@pytest.fixture(scope="module")
def conversation():
    return read_audio(CONVERSATION)


def spoken_seconds(segments):
    return sum(segment.duration for segment in segments)


def noise_like(name):
    """Return 6 s of a sound that nobody takes for speech."""
    rng, time = np.random.default_rng(5), np.arange(6 * 16000) / 16000
    return {
        "silence": np.zeros_like(time),
        "last bit": rng.integers(-1, 2, len(time)) / 2**15,
        "tone": 0.5 * np.sin(2 * np.pi * 440 * time),
        "low tone": 0.1 * np.sin(2 * np.pi * 180 * time),
        "beeps": 0.3 * np.sin(2 * np.pi * 900 * time) * (time % 0.8 < 0.3),
        "sweep": 0.3 * np.sin(2 * np.pi * (100 * time + 300 * time**2)),
        "white noise": 0.1 * rng.normal(size=len(time)),
        "bursts": 0.1 * rng.normal(size=len(time)) * (time % 0.7 < 0.2),
        "rumble": np.cumsum(rng.normal(size=len(time))) / 1000,
        "clicks": 0.9 * (np.arange(len(time)) % 4000 == 0),
        "hum": sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 20)) / 10,
        "square": 0.3 * np.sign(np.sin(2 * np.pi * 130 * time)),
        "constant": np.full_like(time, 0.3),
    }[name]


KINDS_OF_NOISE = [
    "silence", "last bit", "tone", "low tone", "beeps", "sweep", "white noise", "bursts",
    "rumble", "clicks", "hum", "square", "constant",
]  # fmt: skip


@pytest.mark.parametrize("name", KINDS_OF_NOISE)
def test_what_is_no_speech_gives_no_segments(name):
    y = noise_like(name)
    assert detect_voice(y, sr=16000) == []
    assert VoiceActivityDetector().predict_proba(y, sr=16000).max() < 0.5


def test_made_conversation_is_found(conversation):
    y, sr = conversation
    error = detection_error(read_segments(TRUTH), detect_voice(y, sr=sr))
    assert error.miss_rate < 0.15
    assert error.error_rate < 0.25


@pytest.mark.parametrize("gain", [1e-6, 0.01, 30.0])
def test_gain_changes_nothing(conversation, gain):
    y, sr = conversation
    detector = VoiceActivityDetector()
    plain, louder = (detector.predict_proba(x, sr=sr) for x in (y, y * np.float32(gain)))
    assert_allclose(louder, plain, atol=2e-3)


def agreement(detector, y, padded, *, sr, where):
    """Return the share of the frames of `y` that are judged alike in `padded`, and what is more."""
    alone, beside = (detector.predict_proba(x, sr=sr) >= 0.5 for x in (y, padded))
    inside = beside[where : where + len(alone)]
    return np.mean(inside == alone), beside.sum() - inside.sum()


@pytest.mark.parametrize("level", [0.0, 1e-5])
@pytest.mark.parametrize("seconds", [0.5, 2, 10, 60])
def test_silence_before_and_after_leaves_the_rest_as_it_is(conversation, rng, seconds, level):
    y, sr = conversation
    quiet = (level * rng.normal(size=int(seconds * sr))).astype(np.float32)
    padded = np.concatenate([quiet, y, quiet])
    share, n_outside = agreement(
        VoiceActivityDetector(), y, padded, sr=sr, where=int(100 * seconds)
    )
    assert share > 0.985
    assert n_outside == 0


@pytest.mark.parametrize("gain", [1e-4, 1.0])
def test_a_muted_stretch_leaves_the_rest_as_it_is(conversation, gain):
    y, sr = conversation
    first = int(11.85 * sr)  # between two turns
    muted = np.concatenate([y[:first], np.zeros(10 * sr, dtype=np.float32), y[first:]])
    detector = VoiceActivityDetector()
    share, _ = agreement(detector, y[:first], np.float32(gain) * muted, sr=sr, where=0)
    assert share > 0.985
    share, _ = agreement(detector, y[first:], np.float32(gain) * muted, sr=sr, where=2185)
    assert share > 0.985


def test_silence_around_noise_gives_no_speech(rng):
    noise, quiet = rng.normal(size=30 * 16000), np.zeros(30 * 16000)
    assert detect_voice(np.concatenate([quiet, 0.01 * noise, quiet]), sr=16000) == []


def test_levels_of_a_recording_with_silence_are_those_without(conversation):
    y, sr = conversation
    quiet = np.zeros(10 * sr, dtype=np.float32)
    alone = VoiceActivityDetector().adapt(y, sr=sr).levels_
    beside = VoiceActivityDetector().adapt(np.concatenate([quiet, y, quiet]), sr=sr).levels_
    assert_allclose(beside.noise_mean, alone.noise_mean, atol=0.3)
    assert_allclose(beside.speech_mean, alone.speech_mean, atol=0.1)


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 120_000), max_size=5))
def test_any_cut_into_blocks_gives_the_probabilities_of_the_whole(cuts):
    y, sr = read_audio(CONVERSATION)
    y = y[:120_000]
    edges = [0, *sorted(cuts), len(y)]
    blocks = iter([y[a:b] for a, b in itertools.pairwise(edges)])
    detector = VoiceActivityDetector()
    assert_allclose(
        detector.predict_proba(blocks, sr=sr), detector.predict_proba(y, sr=sr), atol=1e-3
    )


def test_a_file_in_blocks_gives_what_the_whole_gives(conversation):
    y, sr = conversation
    blocks = audio_blocks(CONVERSATION, seconds=3.0)
    assert detect_voice(blocks, sr=sr) == detect_voice(y, sr=sr)


@pytest.mark.parametrize(
    "change", ["8 kHz", "96 kHz", "5 channels", "clipped", "integers", "float64"]
)
def test_how_a_recording_is_stored_hardly_matters(conversation, change):
    import librosa

    y, sr = conversation
    told = detect_voice(y, sr=sr)
    if change.endswith("kHz"):
        rate = 1000 * int(change.split()[0])
        other = detect_voice(librosa.resample(y, orig_sr=sr, target_sr=rate), sr=rate)
    else:
        stored = {
            "5 channels": np.stack([y] * 5),
            "clipped": np.clip(8 * y, -0.5, 0.5),
            "integers": np.round(y * 32767).astype(np.int16),
            "float64": y.astype(np.float64),
        }[change]
        other = detect_voice(stored, sr=sr)
    assert detection_error(told, other).error_rate < 0.2


@pytest.mark.parametrize("n_samples", [1, 100, 160, 1600])
def test_ten_milliseconds_and_less_are_judged(n_samples, rng):
    y = 0.1 * rng.normal(size=n_samples)
    assert detect_voice(y, sr=16000) == []
    assert len(VoiceActivityDetector().predict_proba(y, sr=16000)) == 1 + n_samples // 160


def test_an_offset_of_the_microphone_changes_nothing(conversation):
    y, sr = conversation
    found, wanted = detect_voice(0.4 * y + 0.5, sr=sr), detect_voice(0.4 * y, sr=sr)
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert abs(one.start - other.start) < 0.05
        assert abs(one.end - other.end) < 0.05


def test_one_utterance_in_a_minute_of_noise_is_found(conversation, rng):
    y, sr = conversation
    utterance = y[int(8.7 * sr) : int(10.0 * sr)]
    noisy = rng.normal(size=60 * sr) * np.sqrt(np.mean(utterance**2)) * 0.5
    noisy[40 * sr : 40 * sr + len(utterance)] += utterance
    (found,) = detect_voice(noisy, sr=sr)
    assert 39.7 < found.start < 40.6
    assert 40.8 < found.end < 41.8


def test_a_recording_full_of_speech_is_all_speech(conversation):
    y, sr = conversation
    only = np.concatenate([y[int(s.start * sr) : int(s.end * sr)] for s in read_segments(TRUTH)])
    share = spoken_seconds(detect_voice(only, sr=sr)) / (len(only) / sr)
    assert share > 0.85


def test_a_higher_threshold_finds_less_and_nothing_else(conversation):
    y, sr = conversation
    kept = {
        threshold: spoken_seconds(detect_voice(y, sr=sr, threshold=threshold))
        for threshold in (0.2, 0.5, 0.9)
    }
    assert kept[0.9] < kept[0.5] < kept[0.2]


def test_short_pauses_are_closed_and_short_segments_dropped(conversation):
    y, sr = conversation
    every = detect_voice(y, sr=sr, min_speech=0.0, min_pause=0.0)
    joined = detect_voice(y, sr=sr, min_pause=1.0)
    assert len(joined) < len(every)
    assert all(b.start - a.end >= 1.0 for a, b in itertools.pairwise(joined))
    long = detect_voice(y, sr=sr, min_speech=1.0)
    assert all(segment.duration >= 1.0 for segment in long)


def test_saved_detector_is_the_same_to_the_last_bit(conversation, tmp_path):
    y, sr = conversation
    detector = VoiceActivityDetector(threshold=0.3, min_pause=0.5, is_adaptive=False)
    detector.save(tmp_path / "own.gmm")
    again = VoiceActivityDetector.load(tmp_path / "own.gmm")
    assert again.get_params() == detector.get_params()
    assert_array_equal(again.predict_proba(y, sr=sr), detector.predict_proba(y, sr=sr))
    again.save(tmp_path / "again.gmm")
    assert (tmp_path / "own.gmm").read_bytes() == (tmp_path / "again.gmm").read_bytes()


def test_a_file_of_another_kind_is_no_detector(tmp_path):
    from gmmseg.core import GaussianMixture

    GaussianMixture().fit(np.arange(10.0)[:, np.newaxis]).save(tmp_path / "other.gmm")
    with pytest.raises(ModelFileError, match="kind 'gaussian-mixture', wanted 'voice-activity'"):
        VoiceActivityDetector.load(tmp_path / "other.gmm")


def test_fit_learns_what_the_labels_say_whatever_it_is():
    # What is "speech" here is a high hiss, which the shipped prior takes for noise.
    from scipy.signal import lfilter

    def recording(seed):
        own = np.random.default_rng(seed)
        low = lfilter([1.0], [1, -0.9], own.normal(size=8 * 8000))
        high = lfilter([1.0, -0.9], [1.0], own.normal(size=8 * 8000))
        is_on = np.arange(8 * 8000) // 16000 % 2 == 1
        return np.where(is_on, high, low), [Segment(2, 4), Segment(6, 8)]

    y, segments = recording(1)
    detector = VoiceActivityDetector(is_adaptive=False)
    detector.fit([recording(2)[0], recording(3)[0]], [segments, segments], sr=8000)
    assert detection_error(segments, detector.predict(y, sr=8000)).error_rate < 0.15
    assert detect_voice(y, sr=8000) == []


def test_labels_must_be_as_many_as_recordings():
    with pytest.raises(InputError, match="got 2 recordings and 1 lists of segments"):
        VoiceActivityDetector().fit([np.ones(9), np.ones(9)], [[]], sr=8000)


def test_nothing_can_be_learned_from_nothing():
    with pytest.raises(InputError, match="recordings is empty; give at least one"):
        VoiceActivityDetector().fit([], [], sr=8000)


def test_a_second_of_either_class_is_needed_to_learn(rng):
    y = rng.normal(size=16000)
    with pytest.raises(InputError, match=r"at least 1 s of speech .* got 0\.00 s and 2\.01 s"):
        VoiceActivityDetector().fit([y], [[]], sr=8000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 2}, "threshold must be a probability, 0…1, got 2"),
        ({"threshold": -1}, "threshold must be .* at least 0"),
        ({"min_speech": -1}, "min_speech must be .* at least 0"),
        ({"min_pause": "x"}, "min_pause"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        detect_voice(np.zeros(100), sr=8000, **options)


def test_a_sound_without_samples_is_refused():
    with pytest.raises(InputError, match="y has no samples"):
        detect_voice(np.zeros(0), sr=8000)
    with pytest.raises(InputError, match="y has no samples"):
        detect_voice(iter([]), sr=8000)


def test_clone_has_the_same_options():
    from sklearn.base import clone

    assert clone(VoiceActivityDetector(threshold=0.7)).threshold == 0.7
