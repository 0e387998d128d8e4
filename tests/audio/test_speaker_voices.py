"""Enrolled voices: the PLDA and the mixtures have their say, the mixtures more with more speech."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.plda import log_likelihood_ratios, project
from gmmseg.audio.speaker_prior import load_speaker_prior
from gmmseg.audio.speaker_voices import FrameVoices
from gmmseg.audio.speech_frames import speaker_frames, without_mean
from gmmseg.errors import InputError
from tests.voices import SPEAKERS, recordings, spoken


def frames(rng, *, n_each=1, seconds=3.0):
    made = recordings(rng, n_each=n_each, seconds=seconds)
    return {name: [speaker_frames(one, sr=8000) for one in own] for name, own in made.items()}


def voices_of(tables, microphones="any"):
    return FrameVoices.of(tables, load_speaker_prior(), microphones=microphones, random_state=0)


def test_ratio_is_the_calibrated_sum_of_both(rng):
    prior = load_speaker_prior()
    heard = frames(rng, n_each=2)
    tables = {name: [prior.levelled(one) for one in own] for name, own in heard.items()}
    voices = voices_of(heard)
    tested = speaker_frames(spoken(rng, **SPEAKERS["ben"], seconds=1.0), sr=8000)
    table = prior.levelled(tested)
    whole, removed = voices.mixtures
    of_mixtures = 0.5 * (whole.log_ratios(table) + removed.log_ratios(without_mean(tested)))
    enrolled = np.array([prior.embed(np.vstack(own)) for own in tables.values()])
    n_frames = np.array([sum(map(len, own)) for own in tables.values()])
    center = (enrolled.sum(axis=0) + prior.plda.center) / 4.0
    of_plda = log_likelihood_ratios(
        project(enrolled, prior.plda, center=center),
        project(prior.embed(table)[None], prior.plda, center=center),
        prior.plda,
        n_enrolled=3.0,  # more than 3 seconds are worth no more
        n_tested=len(table) / 100.0,
    )[:, 0]
    expected = 0.3 * (of_plda + 0.2 * n_frames / (n_frames + 2000.0) * of_mixtures) + 0.5
    assert_allclose(voices.log_ratios(tested), expected, rtol=1e-9)


def test_the_same_frames_again_and_again_say_no_more_than_three_seconds_of_them(rng):
    voices = voices_of(frames(rng, n_each=2))
    table = speaker_frames(spoken(rng, **SPEAKERS["ben"], seconds=4.0), sr=8000)
    of_mixtures = [
        voices.log_ratios(one) - 0.3 * voices._ratios_of_plda(one) - 0.5
        for one in (table[:150], np.tile(table[:150], (2, 1)), np.tile(table[:150], (20, 1)))
    ]
    assert_allclose(of_mixtures[1], 2.0 * of_mixtures[0], rtol=1e-6)
    assert_allclose(of_mixtures[2], of_mixtures[1], rtol=1e-6)


@pytest.mark.parametrize("microphones", ["same", "any", "different"])
def test_how_loud_a_recording_is_tells_no_voice(rng, microphones):
    def louder(table, decibels):
        moved = table.copy()
        moved[:, 0] += np.sqrt(40.0) * decibels
        return moved

    tables = frames(rng, n_each=2)
    table = speaker_frames(spoken(rng, **SPEAKERS["ben"], seconds=1.0), sr=8000)
    others = {
        name: [louder(one, level) for one, level in zip(own, (-30.0, 12.0), strict=True)]
        for name, own in tables.items()
    }
    plain, moved = voices_of(tables, microphones), voices_of(others, microphones)
    plain, moved = plain.with_speaker(tables["anna"]), moved.with_speaker(others["anna"])
    wanted = plain.log_ratios(table)
    for level in (-40.0, 20.0):
        assert_allclose(moved.log_ratios(louder(table, level)), wanted, atol=1e-3)


def test_only_different_microphones_are_deaf_to_what_all_frames_share(rng):
    tables = frames(rng)
    table = speaker_frames(spoken(rng, **SPEAKERS["ben"], seconds=1.0), sr=8000)
    moved = table + np.where(np.arange(40) < 20, 5.0, 0.0).astype(np.float32)
    for microphones, is_deaf in (("same", False), ("different", True)):
        (mixtures,) = voices_of(tables, microphones).mixtures
        seen = without_mean if is_deaf else np.asarray
        is_close = np.allclose(
            mixtures.log_ratios(seen(table)), mixtures.log_ratios(seen(moved)), rtol=0.01
        )
        assert is_close == is_deaf


def test_arrays_that_do_not_fit_are_refused(rng):
    voices = voices_of(frames(rng))
    arrays = voices.arrays()
    for change, message in [
        ({"n_frames": np.ones(2)}, "mixtures do not fit 2 speakers"),
        ({"embeddings": np.ones((2, 160))}, r"embeddings \(2, 160\) do not fit \(3,\) speakers"),
        ({"n_frames": np.zeros(3)}, "numbers of frames above 0"),
    ]:
        with pytest.raises(InputError, match=message):
            FrameVoices.from_arrays({**arrays, **change}, "any")
