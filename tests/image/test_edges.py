import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.edges import disc_steps, edge_strength, gaussian_weights, line_steps
from gmmseg.image.region_kernels import (
    OUTSIDE,
    add_half_disc_differences,
    strongest_line_means,
)
from tests import naive

N_ORIENTATIONS = 4


def step_image(shape=(40, 40), height=60.0):
    """Return one colour that jumps in the middle column."""
    colors = np.full((*shape, 1), 20, dtype=np.float32)
    colors[:, shape[1] // 2 :] += np.float32(height)
    return colors


def everywhere(colors):
    return np.ones(colors.shape[:2], dtype=bool)


@pytest.mark.parametrize("blur", [np.ones(1, dtype=np.float32), gaussian_weights(1.0)])
def test_half_discs_differ_as_the_naive_twin_says(rng, blur):
    codes = rng.integers(0, 6, size=(12, 15)).astype(np.uint8)
    codes[rng.random(codes.shape) < 0.2] = OUTSIDE
    out = np.zeros((N_ORIENTATIONS, *codes.shape), dtype=np.float32)
    steps = disc_steps(4, N_ORIENTATIONS)
    add_half_disc_differences(codes, blur, steps, np.float32(2), out, (0, 12))
    for row, col in np.argwhere(codes < OUTSIDE):
        for i in range(N_ORIENTATIONS):
            angle = (i + 0.5) * np.pi / N_ORIENTATIONS
            expected = naive.half_disc_difference(codes, 4, angle, row, col, blur)
            assert_allclose(out[i, row, col], 2 * expected, atol=1e-5)
    assert_array_equal(out[:, codes == OUTSIDE], 0)


def test_no_pixel_of_a_disc_lies_on_a_cut_and_halves_are_equally_large():
    row, col, sector = disc_steps(10, 8).T
    turn = np.arctan2(row, col) / np.pi * 8 - 0.5
    assert np.abs(turn - np.rint(turn)).min() > 1e-3
    counts = np.bincount(sector, minlength=16)
    assert_array_equal(counts[:8], counts[8:])


def test_line_means_are_weighted_means_of_the_pixels_inside(rng):
    strengths = rng.random((2, 5, 6), dtype=np.float32)
    inside = rng.random((5, 6)) < 0.8
    inside[2, 3] = True
    steps = np.array([[[0, -1], [0, 0], [0, 1]], [[-1, 0], [0, 0], [1, 0]]])
    weights = np.array([1, 2, 1], dtype=np.float32)
    out = np.empty((5, 6), dtype=np.float32)
    strongest_line_means(strengths, inside, steps, weights, out, (0, 5))
    across = np.average(strengths[0, 2, 2:5], weights=weights * inside[2, 2:5])
    down = np.average(strengths[1, 1:4, 3], weights=weights * inside[1:4, 3])
    assert_allclose(out[2, 3], max(across, down), rtol=1e-6)
    assert_array_equal(out[~inside], 0)


def test_line_runs_both_ways_and_weighs_its_middle_most():
    steps, weights = line_steps(3, 4)
    assert_array_equal(steps, -steps[:, ::-1])
    assert weights.argmax() == 3


def test_what_is_even_has_no_edges():
    even = np.full((30, 40, 2), 33, dtype=np.float32)
    assert_array_equal(edge_strength(even, everywhere(even)), 0)


def test_the_edge_is_strongest_where_the_colour_jumps():
    colors = step_image()
    strength = edge_strength(colors, everywhere(colors))
    assert set(strength[5:-5].argmax(axis=1)) <= {19, 20}
    assert strength[20, 2] == 0


def test_a_higher_jump_is_a_stronger_edge():
    low, high = step_image(height=5), step_image(height=60)
    weak, strong = (edge_strength(c, everywhere(c)).max() for c in (low, high))
    assert 0 < weak < strong <= 1


def test_what_lies_outside_makes_no_edge():
    colors = step_image()
    inside = colors[:, :, 0] < 50
    assert_array_equal(edge_strength(colors, inside), 0)


def test_stripes_of_two_directions_are_told_apart_though_equally_light():
    row, col = np.mgrid[:60, :60]
    colors = np.where((np.where(col < 30, row, col) // 3) % 2, 60, 30)[..., None]
    strength = edge_strength(colors.astype(np.float32), np.ones((60, 60), dtype=bool))
    assert strength[15:45, 29:31].mean() > 1.5 * strength[15:45, 10:20].mean()


def test_edges_of_the_transposed_image_are_the_transposed_edges(rng):
    colors = rng.uniform(0, 100, size=(30, 40, 2)).astype(np.float32)
    strength = edge_strength(colors, everywhere(colors))
    turned = edge_strength(colors.transpose(1, 0, 2), np.ones((40, 30), dtype=bool))
    assert_allclose(turned.T, strength, atol=2e-3)  # two steps of rounding


def test_edges_do_not_depend_on_the_number_of_threads(rng):
    colors = rng.uniform(0, 100, size=(30, 40, 2)).astype(np.float32)
    one, two = (edge_strength(colors, everywhere(colors), n_jobs=n) for n in (1, 2))
    assert_array_equal(one, two)
