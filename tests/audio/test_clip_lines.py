"""Claims about the lines of a clip: tones and beats are where they are, and no level counts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.clip_lines import CARRIER, CARRIER_STEP, FAINTEST, LineRecipe, beats, tones

SR = 8000
FINE = LineRecipe(2048, 64)


def noise(rng, seconds=4.0):
    return rng.normal(size=round(seconds * SR)).astype(np.float32)


def test_a_tone_stands_out_at_its_frequency_by_as_much_as_it_is_stronger(rng):
    t = np.arange(4 * SR) / SR
    heard = noise(rng)
    line = 384  # 1500 Hz
    hertz = FINE.tones[line] * SR
    assert hertz == 385 / 2048 * SR
    one, ten = (
        tones(heard + np.float32(a) * np.sin(2 * np.pi * hertz * t).astype(np.float32), FINE)
        for a in (1.0, 10.0)
    )
    assert one.argmax() == ten.argmax() == line
    assert ten[line] - one[line] == pytest.approx(20.0, abs=1.0)
    assert_allclose(np.median(one), 0.0, atol=0.5)


def test_a_knock_drowns_no_tone(rng):
    t = np.arange(4 * SR) / SR
    heard = noise(rng) + np.sin(2 * np.pi * 1000.0 * t).astype(np.float32)
    struck = heard.copy()
    struck[16000:16020] += 100.0
    before, after = tones(heard, FINE), tones(struck, FINE)
    assert after.max() > before.max() - 3.0


def test_a_beat_is_heard_in_its_carrier_at_its_rate(rng):
    t = np.arange(4 * SR) / SR
    rate = 9 / FINE.n_frames * SR / CARRIER_STEP
    high = np.sin(2 * np.pi * 3000.0 * t) * (1.0 + 0.5 * np.sin(2 * np.pi * rate * t))
    steady = np.sin(2 * np.pi * 200.0 * t)
    heard = (high + steady).astype(np.float32) + 0.01 * noise(rng)
    by_carrier = beats(heard, FINE).reshape(len(FINE.carriers), FINE.n_beats)
    carrier, beat = np.unravel_index(by_carrier.argmax(), by_carrier.shape)
    low, top = FINE.carriers[carrier]
    assert low <= 3000.0 / SR * CARRIER < top
    assert beat + 1 == 9


def test_carriers_are_octaves_and_share_all_that_is_used():
    assert FINE.carriers == ((1, 14), (14, 29), (29, 58), (58, 116))


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_no_level_counts(rng, unit):
    heard = noise(rng)
    expected = FINE.describe(heard)
    assert_allclose(FINE.describe(np.float32(unit) * heard), expected, atol=1e-3)


def test_of_silence_nothing_stands_out_or_beats():
    silent = np.zeros(SR, dtype=np.float32)
    assert_array_equal(tones(silent, FINE), 0.0)
    assert_allclose(beats(silent, FINE), 10.0 * np.log10(FAINTEST))


@pytest.mark.parametrize("n_samples", [1, 31, 700, 3 * SR])
def test_clips_of_all_lengths_have_the_same_lines(rng, n_samples):
    described = FINE.describe(noise(rng)[:n_samples])
    assert described.shape == (sum(FINE.sizes),)
    assert np.isfinite(described).all()


@pytest.mark.parametrize(
    ("n_samples", "expected"),
    [(1, (32, 16)), (SR, (1024, 32)), (4 * SR, (4096, 128)), (60 * SR, (4096, 256))],
)
def test_longer_clips_are_looked_at_more_finely_up_to_a_limit(n_samples, expected):
    recipe = LineRecipe.of_length(n_samples)
    assert (recipe.n_samples, recipe.n_frames) == expected


def test_what_is_heard_in_several_goes_is_heard_at_once(rng, monkeypatch):
    heard = noise(rng)
    expected = FINE.describe(heard)
    monkeypatch.setattr("gmmseg.audio.clip_lines.AT_ONCE", 7)
    assert_allclose(FINE.describe(heard), expected, rtol=1e-6)
