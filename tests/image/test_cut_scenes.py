"""An object is cut out of noise, of shading and of a loose or tight box, or a warning says so."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import GmmsegWarning
from gmmseg.image import cut_foreground

SIDE = 120
ROWS, COLS = np.mgrid[:SIDE, :SIDE]
DISC = np.hypot(ROWS - 60, COLS - 60) < 22
NOTHING_FOUND = (
    "nothing was cut out: all pixels look like the background; mark some of the object in seeds, "
    "draw the box closer, or lower smoothness"
)


def box_around(mask, margin):
    """Return the box that encloses a mask with so many pixels to spare on each side."""
    places = np.argwhere(mask)
    first = np.maximum(places.min(axis=0) - margin, 0)
    last = np.minimum(places.max(axis=0) + 1 + margin, mask.shape)
    return tuple(int(n) for n in (*first[::-1], *last[::-1]))


def iou(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def noisy_disc(rng):
    """Return a disc whose colour is a deviation and a half of the noise away from its ground."""
    image = rng.normal(scale=15, size=(SIDE, SIDE, 3)) + 100
    image[DISC] += (20, -10, 6)
    return image


@pytest.mark.parametrize("margin", [0, 10, 20, 28])
def test_noise_does_not_hide_a_disc_however_loose_its_box(margin, rng):
    assert iou(cut_foreground(noisy_disc(rng), box=box_around(DISC, margin)), DISC) > 0.9


@pytest.mark.parametrize("margin", [0, 10, 20, 28])
@pytest.mark.parametrize(
    "shading", [0.6 * COLS, 0.5 * ROWS - 0.4 * COLS, np.hypot(ROWS - 60, COLS - 50) ** 2 / 80]
)
def test_shading_does_not_hide_a_disc_however_loose_its_box(shading, margin, rng):
    image = shading + 40 * DISC + rng.normal(scale=4, size=DISC.shape)
    assert iou(cut_foreground(image, box=box_around(DISC, margin)), DISC) > 0.97


@pytest.mark.parametrize("n_planes", [6, 8, 12])
@pytest.mark.parametrize("slope", [0, 1])
def test_a_block_that_goes_on_outside_of_its_box_is_cut_at_the_box(n_planes, slope, rng):
    block = np.zeros((n_planes, 60, 80), dtype=bool)
    block[:, 15:45, 20:60] = True
    volume = 100.0 * block + rng.normal(scale=3, size=block.shape)
    volume += slope * np.arange(n_planes)[:, np.newaxis, np.newaxis]
    mask = cut_foreground(volume, box=(15, 10, 1, 65, 50, n_planes - 1), channel_axis=None)
    block[[0, -1]] = False
    assert iou(mask, block) > 0.99


def test_a_bar_that_goes_on_outside_of_its_box_is_cut_at_the_box(rng):
    bar = abs(ROWS - 60) < 36
    image = 60.0 * bar + rng.normal(scale=5, size=bar.shape)
    x0, x1 = 24, 96
    mask = cut_foreground(image, box=(x0, 18, x1, 103))
    assert iou(mask, bar & (x0 <= COLS) & (x1 > COLS)) > 0.95


def test_a_box_two_pixels_too_tight_costs_the_pixels_outside_of_it_and_few_more(rng):
    box = box_around(DISC, -2)
    in_box = np.zeros(DISC.shape, dtype=bool)
    in_box[box[1] : box[3], box[0] : box[2]] = True
    assert iou(cut_foreground(noisy_disc(rng), box=box), DISC & in_box) > 0.85


def test_a_faint_body_is_found_where_the_noise_of_its_size_hides_it(rng):
    z, y, x = np.indices((36, 56, 56))
    body = ((z - 18) / 8) ** 2 + ((y - 28) / 12) ** 2 + ((x - 28) / 12) ** 2 < 1
    volume = body + rng.normal(scale=0.6, size=body.shape)
    assert iou(cut_foreground(volume, box=box_around(body, 2), channel_axis=None), body) > 0.85


def test_noise_alone_is_no_object_and_a_warning_says_so(rng):
    image = rng.normal(size=(80, 80, 3))
    with pytest.warns(GmmsegWarning) as warned:
        mask = cut_foreground(image, box=(20, 20, 60, 60))
    assert not mask.any()
    assert [str(warning.message) for warning in warned] == [NOTHING_FOUND]


@pytest.mark.parametrize("margin", [0, 3])
def test_an_object_of_few_pixels_is_cut_out(margin, rng):
    square = (abs(ROWS - 60) < 2) & (abs(COLS - 60) < 2)
    image = 50.0 * square + rng.normal(size=square.shape)
    assert_array_equal(cut_foreground(image, box=box_around(square, margin)), square)


def test_seeds_that_leave_nothing_but_themselves_are_the_mask_without_a_warning():
    seeds = np.zeros((40, 40), dtype=int)
    seeds[20, 18:22], seeds[:2] = 2, 1
    mask = cut_foreground(np.zeros((40, 40)), seeds=seeds)
    assert mask[20, 18:22].all()
