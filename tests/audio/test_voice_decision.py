"""Claims about the decision: noise alone gives nothing, one sure half second opens 10 s."""

import numpy as np

from gmmseg.audio.voice_decision import combined, is_near_sure
from gmmseg.audio.voice_evidence import VoiceEvidence

HEARD = np.ones(6000, dtype=np.bool_)


def evidence(log_odds, level=0.0):
    levels = np.broadcast_to(level, log_odds.shape)
    return VoiceEvidence(log_odds, np.column_stack([levels, levels]), 0.01 * len(log_odds))


def test_one_sure_half_second_opens_ten_seconds_around():
    odds = np.full(6000, -2.0)
    odds[3000:3060] = 3.0
    is_open = np.flatnonzero(is_near_sure(odds, HEARD))
    assert 1980 <= is_open[0] <= 2030
    assert 4030 <= is_open[-1] <= 4080


def test_a_tenth_of_a_second_opens_nothing():
    odds = np.full(6000, -2.0)
    odds[3000:3010] = 6.0
    assert not is_near_sure(odds, HEARD).any()


def test_faint_speech_is_sure_where_all_else_is_far_below():
    odds = np.full(6000, -4.0)
    odds[3000:3100] = 0.8
    assert is_near_sure(odds, HEARD).any()
    odds[:] = -1.5
    odds[3000:3100] = 0.8
    assert not is_near_sure(odds, HEARD).any()


def test_silence_around_does_not_make_the_rest_sure():
    level = np.repeat([-40.0, -5.0, -40.0], [2500, 1000, 2500])
    odds = np.repeat([-12.0, -1.5, -12.0], [2500, 1000, 2500])
    odds[2950:3050] = 0.8
    judged = combined(evidence(odds, level), levels=None, is_adaptive=False)
    assert (judged < 0.0).all()
    loud_beside = combined(evidence(odds), levels=None, is_adaptive=False)
    assert (loud_beside[2970:3030] > 0.0).all()


def test_where_nothing_is_sure_evidence_is_doubted():
    odds = np.full(500, 1.0)
    assert (combined(evidence(odds), levels=None, is_adaptive=True) < 0.0).all()
    assert (combined(evidence(odds + 1.0), levels=None, is_adaptive=False) > 0.0).all()


def test_faint_speech_beside_sure_speech_is_kept():
    odds = np.full(3000, -3.0)
    odds[500:600], odds[1400:1500] = 4.0, 0.8
    judged = combined(evidence(odds), levels=None, is_adaptive=False)
    assert (judged[1420:1480] > 0.0).all()
