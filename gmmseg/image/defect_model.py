"""What was learned of normal images, and how strange it finds every place of another."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.aligned_layer import AlignedLayer
from gmmseg.image.defect_features import DefectFeatures, GivenFeatures
from gmmseg.image.edge_scale import EdgeScale
from gmmseg.image.grids import block_means, stretched
from gmmseg.image.tied_layer import TiedLayer

Floats = NDArray[np.float32]
Layer = TiedLayer | AlignedLayer
Front = DefectFeatures | GivenFeatures

SHARPNESS = 2.0
"""How much the strangest layer counts above the others."""
TOP_SHARE = 1e-3
"""Share of an image's places, the strangest, whose mean is the score of the image."""


@dataclass(frozen=True)
class LayerScale:
    """What brings the log-distances of a layer to median 0 and quartiles 1 apart.

    Parameters
    ----------
    center, spread : float
        Median and distance of the quartiles on normal images; the spread above 0.
    """

    center: float
    spread: float

    @classmethod
    def of(cls, values: NDArray[Any]) -> "LayerScale":
        """Return the scale of log-distances of normal images."""
        low, center, high = np.quantile(values, [0.25, 0.5, 0.75])
        spread = float(high - low)
        return cls(float(center), spread if spread > 1e-6 else 1.0)


@dataclass(frozen=True, eq=False)
class DefectModel:
    """Score the places of images.

    Parameters
    ----------
    front : DefectFeatures or GivenFeatures
        What turns images into features.
    layers : tuple of TiedLayer or AlignedLayer
        What was learned of each group of features.
    scales : tuple of LayerScale
        What makes their log-distances comparable.
    coarseness : int
        Number of steps of the front's grid, along each side, that are one place.
    smoothing : float
        Standard deviation, in pixels, of the window that log-distances are averaged over.
    edge : EdgeScale
        What is usual near the edge: an image is judged by how strange a place is for its zone.
    """

    front: Front
    layers: tuple[Layer, ...]
    scales: tuple[LayerScale, ...]
    coarseness: int
    smoothing: float
    edge: EdgeScale = field(default_factory=EdgeScale)

    @property
    def step(self) -> int:
        """Pixels along a side of a place."""
        return self.front.step * self.coarseness

    def features(self, image: NDArray[Any], n_jobs: int | None = None) -> Floats:
        """Return the features of an image at every place, (rows, cols, n_features)."""
        return coarsened(self.front.of(image, n_jobs), self.coarseness)

    def grids(self, features: Floats) -> list[Floats]:
        """Return the features of each layer."""
        edges = np.cumsum([layer.n_features for layer in self.layers])[:-1]
        return np.split(features, edges, axis=2)

    def log_distances(self, features: Floats, n_jobs: int | None = None) -> list[Floats]:
        """Return the smoothed log-distances of each layer, (rows, cols) each."""
        from scipy import ndimage

        maps = []
        for layer, own in zip(self.layers, self.grids(features), strict=True):
            log_distance = np.log(layer.distances(own, n_jobs) + np.float32(layer.n_features))
            maps.append(ndimage.gaussian_filter(log_distance, self.smoothing / self.step))
        return maps

    def fused(self, log_distances: list[Floats]) -> Floats:
        """Return how strange every place is, (rows, cols): at least as in the strangest layer.

        ``log(mean_l exp(2 z_l)) / 2`` of the scaled log-distances ``z_l``.
        """
        scaled = [
            SHARPNESS * (values - np.float32(scale.center)) / np.float32(scale.spread)
            for values, scale in zip(log_distances, self.scales, strict=True)
        ]
        total = np.logaddexp.reduce(scaled) - np.float32(np.log(len(scaled)))
        fused: Floats = total / np.float32(SHARPNESS)
        return fused

    def score(self, image: NDArray[Any], n_jobs: int | None = None) -> float:
        """Return the score of an image."""
        places = self.fused(self.log_distances(self.features(image, n_jobs), n_jobs))
        return score_of(self.judged(places))

    def judged(self, places: Floats) -> Floats:
        """Return how strange every place is for one as near to the edge."""
        return self.edge.apply(places, self.step)

    def full_size(self, places: Floats, shape: tuple[int, int]) -> Floats:
        """Return a map of places at the resolution of the image."""
        return places if self.step == 1 else stretched(places, self.step, shape)

    def adapted(
        self, features: Floats, *, weight: float = 1.0, n_jobs: int | None = None
    ) -> "DefectModel":
        """Return the model with a further normal image, which counts as ``weight`` of them."""
        grids = zip(self.layers, self.grids(features), strict=True)
        layers = tuple(layer.adapted(own, weight=weight, n_jobs=n_jobs) for layer, own in grids)
        return replace(self, layers=layers)


def score_of(judged: Floats) -> float:
    """Return the score of an image: the mean of its strangest places."""
    n_top = max(1, int(np.ceil(TOP_SHARE * judged.size)))
    return float(np.partition(judged.ravel(), -n_top)[-n_top:].mean(dtype=np.float64))


def coarsened(features: Floats, factor: int) -> Floats:
    """Return features on a grid that is coarser by a factor."""
    return features if factor == 1 else block_means(features, factor)
