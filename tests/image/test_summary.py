"""Area, share and colour of segments, checked by hand."""

import numpy as np
import pytest

from gmmseg.errors import InputError
from gmmseg.image.summary import SegmentSummary, summarize_segments


def test_area_share_and_color_of_two_segments():
    image = np.array([[[0, 10], [2, 20], [100, 0], [7, 7]]])
    labels = np.array([[1, 1, 3, 0]])
    assert summarize_segments(image, labels) == [
        SegmentSummary(label=1, area=2, share=2 / 3, mean_color=(1.0, 15.0)),
        SegmentSummary(label=3, area=1, share=1 / 3, mean_color=(100.0, 0.0)),
    ]


def test_gray_images_have_one_channel():
    summary = summarize_segments(np.array([[4, 8]], dtype=np.uint8), np.array([[1, 1]]))
    assert summary == [SegmentSummary(label=1, area=2, share=1.0, mean_color=(6.0,))]


def test_voxels_of_a_volume_are_counted_as_pixels_of_an_image():
    volume = np.array([[[1.0, 2.0]], [[3.0, 8.0]]])
    labels = [[[1, 1]], [[1, 2]]]
    assert summarize_segments(volume, labels, channel_axis=None) == [
        SegmentSummary(label=1, area=3, share=0.75, mean_color=(2.0,)),
        SegmentSummary(label=2, area=1, share=0.25, mean_color=(8.0,)),
    ]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1, 1, 2]], r"^labels must have shape \(1, 2\) as the image has, got \(1, 3\)$"),
        ([[1.0, 2.0]], r"^labels must be integers, got dtype float64$"),
        ([[1, -2]], r"^labels must not be negative, got -2$"),
    ],
)
def test_labels_that_are_none_are_refused(labels, message):
    with pytest.raises(InputError, match=message):
        summarize_segments([[4, 8]], labels)
