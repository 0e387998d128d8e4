import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture
from gmmseg.errors import InputError
from gmmseg.image import estimate_bias_field

TISSUES = np.array([0.3, 0.6, 1.0])


def shaded_tissues(rng, shape, *, strength, n_channels=1):
    """Return labels of three tissues, a noisy image of them under shading, and the shading."""
    along = np.meshgrid(*[np.linspace(-1, 1, length) for length in shape], indexing="ij")
    labels = np.digitize(sum(np.sin(3 * x + i) for i, x in enumerate(along)), [-0.6, 0.7])
    slope = 0.6 * along[0] + 0.5 * along[-1] ** 2 - 0.4 * along[0] * along[-1]
    shading = np.exp(strength * slope[..., None] * np.array([1, -1, 0.5][:n_channels]))
    shading /= shading.mean(axis=tuple(range(len(shape))))
    light = TISSUES[labels][..., None] + 0.04 * rng.normal(size=(*shape, n_channels))
    return labels, light * shading, shading


def errors(image, labels):
    """Return the share of wrong labels of a mixture, from dark to light."""
    X = image.reshape(labels.size, -1)
    mixture = GaussianMixture(3, covariance_type="tied", random_state=0).fit(X)
    rank = mixture.means_[:, 0].argsort().argsort()
    return np.mean(rank[mixture.predict(X)] != labels.ravel())


@pytest.mark.parametrize("shape", [(90, 110), (24, 25, 26)])
def test_shading_is_found_to_a_few_percent_and_labels_are_better_without_it(rng, shape):
    labels, image, shading = shaded_tissues(rng, shape, strength=0.6)
    image, shading = image[..., 0], shading[..., 0]
    assert np.ptp(shading) > 1.0
    field = estimate_bias_field(image, 3, channel_axis=None)
    assert_allclose(field, shading, rtol=0.04)
    assert errors(image, labels) > 0.1
    assert errors(image / field, labels) < 0.005


def test_each_channel_has_its_own_shading(rng):
    _, image, shading = shaded_tissues(rng, (90, 110), strength=0.5, n_channels=3)
    field = estimate_bias_field(image, 3)
    assert_allclose(field, shading, rtol=0.04)
    assert np.abs(field[..., 0] - field[..., 1]).max() > 0.3


@pytest.mark.parametrize("n_channels", [1, 2])
def test_field_of_an_evenly_lit_image_is_nearly_one(rng, n_channels):
    _, image, _ = shaded_tissues(rng, (90, 110), strength=0.0, n_channels=n_channels)
    assert_allclose(estimate_bias_field(image, 3), 1.0, atol=0.03)


