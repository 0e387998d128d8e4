"""Claims about pictures of sounds: gray where normal, warm where strange, words beside."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.audio import AudioExplanation
from gmmseg.report import picture_sound


@pytest.fixture
def found(rng):
    """A clip of 100 frames, strange in band 20 at frames 50 to 59."""
    contributions = np.full((100, 32), 0.001)
    contributions[50:60, 20] = 5.0
    return AudioExplanation(
        score=7.5,
        p_value=0.001,
        times=np.arange(100) * 0.032,
        frequencies=np.linspace(50.0, 3900.0, 32),
        levels=rng.normal(-30.0, 5.0, size=(100, 32)),
        contributions=contributions,
    )


def warmth(picture):
    """Return by how much red is above blue."""
    return picture[..., 0].astype(int) - picture[..., 2]


def plot_of(picture):
    """Return the spectrogram alone: 32 bands of 9 pixels under the title, right of the words."""
    return picture[40 : 40 + 288, 64 : 64 + 800]


def test_the_strange_part_is_warm_at_its_time_and_band_and_nothing_else(found):
    warm = warmth(plot_of(picture_sound(found, is_anomalous=True))) > 60
    rows, cols = np.nonzero(warm)
    # Frame 50 of 100 begins in the middle of 800 pixels; band 20 is the 12th from the top.
    assert 390 <= cols.min() <= cols.max() <= 490
    assert 11 * 9 <= rows.min() <= rows.max() < 12 * 9


def test_a_normal_sound_has_no_colour_at_all(found):
    assert warmth(plot_of(picture_sound(found, is_anomalous=False))).max() <= 8


def test_the_strange_part_holds_half_of_all(found):
    assert_array_equal(np.argwhere(found.is_strange)[:, 1], 20)
    assert found.contributions[found.is_strange].sum() >= 0.5 * found.contributions.sum()


@pytest.mark.parametrize("n_frames", [1, 2, 5000])
def test_clips_of_any_length_and_silence_have_a_picture(n_frames):
    levels = np.full((n_frames, 32), -100.0)
    times, frequencies = np.arange(n_frames) * 0.032, np.linspace(50.0, 3900.0, 32)
    silence = AudioExplanation(1.0, 0.5, times, frequencies, levels, np.zeros_like(levels))
    picture = picture_sound(silence, is_anomalous=True, title="a" * 300, width=300)
    assert picture.shape[1] == 300 + 64 + 16
    assert picture.dtype == np.uint8
