import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.diarization_prior import DiarizationPrior, shipped_prior
from gmmseg.audio.diarization_training import Conversation, fit_diarization_prior, pure_windows
from gmmseg.audio.plda import PLDA
from gmmseg.errors import InputError, ModelFileError


def conversation(rng, *, n_speakers=3, n_turns=12, n_features=4):
    """Return frames of voices of three sounds each, in turns of 3 s."""
    voices = 2.0 * rng.normal(size=(n_speakers, 3, n_features))
    truth = np.repeat(np.arange(n_turns) % n_speakers, 300)
    frames = voices[truth, rng.integers(3, size=len(truth))] + rng.normal(size=(len(truth), 4))
    return Conversation(frames.astype(np.float32), np.eye(n_speakers, dtype=bool)[truth])


def test_the_shipped_prior_is_small_and_fits_together():
    prior = shipped_prior()
    assert prior.sr == 16000
    assert prior.plda.n_features == prior.background.means.size
    assert (np.diff(prior.plda.phi) <= 0.0).all()


def test_a_prior_is_read_as_it_was_saved(tmp_path):
    prior = shipped_prior()
    prior.save(tmp_path / "prior.gmm")
    assert (tmp_path / "prior.gmm").stat().st_size < 300_000
    again = DiarizationPrior.load(tmp_path / "prior.gmm")
    assert_array_equal(again.plda.projection, prior.plda.projection)
    assert_allclose(again.background.means, prior.background.means, rtol=1e-6)
    assert again.sr == prior.sr


def test_what_is_no_prior_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="does not exist"):
        DiarizationPrior.load(tmp_path / "none.gmm")


def test_a_plda_of_other_features_is_refused():
    eye = np.eye(3)
    other = PLDA(np.zeros(3), eye, np.zeros(3), eye, np.ones(3))
    with pytest.raises(InputError, match="of 3 features, the means of the background are 152"):
        dataclasses.replace(shipped_prior(), plda=other)


def test_voices_of_conversations_lie_farther_apart_than_windows_of_one(rng):
    made = [conversation(rng) for _ in range(6)]
    prior = fit_diarization_prior(made, sr=8000)
    assert prior.sr == 8000
    assert prior.plda.phi[0] > 3.0


def test_windows_of_two_speakers_are_not_learned_from(rng):
    one = conversation(rng)
    background = fit_diarization_prior([one, conversation(rng)], sr=8000).background
    whole, speakers = pure_windows(one, background)
    assert set(speakers) == {0, 1, 2}
    both = dataclasses.replace(one, speakers=np.ones_like(one.speakers))
    assert len(pure_windows(both, background)[0]) == 0 < len(whole)


def test_conversations_of_one_speaker_are_refused(rng):
    alone = [conversation(rng, n_speakers=1) for _ in range(2)]
    with pytest.raises(InputError, match="no conversation has two speakers with windows of their"):
        fit_diarization_prior(alone, sr=8000)