def shapes(kind):
    """Return an image of labels 0, 1 and 2 in large pieces."""
    rows, cols = np.mgrid[:160, :160]
    distance = np.hypot(rows - 80, cols - 80)
    return {
        "nested": (distance < 25) + 1 * (distance < 72),
        "quadrants": (rows > 80) + 1 * (cols > 80),
        "stripes": (cols // 20) % 3,
    }[kind]


@pytest.mark.parametrize("kind", ["nested", "quadrants", "stripes"])
@pytest.mark.parametrize("noise", [12, 20])
def test_noise_of_dark_parts_is_not_taken_for_shading(rng, kind, noise):
    labels = shapes(kind)
    light = np.array([40.0, 100.0, 160.0])[labels]
    image = np.clip(light + noise * rng.normal(size=labels.shape), 1, None)
    assert_allclose(estimate_bias_field(image, 3), 1.0, atol=0.15)


def test_shading_is_found_where_dark_parts_are_noisy(rng):
    labels = shapes("quadrants")
    shading = np.broadcast_to(1 + 0.4 * np.linspace(-1, 1, 160), labels.shape)
    light = np.array([40.0, 100.0, 160.0])[labels] * shading
    image = np.clip(light + 12 * rng.normal(size=labels.shape), 1, None)
    assert_allclose(estimate_bias_field(image, 3), shading, rtol=0.1)


def test_noise_in_a_volume_is_not_taken_for_shading(rng):
    planes, rows, cols = np.mgrid[-1:1:32j, -1:1:44j, -1:1:48j]
    square = planes**2 + rows**2 + cols**2
    labels = (square < 0.7) + 1 * (square < 0.25)
    image = np.array([20.0, 100.0, 160.0])[labels] + 10 * rng.normal(size=labels.shape)
    assert_allclose(estimate_bias_field(image, 3, channel_axis=None), 1.0, atol=0.15)


def test_mean_is_one_inside_and_the_field_outside_goes_no_further(rng):
    _, image, _ = shaded_tissues(rng, (90, 110), strength=0.6)
    mask = np.zeros((90, 110), dtype=bool)
    mask[20:60, 30:90] = True
    field = estimate_bias_field(image, 3, mask=mask)
    assert_allclose(field[mask].mean(), 1.0, rtol=1e-5)
    assert field.min() >= field[mask].min()
    assert field.max() <= field[mask].max()


def test_what_lies_outside_the_mask_does_not_matter(rng):
    _, image, _ = shaded_tissues(rng, (60, 70), strength=0.6)
    mask = rng.random((60, 70)) < 0.7
    other = np.where(mask[..., None], image, np.nan)
    assert_array_equal(
        estimate_bias_field(image, 3, mask=mask), estimate_bias_field(other, 3, mask=mask)
    )


def test_unit_of_the_image_does_not_matter(rng):
    _, image, _ = shaded_tissues(rng, (60, 70), strength=0.6)
    field = estimate_bias_field(image, 3)
    assert_allclose(estimate_bias_field(image * 1e6, 3), field, rtol=1e-3)
    eight_bit = np.clip(image * 100, 0, 255).astype(np.uint8)
    assert_allclose(estimate_bias_field(eight_bit, 3), field, rtol=0.03)


def test_axis_of_the_channels_moves_with_the_field(rng):
    _, image, _ = shaded_tissues(rng, (60, 70), strength=0.6, n_channels=2)
    field = estimate_bias_field(image, 3)
    moved = estimate_bias_field(np.moveaxis(image, -1, 0), 3, channel_axis=0)
    assert_array_equal(np.moveaxis(moved, 0, -1), field)


def test_grey_image_needs_no_axis_of_channels(rng):
    _, image, _ = shaded_tissues(rng, (60, 70), strength=0.6)
    grey = estimate_bias_field(image[..., 0], 3)
    assert_array_equal(grey, estimate_bias_field(image, 3)[..., 0])


def test_higher_degree_follows_faster_shading(rng):
    labels = rng.integers(0, 3, (18, 22)).repeat(5, axis=0).repeat(5, axis=1)
    shading = np.exp(0.2 * np.cos(np.linspace(0, 3 * np.pi, 110)))
    image = (TISSUES[labels] + 0.02 * rng.normal(size=labels.shape)) * shading
    left = [
        np.std(np.log(estimate_bias_field(image, 3, degree=degree) / shading)) for degree in (2, 8)
    ]
    assert left[0] > 0.08
    assert left[1] < 0.02


@pytest.mark.parametrize(
    "image",
    [
        np.full((5, 6), 7.0),
        np.full((1, 9), 7.0),
        np.ones((1, 1)),
        np.eye(4),
        1e-12 * np.arange(1.0, 50.0).reshape(7, 7),
        1e12 * np.arange(1.0, 50.0).reshape(7, 7),
    ],
    ids=["constant", "line", "pixel", "few", "small", "large"],
)
def test_odd_image_gives_a_finite_field(image):
    field = estimate_bias_field(image, 2)
    assert field.shape == image.shape
    assert np.isfinite(field).all()
    assert (field > 0).all()


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((4, 5)), {}, "no pixel in use is above 0"),
        (
            np.ones((4, 5)),
            {"mask": np.ones((5, 4))},
            r"mask must have shape \(4, 5\) as the image has",
        ),
        (np.ones((4, 5)), {"degree": 0}, "degree must be a whole number of at least 1, got 0"),
        (np.ones((4, 5)), {"n_segments": 0}, "n_segments must be a whole number of at least 1"),
        (np.ones(4), {}, r"image must have shape \(rows, cols\) or \(rows, cols, channels\), got"),
        (
            np.ones((4, 5, 6)),
            {"channel_axis": 3},
            r"channel_axis must be a whole number in -3…2 for 3 axes, got 3",
        ),
        (np.ones((4, 5), complex), {}, "image must be boolean, integer or floating, got dtype"),
    ],
)
def test_what_cannot_be_used_is_named(image, options, message):
    with pytest.raises(InputError, match=message):
        estimate_bias_field(image, **options)
