import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.errors import InputError
from gmmseg.smoothing.prior_maps import log_prior_maps


def test_only_the_ratios_of_maps_count(rng):
    maps = rng.random((2, 3, 4)) + 0.1
    prior = log_prior_maps(maps)
    assert_allclose(prior[1] - prior[0], np.log(maps[1] / maps[0]), rtol=1e-4)
    assert_allclose(log_prior_maps(maps * rng.uniform(1, 9, size=(3, 4))), prior, rtol=1e-4)


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


@pytest.mark.parametrize("shape", [(3, 4), (0, 3, 4), (2, 0, 4)])
def test_maps_of_another_shape_are_refused(shape):
    message = re.escape(
        "maps must have shape (n_labels, rows, cols) or (n_labels, planes, rows, cols), got "
        f"{shape}"
    )
    with pytest.raises(InputError, match=f"^{message}$"):
        log_prior_maps(np.ones(shape))
