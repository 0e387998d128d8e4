"""Claims about signals in files: sound, or numbers whose rate is told by them or by the user."""

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose

from gmmseg.audio import read_signal
from gmmseg.audio.signal_files import signal_length
from gmmseg.errors import InputError

WAVE = np.sin(np.arange(200) / 3.0)


@pytest.fixture
def files(tmp_path):
    """The same samples in every kind of file."""
    np.save(tmp_path / "y.npy", WAVE)
    np.savez(tmp_path / "y.npz", y=WAVE, sr=50)
    (tmp_path / "plain.csv").write_text("\n".join(map(str, WAVE)) + "\n")
    rows = [f"{k / 50},{value}" for k, value in enumerate(WAVE)]
    (tmp_path / "timed.csv").write_text("\n".join(["# a sensor", "Time,g", *rows]) + "\n")
    soundfile.write(tmp_path / "y.wav", WAVE, 50, subtype="FLOAT")
    return tmp_path


@pytest.mark.parametrize("name", ["y.npy", "y.npz", "plain.csv", "timed.csv", "y.wav"])
def test_the_same_samples_come_from_every_kind_of_file(files, name):
    y, sr = read_signal(files / name, sr=50)
    assert_allclose(y, WAVE, atol=1e-6)
    assert_allclose(sr, 50)
    seconds, rate = signal_length(files / name, sr=50)
    assert_allclose([seconds, rate], [4.0, 50])


@pytest.mark.parametrize("name", ["y.npz", "timed.csv", "y.wav"])
def test_a_file_that_tells_its_rate_is_believed(files, name):
    assert_allclose(read_signal(files / name, sr=999)[1], 50)


@pytest.mark.parametrize("name", ["y.npy", "plain.csv"])
def test_numbers_without_a_rate_ask_for_one(files, name):
    with pytest.raises(InputError, match=f"{name} does not tell its sampling rate; give it in Hz"):
        read_signal(files / name)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"1\n2\nx\n", "cannot be read as numbers: could not convert string"),
        ("a.csv", b"name\n", "it has no samples"),
        ("a.csv", b"1,2\n3\n", "cannot be read as numbers"),
        ("a.csv", b"time,g\n0,1\n1,2\n9,3\n", "its times must grow evenly"),
        ("a.csv", b"", "a.csv must hold from 1 to"),
        ("a.npy", b"nonsense", "cannot be read as numbers"),
        ("a.npz", b"nonsense", "cannot be read as numbers: File is not a zip file"),
    ],
)
def test_a_file_that_is_no_signal_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_signal(tmp_path / name, sr=50)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(InputError, match=r"none.npy does not exist; check the name and the folder"):
        read_signal(tmp_path / "none.npy", sr=50)


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "bad.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"cannot be read as numbers: .*allow_pickle=False"):
        read_signal(tmp_path / "bad.npy", sr=50)


def test_which_of_several_arrays_is_meant_is_asked(tmp_path):
    np.savez(tmp_path / "two.npz", a=WAVE, b=WAVE)
    with pytest.raises(InputError, match=r"one array of samples, or name it y, got \['a', 'b'\]"):
        read_signal(tmp_path / "two.npz", sr=50)
    np.savez(tmp_path / "named.npz", y=WAVE, b=WAVE[:3])
    assert_allclose(read_signal(tmp_path / "named.npz", sr=50)[0], WAVE)
    np.savez(tmp_path / "rates.npz", y=WAVE, sr=[1, 2])
    with pytest.raises(InputError, match="its sampling rate must be one number"):
        read_signal(tmp_path / "rates.npz")
