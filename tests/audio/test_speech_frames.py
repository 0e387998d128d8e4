"""Frames of speakers: cepstra of what is loud, alike at every rate, or one clear line."""

import tracemalloc

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.features import frame_features
from gmmseg.audio.io import read_audio
from gmmseg.audio.mel import mfcc
from gmmseg.audio.neighbours import with_deltas
from gmmseg.audio.speech_frames import (
    checked_frames,
    frame_levels,
    frames_above_noise,
    loud_frames,
    loudness,
    speaker_frames,
    speaker_frames_of_file,
    without_mean,
)
from gmmseg.errors import InputError
from tests.voices import SPEAKERS, spoken


def test_frames_are_mfcc_and_slopes_of_bands_masked_40_db_below_their_mean(rng):
    y = 0.1 * rng.normal(size=8000).astype(np.float32)
    y -= y.mean()
    log_mel = frame_features(y / np.abs(y).max(), sr=8000, kind="log-mel", n_mels=40)
    power = 10.0 ** (0.1 * log_mel.astype(np.float64))
    masked = 10.0 * np.log10(power + 1e-4 * power.mean(axis=0))
    expected = with_deltas(mfcc(masked.astype(np.float32), n_mfcc=20), order=1)
    assert_allclose(speaker_frames(y, sr=8000), expected, atol=1e-3)


def test_pauses_are_left_out(rng):
    y = 0.1 * rng.normal(size=11000)
    y[3000:8000] *= 1e-4
    n_frames = len(speaker_frames(y, sr=8000))
    assert 73 <= n_frames <= 81


def test_loudness_does_not_decide_what_speech_is(rng):
    levels = 20.0 * rng.normal(size=300)
    is_loud = loud_frames(levels)
    assert 0 < is_loud.sum() < 300
    assert_array_equal(is_loud, loud_frames(levels - 30.0))


def test_pauses_as_loud_as_the_noise_are_left_out_and_those_below_are_no_loss():
    noise, voice = np.full(100, 50.0), np.full(100, 70.0)
    is_above = frames_above_noise(np.concatenate([noise, voice]))
    assert_array_equal(np.flatnonzero(is_above), np.arange(100, 200))
    quiet = np.concatenate([noise - 25.0, voice, voice - 30.0])
    assert_array_equal(frames_above_noise(quiet), loud_frames(quiet))


def test_half_of_what_is_loud_is_kept_however_little_it_varies(rng):
    is_above = frames_above_noise(rng.normal(size=201))
    assert is_above.sum() == 101


def test_silence_around_does_not_pass_for_the_noise():
    levels = np.concatenate([np.full(100, 50.0), np.full(100, 70.0)])
    padded = np.concatenate([np.full(1000, -140.0), levels])
    assert_array_equal(frames_above_noise(padded)[1000:], frames_above_noise(levels))


def test_silence_around_a_voice_is_not_loud(rng):
    levels = np.append(np.full(10_000, -140.0), 5.0 * rng.normal(size=300))
    assert_array_equal(np.flatnonzero(loud_frames(levels)), np.arange(10_000, 10_300))


@pytest.mark.parametrize("gain", [1e-3, 0.1, 30.0])
def test_frames_are_the_same_at_any_gain(gain):
    y, sr = read_audio("data/conversation.flac", sr=8000)
    frames = speaker_frames(y, sr=sr)
    assert_allclose(speaker_frames(np.float32(gain) * y, sr=sr), frames, atol=1e-2)


def test_loudness_is_the_level_of_the_mean_power():
    frames = np.zeros((3, 40), dtype=np.float32)
    assert loudness(frames) == pytest.approx(0.0, abs=1e-9)
    frames[0, 0] = np.sqrt(40.0) * 10.0 * np.log10(4.0)  # all bands at four times the power
    assert loudness(frames) == pytest.approx(np.sqrt(40.0) * 10.0 * np.log10(2.0))


