"""Claims about levels: held by their prior, learned from what was certain, free of gain."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio import voice_levels
from gmmseg.audio.voice_levels import GAP, Levels, heard_frames


def two_levels(rng, n, *, speech=-2.0, noise=-8.0):
    """Return levels (2n, 2), the second half of speech, and certain log-odds."""
    levels = np.repeat([noise, speech], n)[:, np.newaxis] + rng.normal(size=(2 * n, 2))
    return levels, np.repeat([-9.0, 9.0], n)


def test_endless_frames_have_their_own_means(rng):
    levels, odds = two_levels(rng, 100_000)
    found = Levels.learned(levels, odds)
    assert_allclose(found.speech_mean, -2.0, atol=0.05)
    assert_allclose(found.noise_mean, -8.0, atol=0.05)
    assert_allclose(found.speech_variance, 1.0, atol=0.05)


def test_one_class_alone_leaves_the_other_a_gap_away(rng):
    levels = rng.normal(size=(1000, 2))
    found = Levels.learned(levels, np.full(1000, -30.0))
    assert_allclose(found.noise_mean, 0.0, atol=0.15)
    assert_allclose(found.speech_mean - found.noise_mean, GAP, atol=1e-6)


def test_gain_moves_the_means_and_no_evidence(rng):
    levels, odds = two_levels(rng, 500)
    plain, louder = Levels.learned(levels, odds), Levels.learned(levels + 7.0, odds)
    assert_allclose(louder.speech_mean, plain.speech_mean + 7.0)
    assert_allclose(louder.log_odds(levels + 7.0), plain.log_odds(levels), atol=1e-9)


def test_louder_is_likelier_speech_up_to_a_limit(rng):
    levels, odds = two_levels(rng, 500)
    found = Levels.learned(levels, odds)
    soft, loud = found.log_odds(np.array([[-8.0, -8.0], [-2.0, -2.0]]))
    assert soft < -0.5
    assert loud > 0.5
    extreme = found.log_odds(np.array([[-500.0, -500.0], [500.0, 500.0]]))
    assert np.abs(extreme).max() <= voice_levels.SHARE * voice_levels.MOST


def test_means_of_no_frames_are_finite():
    found = Levels.learned(np.zeros((1, 2)), np.array([50.0]))
    assert np.isfinite(found.noise_mean).all()
    assert np.isfinite(found.log_odds(np.zeros((1, 2)))).all()


@pytest.mark.parametrize("muted", [-60.0, -14.0])
def test_muted_frames_take_no_part(rng, muted):
    levels, odds = two_levels(rng, 500)
    quiet, alone = np.full((3000, 2), muted), Levels.learned(levels, odds)
    found = Levels.learned(np.vstack([levels, quiet]), np.append(odds, np.full(3000, -5.0)))
    assert_allclose(found.noise_mean, alone.noise_mean, atol=0.1)
    assert_allclose(found.noise_variance, alone.noise_variance, atol=0.1)
    assert_allclose(found.speech_mean, alone.speech_mean, atol=0.1)


def test_behind_a_gate_that_leaves_nothing_of_the_room_silence_is_the_noise():
    levels = np.repeat([[-40.0, -40.0], [-2.0, -2.0]], 500, axis=0)
    odds = np.repeat([-9.0, 9.0], 500)
    assert heard_frames(levels, odds).all()
    assert (Levels.learned(levels, odds).noise_mean < -20.0).all()


def test_frames_beside_muted_ones_are_not_heard():
    levels = np.full((1000, 2), -8.0)
    levels[500:600], levels[600:] = -2.0, -60.0
    odds = np.full(1000, -9.0)
    odds[500:600] = 9.0
    assert_array_equal(np.flatnonzero(heard_frames(levels, odds)), np.arange(585))


def test_a_steady_recording_is_all_heard_at_any_level(rng):
    levels, odds = two_levels(rng, 500)
    assert heard_frames(levels, odds).all()
    assert heard_frames(levels - 25.0, odds).all()


def test_what_is_quieter_than_noise_is_never_more_like_speech():
    wide_speech = Levels(
        speech_mean=np.array([0.0, 0.0]),
        noise_mean=np.array([-4.0, -4.0]),
        speech_variance=np.array([6.0, 2.0]),
        noise_variance=np.array([2.0, 6.0]),
    )
    levels = np.repeat(np.linspace(-60.0, 0.0, 601)[:, np.newaxis], 2, axis=1)
    for column in (0, 1):
        one = levels.copy()
        one[:, 1 - column] = -4.0
        assert (np.diff(wide_speech.log_odds(one)[:560]) >= -1e-9).all()
