"""Claims about resampling: blocks, however cut, give what the whole gives."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.audio.resampling import resampled, resampled_blocks


@pytest.mark.parametrize("sr", [8000, 22050, 44100])
def test_blocks_are_resampled_without_seams(rng, sr):
    y = rng.normal(size=5000).astype(np.float32)
    whole = resampled(y, sr=sr, to=8000)
    parts = list(resampled_blocks(np.split(y, [1, 700, 3000]), sr=sr, to=8000))
    assert_array_equal(np.concatenate(parts), whole)
    assert len(whole) == round(5000 * 8000 / sr)
