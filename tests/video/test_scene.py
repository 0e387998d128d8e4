import numpy as np
import pytest

from gmmseg.video.moving_kernels import BRIGHTEN, LEAVE, TAKE
from gmmseg.video.scene import Event, judge_jump, relight_orders


@pytest.fixture
def wall(rng):
    return rng.uniform(60, 160, size=(40, 50)).astype(np.float32)


def blocks(rows, cols):
    fresh = np.zeros((40, 50), bool)
    fresh[:rows, :cols] = True
    return fresh


def test_the_same_things_brighter_are_light(wall):
    assert judge_jump(wall * np.float32(1.4), wall, blocks(20, 20)) is Event.LIGHT


def test_other_things_in_a_part_are_motion(wall, rng):
    other = rng.uniform(60, 160, size=wall.shape).astype(np.float32)
    assert judge_jump(other, wall, blocks(20, 20)) is Event.NOTHING


def test_other_things_everywhere_are_a_new_scene(wall, rng):
    other = rng.uniform(60, 160, size=wall.shape).astype(np.float32)
    assert judge_jump(other, wall, blocks(40, 40)) is Event.SCENE


def test_few_blocks_are_no_event(wall):
    assert judge_jump(wall * np.float32(1.4), wall, blocks(5, 5)) is Event.NOTHING


def test_a_bare_wall_that_brightens_in_a_large_part_is_light():
    wall = np.full((40, 50), 100, np.float32)
    assert judge_jump(wall + 50, wall, blocks(40, 20)) is Event.LIGHT
    assert judge_jump(wall + 50, wall, blocks(10, 20)) is Event.NOTHING


def test_what_moved_before_is_brightened_as_its_surroundings(wall):
    fresh, busy = blocks(40, 30), np.zeros((40, 50), bool)
    busy[18:22, 10:14] = True
    fresh &= ~busy
    before = np.dstack([wall, wall])
    now = before.copy()
    now[:, :30] *= 1.5
    now[busy] = 3
    orders, gains = relight_orders(now, before, fresh=fresh, busy=busy)
    assert (orders[fresh] == TAKE).all()
    assert (orders[busy] == BRIGHTEN).all()
    assert (orders[~fresh & ~busy] == LEAVE).all()
    assert np.abs(gains[busy] - 1.5).max() < 0.1
