"""Claims about the offset: it is the mean of all blocks, and nothing is left of it."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.offset import OffsetMeter, without_offset


def test_the_offset_is_the_mean_however_the_sound_is_cut(rng):
    y = (0.3 + rng.normal(size=1000)).astype(np.float32)
    for cuts in ([], [1], [0, 300, 300, 999]):
        meter = OffsetMeter()
        blocks = np.split(y, cuts)
        for given, block in zip(meter.watched(blocks), blocks, strict=True):
            assert_array_equal(given, block)
        assert meter.n_samples == 1000
        assert_allclose(meter.offset, y.mean(dtype=np.float64), rtol=1e-7)
        assert_allclose(meter.swing, np.abs(y - y.mean()).max(), rtol=1e-6)
        left = np.concatenate(list(without_offset(blocks, meter.offset)))
        assert_allclose(left, y - np.float32(y.mean(dtype=np.float64)), atol=1e-7)
