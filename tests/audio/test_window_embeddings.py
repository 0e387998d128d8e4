import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio import window_embeddings
from gmmseg.audio.speech_windows import SpeechWindows
from gmmseg.audio.window_embeddings import supervectors
from gmmseg.core.parameters import MixtureParameters
from tests import naive


@pytest.fixture
def background(rng):
    return MixtureParameters(
        [0.5, 0.3, 0.2],
        rng.normal(size=(3, 4)),
        rng.uniform(0.5, 2.0, size=(3, 4)),
        covariance_type="diag",
    )


def everywhere(n_frames, length=60, step=20):
    return SpeechWindows.of(np.ones(n_frames, dtype=bool), length=length, step=step)


def test_supervectors_agree_with_plain_loops(rng, background):
    X = rng.normal(size=(150, 4)).astype(np.float32)
    windows = everywhere(150)
    expected = naive.supervectors(
        X, list(zip(windows.starts, windows.ends, strict=True)), background, relevance_factor=8.0
    )
    assert_allclose(supervectors(X, windows, background), expected, rtol=1e-5, atol=1e-6)


def test_how_many_windows_are_taken_at_once_does_not_matter(rng, background, monkeypatch):
    X = rng.normal(size=(500, 4)).astype(np.float32)
    whole = supervectors(X, everywhere(500), background)
    monkeypatch.setattr(window_embeddings, "WINDOWS_AT_ONCE", 3)
    assert_allclose(supervectors(X, everywhere(500), background), whole, atol=1e-9)


def test_frames_on_the_only_mean_do_not_move_it():
    one = MixtureParameters([1.0], [[2.0, 3.0]], [[1.0, 1.0]], covariance_type="diag")
    X = np.tile(np.float32([2.0, 3.0]), (60, 1))
    assert_array_equal(supervectors(X, everywhere(60), one), [[0.0, 0.0]])


def test_a_mean_goes_to_the_frames_as_far_as_there_are_any():
    one = MixtureParameters([1.0], [[0.0]], [[4.0]], covariance_type="diag")
    X = np.full((24, 1), 6.0, dtype=np.float32)
    # 24 of 24 + 8 shares of 6, in deviations of 2: 0.75 * 3.
    assert_allclose(supervectors(X, everywhere(24), one), [[2.25]])


def test_no_windows_give_an_empty_table(background):
    nothing = SpeechWindows.of(np.zeros(5, dtype=bool), length=60, step=20)
    X = np.zeros((5, 4), dtype=np.float32)
    assert supervectors(X, nothing, background).shape == (0, 12)
