"""What a person or a program wants to know about each segment: how large, which colour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.image.pixels import Pixels, pixels_of, shaped_like


@dataclass(frozen=True)
class SegmentSummary:
    """Size and colour of one segment.

    Parameters
    ----------
    label : int
        Number of the segment in the label image.
    area : int
        Number of pixels, or of voxels.
    share : float
        Area over that of all segments.
    mean_color : tuple of float
        Mean of every channel, in the units of the image.

    Examples
    --------
    >>> sky = SegmentSummary(label=2, area=300, share=0.25, mean_color=(90.0, 150.0, 230.0))
    >>> f"segment {sky.label} is {sky.share:.0%} of the picture"
    'segment 2 is 25% of the picture'
    """

    label: int
    area: int
    share: float
    mean_color: tuple[float, ...]


def summarize_segments(
    image: ArrayLike, labels: ArrayLike, *, channel_axis: int | None = -1
) -> list[SegmentSummary]:
    """Return size and mean colour of every segment, in the order of the labels.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        The image, or a volume (planes, rows, cols), as in `segment_image`.
    labels : array_like of int of the shape of the image without channels
        Labels from 1; 0 is masked out and left out.
    channel_axis : int or None
        Axis of the channels. A two-dimensional image has none; a volume of one channel needs None.

    Returns
    -------
    summaries : list of SegmentSummary
        One for each label that occurs.

    Raises
    ------
    InputError
        If the image cannot be used, or the labels are no whole numbers from 0 in its shape.

    Examples
    --------
    >>> summarize_segments([[0, 10, 60]], [[1, 1, 2]])[0]
    SegmentSummary(label=1, area=2, share=0.6666666666666666, mean_color=(5.0,))
    """
    pixels = pixels_of(image, channel_axis=channel_axis)
    labels = shaped_like(labels, "labels", pixels.grid)
    if labels.dtype.kind not in "ui":
        raise InputError(f"labels must be integers, got dtype {labels.dtype}")
    if labels.min() < 0:
        raise InputError(f"labels must not be negative, got {labels.min()}")
    return summaries_of(pixels, labels)


def summaries_of(pixels: Pixels, labels: NDArray[np.integer]) -> list[SegmentSummary]:
    """Return the same of pixels that are read strip by strip."""
    volume = labels.reshape(pixels.shape)
    n_labels = int(labels.max()) + 1
    area = np.zeros(n_labels, dtype=np.int64)
    sums = np.zeros((n_labels, pixels.n_channels))
    for region, _ in pixels.strips():
        flat = volume[region].ravel()
        channels = pixels.read(region)[0].reshape(flat.size, -1)
        area += np.bincount(flat, minlength=n_labels)
        for i in range(pixels.n_channels):
            sums[:, i] += np.bincount(flat, channels[:, i], minlength=n_labels)
    area[0] = 0
    return [
        SegmentSummary(
            label=int(label),
            area=int(area[label]),
            share=float(area[label] / area.sum()),
            mean_color=tuple((sums[label] / area[label]).tolist()),
        )
        for label in np.flatnonzero(area)
    ]
