"""What is known of voices in general: learned from some, it tells others apart."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.plda import log_likelihood_ratios, project
from gmmseg.audio.speaker_prior import (
    SHIPPED,
    SpeakerPrior,
    fit_speaker_prior,
    load_speaker_prior,
    windows_of,
)
from gmmseg.audio.speech_frames import loudness, speaker_frames
from gmmseg.core.serialization import write_model
from gmmseg.errors import InputError, ModelFileError
from tests.voices import SPEAKERS, spoken


def tables(rng, *, n_speakers=12, seconds=4.0):
    """Return frames of made speakers, each with a throat of their own."""
    return {
        f"speaker {k}": [
            speaker_frames(
                spoken(rng, pitch=100.0 + 10.0 * k, tract=0.8 + 0.04 * k, seconds=seconds), sr=8000
            )
        ]
        for k in range(n_speakers)
    }


@pytest.mark.parametrize("embedding", ["supervector", "i-vector"])
def test_voices_that_were_not_learned_from_are_told_apart(rng, embedding):
    prior = fit_speaker_prior(tables(rng), n_components=2, n_dims=20, embedding=embedding)
    vectors = []
    for _ in range(2):
        own = [speaker_frames(spoken(rng, **SPEAKERS[k], seconds=1.5), sr=8000) for k in SPEAKERS]
        vectors.append(project([prior.embed(frames) for frames in own], prior.plda))
    ratios = log_likelihood_ratios(*vectors, prior.plda)
    assert_array_equal(ratios.argmax(axis=1), [0, 1, 2])


@pytest.mark.parametrize("embedding", ["supervector", "i-vector"])
def test_file_gives_the_same_prior_back(rng, tmp_path, embedding):
    recordings = tables(rng, n_speakers=3)
    prior = fit_speaker_prior(recordings, n_components=2, n_dims=5, embedding=embedding)
    prior.save(tmp_path / "own.gmm")
    again = load_speaker_prior(tmp_path / "own.gmm")
    frames = recordings["speaker 0"][0]
    assert_array_equal(again.embed(frames), prior.embed(frames))
    assert_array_equal(again.plda.phi, prior.plda.phi)


def test_same_seed_gives_the_same_prior(rng):
    recordings = tables(rng, n_speakers=3)
    one, other = (fit_speaker_prior(recordings, n_dims=5) for _ in range(2))
    assert_array_equal(one.plda.transform, other.plda.transform)


def test_embedding_of_a_recording_ignores_the_order_of_frames(rng):
    prior, frames = load_speaker_prior(), rng.normal(size=(50, 40))
    assert_allclose(prior.embed(frames), prior.embed(frames[::-1]), rtol=1e-9)


def test_windows_have_every_length_and_lie_half_over_the_last():
    lengths = [len(window) for window in windows_of(np.zeros((250, 1)))]
    assert {length: lengths.count(length) for length in (60, 100, 150, 250)} == {
        60: 7, 100: 4, 150: 2, 250: 1,
    }  # fmt: skip


def test_a_short_recording_is_its_only_window_at_each_length():
    assert [len(window) for window in windows_of(np.zeros((30, 1)))] == [30] * 4


def test_shipped_prior_is_small():
    assert SHIPPED.stat().st_size < 200_000


def test_parts_that_do_not_fit_are_refused(rng):
    prior = load_speaker_prior()
    other = fit_speaker_prior(tables(rng, n_speakers=2), n_components=1, n_dims=3)
    with pytest.raises(InputError, match="needs a diagonal mixture and a PLDA of 160 features"):
        SpeakerPrior(prior.background, other.plda)


def test_what_is_no_prior_is_refused(rng):
    with pytest.raises(InputError, match="embedding must be 'supervector' or 'i-vector', got 'x'"):
        fit_speaker_prior(tables(rng, n_speakers=2), embedding="x")
    with pytest.raises(InputError, match="at least two speakers are needed, got none"):
        fit_speaker_prior({})
    with pytest.raises(InputError, match="needs embeddings of at least 2 speakers, got 1"):
        fit_speaker_prior(tables(rng, n_speakers=1))


def test_damaged_file_is_refused(tmp_path):
    write_model(
        tmp_path / "x.gmm", kind="speaker-prior", header={}, arrays={"prior_mean": np.zeros(2)}
    )
    with pytest.raises(ModelFileError, match=r"x.gmm is damaged: it has no 'weights'"):
        load_speaker_prior(tmp_path / "x.gmm")


def test_frames_are_brought_to_the_loudness_that_frames_of_the_background_have(rng):
    prior = load_speaker_prior()
    one = prior.background
    k = rng.choice(one.n_components, size=200_000, p=one.weights)
    drawn = one.means[k] + np.sqrt(one.covariances[k]) * rng.normal(size=(len(k), 40))
    table = 10.0 * rng.normal(size=(50, 40)).astype(np.float32)
    levelled = prior.levelled(table)
    assert loudness(levelled) == pytest.approx(loudness(drawn), abs=0.5 * np.sqrt(40.0))
    assert_allclose(levelled[:, 1:], table[:, 1:])
    assert_allclose(np.ptp(levelled[:, 0] - table[:, 0]), 0.0, atol=1e-3)
