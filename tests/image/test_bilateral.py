"""Averages over neighbours that look alike, beside their definition in plain loops."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.image.bilateral import TAPS, BilateralFilter, paired_taps


def naive_pass(values, inside, step, alike, spacing):
    """Average (planes, rows, cols, n_features) over five taps along axes longer than 1."""
    result = values.copy()
    along = [range(-TAPS, TAPS + 1) if length > 1 else (0,) for length in inside.shape]
    for cell in np.argwhere(inside):
        total, weighted = 0.0, 0.0
        for tap in itertools.product(*along):
            other = tuple(cell + step * np.array(tap))
            if min(other) < 0 or any(np.array(other) >= inside.shape) or not inside[other]:
                continue
            difference = np.sum((values[other] - values[tuple(cell)]) ** 2)
            likeness = max(0.0, 1 - difference / (2 * alike) ** 2) ** 2
            weight = likeness * np.exp(-np.sum((np.array(tap) * spacing) ** 2) / 2)
            total, weighted = total + weight, weighted + weight * values[other]
        result[tuple(cell)] = weighted / total
    return result


def averaged(values, inside=None, *, n_passes=3, alike=0.6, spacing=None, n_jobs=None):
    """Average an image (rows, cols, n_features) or a volume (planes, rows, cols, n_features)."""
    n_axes = values.ndim - 1
    volume = values if n_axes == 3 else values[np.newaxis]
    inside = np.ones(volume.shape[:3], bool) if inside is None else inside.reshape(volume.shape[:3])
    bilateral = BilateralFilter(alike, spacing)
    found = bilateral.averages(volume, inside, n_axes=n_axes, wanted=(n_passes,), n_jobs=n_jobs)
    return found[0].reshape(values.shape)


@pytest.mark.parametrize("alike", [0.4, 1.2, 1e4])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((1, 9, 13, 3), None),
        ((1, 1, 17, 1), None),
        ((1, 11, 8, 2), (3.0, 1.0)),
        ((4, 5, 6, 2), None),
        ((4, 6, 5, 1), (2.0, 1.0, 1.0)),
    ],
)
def test_two_passes_are_what_the_definition_says(rng, shape, spacing, alike):
    values = rng.normal(size=shape).astype(np.float32)
    inside = rng.random(shape[:3]) < 0.8
    lengths = np.ones(3)
    if spacing is not None:
        lengths[3 - len(spacing) :] = spacing
    expected = values.astype(np.float64)
    for step in (1, 2):
        expected = naive_pass(expected, inside, step, alike, lengths)
    given = values if shape[0] > 1 else values[0]
    found = averaged(given, inside, n_passes=2, alike=alike, spacing=spacing).reshape(shape)
    assert_allclose(found[inside], expected[inside], rtol=1e-4, atol=1e-5)


def test_noise_goes_and_an_edge_stays(rng):
    light = np.where(np.arange(60) < 25, 0.0, 1.0)[np.newaxis, :, np.newaxis]
    noisy = (light + rng.normal(scale=0.1, size=(50, 60, 1))).astype(np.float32)
    found = averaged(noisy, alike=0.3)
    assert np.abs(found - light).max() < 0.1 < np.abs(noisy - light).max()
    assert (found - light).std() < 0.25 * (noisy - light).std()


@pytest.mark.parametrize("n_features", [1, 3, 5])
def test_the_transposed_image_has_the_transposed_averages_to_the_bit(rng, n_features):
    image = rng.normal(size=(40, 57, n_features)).astype(np.float32)
    inside = rng.random((40, 57)) < 0.9
    turned = averaged(image.swapaxes(0, 1), inside.T)
    assert_array_equal(turned.swapaxes(0, 1)[inside], averaged(image, inside)[inside])


def test_a_part_has_the_averages_of_the_whole_as_far_as_it_reaches(rng):
    image = rng.normal(size=(80, 30, 2)).astype(np.float32)
    reach = BilateralFilter(1.0).reach
    assert reach == 14
    part, whole = averaged(image[:50]), averaged(image)
    assert_array_equal(part[: 50 - reach], whole[: 50 - reach])
    assert (part[50 - reach :] != whole[50 - reach : 50]).any()


def test_near_and_wide_averages_are_those_of_one_pass_and_of_three(rng):
    image = rng.normal(size=(30, 20, 2)).astype(np.float32)
    inside = rng.random((30, 20)) < 0.9
    near, wide = BilateralFilter(0.6).near_and_wide(image[np.newaxis], inside[np.newaxis], n_axes=2)
    assert_array_equal(near[0], averaged(image, inside, n_passes=1))
    assert_array_equal(wide[0], averaged(image, inside, n_passes=3))
    assert_array_equal(wide[0][~inside], image[~inside])


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_averages_do_not_depend_on_the_number_of_threads(rng, n_jobs):
    image = rng.normal(size=(120, 130, 2)).astype(np.float32)
    assert_array_equal(averaged(image, n_jobs=n_jobs), averaged(image, n_jobs=1))


def test_what_is_masked_out_counts_for_nothing_whatever_it_is(rng):
    image = rng.normal(size=(20, 25, 2)).astype(np.float32)
    inside = rng.random((20, 25)) < 0.7
    changed = np.where(inside[..., np.newaxis], image, np.nan).astype(np.float32)
    assert_array_equal(averaged(changed, inside)[inside], averaged(image, inside)[inside])


@pytest.mark.parametrize("factor", [1e-35, 1e-20, 1.0, 1e20, 1e35])
def test_units_do_not_matter_up_to_the_ends_of_float32(rng, factor):
    image = rng.normal(size=(20, 25, 2)).astype(np.float32)
    found = averaged(image * np.float32(factor), alike=0.6 * factor)
    assert_allclose(found / factor, averaged(image), rtol=1e-4, atol=1e-5)


def test_a_constant_stays_as_it_is():
    image = np.full((9, 9, 3), 0.1, dtype=np.float32)
    assert_array_equal(averaged(image, alike=1.0), image)


def test_nothing_is_averaged_where_nothing_is_alike(rng):
    image = rng.normal(size=(9, 9, 3)).astype(np.float32)
    assert_array_equal(averaged(image, alike=0.0), image)


def test_alike_is_what_differs_within_groups(rng):
    labels = rng.integers(0, 3, size=20_000) * 2  # no pixel is of groups 1 and 3
    X = (rng.normal(size=(20_000, 2)) * [0.3, 0.4] + 10 * labels[:, np.newaxis]).astype(np.float32)
    tolerance = BilateralFilter.of_groups(X, labels).tolerance
    assert tolerance == pytest.approx(2 * 0.5, rel=0.02)
    whole = BilateralFilter.of_groups(X, np.zeros_like(labels)).tolerance
    assert whole == pytest.approx(0.6 * np.sqrt(X.var(axis=0).sum()), rel=1e-3)
    assert BilateralFilter.of_groups(np.ones_like(X), labels).tolerance == 0


def test_what_noise_makes_differ_is_alike(rng):
    X = rng.normal(size=(1000, 1)).astype(np.float32)
    labels = (X[:, 0] > 0).astype(int)  # groups of nothing but noise
    halves = BilateralFilter.of_groups(X, labels)
    noisy = BilateralFilter.of_groups(X, labels, noise=1.0)
    assert (halves.noisiness, noisy.tolerance) == (1, pytest.approx(3))
    assert noisy.noisiness == pytest.approx(3 / halves.tolerance)
    assert BilateralFilter.of_groups(X, labels, noise=0.05).tolerance == halves.tolerance


def test_neighbours_of_one_group_do_not_differ_more_than_it_may():
    X = np.array([[0.0], [0.1], [5.0], [5.1]], dtype=np.float32)
    labels = np.array([0, 0, 1, 1])
    board = BilateralFilter.of_groups(X, labels, noise=3.5)  # as of a chequerboard
    assert board.tolerance == BilateralFilter.of_groups(X, labels).tolerance
    assert board.noisiness == 1


@pytest.mark.parametrize("n_axes", [2, 3])
def test_every_tap_is_in_one_pair(n_axes):
    taps = paired_taps(n_axes).reshape(-1, 3)
    assert len(taps) == len(np.unique(taps, axis=0)) == 5**n_axes - 1
    assert np.abs(taps).max() == TAPS
