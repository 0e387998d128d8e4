import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.errors import InputError
from gmmseg.smoothing.prior_maps import log_prior_maps


def test_prior_of_half_strength_is_half_as_far_from_even_odds(rng):
    maps = rng.random((2, 3, 4)) + 0.1
    whole, half = (log_prior_maps(maps, strength=strength) for strength in (1.0, 0.5))
    assert_allclose(half[1] - half[0], 0.5 * (whole[1] - whole[0]), rtol=1e-5)


def test_cell_outside_all_maps_has_no_opinion():
    maps = np.zeros((3, 1, 2))
    maps[:, 0, 0] = 1.0, 2.0, 3.0
    assert_allclose(
        np.exp(log_prior_maps(maps))[:, 0], [[1 / 6, 1 / 3], [1 / 3] * 2, [1 / 2, 1 / 3]]
    )


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_map_that_is_no_probability_is_refused(value):
    message = "maps must be finite and at least 0; replace what is not by 0"
    with pytest.raises(InputError, match=message):
        log_prior_maps([[[value]], [[0.5]]])
