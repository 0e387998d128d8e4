"""Claims about sound files: what is read, what is refused, and that blocks are one stream."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio import AudioInfo, audio_blocks, audio_info, read_audio
from gmmseg.errors import InputError


def tone(seconds=0.5, sr=16000, hertz=440.0):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * sr)) / sr)


@pytest.fixture
def wav(tmp_path):
    """Return a function that writes samples (n_samples[, n_channels]) and returns the path."""

    def write(samples, sr=16000, *, name="sound.wav", subtype=None):
        path = tmp_path / name
        soundfile.write(path, samples, sr, subtype=subtype)
        return path

    return write


def test_importing_the_module_loads_no_decoder():
    code = (
        "import sys, gmmseg.audio.io; "
        "print([name for name in ('soundfile', 'soxr', 'librosa', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "au", "ogg", "mp3"])
def test_every_common_format_is_read(wav, suffix):
    y, sr = read_audio(wav(tone(), name=f"a.{suffix}"))
    assert (y.shape, y.dtype, sr) == ((8000,), np.float32, 16000)
    # The lossy ones change a little.
    assert_allclose(y[1000:-1000], tone()[1000:-1000], atol=0.02)


def test_the_header_tells_seconds_rate_and_channels(wav):
    path = wav(np.zeros((4410, 3)), 44100)
    assert audio_info(path) == AudioInfo(seconds=0.1, sr=44100, n_channels=3)


def test_channels_become_their_mean_or_stay_apart_with_the_channels_first(wav):
    channels = np.array([[0.5, -0.25], [0.25, 0.25], [0.0, 0.5], [0.75, 0.0], [0.0, 0.0]])
    path = wav(channels.T, subtype="FLOAT")
    assert_allclose(read_audio(path)[0], channels.mean(axis=0), atol=1e-7)
    assert_array_equal(read_audio(path, mono=False)[0], channels.astype(np.float32))


@pytest.mark.parametrize("sr", [8000, 11025, 44100])
def test_a_resampled_tone_is_the_tone_at_the_new_rate(wav, sr):
    y, rate = read_audio(wav(tone(1.0)), sr=sr)
    assert (len(y), rate) == (sr, sr)
    assert_allclose(y[200:-200], tone(1.0, sr)[200:-200], atol=1e-3)


def test_a_tone_above_the_new_rate_vanishes_and_does_not_fold_back(wav):
    y, _ = read_audio(wav(tone(1.0, hertz=5000)), sr=8000)
    assert np.abs(y[200:-200]).max() < 1e-3


@pytest.mark.parametrize("n_samples", [1, 5, 160])
def test_the_shortest_sound_is_read_at_any_rate(wav, n_samples):
    path = wav(np.full(n_samples, 0.5))
    for sr in (None, 2000, 8000, 48000):
        y, _ = read_audio(path, sr=sr)
        assert len(y) >= 1
        assert np.isfinite(y).all()


# ------------------------------------------------------------------------------------- blocks


@pytest.mark.parametrize("seconds", [1e-9, 0.01, 0.3, 5.0])
@pytest.mark.parametrize("sr", [None, 8000, 44100])
def test_blocks_one_after_another_are_the_whole_sound(wav, rng, sr, seconds):
    n_samples = 20 if seconds < 0.001 else 20000
    path = wav(0.1 * rng.normal(size=(n_samples, 2)))
    blocks = list(audio_blocks(path, sr=sr, seconds=seconds))
    assert_array_equal(np.concatenate(blocks), read_audio(path, sr=sr)[0])
    assert all(len(block) > 0 for block in blocks)


def test_blocks_hold_as_many_seconds_as_asked_for(wav):
    lengths = [len(block) for block in audio_blocks(wav(tone(1.0)), seconds=0.3)]
    assert lengths == [4800, 4800, 4800, 1600]


def test_memory_of_blocks_does_not_grow_with_the_file(wav):
    def peak(path):
        tracemalloc.start()
        for _ in audio_blocks(path, sr=8000, seconds=1.0):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    short, long = wav(np.zeros(16000 * 4), name="4.wav"), wav(np.zeros(16000 * 40), name="40.wav")
    peak(short)
    assert peak(long) < 1.2 * peak(short)


@pytest.mark.parametrize("seconds", [0, -1.0, np.nan, np.inf])
def test_blocks_of_no_length_are_refused(wav, seconds):
    with pytest.raises(InputError, match=rf"^seconds must be a number above 0, got {seconds}$"):
        audio_blocks(wav(tone()), seconds=seconds)


# ----------------------------------------------------------------------------------- refusing


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"none\.wav does not exist; check the name and the folder$"
    ):
        read_audio(tmp_path / "none.wav")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r" is a folder; give one sound file$"):
        audio_info(tmp_path)


def test_a_file_without_permission_is_named(wav, monkeypatch):
    path = wav(tone())

    # The superuser may read everything, so the refusal is simulated.
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(
        InputError, match=r"sound\.wav cannot be opened: Permission denied; check its permissions$"
    ):
        read_audio(path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(
        InputError, match=r"empty\.wav is empty \(0 bytes\); copy or save it again$"
    ):
        read_audio(tmp_path / "empty.wav")


def test_a_file_without_a_sample_is_refused(wav):
    with pytest.raises(
        InputError, match=r"sound\.wav holds no sound \(0 samples\); record or save it again$"
    ):
        read_audio(wav(np.zeros(0)))


def test_what_is_no_sound_is_refused(tmp_path):
    (tmp_path / "notes.wav").write_text("Good morning!")
    with pytest.raises(
        InputError,
        match=r"notes\.wav cannot be decoded \(Format not recognised\); it may be no sound file, "
        r"damaged or cut short: give a WAV, FLAC, OGG, MP3 or AIFF file, or copy it again$",
    ):
        read_audio(tmp_path / "notes.wav")


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au"])
def test_a_file_that_ends_before_its_header_says_is_refused(wav, suffix):
    path = wav(tone(), name=f"a.{suffix}")
    path.write_bytes(path.read_bytes()[:8000])
    for read in (read_audio, audio_info):
        with pytest.raises(
            InputError,
            match=rf"a\.{suffix} is cut short: it holds 50% of what its header promises; copy or",
        ):
            read(path)


def test_a_flac_that_ends_early_is_refused(wav, rng):
    path = wav(0.1 * rng.normal(size=16000), name="a.flac")
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(InputError, match=r"a\.flac cannot be decoded \(.+\); it may be no sound"):
        read_audio(path)


def test_an_mp3_that_ends_early_is_refused(wav, capfd):
    path = wav(tone(2.0), name="a.mp3")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(
        InputError, match=r"a\.mp3 is cut short: it holds \d+% of what its header promises; copy"
    ):
        read_audio(path)
    capfd.readouterr()  # the decoder has its say, too


def test_a_wav_written_into_a_pipe_promises_endless_sound_and_is_read(wav):
    path = wav(tone())
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[4:8] = content[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    assert len(read_audio(path)[0]) == 8000


def test_nan_in_a_file_is_refused_with_its_place(wav):
    samples = np.zeros((40000, 2), dtype=np.float32)
    samples[32000, 1] = np.nan
    path = wav(samples, subtype="FLOAT")
    message = r"sound\.wav holds NaN, first at sample 32000 \(2\.000 s\); repair or replace those"
    with pytest.raises(InputError, match=message):
        read_audio(path)
    with pytest.raises(InputError, match=message):
        list(audio_blocks(path, sr=8000, seconds=0.5))


def test_a_rate_that_is_none_is_refused(wav):
    with pytest.raises(InputError, match=r"^sr must be at least 1000 Hz, got 8$"):
        read_audio(wav(tone()), sr=8)
