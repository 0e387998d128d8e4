"""ImageSegmenter: learn on one image, label others."""

import inspect
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from gmmseg.errors import InputError, NotFittedError
from gmmseg.image.segmentation import segment_image
from gmmseg.image.segmenter import ImageSegmenter


@pytest.fixture
def stripes(rng):
    """Three noisy grey stripes; the right half of it has them in another order."""
    left = np.repeat([20.0, 120.0, 220.0], 8)[:, None] + rng.normal(scale=2, size=(24, 10))
    return left, left[::-1]


def test_fit_predict_is_fit_then_predict_and_what_segment_image_does(stripes):
    image, _ = stripes
    segmenter = ImageSegmenter(3)
    labels = segmenter.fit_predict(image)
    assert_array_equal(labels, ImageSegmenter(3).fit(image).predict(image))
    assert_array_equal(labels, segment_image(image, 3))


def test_another_image_is_labelled_alike(stripes):
    image, other = stripes
    segmenter = ImageSegmenter(3).fit(image)
    assert_array_equal(segmenter.predict(other), segmenter.predict(image)[::-1])
    part = ImageSegmenter(3).fit(image).predict(image[16:])
    assert_array_equal(np.unique(part), [3])


def test_place_means_the_same_in_another_image(rng):
    image = rng.normal(0.5, 0.01, size=(20, 60))
    segmenter = ImageSegmenter(2, position=3.0).fit(image)
    other = image.copy()
    other[:5, :5] = 9.0  # what is new in one corner moves nothing elsewhere
    same = np.ones(image.shape, dtype=bool)
    same[:5, :5] = False
    assert_array_equal(segmenter.predict(other)[same], segmenter.predict(image)[same])


def test_probabilities_of_masked_pixels_are_0(stripes):
    image, _ = stripes
    mask = np.ones(image.shape, dtype=bool)
    mask[3, 4] = False
    probabilities = ImageSegmenter(3).fit(image, mask=mask).predict_proba(image, mask=mask)
    assert probabilities.shape == (24, 10, 3)
    assert probabilities[3, 4].sum() == 0
    assert probabilities[mask].sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_clone_and_pickle_keep_what_they_should(stripes):
    image, _ = stripes
    segmenter = ImageSegmenter(3, covariance_type="diag").fit(image)
    copy = clone(segmenter)
    assert copy.get_params() == segmenter.get_params()
    assert not hasattr(copy, "model_")
    restored = pickle.loads(pickle.dumps(segmenter))  # noqa: S301 (our own bytes)
    assert_array_equal(restored.predict(image), segmenter.predict(image))


def test_constructor_keeps_all_options_as_they_are_and_fit_refuses_bad_ones(stripes):
    options = inspect.signature(segment_image).parameters.keys() - {"image", "mask", "prior"}
    segmenter = ImageSegmenter(n_segments=0, spacing=[1, 2])
    assert segmenter.get_params().keys() == options
    assert segmenter.spacing == [1, 2]
    with pytest.raises(InputError, match=r"^n_segments must be a whole number of at least 1, got"):
        segmenter.fit(stripes[0])
    message = r"^spacing must be 2 lengths above 0, one for each axis, got \[0, 2\]$"
    with pytest.raises(InputError, match=message):
        clone(segmenter).set_params(n_segments=2, smoothness=0, spacing=[0, 2]).fit(stripes[0])


def test_features_may_be_an_array_and_a_clone_has_the_same(stripes):
    image, _ = stripes
    segmenter = ImageSegmenter(3, features=np.stack([image, image], axis=2))
    copy = clone(segmenter)
    assert_array_equal(copy.features, segmenter.features)
    assert_array_equal(copy.fit_predict(image), segmenter.fit_predict(image))


