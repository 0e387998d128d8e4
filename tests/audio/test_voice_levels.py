"""Claims about levels: held by their prior, learned from what was certain, free of gain."""

import numpy as np
from numpy.testing import assert_allclose

from gmmseg.audio import voice_levels
from gmmseg.audio.voice_levels import GAP, Levels


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
