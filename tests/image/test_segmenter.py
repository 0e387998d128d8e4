"""ImageSegmenter: learn on one image, label others."""

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


def test_use_before_fit_is_refused(stripes):
    message = r"^this ImageSegmenter has learned nothing yet; call fit first$"
    with pytest.raises(NotFittedError, match=message):
        ImageSegmenter().predict(stripes[0])


def test_image_with_other_channels_is_refused(stripes):
    segmenter = ImageSegmenter(3).fit(stripes[0])
    message = "^the image has 3 channels, the one in fit had 1; give an image with as many$"
    with pytest.raises(InputError, match=message):
        segmenter.predict(np.zeros((4, 4, 3)))