def test_steps_of_unlike_lengths_count_as_in_segment_image(rng):
    volume = np.zeros((6, 12, 12))
    volume[:, :, 6:] = 1.0
    noisy = volume + rng.normal(scale=0.6, size=volume.shape)
    segmenter = ImageSegmenter(2, spacing=(9.0, 1.0, 1.0), channel_axis=None)
    labels = segmenter.fit_predict(noisy)
    assert_array_equal(labels, segment_image(noisy, 2, spacing=(9, 1, 1), channel_axis=None))
    even = clone(segmenter).set_params(spacing=None)
    assert (labels != even.fit_predict(noisy)).any()


@pytest.fixture
def shaded(rng):
    """Three stuffs in patches, seen twice: with shadow from one side, and from the other."""
    stuff = rng.integers(0, 3, (10, 12)).repeat(6, axis=0).repeat(6, axis=1)
    image = np.array([0.2, 0.4, 0.7])[stuff] + 0.01 * rng.normal(size=stuff.shape)
    shading = np.exp(np.linspace(-0.6, 0.6, image.shape[1]))
    return stuff, image * shading, image * shading[::-1]


def test_every_image_is_freed_of_the_shading_of_its_own(shaded):
    stuff, image, other = shaded
    segmenter = ImageSegmenter(3, bias_field=True)
    labels = segmenter.fit_predict(image)
    assert_array_equal(labels, segment_image(image, 3, bias_field=True))
    assert np.mean(labels == stuff + 1) > 0.97
    assert np.mean(segmenter.predict(other) == stuff + 1) > 0.97
    plain = ImageSegmenter(3).fit(image)
    assert np.mean(plain.predict(other) == stuff + 1) < 0.8


@pytest.fixture
def prior():
    """Maps by which the darkest stripe, at the top, is the last segment."""
    return (
        np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
        .repeat(8, axis=0)[:, np.newaxis]
        .repeat(10, axis=1)
    )


def test_segments_have_the_order_of_the_maps_in_fit_in_images_without_maps_too(stripes, prior):
    image, other = stripes
    segmenter = ImageSegmenter(3)
    labels = segmenter.fit_predict(image, prior=prior)
    assert_array_equal(labels, segment_image(image, 3, prior=prior))
    assert_array_equal(labels[::8, 0], [3, 1, 2])
    larger = np.vstack([other, other])
    assert_array_equal(segmenter.predict(larger), np.vstack([labels[::-1], labels[::-1]]))


def test_maps_count_for_the_image_they_are_given_with(stripes, prior, rng):
    unclear = stripes[0] + rng.normal(scale=60, size=(24, 10))
    segmenter = ImageSegmenter(3).fit(unclear, prior=prior)
    everywhere = np.zeros_like(prior)
    everywhere[..., 1] = 1.0
    without = segmenter.predict_proba(unclear)[..., 1].mean()
    second = segmenter.predict_proba(unclear, prior=everywhere)
    assert second[..., 1].mean() > without + 0.2
    labels = segmenter.predict(unclear, prior=everywhere)
    assert_array_equal(labels, second.argmax(axis=2) + 1)
    message = r"^prior must have shape \(24, 10, 3\), a map for every segment, got \(24, 10, 2\)$"
    with pytest.raises(InputError, match=message):
        segmenter.predict(unclear, prior=everywhere[..., :2])


def test_image_whose_places_have_other_coordinates_is_refused(stripes):
    segmenter = ImageSegmenter(3, position=0.5).fit(stripes[0])
    segmenter.set_params(channel_axis=None)
    message = (
        "^the place of a pixel has 3 coordinates in this image, in fit it had 2; "
        "give an image with as many axes$"
    )
    with pytest.raises(InputError, match=message):
        segmenter.predict(np.stack(stripes))


def test_use_before_fit_is_refused(stripes):
    message = r"^this ImageSegmenter has learned nothing yet; call fit first$"
    with pytest.raises(NotFittedError, match=message):
        ImageSegmenter().predict(stripes[0])


def test_image_with_other_channels_is_refused(stripes):
    segmenter = ImageSegmenter(3).fit(stripes[0])
    message = "^the image has 3 channels, the one in fit had 1; give an image with as many$"
    with pytest.raises(InputError, match=message):
        segmenter.predict(np.zeros((4, 4, 3)))
