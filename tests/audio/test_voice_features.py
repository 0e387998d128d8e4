"""Claims about the features of voice: level-free, of finite windows, and right by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio import voice_features
from gmmseg.audio.voice_features import (
    N_BANDS,
    N_CEPSTRA,
    N_CONTEXT,
    N_LEVELS,
    context_of,
    frame_cues,
    risen,
    voice_stages,
)


def context(y, n_at_once=10**9):
    """Return levels and context of sound at 16 kHz."""
    stages = voice_stages()
    parts = []
    for start in range(0, len(y), n_at_once):
        table = np.asarray(y[start : start + n_at_once], dtype=np.float32)
        for stage in stages:
            table = stage.push(table)
        parts.append(table)
    table = stages[0].finish()
    for stage in stages[1:]:
        table = np.concatenate([stage.push(table), stage.finish()])
    return np.concatenate([*parts, table])


def whole(table):
    """Return the part that is everything."""
    return slice(0, len(table))


@pytest.fixture(scope="module")
def swelling():
    """Return 15 s of noise, swelling, with some buzz, and nearly silent from 5 s to 9.5 s."""
    rng, time = np.random.default_rng(3), np.arange(15 * 16000) / 16000
    buzz = np.sign(np.sin(2 * np.pi * (120 + 20 * np.sin(time)) * time)) * (time % 3 < 1)
    gain = np.where((time > 5) & (time < 9.5), 1e-5, 1.0)
    noise = rng.normal(size=len(time)) * (1.2 + np.sin(9 * time))
    return ((noise + buzz) * gain).astype(np.float32)


def test_there_are_as_many_columns_as_told(swelling):
    assert context(swelling[:1000]).shape == (7, N_LEVELS + N_CONTEXT)


def test_features_are_level_free_and_levels_are_levels(swelling):
    plain, softer = context(swelling), context(swelling * np.float32(1e-3))
    assert_allclose(softer[:, N_LEVELS:], plain[:, N_LEVELS:], atol=1e-2)
    assert_allclose(softer[:, :N_LEVELS], plain[:, :N_LEVELS] + 2 * np.log(1e-3), atol=1e-3)


def test_windows_reach_no_further_than_the_stages_say(swelling):
    # Blocks of 6 s hold less than all the context, so a window too long would show.
    assert_allclose(context(swelling, n_at_once=16000), context(swelling), atol=1e-4)


def test_the_lookahead_is_what_a_frame_needs(swelling):
    changed = swelling.copy()
    changed[10 * 16000 :] = 0.0
    is_same = np.isclose(context(changed), context(swelling), atol=1e-4).all(axis=1)
    assert is_same[: 1000 - voice_features.lookahead()].all()
    assert not is_same[1000]


def test_flat_bands_have_no_shape_and_are_flat():
    table = np.full((30, N_BANDS + 2), 0.25, dtype=np.float32)
    table[:, -2:] = 0.0
    cues = frame_cues(table, whole(table))
    assert_allclose(cues[:, 0], np.log(0.25), rtol=1e-6)
    shape_flux_flatness = [*range(1, 1 + N_CEPSTRA), -4, -3, -2, -1]
    assert_allclose(cues[:, shape_flux_flatness], 0.0, atol=1e-4)


def test_steady_power_does_not_rise_above_itself_and_a_burst_does():
    power = np.ones((400, N_BANDS), dtype=np.float32)
    power[300] = np.exp(4.0)
    rise = risen(power, whole(power))
    assert_allclose(rise[:290], 0.0)
    assert_allclose(rise[300], 3.5, rtol=1e-5)


def test_rise_is_limited():
    power = np.ones((400, N_BANDS), dtype=np.float32)
    power[300] = np.exp(20.0)
    assert risen(power, whole(power)).max() == voice_features.MOST_RISE


def test_a_pitch_that_moves_counts_and_one_that_stands_does_not():
    table = np.ones((200, N_BANDS + 2), dtype=np.float32)
    table[:, -2] = 0.9
    table[:, -1] = np.where(np.arange(200) < 100, 150.0, 150.0 * 2 ** (np.arange(200) / 60))
    cues = frame_cues(table, whole(table))
    steady, moving = cues[:, -6], cues[:, -5]
    assert_allclose(moving[10:100], 0.0, atol=1e-6)
    assert_allclose(steady[10:100], 0.9, rtol=1e-5)
    # 1/60 octave per frame is 0.05 octaves in three, a third of 0.15.
    assert_allclose(moving[110:], 0.9 * np.exp(-1 / 9) / 3, rtol=1e-3)


@pytest.mark.parametrize("part", [slice(0, 3), slice(1, 2), slice(450, 700), slice(896, 900)])
def test_a_part_is_what_the_whole_has_there(rng, part):
    power = np.exp(rng.normal(size=(900, N_BANDS)))
    pitch = np.column_stack([rng.uniform(size=900), rng.uniform(100, 300, size=900)])
    bands = np.hstack([power, pitch]).astype(np.float32)
    cues = frame_cues(bands, whole(bands))
    assert_allclose(frame_cues(bands, part), cues[part], atol=1e-5)
    contexts = context_of(cues, whole(cues))
    assert_allclose(context_of(cues, part), contexts[part], atol=1e-5)


def test_silence_has_finite_features():
    assert np.isfinite(context(np.zeros(16000))).all()
    assert np.isfinite(context(np.full(16000, 1e14))).all()


def test_context_of_steady_cues_is_the_cues_without_spread():
    table = np.tile(np.arange(1 + voice_features.N_CUES, dtype=np.float32), (500, 1))
    rows = context_of(table, whole(table))
    n_cues = voice_features.N_CUES
    assert_allclose(rows[:, N_LEVELS : N_LEVELS + n_cues], table[:, 1:], rtol=1e-5)
    spreads = rows[:, N_LEVELS + 2 * n_cues : N_LEVELS + 3 * n_cues]
    assert_allclose(spreads, np.log(0.021), atol=1e-3)
    assert_allclose(rows[:, -8:], 0.0, atol=1e-5)
