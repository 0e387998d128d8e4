import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.second_speakers import both_at_once, second_speakers
from gmmseg.core import MixtureParameters

N_BANDS = 20
RUN = 400  # frames of each speaker


def voices(rng):
    """Return the levels of two speakers with six sounds each, a frame at a time."""
    sounds = [rng.uniform(-60.0, -20.0, size=(6, N_BANDS)) for _ in range(2)]
    return [
        sound[rng.integers(6, size=2 * RUN)] + rng.normal(scale=2.0, size=(2 * RUN, N_BANDS))
        for sound in sounds
    ]


def talk(rng, *, n_both=0, softer=0.0):
    """Return the levels of one speaker, and another, softer, who begins before the first ends."""
    one, other = voices(rng)
    other = other - softer
    levels = np.concatenate([one[:RUN], other[:RUN]])
    both = np.arange(RUN - n_both, RUN)
    levels[both] = 10.0 * np.log10(10.0 ** (one[both] / 10.0) + 10.0 ** (other[both] / 10.0))
    return levels.astype(np.float32), np.repeat([1, 2], RUN)


def test_second_speaker_is_found_where_two_speak_at_once(rng):
    levels, labels = talk(rng, n_both=60)
    seconds = second_speakers(levels, labels)
    found = np.flatnonzero(seconds)
    assert_array_equal(seconds[found], 2)
    assert len(found) > 40
    assert ((found >= RUN - 65) & (found < RUN + 5)).mean() > 0.9


def test_nobody_is_added_where_one_speaks_after_the_other(rng):
    levels, labels = talk(rng)
    assert not second_speakers(levels, labels).any()


@pytest.mark.parametrize(("softer", "is_clear"), [(10.0, True), (25.0, False)])
def test_second_speaker_who_is_likely_but_not_clear_is_not_added(rng, softer, is_clear):
    # At 25 dB less the two at once are likelier than one alone, by half a nat to two a frame.
    levels, labels = talk(rng, n_both=80, softer=softer)
    assert second_speakers(levels, labels).any() == is_clear


def test_second_speaker_is_never_the_first_and_only_in_speech(rng):
    levels, labels = talk(rng, n_both=80)
    labels[100:140] = labels[RUN + 30 : RUN + 40] = 0
    seconds = second_speakers(levels, labels)
    assert not (seconds == labels)[seconds > 0].any()
    assert not seconds[labels == 0].any()


def test_gain_of_the_recording_and_numbers_of_speakers_do_not_matter(rng):
    levels, labels = talk(rng, n_both=60)
    seconds = second_speakers(levels, labels)
    other = second_speakers(levels + np.float32(16.0), np.array([0, 7, 3])[labels])
    assert_array_equal(other > 0, seconds > 0)
    assert_array_equal(np.unique(other), [0, 3])


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [1, 0, 2], [1, 2, 2], [1]])
def test_too_little_speech_has_no_second_speaker(rng, labels):
    levels = rng.normal(size=(len(labels), N_BANDS)).astype(np.float32)
    assert_array_equal(second_speakers(levels, np.array(labels)), np.zeros(len(labels)))


def test_silence_of_two_speakers_has_an_answer():
    levels = np.full((200, N_BANDS), -100.0, dtype=np.float32)
    seconds = second_speakers(levels, np.repeat([1, 2], 100))
    assert seconds.shape == (200,)


def test_powers_of_two_voices_add():
    one = MixtureParameters([1.0], [[-20.0, 0.0]], [[8.0, 40.0]], covariance_type="diag")
    same = both_at_once(one, one)
    assert_allclose(same.means, [[-20.0 + 10.0 * np.log10(2.0), 10.0 * np.log10(2.0)]])
    assert_allclose(same.covariances, [[10.0, 20.0]])  # a quarter of each; 10 at least


def test_louder_of_two_voices_is_heard():
    loud = MixtureParameters([0.25, 0.75], [[0.0], [5.0]], [[20.0], [30.0]], covariance_type="diag")
    quiet = MixtureParameters([1.0], [[-90.0]], [[50.0]], covariance_type="diag")
    both = both_at_once(loud, quiet)
    assert_allclose(both.weights, loud.weights)
    assert_allclose(both.means, loud.means, atol=1e-6)
    assert_allclose(both.covariances, loud.covariances, rtol=1e-6)


def test_nobody_is_looked_for_far_from_a_change_of_speakers(rng):
    levels, labels = talk(rng, n_both=60)
    middle = np.arange(100, 180)
    levels[middle] = 10.0 * np.log10(
        10.0 ** (levels[middle] / 10.0) + 10.0 ** (levels[RUN + middle] / 10.0)
    )
    seconds = second_speakers(levels, labels)
    assert seconds[RUN - 100 :].any()
    assert not seconds[: RUN - 100].any()


def test_voice_that_would_not_be_heard_beside_the_other_is_not_added(rng):
    levels, labels = talk(rng)
    levels[RUN:] -= 80.0
    assert not second_speakers(levels, labels).any()
