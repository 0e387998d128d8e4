"""Claims about pictures of uncertainty."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from skimage.color import rgb2lab

from gmmseg.errors import InputError
from gmmseg.report.uncertainty import picture_uncertainty, uncertainty_colors


def test_colours_grow_lighter_evenly():
    light = rgb2lab(uncertainty_colors()[np.newaxis] / 255)[0, :, 0]
    assert (np.diff(light) > 0).all()
    assert np.abs(light - np.linspace(light[0], light[-1], 256)).max() < 1.5
    assert light[0] < 10
    assert light[-1] > 90


def test_neighbouring_colours_look_alike():
    lab = rgb2lab(uncertainty_colors()[np.newaxis] / 255)[0]
    assert np.linalg.norm(np.diff(lab, axis=0), axis=1).max() < 3


@pytest.mark.parametrize("n_segments", [2, 3, 7])
def test_sure_is_darkest_and_even_is_lightest(n_segments):
    sure, even = np.eye(n_segments)[0], np.full(n_segments, 1 / n_segments)
    picture = picture_uncertainty([[sure, even]])
    assert_array_equal(picture[0], uncertainty_colors()[[0, 255]])


def test_the_less_sure_the_lighter():
    share = np.linspace(1, 0.5, 20)
    picture = picture_uncertainty(np.stack([share, 1 - share], axis=1)[np.newaxis])
    assert (np.diff(rgb2lab(picture)[0, :, 0]) > 0).all()


def test_the_order_of_the_segments_does_not_matter(rng):
    probabilities = rng.dirichlet(np.ones(4), size=(5, 6))
    shuffled = probabilities[..., [2, 0, 3, 1]]
    assert_array_equal(picture_uncertainty(probabilities), picture_uncertainty(shuffled))


def test_masked_out_pixels_are_gray():
    assert_array_equal(picture_uncertainty(np.zeros((1, 1, 3)))[0, 0], [128, 128, 128])


def test_one_segment_is_sure():
    assert_array_equal(picture_uncertainty(np.ones((1, 1, 1)))[0, 0], uncertainty_colors()[0])


def test_large_pictures_are_made_block_by_block_without_a_seam(rng, monkeypatch):
    probabilities = rng.dirichlet(np.ones(3), size=(30, 40)).astype(np.float32)
    whole = picture_uncertainty(probabilities)
    monkeypatch.setattr("gmmseg.report.uncertainty._BLOCK_PIXELS", 7)
    assert_array_equal(picture_uncertainty(probabilities), whole)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (
            np.ones((2, 2)),
            (
                "probabilities must be numbers of shape (rows, cols, n_segments), "
                "got float64 of shape (2, 2)"
            ),
        ),
        (
            [[[np.nan, 1]]],
            "probabilities must be finite and at least 0; give masked-out pixels 0",
        ),
        ([[[-1, 2]]], "probabilities must be finite and at least 0; give masked-out pixels 0"),
    ],
)
def test_what_are_no_probabilities_is_refused(probabilities, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        picture_uncertainty(probabilities)
