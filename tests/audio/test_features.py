"""Claims about features of frames: librosa's values, gain, rates, short and odd sounds."""

import subprocess
import sys

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio import frame_features
from gmmseg.audio.framing import Framing
from gmmseg.audio.harmonicity import PitchGrid
from gmmseg.audio.mel import mel_filters
from gmmseg.audio.recipe import VOICE_CUES
from gmmseg.errors import InputError

ENERGY, SNR, HARMONICITY, PITCH, FLATNESS, FLUX = range(40, 46)


def voice(y, sr):
    return frame_features(y, sr=sr, kind="voice")


def tone(hertz, sr, *, seconds=1.0):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sr)) / sr)


# ----------------------------------------------------------------------------- as librosa has it


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 96000])
@pytest.mark.parametrize("n_mels", [20, 40])
def test_mel_filters_are_those_of_librosa(sr, n_mels):
    n_fft = Framing.of(sr=sr).n_fft
    wanted = librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels)
    assert_allclose(mel_filters(sr, n_fft, n_mels), wanted, atol=1e-8)


@pytest.mark.parametrize(("sr", "n_samples"), [(8000, 4000), (16000, 8123), (44100, 20000)])
def test_log_mel_and_mfcc_are_those_of_librosa(rng, sr, n_samples):
    y = (0.1 * rng.normal(size=n_samples)).astype(np.float32)
    framing = Framing.of(sr=sr)
    power = librosa.feature.melspectrogram(
        y=y,
        sr=sr,
        n_fft=framing.n_fft,
        win_length=framing.win_length,
        hop_length=framing.hop_length,
        n_mels=40,
    )
    log_mel = librosa.power_to_db(power, top_db=None)
    assert_allclose(frame_features(y, sr=sr, kind="log-mel"), log_mel.T, atol=1e-4)
    cepstra = librosa.feature.mfcc(S=log_mel, n_mfcc=13)
    assert_allclose(frame_features(y, sr=sr, n_mfcc=13), cepstra.T, atol=1e-4)


def test_given_frames_are_those_of_librosa(rng):
    y = (0.1 * rng.normal(size=5000)).astype(np.float32)
    lengths = {"n_fft": 600, "hop_length": 250}
    power = librosa.feature.melspectrogram(y=y, sr=16000, n_mels=30, **lengths)
    wanted = librosa.power_to_db(power, top_db=None).T
    got = frame_features(y, sr=16000, kind="log-mel", n_mels=30, **lengths)
    assert_allclose(got, wanted, atol=1e-4)


def test_energy_flatness_and_flux_are_those_of_librosa(rng):
    y = (0.1 * rng.normal(size=5000)).astype(np.float32)
    lengths = {"n_fft": 512, "hop_length": 160}
    got = frame_features(y, sr=16000, kind="voice", **lengths)
    rms = librosa.feature.rms(y=y, frame_length=512, hop_length=160)[0]
    assert_allclose(got[:, ENERGY], 20 * np.log10(rms), atol=1e-4)
    flatness = librosa.feature.spectral_flatness(y=y, **lengths)[0]
    assert_allclose(got[:, FLATNESS], flatness, atol=1e-4)
    onset = librosa.onset.onset_strength(S=got[:, :40].T, sr=16000, center=False)
    assert_allclose(got[:, FLUX], onset, atol=1e-4)


# ------------------------------------------------------------------------------------- the cues


def test_the_columns_of_voice_are_the_bands_and_the_cues(rng):
    y = rng.normal(size=1600)
    features = voice(y, 16000)
    assert features.shape == (11, 40 + len(VOICE_CUES))
    assert_array_equal(features[:, :40], frame_features(y, sr=16000, kind="log-mel"))


@pytest.mark.parametrize("sr", [8000, 11025, 16000, 44100, 96000])
@pytest.mark.parametrize("hertz", [75, 110, 150, 220, 390])
def test_a_pure_tone_is_harmonic_at_its_pitch(sr, hertz):
    middle = voice(tone(hertz, sr), sr)[10:-10]
    assert ((middle[:, HARMONICITY] > 0.99) & (middle[:, HARMONICITY] <= 1)).all()
    assert_allclose(middle[:, PITCH], hertz, rtol=0.02)
    assert (middle[:, FLATNESS] < 0.05).all()


def test_harmonic_frames_lie_around_the_tone(rng):
    y = 1e-3 * rng.normal(size=16000)
    y[6400:9600] += tone(200, 16000, seconds=0.2)
    harmonic = np.flatnonzero(voice(y, 16000)[:, HARMONICITY] > 0.8)
    assert abs(harmonic.mean() - 50) <= 0.5
    assert 19 <= len(harmonic) <= 24


def test_a_row_of_clicks_has_the_pitch_of_its_rate():
    y = np.zeros(16000)
    y[::100] = 1.0
    middle = voice(y, 16000)[10:-10]
    assert_allclose(middle[:, PITCH], 160, rtol=0.02)
    assert (middle[:, HARMONICITY] > 0.99).all()


def test_white_noise_is_little_harmonic_and_as_flat_as_exponential_power(rng):
    features = voice(rng.normal(size=160000), 16000)
    assert features[:, HARMONICITY].mean() < 0.4
    # exp(-gamma): the geometric over the arithmetic mean of exponential variables.
    assert abs(features[:, FLATNESS].mean() - 0.5615) < 0.005


def test_rumble_below_the_voice_does_not_hide_it():
    sr = 16000
    middle = voice(tone(150, sr) + 2 * tone(31, sr), sr)[10:-10]
    assert (middle[:, HARMONICITY] > 0.7).all()
    assert_allclose(middle[:, PITCH], 150, rtol=0.05)


