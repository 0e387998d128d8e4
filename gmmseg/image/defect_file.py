"""A detector of defects in a model file: what is written, and how much of it is believed."""

from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.moment_arrays import checked_scale, finite, prefixed, unprefixed
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError
from gmmseg.image.aligned_layer import AlignedLayer
from gmmseg.image.defect_features import DefectFeatures, GivenFeatures
from gmmseg.image.defect_model import DefectModel, Front, Layer, LayerScale
from gmmseg.image.edge_scale import LIMITS, EdgeScale
from gmmseg.image.tied_layer import TiedLayer

if TYPE_CHECKING:
    from gmmseg.image.defect_detector import ImageAnomalyDetector

KIND = "image-anomaly-detector"
LAYERS: dict[str, type[TiedLayer] | type[AlignedLayer]] = {
    "tied": TiedLayer,
    "aligned": AlignedLayer,
}
OPTIONS = ("features", "mode", "local_brightness", "smoothing", "false_alarm")

Detector = TypeVar("Detector", bound="ImageAnomalyDetector")


def write_defect_detector(path: str | PathLike[str], detector: "ImageAnomalyDetector") -> None:
    """Write a fitted detector."""
    model = detector.model_
    white = model.front.white if isinstance(model.front, DefectFeatures) else None
    header = {
        "options": {name: getattr(detector, name) for name in OPTIONS},
        "n_channels": model.front.n_channels,
        "white": white,
        "coarseness": model.coarseness,
        "edge": [list(model.edge.centers), list(model.edge.spreads)],
        "layers": [
            [layer.name, scale.center, scale.spread]
            for layer, scale in zip(model.layers, model.scales, strict=True)
        ],
    }
    arrays: dict[str, NDArray[Any]] = {"null_scores": detector.null_.scores}
    for number, layer in enumerate(model.layers):
        arrays |= prefixed(str(number), layer.arrays())
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_defect_detector(path: str | PathLike[str], kind: type[Detector]) -> Detector:
    """Return what `write_defect_detector` wrote.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        detector = kind(**header["options"])
        detector._options()  # noqa: SLF001 (refuses what a hostile file may ask for)
        front = _front(header, detector)
        layers = _layers(header, arrays, front)
        scales = tuple(LayerScale(*checked_scale(*pair)) for _, *pair in header["layers"])
        coarseness = int(header["coarseness"])
        if not 1 <= coarseness <= 2**16:
            raise InputError(f"coarseness must be at least 1, got {coarseness}")
        smoothing = float(detector.smoothing)
        detector.model_ = DefectModel(
            front, layers, scales, coarseness, smoothing, _edge(*header["edge"])
        )
        detector.null_ = NullScores.of(finite(arrays["null_scores"], "null_scores", 1))
        return detector


def _front(header: dict[str, Any], detector: "ImageAnomalyDetector") -> Front:
    n_channels = int(header["n_channels"])
    if not 1 <= n_channels <= 10_000:
        raise InputError(f"n_channels must be at least 1, got {n_channels}")
    if detector.features == "given":
        return GivenFeatures(n_channels)
    white = float(header["white"])
    if not 0.0 < white < np.inf:
        raise InputError(f"white must be above 0, got {white}")
    return DefectFeatures(n_channels, white, detector.local_brightness)


def _layers(
    header: dict[str, Any], arrays: dict[str, NDArray[Any]], front: Front
) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for number, (name, _, _) in enumerate(header["layers"]):
        if name not in LAYERS:
            raise InputError(f"it has an unknown layer {name!r}")
        layers.append(LAYERS[name].of_arrays(unprefixed(str(number), arrays)))
    wanted = [len(names) for names in front.names]
    if [layer.n_features for layer in layers] != wanted:
        raise InputError(f"its layers must have {wanted} features")
    return tuple(layers)


def _edge(centers: list[object], spreads: list[object]) -> EdgeScale:
    if len(centers) != len(spreads) or len(centers) not in {1, len(LIMITS) + 1}:
        raise InputError(f"the edge must have 1 or {len(LIMITS) + 1} zones, got {len(centers)}")
    own = [checked_scale(*pair) for pair in zip(centers, spreads, strict=True)]
    return EdgeScale(tuple(center for center, _ in own), tuple(spread for _, spread in own))
