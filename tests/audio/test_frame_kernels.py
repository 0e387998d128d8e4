"""Claims about the kernels over samples: their naive twins agree."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.frame_kernels import correlation_peaks, decimate
from tests import naive


@pytest.mark.parametrize("first", [-30, -3, 0, 5, 180, 230])
def test_decimation_agrees_with_its_naive_twin_at_both_ends_and_beyond(rng, first):
    samples = rng.normal(size=200).astype(np.float32)
    taps = rng.normal(size=9).astype(np.float32)
    out = np.empty(12, dtype=np.float32)
    decimate(samples, first, 3, taps, out)
    assert_allclose(out, naive.decimated(samples, first, 3, taps, 12), atol=1e-5)


def peaks_of(x, starts, length, *, shortest, costs):
    peaks, lags = np.empty((2, len(starts)), dtype=np.float32)
    work, correlations = np.empty(length, dtype=np.float32), np.empty_like(costs)
    correlation_peaks(x, np.array(starts), shortest, costs, work, correlations, peaks, lags)
    return peaks, lags


def test_peaks_of_noise_agree_with_their_naive_twin(rng):
    x, starts = rng.normal(size=400).astype(np.float32), [0, 17, 240]
    costs = np.linspace(0, 0.1, 40).astype(np.float32)
    peaks, lags = peaks_of(x, starts, 160, shortest=9, costs=costs)
    for t, start in enumerate(starts):
        wanted = naive.correlation_peak(x[start : start + 160], 9, costs)
        assert_allclose([peaks[t], lags[t]], wanted, rtol=1e-4)


def test_a_cost_moves_the_choice_but_not_the_height(rng):
    period = rng.normal(size=20)
    x = np.tile(period, 10).astype(np.float32)
    free = peaks_of(x, [0], 160, shortest=9, costs=np.zeros(40, np.float32))
    dear_at_first = np.zeros(40, np.float32)
    dear_at_first[:15] = 0.5
    moved = peaks_of(x, [0], 160, shortest=9, costs=dear_at_first)
    assert_allclose(free[0], 1, rtol=1e-5)
    assert_allclose(moved[0], 1, rtol=1e-5)
    assert round(float(moved[1][0])) == 40


@pytest.mark.parametrize("frame", [np.zeros(160), np.full(160, 0.5), np.arange(160)])
def test_silence_a_constant_and_a_ramp_have_no_peak(frame):
    peaks, lags = peaks_of(frame.astype(np.float32), [0], 160, shortest=9, costs=np.zeros(40, "f"))
    assert peaks[0] < 1e-6
    assert (lags[0] == 0) == (peaks[0] == 0)
