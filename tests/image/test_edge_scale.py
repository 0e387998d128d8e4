"""Claims about the edge: what is usual there is no defect, and the middle is judged as before."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.edge_scale import EdgeScale, zones_of


def test_zones_count_pixels_from_the_nearest_edge():
    assert_array_equal(zones_of((1, 12), 8)[0], [0] * 12)
    assert_array_equal(zones_of((12, 12), 8)[6, :6], [0, 2, 3, 3, 4, 4])


def test_what_is_usual_at_the_edge_is_not_strange_there(rng):
    maps = rng.normal(size=(20, 20, 20))
    maps[:, 0] = 10.0 + 3.0 * rng.normal(size=(20, 20))
    scale = EdgeScale.of(list(maps), 4)
    judged = scale.apply(maps[0].astype(np.float32), 4)
    assert judged.max() < 4.0 < maps[0].max()


def test_an_even_edge_is_judged_no_stricter_than_the_whole(rng):
    maps = rng.normal(size=(20, 30, 30))
    maps[:, 0] = -2.0
    scale = EdgeScale.of(list(maps), 4)
    assert min(scale.spreads) > 1.0
    assert scale.centers[0] >= np.median(maps) - 0.1


def test_without_zones_a_map_stays_as_it_is(rng):
    values = rng.normal(size=(9, 9)).astype(np.float32)
    assert_allclose(EdgeScale().apply(values, 4), values)


def test_few_places_of_a_zone_take_the_scale_of_all(rng):
    maps = [rng.normal(size=(3, 3)) for _ in range(2)]
    scale = EdgeScale.of(maps, 4)
    assert len(set(scale.spreads)) == 1
