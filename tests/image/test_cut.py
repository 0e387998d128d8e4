"""An object is cut out of pictures and volumes of any kind, from a box or from seeds."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image import cut_foreground
from gmmseg.image.cut import Hints, cut_grid
from gmmseg.image.cut_grid import BACKGROUND, FOREGROUND, UNKNOWN
from gmmseg.image.cut_rounds import Cut, CutOptions, cut_in_rounds
from gmmseg.image.cut_starts import (
    cut,
    cut_from_starts,
    extent_in_box,
    first_guesses,
    neighbours_share,
)

DISC = (np.hypot(*(np.mgrid[:60, :80] - np.array([30, 40])[:, None, None])) < 18).astype(bool)
BOX = (20, 10, 61, 51)


def scene(rng, n_channels=3, noise=0.15):
    """Return a noisy picture of the disc, its colours 1 apart in the first channel."""
    image = rng.normal(scale=noise, size=(*DISC.shape, n_channels))
    image[DISC, 0] += 1.0
    return image


def iou(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize("n_channels", [1, 2, 3, 7])
def test_a_disc_is_cut_out_whatever_the_number_of_channels(n_channels, rng):
    assert iou(cut_foreground(scene(rng, n_channels), box=BOX), DISC) > 0.97


def test_noise_as_strong_as_four_tenths_of_the_contrast_does_not_hide_a_disc(rng):
    assert iou(cut_foreground(scene(rng, noise=0.4), box=BOX), DISC) > 0.95


def test_a_picture_without_channels_needs_no_axis_for_them(rng):
    image = scene(rng, 1)[..., 0]
    mask = cut_foreground(image, box=BOX)
    assert mask.shape == image.shape
    assert_array_equal(cut_foreground(image, box=BOX, channel_axis=None), mask)


def test_copies_in_other_dtypes_and_units_give_the_same_mask(rng):
    image = (np.clip(scene(rng) * 60 + 80, 0, 255)).astype(np.uint8)
    mask = cut_foreground(image, box=BOX)
    for copy in (
        image.astype(np.uint16) * 257,
        image.astype(np.float32) / 255,
        image * 1e-12,
        image * 1e12,
        image + 1e8,
    ):
        assert_array_equal(cut_foreground(copy, box=BOX), mask)


def test_a_moved_channel_axis_gives_the_same_mask(rng):
    image = scene(rng)
    moved = cut_foreground(np.moveaxis(image, -1, 0), box=BOX, channel_axis=0)
    assert_array_equal(moved, cut_foreground(image, box=BOX))


def test_the_mask_depends_on_the_seed_alone_and_not_on_threads(rng):
    image = scene(rng, noise=0.5)
    mask = cut_foreground(image, box=BOX, n_jobs=1)
    assert_array_equal(cut_foreground(image, box=BOX, n_jobs=3), mask)


def test_nothing_outside_of_the_box_is_foreground(rng):
    mask = cut_foreground(scene(rng), box=(30, 20, 50, 40))
    mask[20:40, 30:50] = False
    assert not mask.any()


def test_a_volume_is_cut_in_three_dimensions(rng):
    ball = (
        np.linalg.norm(
            np.indices((20, 30, 40)) - np.array([10, 15, 20])[:, None, None, None], axis=0
        )
        < 8
    )
    volume = ball + rng.normal(scale=0.2, size=ball.shape)
    box = (11, 6, 2, 30, 25, 19)
    mask = cut_foreground(volume, box=box, channel_axis=None)
    assert iou(mask, ball) > 0.95
    with_channels = cut_foreground(volume[..., None], box=box, spacing=(2.0, 1.0, 1.0))
    assert iou(with_channels, ball) > 0.95


def test_a_noisy_body_is_found_best_as_its_border_counts_less_than_that_of_a_picture(rng):
    z, y, x = np.indices((40, 64, 64))
    ball = (z - 20) ** 2 + (y - 32) ** 2 + (x - 30) ** 2 < 14**2
    volume, box = ball + rng.normal(scale=0.6, size=ball.shape), (13, 15, 3, 48, 50, 38)
    mask = cut_foreground(volume, box=box, channel_axis=None)
    assert iou(mask, ball) > 0.95
    as_a_picture = cut_foreground(volume, box=box, channel_axis=None, smoothness=17)
    assert iou(as_a_picture, ball) < 0.92


def test_a_volume_of_one_plane_is_cut_as_the_picture_is(rng):
    image = scene(rng, noise=0.4)
    plane = cut_foreground(image[None], box=(*BOX[:2], 0, *BOX[2:], 1))
    assert_array_equal(plane[0], cut_foreground(image, box=BOX))


def test_seeds_alone_find_the_object(rng):
    seeds = np.zeros(DISC.shape, dtype=int)
    seeds[30, 35:45], seeds[3, 5:70] = 2, 1
    assert iou(cut_foreground(scene(rng), seeds=seeds), DISC) > 0.97


def test_one_marked_pixel_on_each_side_is_enough(rng):
    seeds = np.zeros(DISC.shape, dtype=int)
    seeds[30, 40], seeds[3, 5] = 2, 1
    assert iou(cut_foreground(scene(rng), seeds=seeds), DISC) > 0.9


@pytest.mark.parametrize("side", [1, 2])
def test_seeds_on_one_side_are_enough(side, rng):
    seeds = np.zeros(DISC.shape, dtype=int)
    seeds[(30, slice(35, 45)) if side == 2 else (slice(0, 5), slice(None))] = side
    assert iou(cut_foreground(scene(rng), seeds=seeds), DISC) > 0.95


def test_seeds_are_kept_against_their_looks(rng):
    seeds = np.zeros(DISC.shape, dtype=int)
    seeds[30, 38:42], seeds[12:16, 24:28] = 1, 2
    mask = cut_foreground(scene(rng), box=BOX, seeds=seeds)
    assert not mask[30, 38:42].any()
    assert mask[12:16, 24:28].all()


def test_masked_and_infinite_pixels_are_not_foreground_and_change_nothing_else(rng):
    image, use = scene(rng), np.ones(DISC.shape, dtype=bool)
    use[:, 40] = False
    expected = cut_foreground(image, box=BOX, mask=use)
    assert not expected[:, 40].any()
    assert iou(expected, DISC & use) > 0.95
    image[:, 40] = np.nan
    assert_array_equal(cut_foreground(image, box=BOX), expected)


@pytest.mark.parametrize("shape", [(20, 20, 3), (1, 40), (40, 1), (2, 2), (1, 1), (3, 3, 3)])
def test_in_constant_and_tiny_images_nothing_is_found_and_a_warning_says_so(shape):
    image = np.full(shape, 7, dtype=np.uint8)
    with pytest.warns(GmmsegWarning, match="nothing was cut out: all pixels look like the backgr"):
        mask = cut_foreground(image, box=(0, 0, shape[1], shape[0]))
    assert_array_equal(mask, np.zeros(shape[:2], dtype=bool))


def test_a_box_as_large_as_the_image_takes_its_rim_for_background(rng):
    assert iou(cut_foreground(scene(rng), box=(0, 0, 80, 60)), DISC) > 0.95


def test_where_nothing_is_left_unknown_the_seeds_are_the_mask():
    seeds = np.ones((6, 6), dtype=int)
    seeds[2:4, 2:4] = 2
    assert_array_equal(cut_foreground(np.zeros((6, 6)), seeds=seeds), seeds == 2)


def test_neighbours_count_alone_in_noise_and_half_in_a_picture(rng):
    assert neighbours_share(grid_of(scene(rng, noise=0.9), BOX)) == 1
    assert neighbours_share(grid_of(scene(rng, noise=0.1), BOX)) == 0.5
    assert neighbours_share(grid_of(photograph(), (20, 5, 220, 250))) == 0.5
    assert neighbours_share(grid_of(np.ones((1, 1, 1)), (0, 0, 1, 1))) == 0.5


def test_smoothness_gives_a_shorter_border(rng):
    image = scene(rng, noise=0.5)
    lengths = []
    for smoothness in (0.0, 20.0):
        mask = cut_foreground(image, box=BOX, smoothness=smoothness)
        lengths.append((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())
    assert lengths[0] > 2 * lengths[1] > 0


def photograph(scale=1):
    with Image.open("data/astronaut.jpg") as picture:
        return np.asarray(picture.resize((256 * scale, 256 * scale), Image.Resampling.BOX))


def grid_of(image, box):
    return cut_grid(np.asarray(image, dtype=np.float64), Hints(box, None, None), None)[0]


def options_of(smoothness=20.0):
    return CutOptions(5, smoothness, np.random.default_rng(0), None)


@pytest.mark.parametrize("box", [(20, 5, 220, 250), (60, 0, 150, 140)])
def test_energy_falls_every_round(box):
    grid, options = grid_of(photograph(), box), options_of()
    for guess in first_guesses(grid, options):
        energies = cut_in_rounds(grid, guess, options).energies
        assert len(energies) > 2
        assert (np.diff(energies) < 0).all()


def test_a_large_picture_is_cut_as_its_half_is():
    large = cut_foreground(photograph(2), box=(40, 10, 440, 500))
    small = cut_foreground(photograph(1), box=(20, 5, 220, 250))
    assert iou(large[::2, ::2], small) > 0.9


WHOLE, THIN = (40, 40), (40, 10)  # rows and columns of a cut in a box of 40 by 40
NOTHING, SPECK = (0, 0), (1, 2)


@pytest.mark.parametrize(
    ("sizes", "energies", "taken"),
    [
        ((WHOLE, THIN, THIN, THIN), (9, 1, 1, 1), WHOLE),
        ((THIN, WHOLE, (20, 20), WHOLE), (9, 8, 2, 3), (20, 20)),
        ((NOTHING, SPECK, THIN, WHOLE), (1, 2, 9, 8), WHOLE),
    ],
    ids=["the first fills the box", "one has least energy", "specks and nothing have least energy"],
)
def test_the_first_cut_that_fills_the_box_is_taken_or_else_the_object_of_least_energy(
    sizes, energies, taken, monkeypatch
):
    grid = grid_of(np.arange(60 * 80).reshape(60, 80, 1), (20, 10, 60, 50))
    _, top, left = np.argwhere(grid.unknown).min(axis=0)
    cuts = []
    for (rows, cols), energy in zip(sizes, energies, strict=True):
        mask = np.zeros(grid.known.shape, dtype=bool)
        mask[0, top : top + rows, left : left + cols] = True
        cuts.append(Cut(mask, (), (energy,)))
    found = iter(cuts)
    monkeypatch.setattr("gmmseg.image.cut_starts.cut_in_rounds", lambda *_: next(found))
    monkeypatch.setattr("gmmseg.image.cut_grid.SMALLEST_SIDE", 80)
    assert cut_from_starts(grid, options_of()).mask.sum() == np.prod(taken)


def test_extent_is_the_share_of_the_box_that_a_mask_spans():
    grid = grid_of(np.zeros((60, 80, 1)), (20, 10, 60, 50))
    mask = np.zeros(grid.known.shape, dtype=bool)
    unknown = np.argwhere(grid.unknown)
    _, top, left = unknown.min(axis=0)
    mask[0, top : top + 40, left + 10 : left + 30] = True
    assert extent_in_box(grid, mask) == 0.5


def test_half_size_keeps_means_and_what_most_pixels_are():
    grid = grid_of(np.arange(40 * 60).reshape(40, 60, 1), (0, 0, 60, 40))
    half = grid.halved()
    assert half.features.shape == (1, 20, 30, 1)
    expected = grid.features[0, 6:8, 8:10, 0].mean()
    assert half.features[0, 3, 4, 0] == pytest.approx(expected, abs=1e-6)
    known = np.full(grid.known.shape, UNKNOWN, dtype=np.int8)
    known[0, 4:6, 4] = FOREGROUND
    known[0, 8:10, 8:10] = BACKGROUND
    known[0, 12, 12] = BACKGROUND
    labels = replace(grid, known=known).halved().known[0]
    assert (labels[2, 2], labels[4, 4], labels[6, 6]) == (FOREGROUND, BACKGROUND, UNKNOWN)


def test_labels_of_half_size_come_back_in_their_places():
    grid = grid_of(np.zeros((41, 61, 1)), (0, 0, 61, 41))
    half = np.zeros(grid.halved().known.shape, dtype=bool)
    half[0, 20, 30] = True
    assert_array_equal(np.argwhere(grid.doubled(half)), [[0, 40, 60]])


def test_the_image_is_not_changed(rng):
    image = scene(rng)
    before = image.copy()
    cut_foreground(image, box=BOX)
    assert_array_equal(image, before)


IMAGE = np.zeros((10, 12))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "where is the object.* give a box around it, or seeds"),
        (
            {"box": (1, 2, 3)},
            r"box must be whole numbers \(x0, y0, x1, y1\) in an image, got \(1, 2, 3\)",
        ),
        ({"box": (0.5, 0, 3, 3)}, r"box must be whole numbers \(x0, y0, x1, y1\)"),
        ({"box": (5, 5, 5, 8)}, r"must enclose pixels of the image, got \(5, 5, 5, 8\)"),
        ({"box": (20, 0, 30, 8)}, "x counts columns, y rows, and the end lies outside"),
        ({"seeds": np.zeros((10, 12))}, "seeds are 0 everywhere; mark some pixels"),
        ({"seeds": np.full((10, 12), 3)}, "seeds must be 0 .* or 2 .*, got 3"),
        ({"seeds": np.zeros((3, 3))}, r"seeds must have shape \(10, 12\) as the image"),
        ({"seeds": np.ones((10, 12))}, "no pixel can be foreground"),
        ({"box": (0, 0, 9, 9), "mask": np.zeros((10, 12))}, "no pixel is left to cut"),
        ({"box": (0, 0, 9, 9), "mask": np.zeros((3, 3))}, r"mask must have shape \(10, 12\)"),
        ({"box": (0, 0, 9, 9), "channel_axis": 5}, "channel_axis=5 indicates multichannel"),
        ({"box": (0, 0, 9, 9), "spacing": (1, 0)}, "spacing must be 2 lengths above 0"),
        ({"box": (0, 0, 9, 9), "smoothness": -1}, "smoothness must be a number of at least 0"),
        ({"box": (0, 0, 9, 9), "n_components": 0}, "n_components must be a whole number"),
        ({"box": (0, 0, 9, 9), "random_state": -1}, "random_state must be None or a whole"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(options, message):
    with pytest.raises(InputError, match=message):
        cut_foreground(IMAGE, **options)


@pytest.mark.parametrize(
    ("image", "channel_axis", "message"),
    [
        (np.zeros((4, 4), dtype=complex), -1, "must be boolean, integer or floating, got dtype"),
        (np.zeros((0, 4)), -1, r"image has no pixels, its shape is \(0, 4\)"),
        (np.zeros((2, 4, 4, 3)), None, "channel_axis=None indicates a volume"),
        (np.zeros((4, 4, 3)), 3, "channel_axis must be a whole number in -3…2 for 3 axes, got 3"),
    ],
)
def test_an_image_that_cannot_be_used_is_told(image, channel_axis, message):
    with pytest.raises(InputError, match=message):
        cut_foreground(image, box=(0, 0, 2, 2), channel_axis=channel_axis)


def test_refining_moves_the_border_by_a_few_pixels_only():
    grid, options = grid_of(photograph(2), (40, 10, 440, 500)), options_of()
    coarse = cut(grid.halved(), options).mask
    fine = cut(grid, options_of()).mask
    moved = grid.doubled(coarse) != fine
    assert 0 < moved.mean() < 0.05
