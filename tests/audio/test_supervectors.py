"""Supervectors: how far means move, in units that make distances divergences."""

import numpy as np
from numpy.testing import assert_allclose

from gmmseg.audio.supervectors import supervector
from gmmseg.core import expectation
from gmmseg.core.adaptation import adapted
from tests.mixtures import draw, random_mixture


def test_moves_are_those_of_map_adaptation(rng):
    background = random_mixture(rng, "diag", n_components=3, n_features=2)
    statistics = expectation(draw(rng, background, 100) + 0.5, background)
    moved = adapted(background, statistics, relevance_factor=5.0, floor=1e-9)
    moves = (moved.means - background.means) / np.sqrt(background.covariances)
    expected = np.sqrt(background.weights)[:, None] * moves
    assert_allclose(supervector(statistics, background, relevance_factor=5.0), expected.ravel())


def test_no_frames_move_nothing(rng):
    background = random_mixture(rng, "diag")
    nothing = expectation(draw(rng, background, 1), background).scale(0.0)
    assert_allclose(supervector(nothing, background), 0.0)
