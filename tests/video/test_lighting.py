import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.video.coarse_kernels import REACH, median_shifts
from gmmseg.video.lighting import (
    CENTRES,
    find_tone,
    forward_curves,
    inverse_table,
    relight_model,
)

LEVELS = np.arange(256.0)
EVERYWHERE = np.ones((60, 80), bool)


def pictures(rng, curve, noise=1.0):
    background = rng.uniform(20, 200, size=(60, 80, 3)).astype(np.float32)
    seen = curve(background) + rng.normal(scale=noise, size=background.shape)
    return seen.astype(np.float32), background


def test_a_gain_is_found_in_every_bin_that_is_seen(rng):
    picture, background = pictures(rng, lambda level: 1.2 * level + 5)
    shifts = find_tone(picture, background, calm=EVERYWHERE, use=EVERYWHERE)
    seen = (CENTRES > 30) & (CENTRES < 190)
    assert_allclose(shifts[:, seen], np.tile(0.2 * CENTRES[seen] + 5, (3, 1)), rtol=0.15)


def test_light_that_does_not_change_gives_no_curve(rng):
    picture, background = pictures(rng, lambda level: level, noise=4.0)
    assert not find_tone(picture, background, calm=EVERYWHERE, use=EVERYWHERE).any()


def test_light_is_told_beside_a_thing_that_hides_more_than_half(rng):
    picture, background = pictures(rng, lambda level: 1.15 * level)
    picture[:, :45] = 10
    calm = EVERYWHERE.copy()
    calm[:, :45] = False
    shifts = find_tone(picture, background, calm=calm, use=EVERYWHERE)
    assert_allclose(shifts[:, 6], 0.15 * CENTRES[6], rtol=0.3)


def test_when_all_seems_to_move_the_light_is_still_found(rng):
    picture, background = pictures(rng, lambda level: 1.3 * level)
    nowhere = np.zeros_like(EVERYWHERE)
    shifts = find_tone(picture, background, calm=nowhere, use=EVERYWHERE)
    assert_allclose(shifts[:, 6], 0.3 * CENTRES[6], rtol=0.15)


def test_the_median_of_shifts_of_one_size_is_that_size():
    n_blocks = 60 * 80
    counts = np.zeros((1, 16, 2 * REACH + 1), np.int32)
    counts[0, 6, REACH + 7] = n_blocks
    shifts = np.empty((1, 16))
    median_shifts(counts, 50.0, shifts)
    # By hand: the spread is its floor, half a level; 4800 blocks are evidence of 96.
    certain = 1 - (0.5 / np.sqrt(96) / 7) ** 2
    assert_allclose(shifts[0, 6], 7 * certain * n_blocks / (n_blocks + 50), rtol=1e-3)
    assert not np.delete(shifts[0], 6).any()


def test_the_table_undoes_the_curve():
    shifts = np.array([0.2 * CENTRES, -0.1 * CENTRES])
    for curve, table in zip(forward_curves(shifts), inverse_table(shifts, LEVELS), strict=True):
        inside = (curve > 0) & (curve < 255)
        back = np.interp(curve, LEVELS, table)[inside]
        assert_allclose(back, LEVELS[inside], atol=0.5)


def test_no_shift_gives_the_levels_themselves():
    assert_array_equal(inverse_table(np.zeros((2, 16)), LEVELS), [LEVELS, LEVELS])


def test_curves_rise_whatever_the_shifts(rng):
    curves = forward_curves(rng.normal(scale=60, size=(3, 16)))
    assert (np.diff(curves, axis=1) > 0).all()


def test_a_model_in_new_light_is_what_the_curve_makes_of_it():
    modes = np.full((8, 1, 3, 8), 100.0, np.float32)
    relight_model(modes, np.full((1, 16), 40.0))
    assert_allclose(modes[:, :, 2], 140.0, atol=0.5)