def test_the_pitch_grid_covers_70_to_400_hertz_at_any_rate():
    for sr in (1000, 2000, 8000, 11025, 44100, 192000):
        grid = PitchGrid(Framing.of(sr=sr))
        longest = grid.shortest + len(grid.costs) - 1
        assert 1 <= grid.shortest <= grid.rate / 400 - 1
        assert longest >= grid.rate / 70 + 1
        assert longest < grid.length


# ----------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("gain", [0.01, 0.5, 1e3, 1e9])
def test_gain_changes_the_level_and_nothing_else(rng, gain):
    sr = 16000
    y = tone(150, sr) + 0.05 * rng.normal(size=sr)
    before, after = voice(y, sr), voice(gain * y, sr)
    decibels = 20 * np.log10(gain)
    assert_allclose(after[:, :41], before[:, :41] + decibels, atol=2e-3)
    assert_allclose(after[:, SNR:], before[:, SNR:], atol=2e-2)
    cepstra = [frame_features(factor * y, sr=sr)[:, 1:] for factor in (1, gain)]
    assert_allclose(*cepstra, atol=2e-2)


def test_a_sound_later_by_whole_hops_has_its_frames_later(rng):
    y = rng.normal(size=8000)
    later = voice(np.pad(y, (480, 0)), 16000)[3:]
    here = voice(y, 16000)
    columns = [*range(41), HARMONICITY, PITCH, FLATNESS]
    assert_allclose(later[3:, columns], here[3:, columns], atol=2e-3)


def test_an_integer_copy_has_the_features_of_the_floating_one(rng):
    y = rng.integers(-20000, 20000, size=3000).astype(np.int16)
    assert_array_equal(voice(y, 8000), voice(y / 32768, 8000))


def test_channels_are_described_by_their_mean(rng):
    channels = rng.normal(size=(5, 3000)).astype(np.float32)
    assert_array_equal(voice(channels, 8000), voice(channels.mean(axis=0), 8000))


KINDS = [
    {"kind": "log-mel"},
    {"kind": "mfcc", "deltas": 2, "cmvn": "file"},
    {"kind": "mfcc", "deltas": 1, "cmvn": "sliding"},
    {"kind": "voice", "deltas": 1},
]


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("sr", [4000, 8000, 44100, 96000])
def test_ten_milliseconds_and_one_sample_have_finite_features(rng, options, sr):
    for n_samples in (1, sr // 100 - 1, sr // 100):
        features = frame_features(rng.normal(size=n_samples), sr=sr, **options)
        assert len(features) == 1 + n_samples // round(sr / 100)
        assert np.isfinite(features).all()


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("level", [0.0, 1e-30, 1e-12, 0.5, 1e12])
def test_silence_and_constants_and_extreme_scales_have_finite_features(rng, options, level):
    for y in (np.full(4000, level), level * rng.normal(size=4000)):
        assert np.isfinite(frame_features(y, sr=8000, **options)).all()


def test_clipped_sound_stays_harmonic():
    y = np.clip(20 * tone(150, 16000), -1, 1)
    middle = voice(y, 16000)[10:-10]
    assert (middle[:, HARMONICITY] > 0.95).all()
    assert_allclose(middle[:, PITCH], 150, rtol=0.02)


def test_cmvn_over_the_file_gives_every_column_mean_0_and_spread_1(rng):
    features = frame_features(rng.normal(size=16000), sr=16000, deltas=1, cmvn="file")
    assert_allclose(features.mean(axis=0), 0, atol=1e-4)
    assert_allclose(features.std(axis=0), 1, atol=1e-4)


def test_features_need_no_second_for_loading_librosa():
    code = (
        "import sys; from gmmseg.audio import frame_features, read_audio; "
        "y, sr = read_audio('data/conversation.flac', sr=8000); "
        "frame_features(y, sr=sr, kind='voice', deltas=1); print('librosa' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ----------------------------------------------------------------------------------- refusing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "plp"}, r"^kind must be one of 'mfcc', 'log-mel', 'voice', got 'plp'$"),
        ({"cmvn": "all"}, r"^cmvn must be None, 'file' or 'sliding', got 'all'$"),
        ({"deltas": 3}, r"^deltas must be 0, 1 or 2, got 3$"),
        ({"deltas": -1}, r"^deltas must be a whole number of at least 0, got -1$"),
        ({"deltas": True}, r"^deltas must be a whole number of at least 0, got True$"),
        ({"n_mels": 0}, r"^n_mels must be a whole number of at least 1, got 0$"),
        ({"n_mfcc": 0}, r"^n_mfcc must be a whole number of at least 1, got 0$"),
        ({"n_mfcc": "3"}, r"^n_mfcc must be a whole number of at least 1, got '3'$"),
        ({"n_mfcc": 41}, r"^n_mfcc must be at most n_mels = 40, got 41$"),
        ({"hop_length": 0}, r"^hop_length must be a whole number of at least 1, got 0$"),
        ({"n_fft": 1.5}, r"^n_fft must be a whole number of at least 2, got 1\.5$"),
        (
            {"n_mels": 200},
            r"^n_mels=200 bands are too narrow for frames of n_fft=256 samples at 8000 Hz; take",
        ),
    ],
)
def test_an_option_that_is_none_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        frame_features(np.zeros(800), sr=8000, **options)


def test_nan_is_refused():
    with pytest.raises(InputError, match=r"^y holds NaN, first at sample 2 "):
        frame_features([0.0, 0.0, np.nan], sr=8000)


def test_hop_and_transform_may_be_narrow_numpy_integers(rng):
    y = rng.normal(size=80_000).astype(np.float32)
    plain = frame_features(y, sr=8000, hop_length=200, n_fft=400)
    narrow = frame_features(y, sr=8000, hop_length=np.uint8(200), n_fft=np.int16(400))
    assert_array_equal(narrow, plain)
