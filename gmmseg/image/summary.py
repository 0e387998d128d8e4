"""What a person or a program wants to know about each segment: how large, which colour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.image.pixels import Pixels, pixels_of


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
    """

    label: int
    area: int
    share: float
    mean_color: tuple[float, ...]


def summarize_segments(image: ArrayLike, labels: NDArray[np.integer]) -> list[SegmentSummary]:
    """Return size and mean colour of every segment, in the order of the labels.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        The image.
    labels : ndarray of int of shape (rows, cols)
        Labels from 1; 0 is masked out and left out.

    Returns
    -------
    summaries : list of SegmentSummary
        One for each label that occurs.

    Examples
    --------
    >>> summarize_segments([[0, 10, 60]], np.array([[1, 1, 2]]))[0]
    SegmentSummary(label=1, area=2, share=0.6666666666666666, mean_color=(5.0,))
    """
    return summaries_of(pixels_of(image), labels)


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
