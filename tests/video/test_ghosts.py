import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from gmmseg.video import BackgroundSubtractor
from gmmseg.video.ghosts import CLEARER, EVERY, FEWEST, LEAST_EDGE, find_ghosts


def blobs(rng, n_channels=2):
    """Return block means of a wall and of things before it, and which blocks the things cover."""
    wall = 100 + ndimage.gaussian_filter(rng.normal(size=(40, 50, n_channels)), (2, 2, 0)) * 20
    things = ndimage.gaussian_filter(rng.normal(size=(40, 50)), 3) > 0.05
    wall, shown = wall.astype(np.float32), wall.copy().astype(np.float32)
    shown[things] = (30, 190)
    return wall, shown, things


def naive_ghosts(picture, background, moving):
    """Return what `find_ghosts` does, a block at a time."""
    areas, n_areas = ndimage.label(moving)
    out = np.zeros_like(moving)
    for area in range(1, n_areas + 1):
        pairs = [
            ((i, j), (i + down, j + right))
            for i, j in np.argwhere(areas == area)
            for down, right in ((2, 0), (-2, 0), (0, 2), (0, -2))
            if 0 <= i + down < len(moving) and 0 <= j + right < moving.shape[1]
        ]
        pairs = [(p, q) for p, q in pairs if not moving[q]]
        frame, known = (
            sum(np.abs(shown[p] - shown[q]).mean() for p, q in pairs)
            for shown in (picture, background)
        )
        is_clear = known > CLEARER * frame and known > LEAST_EDGE * len(pairs)
        out[areas == area] = is_clear and len(pairs) >= FEWEST
    return out


def test_ghosts_are_those_of_the_naive_twin(rng):
    wall, shown, things = blobs(rng)
    half = shown.copy()
    half[:, :25] = wall[:, :25]  # those on the left have gone
    found = find_ghosts(half, shown, things)
    assert_array_equal(found, naive_ghosts(half, shown, things))
    assert found.any()
    assert (things & ~found).any()


def test_a_thing_is_no_ghost_and_its_ghost_is(rng):
    wall, shown, things = blobs(rng)
    assert not find_ghosts(shown, wall, things).any()
    assert find_ghosts(wall, shown, things)[things].mean() > 0.9
    assert not find_ghosts(wall, wall, things).any()


@pytest.mark.parametrize(
    ("side", "level", "is_ghost"), [(4, 70, True), (4, 80, False), (2, 70, True), (1, 70, False)]
)
def test_a_ghost_is_large_and_clear(side, level, is_ghost):
    wall, moving = np.full((12, 12, 1), 100.0), np.zeros((12, 12), bool)
    moving[4 : 4 + side, 4 : 4 + side] = True
    with_thing = np.where(moving[:, :, np.newaxis], level, wall)
    assert find_ghosts(wall, with_thing, moving).any() == is_ghost


@pytest.mark.parametrize("stands", [1, 30, 120])
def test_what_stood_in_the_first_frame_leaves_no_ghost(film, stands):
    def leaves(t):
        return (20, 30 if t < stands else 30 + 4 * (t - stands))

    subtractor = BackgroundSubtractor()
    for t, frame in enumerate(film(stands + 40, box=leaves)):
        mask = subtractor.apply(frame)
        if t >= stands + 8 + EVERY:  # he is away after 8 frames
            assert not (mask[:, 28:46] == 255).any()
        elif t == stands + 5 and stands > 1:  # in the beginning all is learned at once
            assert (mask[22:38, 52:60] == 255).all()
    assert (
        np.abs(subtractor.background()[22:38, 32:42].astype(float) - frame[22:38, 32:42]).mean() < 6
    )
