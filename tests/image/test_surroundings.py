"""Things of their own brightness on a dark ground: their borders, and what places know of them."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from gmmseg.core.initialization import parameters_from_labels
from gmmseg.image import surroundings
from gmmseg.image.pixels import as_region, pixels_of
from gmmseg.image.segment_model import SegmentModel
from gmmseg.image.segmentation import segment_image
from gmmseg.image.surroundings import ThinnedPixels, learned_surroundings

RADIUS = 15.0
PLANE = np.array([np.inf, 1.0, 1.0])


def nuclei(rng, *, factors=(0.3, 0.6, 1.2, 2.5, 5.0), blur=3.0, gain=1.0):
    """Return discs of one size, each so bright, on a dark ground, counted in photons: and labels.

    +-----------------------+
    |  .    o    O    @    #|   16-bit, seen through a lens
    +-----------------------+
    """
    side, places = 80, np.zeros((80 * 2, 80 * len(factors)), dtype=int)
    rows, cols = np.mgrid[:side, :side] - side / 2 + 0.5
    disc = rows**2 + cols**2 < RADIUS**2
    for number, (i, k) in enumerate(itertools.product(range(2), range(len(factors)))):
        places[i * side : (i + 1) * side, k * side : (k + 1) * side][disc] = number + 1
    bright = 400 * np.array([0.0, *factors, *factors[::-1]])[places]
    photons = rng.poisson((ndimage.gaussian_filter(bright, blur) + 100) / gain) * gain
    return photons.astype(np.uint16), places


def widths(labels):
    """Return the radius of the circle as large as what is found of every disc."""
    cells = np.kron(np.arange(10).reshape(2, 5), np.ones((80, 80), dtype=int))
    areas = np.bincount(cells.ravel(), weights=(labels == 2).ravel())
    return np.sqrt(areas / np.pi)


def without_surroundings(monkeypatch):
    monkeypatch.setattr(SegmentModel, "_surroundings", lambda *_: None)


# ------------------------------------------------------------------------------ what one can see


def test_a_dim_nucleus_is_nearly_as_wide_as_a_bright_one(rng, monkeypatch):
    image, _ = nuclei(rng, factors=(0.6, 1.0, 1.5, 2.2, 3.0))
    found = widths(segment_image(image, 2))
    without_surroundings(monkeypatch)
    by_one_border = widths(segment_image(image, 2))
    assert np.ptp(found) < 2
    assert np.ptp(by_one_border) > 3
    assert np.all(np.abs(found - RADIUS) < 4)


def test_the_dimmest_nucleus_is_not_lost_beside_bright_ones(rng):
    image, _ = nuclei(rng, blur=4.0)
    assert widths(segment_image(image, 2)).min() > 7


def test_sharp_things_on_a_constant_ground_are_found_to_the_pixel():
    image = np.zeros((100, 240), dtype=np.uint8)
    image[30:70, 20:70], image[30:70, 120:170] = 200, 40
    assert_array_equal(segment_image(image, 2), 1 + (image > 0))


def test_a_sharp_thing_that_fills_the_picture_keeps_its_border(rng):
    rows, cols = np.mgrid[:200, :300]
    disc = (rows - 100) ** 2 + (cols - 150) ** 2 < 95**2
    image = rng.poisson(500 * disc + 100).astype(np.uint16)
    assert_array_equal(segment_image(image, 2, features="log"), 1 + disc)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical", "EII"])
def test_pixels_that_are_nan_and_any_covariance_leave_things_whole(rng, covariance_type):
    image, places = nuclei(rng, factors=(0.7, 1.0, 1.4, 1.0, 0.7))
    channels = np.stack([image, image[::-1]], axis=-1).astype(np.float64)
    channels[5:20, 5:20] = np.nan
    labels = segment_image(channels, 2, covariance_type=covariance_type)
    assert_array_equal(labels == 0, np.isnan(channels[..., 0]))
    assert (labels[places > 0] == 2).mean() > 0.98


def test_a_thing_of_one_pixel_is_found():
    image = np.zeros((3, 3), dtype=np.uint8)
    image[1, 1] = 9
    assert_array_equal(segment_image(image, 2, features="log"), 1 + (image > 0))


def test_noise_leaves_things_whole(rng):
    image, places = nuclei(rng, factors=(0.7, 1.0, 1.4, 1.0, 0.7), gain=100.0)
    found = segment_image(image, 2) == 2
    assert (found & (places > 0)).sum() / (found | (places > 0)).sum() > 0.8


def test_a_volume_of_bright_and_dim_balls_gives_both_one_size(rng):
    planes, rows, cols = np.mgrid[:24, :48, :96].astype(float)
    volume = np.zeros(planes.shape)
    for middle, bright in ((24, 300.0), (72, 2400.0)):
        far = (2 * (planes - 11.5)) ** 2 + (rows - 24) ** 2 + (cols - middle) ** 2
        volume[far < 15**2] = bright
    volume = rng.poisson(ndimage.gaussian_filter(volume, (1, 2, 2)) + 50).astype(np.uint16)
    labels = segment_image(volume, 2, channel_axis=None, spacing=(2.0, 1.0, 1.0))
    dim, bright = ((labels[..., part] == 2).sum() for part in (slice(48), slice(48, None)))
    assert 0.68 < dim / bright < 1  # 0.62 by one border


def test_an_image_of_nothing_but_ground_has_no_surroundings(rng):
    kept = ThinnedPixels.empty((1, 20, 30), 1)
    kept.inside[:] = True
    kept.averages[:] = rng.normal(size=kept.averages.shape)
    assert kept.mean_width() == 0
    assert learned_surroundings(kept, two_gaussians(rng), PLANE) is None


# ------------------------------------------------------------------------------------------ laws


def test_transposing_transposes_the_labels(rng):
    image, _ = nuclei(rng)
    assert_array_equal(segment_image(image.T, 2), segment_image(image, 2).T)


def test_the_labels_do_not_depend_on_the_unit_or_the_number_of_threads(rng):
    image, _ = nuclei(rng)
    labels = segment_image(image, 2)
    assert_array_equal(segment_image(image.astype(np.float32) / 2**16, 2, n_jobs=1), labels)


def test_strips_leave_no_seams(rng, monkeypatch):
    image, _ = nuclei(rng)
    image = np.tile(image, (2, 1))
    whole = segment_image(image, 2)
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 60 * image.shape[1])
    assert len(pixels_of(image).strips(30)) > 2
    assert_array_equal(segment_image(image, 2), whole)


def test_what_is_masked_out_counts_for_nothing(rng):
    image, _ = nuclei(rng)
    mask = np.ones(image.shape, bool)
    mask[20:60, 100:140] = False
    other = np.where(mask, image, 60000).astype(np.uint16)
    assert_array_equal(segment_image(other, 2, mask=mask), segment_image(image, 2, mask=mask))


def test_a_place_far_from_things_takes_what_the_image_knows_of_them(rng):
    kept = ThinnedPixels.empty((1, 40, 400), 2)
    kept.inside[:] = True
    kept.is_thing[:, 10:30, 10:40] = True
    kept.averages[:] = rng.normal(size=kept.averages.shape) + 9 * kept.is_thing[..., np.newaxis]
    found = learned_surroundings(kept, two_gaussians(rng), PLANE)
    _, things = found.segments
    assert_allclose(things.shift[0, :, -1], 0, atol=1e-6)
    assert_allclose(things.spread[0, :, -1], 1, atol=1e-5)
    assert things.weight[0, :, -1].max() < 0.1 < things.weight[0, 20 // found.steps[1], 2]


# ------------------------------------------------------------------- beside plain definitions


def two_gaussians(rng):
    X = np.concatenate([rng.normal(size=(200, 2)), rng.normal(size=(200, 2)) * [1, 3] + 9])
    own = np.repeat([0, 1], 200)
    return parameters_from_labels(X, np.ones(400), own, 2, covariance_type="full")


def naive_segment(kept, parameters, k, place, window):
    """Return shift, spread and weight at a place, as sums in plain loops."""
    factor = parameters.component_factors[k]
    present = count = 0.0
    sums, devs = np.zeros(2), []
    for cell in np.argwhere(kept.inside):
        steps = cell - place
        if np.any(np.abs(steps[1:]) > np.ceil(surroundings.TRUNCATED * window - 0.5)):
            continue
        near = np.exp(-np.sum(steps[1:] ** 2) / (2 * window**2)) / normalizer(window) ** 2
        present += near
        if kept.is_thing[tuple(cell)] == bool(k):
            z = (kept.averages[tuple(cell)] - parameters.means[k]) @ factor
            count += near
            sums += near * z
            devs.append((near, z))
    shift = sums / (count + surroundings.PRIOR_OF_MEAN)
    square = sum(near * np.sum((z - shift) ** 2) for near, z in devs) / 2
    prior = surroundings.PRIOR_OF_VARIANCE
    share = (kept.is_thing[kept.inside] == bool(k)).mean()
    weight = (count + surroundings.PRIOR_OF_WEIGHT * share) / (
        present + surroundings.PRIOR_OF_WEIGHT
    )
    return shift, (square + prior) / (count + prior), weight


def normalizer(window):
    radius = np.ceil(surroundings.TRUNCATED * window - 0.5)
    steps = np.arange(-radius, radius + 1)
    return np.exp(-(steps**2) / (2 * window**2)).sum()


@pytest.mark.parametrize("place", [(0, 0, 0), (0, 13, 20), (0, 27, 33)])
def test_a_place_learns_what_the_definition_says(rng, monkeypatch, place):
    monkeypatch.setattr(surroundings, "N_ROUNDS", 1)
    monkeypatch.setattr(surroundings, "MOST_BLUR", 0.0)
    monkeypatch.setattr(surroundings, "FINE", 100)
    kept = ThinnedPixels.empty((1, 28, 34), 2)
    kept.inside[:] = rng.random(kept.inside.shape) < 0.9
    kept.is_thing[:, 8:20, 10:26] = True
    kept.is_thing[:] &= kept.inside
    kept.averages[:] = rng.normal(size=kept.averages.shape) + 7 * kept.is_thing[..., np.newaxis]
    parameters = two_gaussians(rng)
    window = max(surroundings.SURROUNDINGS * kept.mean_width(), surroundings.LEAST_SURROUNDINGS)
    found = learned_surroundings(kept, parameters, PLANE)
    for k, segment in enumerate(found.segments):
        shift, spread, weight = naive_segment(kept, parameters, k, np.array(place), window)
        assert_allclose(segment.shift[place], shift, rtol=1e-4, atol=1e-5)
        assert_allclose(segment.spread[place], min(spread, 1), rtol=1e-4)
        assert_allclose(segment.weight[place], weight, rtol=1e-4)


def test_densities_are_those_of_the_gaussian_that_shift_and_spread_describe(rng, monkeypatch):
    monkeypatch.setattr(surroundings, "FINE", 100)
    kept = ThinnedPixels.empty((1, 30, 40), 2)
    kept.inside[:] = True
    kept.is_thing[:, 8:20, 10:26] = True
    kept.averages[:] = rng.normal(size=kept.averages.shape) + 5 * kept.is_thing[..., np.newaxis]
    parameters = two_gaussians(rng)
    found = learned_surroundings(kept, parameters, PLANE)
    everywhere = as_region((slice(0, 1), slice(0, 30), slice(0, 40)))
    log_joint = found.log_joint(kept.averages, kept.inside, everywhere)
    blurred = surroundings._blurred(kept.averages, kept.inside, found.blur)
    expected = []
    for k, segment in enumerate(found.segments):
        mean = parameters.means[k] + segment.shift[0, 11, 7] @ np.linalg.inv(
            parameters.component_factors[k]
        )
        covariance = segment.spread[0, 11, 7] * parameters.component_covariances[k]
        deviation = blurred[0, 11, 7] - mean
        square = deviation @ np.linalg.solve(covariance, deviation)
        log_volume = np.linalg.slogdet(covariance)[1]
        assert segment.spread.max() <= 1
        expected.append(np.log(segment.weight[0, 11, 7]) - (square + log_volume) / 2)
    assert_allclose(log_joint[:, 0, 11, 7], expected, rtol=1e-4)


def test_what_is_kept_of_strips_is_what_is_kept_of_the_whole(rng):
    pixels = pixels_of(rng.random((1100, 1300)))
    values = rng.random((1, 1100, 1300, 1)).astype(np.float32)
    inside = rng.random((1, 1100, 1300)) < 0.9
    kept = ThinnedPixels.empty(pixels.shape, 1)
    assert kept.steps == (1, 2, 2)
    for outer, inner in pixels.strips(7):
        kept.put((outer, inner), values[outer], inside[outer], values[outer][..., 0] > 0.5)
    assert_array_equal(kept.averages, values[:, ::2, ::2])
    assert_array_equal(kept.inside, inside[:, ::2, ::2])
    assert_array_equal(kept.is_thing, (inside & (values[..., 0] > 0.5))[:, ::2, ::2])


@pytest.mark.parametrize("blur", [0.0, 2.0, 4.0])
def test_softness_is_by_how_many_pixels_borders_are_blurred(blur):
    kept = ThinnedPixels.empty((1, 80, 120), 1)
    kept.inside[:] = True
    kept.is_thing[:, 20:60, 30:90] = True
    sharp = 7.0 * kept.is_thing
    kept.averages[..., 0] = ndimage.gaussian_filter(sharp, (0, blur, blur))
    assert kept.softness() == pytest.approx(blur, rel=0.25, abs=1e-6)


def test_the_width_of_bars_is_their_width():
    kept = ThinnedPixels.empty((1, 60, 60), 1)
    kept.is_thing[:, 10:22, 5:41] = True  # 12 rows by 36 columns: runs of 36 along rows, 12 along
    assert kept.mean_width() == pytest.approx(2 * 12 * 36 / (12 + 36))