def test_the_level_is_the_power_of_all_bands():
    log_mel = np.float32([[10.0, 10.0], [0.0, -200.0]])
    assert_allclose(frame_levels(log_mel), [10.0 + 10.0 * np.log10(2.0), 0.0], atol=1e-5)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return files of 2 min and of 8 min: conversations about an offset, with a pause in them."""
    y, sr = read_audio("data/conversation.flac")
    y[5 * sr : 7 * sr] *= 1e-4
    folder = tmp_path_factory.mktemp("long")
    paths = []
    for n_times in (5, 20):
        paths.append(folder / f"{n_times}.wav")
        soundfile.write(paths[-1], np.tile(y, n_times) + 0.1, sr, subtype="FLOAT")
    return paths


def test_a_file_read_in_blocks_gives_the_frames_of_the_whole(files):
    y, sr = read_audio(files[0], sr=8000)
    whole = speaker_frames(y, sr=sr)
    assert len(whole) < 0.95 * len(y) / 80
    assert_allclose(speaker_frames_of_file(files[0]), whole, atol=1e-3)


def test_a_long_file_takes_little_more_memory_than_its_frames(files):
    peaks, sizes = [], []
    for path in files:
        tracemalloc.start()
        frames = speaker_frames_of_file(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(frames.nbytes)
    # Sound alone takes twice as much as frames.
    assert peaks[1] - peaks[0] < 1.5 * (sizes[1] - sizes[0])


def test_frames_of_one_s_own_are_checked(rng):
    frames = rng.normal(size=(20, 40)).astype(np.float32)
    assert checked_frames(frames) is frames
    assert_array_equal(checked_frames(frames.tolist()), frames)
    for table, message in {
        (20,): "frames must have 40 columns, got an array of shape",
        (20, 12): "frames must have 40 columns, got 12",
        (9, 40): "a recording must have at least 10 frames, got 9",
    }.items():
        with pytest.raises(InputError, match=message):
            checked_frames(np.zeros(table))
    with pytest.raises(InputError, match="frames must be a table of numbers"):
        checked_frames([["a"]])
    frames[7, 3] = np.nan
    with pytest.raises(InputError, match="got NaN or infinity first in row 7"):
        checked_frames(frames)


def test_a_higher_rate_gives_about_the_same_frames(rng):
    speech = spoken(rng, **SPEAKERS["ben"], seconds=2.0, sr=8000)
    spectrum = np.fft.rfft(speech)
    twice = 2.0 * np.fft.irfft(np.pad(spectrum, (0, len(spectrum) - 1)), 2 * len(speech))
    frames, others = speaker_frames(speech, sr=8000), speaker_frames(twice, sr=16000)
    assert abs(len(frames) - len(others)) <= 1
    assert np.median(np.abs(frames.mean(axis=0) - others.mean(axis=0))) < 1.0


def test_an_offset_changes_nothing(rng):
    speech = spoken(rng, **SPEAKERS["ben"], seconds=2.0)
    assert_allclose(
        speaker_frames(speech + 0.5, sr=8000), speaker_frames(speech, sr=8000), atol=0.1
    )


def test_channels_are_averaged(rng):
    y = 0.1 * rng.normal(size=(2, 4000))
    assert_allclose(speaker_frames(y, sr=8000), speaker_frames(y.mean(axis=0), sr=8000), atol=1e-3)


def test_mean_of_cepstra_goes_and_slopes_stay(rng):
    frames = rng.normal(3.0, 1.0, size=(50, 40)).astype(np.float32)
    centred = without_mean(frames)
    assert_allclose(centred[:, :20].mean(axis=0), 0.0, atol=1e-6)
    assert_array_equal(centred[:, 20:], frames[:, 20:])
    assert centred.dtype == np.float32


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(8000), "the recording is silent: no sample is above 0.0001 of full scale; is"),
        (np.ones(8000), "the recording is silent"),
        (np.sin(np.arange(80)), "has 2 frames of speech, 0.02 s; at least 0.1 s are needed"),
        (np.zeros(0), "y has no samples"),
        (np.full(8000, np.nan), "NaN"),
    ],
)
def test_what_is_no_speech_is_refused(y, message):
    with pytest.raises(InputError, match=message):
        speaker_frames(y, sr=8000)


@pytest.mark.parametrize("sr", [8000, 44100])
def test_tones_noise_and_clicks_have_nobody_in_them_and_speech_over_noise_has(rng, sr):
    t = np.arange(4 * sr) / sr
    clicks = np.zeros(len(t))
    clicks[:: sr // 4] = 0.9
    noise = 0.1 * rng.normal(size=len(t))
    for y in (0.5 * np.sin(2 * np.pi * 220 * t), noise, clicks):
        with pytest.raises(InputError, match="nobody is heard in the recording: no half second"):
            speaker_frames(y, sr=sr)
    speech = spoken(rng, **SPEAKERS["ben"], seconds=4.0, sr=sr)
    assert len(speaker_frames(speech + 0.3 * noise[: len(speech)], sr=sr)) > 100


def test_what_is_too_short_to_judge_is_described(rng):
    assert len(speaker_frames(0.1 * rng.normal(size=11999), sr=8000)) == 150


def test_short_clicks_and_clipped_speech_are_described(rng):
    clicks = np.zeros(8000)
    clicks[::800] = 1.0
    clipped = np.clip(20.0 * spoken(rng, **SPEAKERS["anna"], seconds=1.0), -1.0, 1.0)
    for y in (clicks, clipped, np.sin(np.arange(8000.0))):
        assert np.isfinite(speaker_frames(y, sr=8000)).all()
