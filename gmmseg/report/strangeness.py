"""Show where an image is strange: warm colours over gray, a line round what is beyond normal."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.image.color import LUMA
from gmmseg.report.cutout import plain_picture
from gmmseg.report.figures import draw_lines, line_strength

_LOW, _HIGH = 0.4, 1.6  # of the threshold: where the colour begins, and where it is fullest
_OPACITY = 0.65
_COLORS = np.array([[255, 214, 102], [255, 120, 40], [200, 10, 40]], dtype=np.float32)


def overlay_anomaly(
    image: ArrayLike,
    anomaly_map: ArrayLike,
    *,
    threshold: float,
    marked: ArrayLike | None = None,
) -> NDArray[np.uint8]:
    """Colour an image, in gray, by how strange it is, and outline what is above a threshold.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of any boolean, integer or floating dtype.
    anomaly_map : array_like of float of shape (rows, cols)
        How strange every pixel is.
    threshold : float
        From where on a pixel is strange; colours begin below it. Infinity: none is.
    marked : array_like of bool of shape (rows, cols), optional
        What is outlined; where the map is above the threshold if None.

    Returns
    -------
    picture : ndarray of uint8 of shape (rows, cols, 3)
        RGB picture.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> overlay_anomaly(np.full((2, 2), 100, np.uint8), np.zeros((2, 2)), threshold=3.0).shape
    (2, 2, 3)
    """
    image, strangeness = np.asarray(image), np.asarray(anomaly_map, dtype=np.float32)
    if strangeness.shape != image.shape[:2] or strangeness.size == 0:
        raise InputError(
            f"anomaly_map must have the image's shape {image.shape[:2]}, got {strangeness.shape}"
        )
    gray = (plain_picture(image).astype(np.float32) @ LUMA)[..., np.newaxis]
    limit = threshold if np.isfinite(threshold) and threshold > 0.0 else float(strangeness.max())
    share = np.clip((strangeness / max(limit, 1e-6) - _LOW) / (_HIGH - _LOW), 0.0, 1.0)
    place = share * (len(_COLORS) - 1)
    first = np.minimum(place.astype(np.intp), len(_COLORS) - 2)
    between = (place - first)[..., np.newaxis]
    color = _COLORS[first] + between * (_COLORS[first + 1] - _COLORS[first])
    opacity = (_OPACITY * np.sqrt(share))[..., np.newaxis]
    picture = np.rint(gray + opacity * (color - gray)).astype(np.uint8)
    inside = strangeness > threshold if marked is None else np.asarray(marked) != 0
    draw_lines(picture, line_strength(inside.astype(np.uint8)))
    return picture
