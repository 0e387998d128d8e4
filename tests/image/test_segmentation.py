"""Segments of pictures whose truth one can see, and the laws of labelling."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.estep import responsibilities
from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image.features import lightness
from gmmseg.image.io import read_image
from gmmseg.image.pixels import pixels_of
from gmmseg.image.segmentation import SegmentOptions, learn_segments, segment_image
from gmmseg.image.segmenter import ImageSegmenter

DARK, RED, GREEN, LIGHT = (10, 10, 10), (180, 30, 30), (60, 170, 60), (240, 240, 240)


@pytest.fixture
def quadrants(rng):
    """A noisy picture of four colours, dark to light: top left, top right, bottom left, right."""
    truth = np.kron([[1, 2], [3, 4]], np.ones((20, 24), dtype=int))
    colors = np.array([(0, 0, 0), DARK, RED, GREEN, LIGHT])
    noisy = colors[truth] + rng.normal(scale=4, size=(*truth.shape, 3))
    return noisy.round().clip(0, 255).astype(np.uint8), truth


@pytest.fixture(scope="module")
def coffee():
    image, _ = read_image("data/coffee.png")
    return image[::3, ::3]


def learn(image, n_segments, **options):
    return learn_segments(pixels_of(image), SegmentOptions(n_segments=n_segments, **options))


# ------------------------------------------------------------------------------ what one can see


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_four_colored_quadrants_are_four_segments_from_dark_to_light(quadrants, covariance_type):
    image, truth = quadrants
    labels = segment_image(image, 4, covariance_type=covariance_type)
    assert_array_equal(labels, truth)


@pytest.mark.parametrize("features", ["auto", "lab", "rgb", "none"])
def test_quadrants_are_found_in_every_color_space(quadrants, features):
    image, truth = quadrants
    assert_array_equal(segment_image(image, 4, features=features), truth)


def test_gray_sees_lightness_alone():
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    image[:, 2:4] = 100
    image[:, 4:] = 250
    labels = segment_image(image, 3, features="gray")
    assert_array_equal(labels[0], [1, 1, 2, 2, 3, 3])


def test_labels_are_numbered_by_how_light_the_pixels_are(coffee):
    labels = segment_image(coffee, 5)
    light = lightness(coffee)
    means = [light[labels == label].mean() for label in range(1, 6)]
    assert means == sorted(means)


def test_place_separates_what_color_does_not(rng):
    image = rng.normal(0.5, 0.01, size=(30, 90))
    labels = segment_image(image, 2, position=3.0)
    assert len(np.unique(labels[:, :20])) == 1
    assert len(np.unique(labels[:, -20:])) == 1
    assert labels[0, 0] != labels[0, -1]
    assert len(np.unique(segment_image(image, 2)[:, :20])) == 2


@pytest.mark.parametrize("position", [1e37, 1e40, 1e300])
def test_a_place_that_outweighs_what_numbers_hold_is_refused(rng, position):
    message = r"^position weighs places beyond what numbers can hold, got 1e\+\d+; give a weight "
    with pytest.raises(InputError, match=message):
        segment_image(rng.random((20, 20)) * 100, 3, position=position)


# ---------------------------------------------------------------------------------------- laws


def test_two_seeds_that_find_the_same_segments_give_the_same_picture(quadrants):
    image, _ = quadrants
    labels = [segment_image(image, 4, random_state=seed) for seed in range(4)]
    for other in labels[1:]:
        assert_array_equal(other, labels[0])


def test_8_bit_16_bit_and_floating_copies_have_the_same_labels(coffee):
    labels = segment_image(coffee, 5)
    for copy in (coffee * np.uint16(257), coffee / 255, (coffee / 255).astype(np.float32)):
        assert_array_equal(segment_image(copy, 5), labels)


def test_transposing_the_image_transposes_the_labels(coffee):
    labels = segment_image(coffee, 5)
    assert_array_equal(segment_image(coffee.swapaxes(0, 1), 5), labels.T)


def test_channels_may_lie_on_any_axis(coffee):
    labels = segment_image(coffee, 4)
    moved = np.moveaxis(coffee, -1, 0)
    assert_array_equal(segment_image(moved, 4, channel_axis=0), labels)


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_labels_do_not_depend_on_the_number_of_threads(coffee, n_jobs):
    assert_array_equal(segment_image(coffee, 5, n_jobs=n_jobs), segment_image(coffee, 5, n_jobs=1))


def test_probabilities_sum_to_one_and_the_label_is_the_largest(coffee):
    model = learn(coffee, 4)
    pixels = pixels_of(coffee)
    probabilities = model.probabilities(pixels)
    assert_allclose(probabilities.sum(axis=2), 1, atol=1e-5)
    assert_array_equal(probabilities.argmax(axis=2) + 1, model.labels(pixels))


def test_component_k_of_the_model_is_label_k_plus_1(quadrants):
    image, truth = quadrants
    model = learn(image, 4)
    pixels = pixels_of(image)
    features, _ = model.recipe.features(pixels, pixels.everything)
    resp = responsibilities(features.reshape(-1, 3), model.parameters)
    assert_array_equal(resp.argmax(axis=1).reshape(truth.shape) + 1, truth)


# ---------------------------------------------------------------------------------------- mask


def test_masked_pixels_get_0_and_teach_nothing(quadrants):
    image, truth = quadrants
    mask = truth != 4
    labels = segment_image(image, 3, mask=mask)
    assert_array_equal(labels, np.where(mask, truth, 0))
    changed = image.copy()
    changed[~mask] = 77
    assert_array_equal(segment_image(changed, 3, mask=mask), labels)


def test_what_is_masked_out_may_be_anything(quadrants):
    image, truth = quadrants
    mask = truth != 1
    holed = np.where(mask[..., None], image / 255, -9999.0)
    labels = segment_image(holed, 3, mask=mask, position=0.1)
    changed = np.where(mask[..., None], image / 255, 0.7)
    assert_array_equal(segment_image(changed, 3, mask=mask, position=0.1), labels)
    assert_array_equal(labels == 0, ~mask)


def test_colors_in_needlessly_wide_integers_are_refused_with_the_remedy(quadrants):
    message = (
        r'^color="lab" divides by the largest value of the dtype, and int64 is far too wide '
        r"for values up to 25\d; use image.astype\(np.uint8\)$"
    )
    with pytest.raises(InputError, match=message):
        segment_image(quadrants[0].astype(np.int64), 4)


def test_pixels_that_are_not_finite_are_masked_out(rng):
    image = rng.random((8, 9))
    image[2, 3], image[4, 5] = np.nan, np.inf
    labels = segment_image(image, 2)
    assert labels[2, 3] == labels[4, 5] == 0
    assert (labels == 0).sum() == 2


@pytest.mark.parametrize("n_segments", [5, "auto"])
def test_image_without_a_pixel_in_use_is_refused(n_segments):
    message = "no pixel is left to segment: all are masked out, transparent, NaN or infinite"
    with pytest.raises(InputError, match=f"^{message}$"):
        segment_image(np.ones((3, 3)), n_segments, mask=np.zeros((3, 3)))


def test_mask_of_another_shape_is_refused():
    message = r"^mask must have shape \(3, 4\) as the image has, got \(4, 3\)$"
    with pytest.raises(InputError, match=message):
        segment_image(np.ones((3, 4)), mask=np.ones((4, 3)))


# -------------------------------------------------------------------------------- odd pictures


@pytest.mark.parametrize(
    ("image", "n_found"),
    [
        (np.zeros((5, 7, 3), dtype=np.uint8), 1),
        (np.full((5, 7), 0.25), 1),
        (np.array([[9]], dtype=np.uint8), 1),
        (np.array([[0, 200, 0, 200]], dtype=np.uint8), 2),
        (np.repeat([[0, 90, 200]], 5, axis=0).astype(np.uint16), 3),
    ],
    ids=["black", "flat", "one pixel", "one row", "three greys"],
)
def test_fewer_colors_than_segments_are_found_and_said_so(image, n_found):
    message = f"^found {n_found} of 5 segments: no pixel belongs to the others$"
    with pytest.warns(GmmsegWarning, match=message):
        labels = segment_image(image, 5)
    assert_array_equal(np.unique(labels), np.arange(1, n_found + 1))


def specks(rng):
    """Return two halves with specks on one: smoothness takes all pixels from these."""
    image = np.full((50, 60), 60) + rng.integers(-6, 7, size=(50, 60))
    image[:, 30:] += 140
    image[4::9, 4:30:9] += 20
    return image.astype(np.uint8)


def test_a_segment_that_lost_all_its_pixels_leaves_no_gap_in_the_numbers(rng):
    image = specks(rng)
    learned = ImageSegmenter(3, smoothness=100).fit(image)
    assert_array_equal(np.unique(learned.predict(image)), [1, 3])
    with pytest.warns(GmmsegWarning, match=r"^found 2 of 3 segments: no pixel "):
        labels = segment_image(image, 3, smoothness=100)
    assert_array_equal(labels, np.where(np.arange(60) < 30, 1, 2) + np.zeros((50, 1), int))


@pytest.mark.parametrize("n_channels", [1, 2, 4, 7])
def test_any_number_of_channels_is_segmented(rng, n_channels):
    truth = np.kron([[1, 2]], np.ones((10, 10), dtype=int))
    image = truth[..., None] * 100 + rng.normal(size=(10, 20, n_channels))
    assert_array_equal(segment_image(image, 2), truth)


def test_of_many_pixels_some_are_learned_from(monkeypatch, quadrants):
    image, truth = quadrants
    monkeypatch.setattr("gmmseg.image.segment_sample.LEARNED_FROM", 500)
    assert truth.size > 1500
    model = learn(image, 4)
    assert 300 < model.n_pixels < 700
    assert_array_equal(model.labels(pixels_of(image)), truth)


# -------------------------------------------------------------------------------- the neighbours


@pytest.mark.parametrize("texture", [False, True])
def test_strips_leave_no_seams(monkeypatch, coffee, texture):
    model, pixels = learn(coffee, 4, texture=texture), pixels_of(coffee)
    whole = model.labels(pixels)
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 30 * coffee.shape[1])
    assert len(pixels.strips(18)) > 2
    assert_array_equal(model.labels(pixels), whole)


def test_strips_overlap_as_far_as_averages_and_sweeps_reach(monkeypatch, coffee):
    monkeypatch.setattr("gmmseg.image.segment_model.N_SWEEPS", 1)
    model, pixels = learn(coffee, 4), pixels_of(coffee)
    whole = model.probabilities(pixels)
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", coffee.shape[1])
    assert len(pixels.strips(4)) > 10
    assert_allclose(model.probabilities(pixels), whole, atol=1e-6)


def test_strips_teach_what_the_whole_does(monkeypatch, coffee):
    whole = learn(coffee, 4)
    monkeypatch.setattr("gmmseg.image.pixels.STRIP_PIXELS", 50 * coffee.shape[1])
    assert len(pixels_of(coffee).strips(14)) > 2
    parts = learn(coffee, 4)
    assert parts.bilateral.tolerance == whole.bilateral.tolerance > 0
    assert_array_equal(parts.parameters.means, whole.parameters.means)
    assert_allclose(parts.contrast.factors, whole.contrast.factors, rtol=1e-5)


def test_smoothness_removes_specks_and_keeps_edges(rng):
    truth = np.ones((60, 60), dtype=int)
    truth[15:45, 15:45] = 2
    noisy = (np.array([0, 0.3, 0.7])[truth] + rng.normal(scale=0.15, size=truth.shape)).clip(0, 1)
    apart = (segment_image(noisy, 2, smoothness=0) != truth).mean()
    together = (segment_image(noisy, 2) != truth).mean()
    assert apart > 0.05
    assert together < apart / 4


def test_without_smoothness_every_pixel_is_taken_by_itself(rng):
    levels = rng.choice([0.2, 0.5, 0.8], size=900) + rng.normal(scale=0.05, size=900)
    order = rng.permutation(900)
    labels = segment_image(levels.reshape(30, 30), 3, smoothness=0).ravel()
    shuffled = segment_image(levels[order].reshape(30, 30), 3, smoothness=0).ravel()
    assert_array_equal(shuffled, labels[order])


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("factor", [1e-44, 1e-40, 1e-30, 1e30, 3e38])
def test_values_at_the_ends_of_float32_are_no_trouble(rng, factor):
    image = np.where(np.arange(30) < 12, 0.1, 0.9) + rng.normal(scale=0.02, size=(20, 30))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmsegWarning)
        labels = segment_image((image * factor).astype(np.float32), 2)
    assert labels.shape == image.shape
    assert labels.min() >= 1


def test_a_faint_square_in_noise_stays_though_its_segment_is_the_smaller(rng):
    truth = np.ones((100, 100), dtype=int)
    truth[:, 50:] = 2
    truth[30:70, 60:90] = 3
    noise = rng.normal(scale=0.1, size=truth.shape)
    labels = segment_image(np.array([0, 0, 0.8, 0.9])[truth] + noise, 3)
    assert (labels != truth).mean() < 0.03


def test_a_value_for_no_data_stays_where_it_is(rng):
    image = rng.random((60, 60)).astype(np.float32)
    image[20:30, 20:30] = np.finfo(np.float32).min
    assert_array_equal(segment_image(image, 2, features="none") == 1, image < 0)


def test_faint_stripes_beside_a_strong_contrast_stay(rng):
    truth = np.ones((60, 90), dtype=int)
    truth[:, 30:] = 2
    truth[:, 32::4] = truth[:, 33::4] = 3
    light = np.array([0, 0, 0.8, 0.9])[truth] + rng.normal(scale=0.01, size=truth.shape)
    assert_array_equal(segment_image(light.clip(0, 1), 3), truth)


@pytest.mark.parametrize(("asked", "kept"), [("auto", "full"), ("diag", "diag"), ("EVV", "EVV")])
def test_the_mixture_is_that_of_the_pixels_in_each_segment(quadrants, asked, kept):
    image, truth = quadrants
    model, pixels = learn(image, 4, covariance_type=asked), pixels_of(image)
    features = model.recipe.features(pixels, pixels.everything)[0][0]
    assert model.parameters.covariance_type == kept
    for k in range(4):
        own = features[truth == k + 1].astype(np.float64)
        assert model.parameters.weights[k] == pytest.approx(len(own) / truth.size)
        assert_allclose(model.parameters.means[k], own.mean(axis=0), rtol=1e-4, atol=1e-3)
        if kept == "full":
            assert_allclose(model.parameters.covariances[k], np.cov(own.T, bias=True), atol=0.02)


def test_the_smoothness_is_estimated_from_how_alike_neighbours_are(rng):
    truth = np.ones((60, 60), dtype=int)
    truth[15:45, 15:45] = 2
    noisy = (np.array([0, 0.3, 0.7])[truth] + rng.normal(scale=0.15, size=truth.shape)).clip(0, 1)
    pixels = pixels_of(noisy)
    options = SegmentOptions(n_segments=2, smoothness="auto")
    model = learn_segments(pixels, options)
    assert model.smoothness > 0.5
    assert (model.labels(pixels) != truth).mean() < 0.04
    shuffled = pixels_of(rng.permutation(noisy.ravel()).reshape(noisy.shape))
    assert learn_segments(shuffled, options).smoothness < 0.7 * model.smoothness


def test_prior_maps_decide_where_colours_do_not_and_give_the_order(rng):
    truth = np.ones((40, 60), dtype=int)
    truth[:, 20:] = 2
    truth[:, 40:] = 3
    light = np.array([0, 0.7, 0.2, 0.7])[truth] + rng.normal(scale=0.03, size=truth.shape)
    prior = np.full((*truth.shape, 3), 0.1)
    for k, place in enumerate((slice(0, 23), slice(23, 37), slice(37, 60))):  # a little off
        prior[:, place, k] = 0.8
    labels = segment_image(light.clip(0, 1), 3, prior=prior)
    assert (labels != truth).mean() < 0.01
    message = r"^prior must have shape \(40, 60, 3\), a map for every segment, got \(40, 60, 2\)$"
    with pytest.raises(InputError, match=message):
        segment_image(light.clip(0, 1), 3, prior=prior[..., :2])


def test_a_smoothness_below_0_is_refused():
    with pytest.raises(InputError, match=r"^smoothness must be a number of at least 0, got -1$"):
        segment_image(np.eye(3), 2, smoothness=-1)


@pytest.mark.parametrize(("contrast", "share"), [(1.0, 0.02), (1.5, 0.01), (3.0, 0.002)])
def test_what_single_pixels_hardly_tell_is_found_in_strong_noise(contrast, share, rng):
    y, x = np.mgrid[:160, :160] - 79.5
    is_disc = y**2 + x**2 < 35**2  # as bright as this many deviations of noise
    image = 100 + 20 * (contrast * is_disc + rng.normal(size=is_disc.shape))
    labels = segment_image(image.clip(0, 255).astype(np.uint8), 2)
    assert ((labels == 2) != is_disc).mean() < share


def test_a_chequerboard_is_no_noise():
    image = np.indices((40, 40)).sum(axis=0) % 2 * 200
    assert_array_equal(segment_image(image.astype(np.uint8), 2), 1 + image // 200)


# ----------------------------------------------------------------------------- number of segments


def test_the_number_of_segments_is_found(quadrants):
    image, truth = quadrants
    assert_array_equal(segment_image(image, "auto"), truth)


# ---------------------------------------------------------------------------------------- volumes


def test_a_volume_is_segmented_as_its_planes_show_it(rng):
    truth = np.ones((8, 12, 16), dtype=int)
    truth[2:6, 3:9, 4:12] = 2
    noisy = np.array([0, 60, 160])[truth] + rng.normal(scale=25, size=truth.shape)
    labels = segment_image(noisy.clip(0, 255).astype(np.uint8), 2, channel_axis=None)
    assert (labels != truth).mean() < 0.01
    coloured = np.stack([noisy, noisy + rng.normal(scale=9, size=truth.shape)], axis=-1)
    assert (segment_image(coloured, 2) != truth).mean() < 0.01


def test_neighbours_far_off_count_less(rng):
    truth = np.ones((8, 30, 30), dtype=int)
    truth[::2, 5:25, 5:25] = 2  # planes so far apart that they tell nothing of each other
    noisy = (np.array([0, 0.3, 0.7])[truth] + rng.normal(scale=0.2, size=truth.shape)).clip(0, 1)
    near = segment_image(noisy, 2, channel_axis=None)
    far = segment_image(noisy, 2, channel_axis=None, spacing=(100.0, 1.0, 1.0))
    assert (far != truth).mean() < 0.8 * (near != truth).mean()


def test_bright_things_on_a_dark_ground_are_seen_by_their_logarithm(rng):
    truth = np.ones((60, 60), dtype=int)
    truth[5:15, 5:15] = truth[30:50, 30:50] = 2
    brightness = np.where(np.arange(60) < 20, 40.0, 200.0)  # one thing is dim, the other not
    counts = 10 + rng.normal(scale=1, size=truth.shape) + (truth == 2) * brightness
    image = counts.round().clip(0, 255).astype(np.uint8)
    assert (segment_image(image, 2) != truth).mean() < 0.01
    assert (segment_image(image, 2, features="none") != truth).mean() > 0.02


# ------------------------------------------------------------------------------------ features


def test_features_may_be_a_function_or_a_table(coffee):
    def inverted(image):
        return 255.0 - image[:, :, :2]

    labels = segment_image(coffee, 3, features=inverted)
    assert_array_equal(segment_image(coffee, 3, features=inverted(coffee)), labels)
    assert (labels != segment_image(coffee, 3)).any()


def test_features_of_another_shape_are_refused():
    message = r"^features must have shape \(2, 3, n_features\) for this image, got \(3, 2, 1\)$"
    with pytest.raises(InputError, match=message):
        segment_image(np.ones((2, 3)), features=np.ones((3, 2, 1)))


def test_unknown_features_are_refused():
    message = "^features must be one of auto, lab, rgb, hsv, gray, log, none, got 'luv'$"
    with pytest.raises(InputError, match=message):
        segment_image(np.ones((2, 3)), features="luv")


@pytest.mark.parametrize("n_segments", [0, -1, 2.5, True, "4"])
def test_number_of_segments_is_a_whole_number(n_segments):
    message = f"^n_segments must be a whole number of at least 1, got {n_segments!r}$"
    with pytest.raises(InputError, match=message):
        segment_image(np.ones((2, 3)), n_segments)


def test_unknown_covariance_type_is_refused():
    message = "^covariance_type must be one of full, tied, diag, spherical, .*, got 'round'$"
    with pytest.raises(InputError, match=message):
        segment_image(np.ones((2, 3)), covariance_type="round")


def test_many_more_segments_than_colors_take_no_longer_for_it(rng):
    image = rng.integers(0, 40, size=(20, 30)).astype(np.uint8)
    with pytest.warns(GmmsegWarning, match=r"^found \d+ of 900 segments: "):
        labels = segment_image(image, 900)
    assert labels.max() <= 40


@pytest.mark.parametrize("seed", ["x", -1, 2.5])
def test_a_seed_that_is_none_is_refused(seed):
    message = f"random_state must be None or a whole number of at least 0, got {seed!r}"
    with pytest.raises(InputError, match=f"^{message}$"):
        segment_image(np.eye(3), 2, random_state=seed)


def test_an_image_of_ragged_rows_is_refused():
    with pytest.raises(InputError, match=r"^image must be an array of equally long rows: "):
        segment_image([[1, 2], [3]], 2)
