import numpy as np
from numpy.testing import assert_array_equal

from gmmseg.image.region_kernels import is_removable, move_borders
from tests import naive

FACTOR = 4


def test_a_pixel_is_removable_exactly_where_its_region_has_one_piece_in_the_ring_around_it(rng):
    seen = set()
    for _ in range(500):
        ring = rng.integers(1, 3, size=(3, 3))
        around = ring == ring[1, 1]
        around[1, 1] = False
        # Only a piece that touches the middle by a side counts; within a full ring none is free.
        touching = [side for side in ((0, 1), (1, 0), (1, 2), (2, 1)) if around[side]]
        pieces = {frozenset(s for s in touching if joined(around, t, s)) for t in touching}
        expected = len(pieces) == 1 and np.count_nonzero(around) < 8
        assert is_removable(ring, 1, 1) == expected
        seen.add(len(pieces))
    assert seen == {0, 1, 2, 3, 4}


def joined(pixels, start, end):
    """Return whether a way along sides leads from one pixel to another."""
    reached, todo = {start}, [start]
    while todo:
        row, col = todo.pop()
        for r, c in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
            if 0 <= r < 3 and 0 <= c < 3 and pixels[r, c] and (r, c) not in reached:
                reached.add((r, c))
                todo.append((r, c))
    return end in reached


def blown_up(coarse):
    return coarse.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)


def test_borders_move_to_where_the_colours_change():
    features = np.zeros((24, 40, 1), dtype=np.float32)
    features[:, 18:] = 50  # inside the fifth column of cells
    coarse = features.reshape(6, FACTOR, 10, FACTOR, 1).mean(axis=(1, 3))
    small = np.ones((6, 10), dtype=np.int32)
    small[:, 5:] = 2
    labels = blown_up(small)
    for _ in range(FACTOR):
        move_borders(features, labels, coarse, small, FACTOR)
    assert_array_equal(labels[4:-4], np.where(features[4:-4, :, 0] > 0, 2, 1))


def test_no_region_is_torn_or_lost_and_the_mask_stays_whatever_the_colours(rng):
    features = rng.random((24, 40, 2), dtype=np.float32)
    coarse = features.reshape(6, FACTOR, 10, FACTOR, 2).mean(axis=(1, 3))
    small = np.arange(1, 61, dtype=np.int32).reshape(6, 10)
    small[2, 3] = 0
    labels = blown_up(small)
    before = labels.copy()
    for _ in range(5):
        assert move_borders(features, labels, coarse, small, FACTOR) > 0
    assert_array_equal(labels == 0, before == 0)
    assert_array_equal(np.unique(labels), np.unique(before))
    assert all(naive.is_connected(labels == label) for label in range(1, 61) if label != 24)


def test_borders_that_are_right_do_not_move():
    small = np.ones((6, 10), dtype=np.int32)
    small[:, 5:] = 2
    labels = blown_up(small)
    features = labels[..., None].astype(np.float32)
    assert move_borders(features, labels, small[..., None].astype(np.float32), small, FACTOR) == 0
