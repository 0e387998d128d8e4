"""Claims about the features for defects: scale, brightness, dtype, axes, sizes, a naive twin."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.errors import InputError
from gmmseg.image.defect_features import DefectFeatures, GivenFeatures, white_of
from gmmseg.image.defect_kernels import write_point_features
from tests import naive


def features_of(image, brightness=24.0):
    n_channels = 1 if image.ndim == 2 else image.shape[2]
    return DefectFeatures(n_channels, white_of(image), brightness).of(image)


@pytest.mark.parametrize("step", [1, 2])
def test_point_features_equal_their_naive_twin(rng, step):
    mean, square, wider = rng.random((3, 9, 12)).astype(np.float32)
    square += mean**2
    out = np.empty((-(-9 // step), -(-12 // step), 7), dtype=np.float32)
    write_point_features(mean, square, wider, np.float32(2.0), step, out)
    expected = naive.point_features(mean.astype(float), square, wider, 2.0)
    assert_allclose(out, expected[::step, ::step], rtol=1e-3, atol=1e-3)


def test_exposure_does_not_matter(rng):
    image = rng.random((40, 52)) * 0.8 + 0.1
    assert_allclose(features_of(0.3 * image), features_of(image), atol=1e-3)


def test_a_slow_change_of_light_hardly_matters(rng):
    image = 0.5 + 0.1 * rng.normal(size=(200, 200)).clip(-3, 3)
    lit = image * np.linspace(0.7, 1.0, 200)
    middle = slice(10, 40)
    mean = features_of(image)[middle, middle, 14]  # of scale 4
    assert np.abs(features_of(lit)[middle, middle, 14] - mean).max() < 0.5 * mean.std()


def test_brightness_can_be_kept(rng):
    image = rng.random((40, 40))
    front = DefectFeatures(1, 1.0, None)
    assert front.of(0.5 * image)[..., 14].mean() < 0.6 * front.of(image)[..., 14].mean()


def test_dtypes_of_one_image_give_the_same_features(rng):
    image = rng.integers(0, 256, size=(30, 40)).astype(np.uint8)
    expected = features_of(image)
    assert_allclose(features_of(image.astype(np.uint16) * 257), expected, atol=1e-4)
    assert_allclose(features_of(image / 255.0), expected, atol=1e-4)


def test_transposing_an_image_transposes_its_features(rng):
    image = rng.random((32, 44)).astype(np.float32)
    there = features_of(image)
    back = features_of(image.T.copy()).transpose(1, 0, 2)
    is_direction = ["direction" in name for layer in front_names(1) for name in layer]
    assert_allclose(np.where(is_direction, -back, back), there, atol=2e-3)


def front_names(n_channels):
    return DefectFeatures(n_channels, 1.0, 24.0).names


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 4), (17, 30, 3), (9, 9, 5)])
def test_images_of_every_size_have_as_many_features_as_names(rng, shape):
    features = features_of(rng.random(shape))
    n_channels = 1 if len(shape) == 2 else shape[2]
    assert features.shape[:2] == (-(-shape[0] // 4), -(-shape[1] // 4))
    assert features.shape[2] == sum(map(len, front_names(n_channels)))
    assert np.isfinite(features).all()


@pytest.mark.parametrize("value", [0, 255])
def test_an_even_image_has_finite_features(value):
    assert np.isfinite(features_of(np.full((20, 20), value, dtype=np.uint8))).all()


def test_colour_is_told_from_gray():
    gray = np.full((40, 40, 3), 0.5)
    red = gray * [1.2, 0.9, 0.9]
    tint = [name.startswith("tint") for name in front_names(3)[0]]
    difference = np.abs(features_of(red) - features_of(gray))[..., : len(tint)]
    assert difference[..., tint].min() > 0.05
    assert difference[..., np.logical_not(tint)].max() < 1e-3


def test_other_channels_than_the_normal_ones_are_refused():
    red = np.zeros((8, 8, 3))
    red[..., 0] = 0.5
    words = (
        "^image must have 1 channel as the normal ones, or red, green and blue that are equal, "
        "got 3 that differ$"
    )
    with pytest.raises(InputError, match=words):
        DefectFeatures(1, 1.0, 24.0).of(red)
    with pytest.raises(InputError, match="image must have 4 channels as the normal ones, got 3"):
        DefectFeatures(4, 1.0, 24.0).of(red)
    with pytest.raises(InputError, match="image must have 2 channels as the normal ones, got 3"):
        GivenFeatures(2).of(red)
    with pytest.raises(InputError, match="image must have 1 channel as the normal ones, got 3"):
        GivenFeatures(1).of(np.zeros((8, 8, 3)))


def test_missing_pixels_are_refused():
    image = np.zeros((8, 8))
    image[3, 3] = np.nan
    for front in (DefectFeatures(1, 1.0, 24.0), GivenFeatures(1)):
        with pytest.raises(InputError, match="image has NaN or infinity"):
            front.of(image)
