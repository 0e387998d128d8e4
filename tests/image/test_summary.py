"""Area, share and colour of segments, checked by hand."""

import numpy as np

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
