"""StrangeRegion: where an image is strange, how much, and in which features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.defect_model import DefectModel

Floats = NDArray[np.float32]

MOST_REGIONS = 20
MOST_FEATURES = 5


@dataclass(frozen=True)
class StrangeRegion:
    """Tell of one strange region of an image.

    Parameters
    ----------
    rows, cols : tuple of int
        First row and column, and those after the last, in pixels.
    area : int
        Number of pixels, to a block of the grid.
    peak : float
        Largest value of the map in it.
    features : dict of str to float
        Shares of the features that make it strange, the largest first.

    Examples
    --------
    >>> stain = StrangeRegion((8, 16), (4, 20), 96, 5.1, {"mean 4": 0.7, "spread 4": 0.2})
    >>> next(iter(stain.features))
    'mean 4'
    """

    rows: tuple[int, int]
    cols: tuple[int, int]
    area: int
    peak: float
    features: dict[str, float]


def strange_regions(
    model: DefectModel,
    features: Floats,
    places: Floats,
    *,
    threshold: float,
    shape: tuple[int, int],
    n_jobs: int | None = None,
) -> tuple[StrangeRegion, ...]:
    """Return the regions whose places are above a threshold, the strangest first."""
    from scipy import ndimage

    labels, n_regions = ndimage.label(places > threshold, structure=np.ones((3, 3)))
    peaks = ndimage.maximum(places, labels, np.arange(1, n_regions + 1)) if n_regions else []
    boxes = ndimage.find_objects(labels)
    step = model.step
    found = []
    for index in np.argsort(peaks)[::-1][:MOST_REGIONS]:
        mask = labels == index + 1
        row, col = boxes[index]
        found.append(
            StrangeRegion(
                rows=(row.start * step, min(row.stop * step, shape[0])),
                cols=(col.start * step, min(col.stop * step, shape[1])),
                area=int(mask.sum()) * step * step,
                peak=float(peaks[index]),
                features=_feature_shares(model, features, mask, n_jobs),
            )
        )
    return tuple(found)


def _feature_shares(
    model: DefectModel, features: Floats, mask: NDArray[np.bool_], n_jobs: int | None
) -> dict[str, float]:
    """Return the largest shares of features, layers weighted as they count in the map."""
    scaled = []
    for layer, own, scale in zip(model.layers, model.grids(features), model.scales, strict=True):
        log_distance = np.log(layer.distances(own, n_jobs)[mask] + layer.n_features)
        scaled.append((log_distance.mean() - scale.center) / scale.spread)
    weights = np.exp(2.0 * (np.array(scaled) - max(scaled)))
    weights /= weights.sum()
    shares: dict[str, float] = {}
    for layer, own, names, weight in zip(
        model.layers, model.grids(features), model.front.names, weights, strict=True
    ):
        parts = weight * layer.contributions(own, mask, n_jobs)
        shares |= dict(zip(names, parts.tolist(), strict=True))
    largest = sorted(shares.items(), key=lambda item: -item[1])[:MOST_FEATURES]
    return {name: round(share, 4) for name, share in largest}
