"""A detector in a model file: what is written, and how much of what is read is believed."""

from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.calibrated import check_false_alarm
from gmmseg.anomaly.moment_arrays import checked_scale, finite, prefixed, unprefixed
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.anomaly.view import BACKENDS, Scale, View
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from gmmseg.anomaly.base import DetectorBase

KIND = "anomaly-detector"

Detector = TypeVar("Detector", bound="DetectorBase")


def write_detector(path: str | PathLike[str], detector: "DetectorBase") -> None:
    """Write a fitted detector."""
    header, arrays = detector_parts(detector)
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_detector(path: str | PathLike[str], kind: type[Detector]) -> Detector:
    """Return what `write_detector` wrote.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together, or it holds another kind of detector.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        return detector_of(header, arrays, kind)


def detector_parts(detector: "DetectorBase") -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return header and arrays of a fitted detector."""
    arrays = {"null_scores": detector.null_.scores, "outliers": detector.outliers_}
    views = []
    for v, (name, view) in enumerate(detector.views_.items()):
        backends = []
        for backend, scale in zip(view.backends, view.scales, strict=True):
            backends.append([backend.name, scale.center, scale.spread])
            arrays |= prefixed(f"{v}_{backend.name}", backend.arrays())
        views.append({"name": name, "backends": backends})
    header = {
        "detector": type(detector).__name__,
        "false_alarm": float(detector.false_alarm),
        "views": views,
    }
    return header, arrays


def detector_of(
    header: dict[str, Any], arrays: dict[str, NDArray[Any]], kind: type[Detector]
) -> Detector:
    """Return the detector of header and arrays; raise InputError and the like where damaged."""
    if header["detector"] != kind.__name__:
        raise InputError(f"it holds a {header['detector']}, wanted {kind.__name__}")
    views = {}
    for v, entry in enumerate(header["views"]):
        parts, scales = [], []
        for name, center, spread in entry["backends"]:
            if name not in BACKENDS:
                raise InputError(f"it has an unknown back-end {name!r}")
            parts.append(BACKENDS[name].of_arrays(unprefixed(f"{v}_{name}", arrays)))
            scales.append(Scale(*checked_scale(center, spread)))
        if not parts or len({part.n_features for part in parts}) != 1:
            raise InputError("the back-ends of a view have different features")
        views[str(entry["name"])] = View(tuple(parts), tuple(scales))
    if not views:
        raise InputError("it has no view")
    names = tuple(part.name for part in next(iter(views.values())).backends)
    detector = kind(names, false_alarm=header["false_alarm"])
    check_false_alarm(detector.false_alarm)
    detector.views_ = views
    detector.null_ = NullScores.of(finite(arrays["null_scores"], "null_scores", 1))
    detector.outliers_ = arrays["outliers"].astype(np.intp)
    return detector
