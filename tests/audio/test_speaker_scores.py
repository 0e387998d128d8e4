"""Ratios become answers: rivals among the enrolled, and an unknown voice."""

import numpy as np
from numpy.testing import assert_allclose

from gmmseg.audio.speaker_scores import probabilities, rival_ratios


def test_ratio_against_the_average_of_two_rivals_by_hand():
    scores = rival_ratios(np.log([[6.0, 1.0, 3.0]]))
    assert_allclose(np.exp(scores), [[6.0 / 2.0, 1.0 / 4.5, 3.0 / 3.5]])


def test_what_all_speakers_share_cancels(rng):
    ratios = rng.normal(size=(4, 5))
    assert_allclose(rival_ratios(ratios + 700.0), rival_ratios(ratios), atol=1e-9)


def test_order_of_the_ratios_is_kept(rng):
    ratios = 50.0 * rng.normal(size=(4, 5))
    assert (rival_ratios(ratios).argsort(axis=1) == ratios.argsort(axis=1)).all()


def test_probabilities_by_hand_with_an_unknown_voice_as_one_more():
    assert_allclose(probabilities(np.log([[6.0, 1.0]])), [[6.0 / 8.0, 1.0 / 8.0, 1.0 / 8.0]])


def test_probabilities_of_huge_ratios_are_finite():
    shares = probabilities(np.array([[1e5, -1e5], [-1e5, -2e5]]))
    assert_allclose(shares, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
