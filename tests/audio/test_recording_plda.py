import numpy as np
import pytest

from gmmseg.audio.plda import project
from gmmseg.audio.recording_plda import plda_of_recording
from gmmseg.audio.speech_windows import SpeechWindows


def windows_of(n_windows):
    n_frames = 150 + 50 * (n_windows - 1)
    return SpeechWindows.of(np.ones(n_frames, dtype=bool), length=150, step=50)


def test_speakers_vary_where_neighbours_do_not(rng):
    voices = np.array([-8.0, -3.0, 3.0, 8.0])
    X = rng.normal(size=(400, 3))
    X[:, 1] += voices[np.arange(400) // 40 % 4]
    plda = plda_of_recording(X, windows_of(400))
    along = np.abs(project(X[:1] + np.eye(3), plda) - project(X[:1], plda))
    assert along[:, 0].argmax() == 1
    assert plda.phi[0] > 5.0
    assert plda.phi[1] < 0.4


@pytest.mark.parametrize("n_windows", [1, 2, 5])
def test_few_windows_are_no_trouble(rng, n_windows):
    X = rng.normal(size=(n_windows, 50))
    assert np.isfinite(project(X, plda_of_recording(X, windows_of(n_windows)))).all()


def test_copies_are_no_trouble():
    X = np.ones((30, 5))
    assert np.isfinite(project(X, plda_of_recording(X, windows_of(30)))).all()
