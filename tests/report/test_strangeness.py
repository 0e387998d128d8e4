"""Claims about pictures of strangeness: gray where usual, warm where strange, one outline."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.report import overlay_anomaly


def test_what_is_usual_is_gray_and_what_is_strange_is_warm():
    image = np.full((40, 40, 3), (40, 90, 160), dtype=np.uint8)
    values = np.zeros((40, 40))
    values[10:30, 10:30] = 9.0
    picture = overlay_anomaly(image, values, threshold=5.0).astype(int)
    assert np.ptp(picture[2, 2]) <= 1
    red, green, blue = picture[20, 20]
    assert red > green + 40
    assert red > blue + 40


def test_what_is_above_the_threshold_is_outlined():
    values = np.zeros((60, 60))
    values[20:40, 20:40] = 9.0
    picture = overlay_anomaly(np.full((60, 60), 60, np.uint8), values, threshold=5.0)
    assert picture[18:22, 30].max() > 220
    beyond = overlay_anomaly(np.full((60, 60), 60, np.uint8), values, threshold=np.inf)
    assert beyond[18:22, 30].max() < 220


def test_a_map_without_anything_strange_leaves_the_gray_image():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    plain = overlay_anomaly(image, np.zeros((8, 8)), threshold=3.0)
    assert_array_equal(plain[..., 0], plain[..., 2])


def test_a_map_of_another_shape_is_refused():
    with pytest.raises(InputError, match=r"anomaly_map must have the image's shape \(4, 4\)"):
        overlay_anomaly(np.zeros((4, 4)), np.zeros((4, 5)), threshold=1.0)
