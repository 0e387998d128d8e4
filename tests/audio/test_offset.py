"""Claims about the offset: it is the mean of all blocks, and nothing is left of it."""

import numpy as np
import soundfile
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.offset import CentredFile, OffsetMeter, centred, without_offset


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


def test_a_file_and_an_array_are_centred_alike(rng, tmp_path):
    y = (0.3 + 0.1 * rng.normal(size=16000)).astype(np.float32)
    soundfile.write(tmp_path / "y.wav", y, 16000, subtype="FLOAT")
    sound = CentredFile(tmp_path / "y.wav", 16000)
    assert abs(float(centred(y).mean(dtype=np.float64))) < 1e-7
    for _ in range(2):
        assert_allclose(np.concatenate(list(sound.blocks())), centred(y), atol=1e-7)
