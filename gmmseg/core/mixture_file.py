"""A mixture in a model file: what is written, and how much of what is read is believed."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.data import LARGEST_SUM
from gmmseg.core.em import Action, FitEvent, FitRecord
from gmmseg.core.noise import UniformNoise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.rescue import Reason
from gmmseg.core.serialization import LARGEST_HEADER, read_kind, read_model, write_model
from gmmseg.errors import InputError, ModelFileError

KIND = "gaussian-mixture"


def write_mixture(
    path: str | PathLike[str],
    parameters: MixtureParameters,
    record: FitRecord,
    options: Mapping[str, Any],
    *,
    feature_names: Sequence[str] = (),
) -> None:
    """Write parameters, the record of the fit, plain options of the estimator and feature names.

    Names that would fill the header are left out: a mixture without them can be used, too.
    """
    header = {
        "covariance_type": parameters.covariance_type,
        "options": {key: value for key, value in options.items() if key != "covariance_type"},
        **record_header(record),
    }
    if 0 < sum(len(name) + 10 for name in feature_names) < LARGEST_HEADER // 2:
        header["feature_names"] = list(feature_names)
    arrays = {
        "weights": parameters.weights,
        "means": parameters.means,
        "covariances": parameters.covariances,
        "lower_bounds": np.array(record.lower_bounds),
    }
    if (noise := parameters.noise) is not None:
        header["noise_weight"] = noise.weight
        arrays |= {"noise_low": noise.low, "noise_high": noise.high}
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_mixture(
    path: str | PathLike[str],
) -> tuple[MixtureParameters, FitRecord, dict[str, Any]]:
    """Return what `write_mixture` wrote, the options as the parameters have them.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        noise = None
        if "noise_weight" in header:
            weight = _typed(header["noise_weight"], int | float)
            noise = UniformNoise(weight, arrays["noise_low"], arrays["noise_high"])
        parameters = MixtureParameters(
            arrays["weights"],
            arrays["means"],
            arrays["covariances"],
            covariance_type=str(header["covariance_type"]),
            noise=noise,
        )
        options = {
            **header["options"],
            "covariance_type": parameters.covariance_type,
            "n_components": parameters.n_components,
            "noise": noise is not None,
        }
        return parameters, record_of(header, arrays["lower_bounds"]), options


@contextlib.contextmanager
def as_damage(path: str | PathLike[str]) -> Iterator[None]:
    """Turn every error about the content of a file into ModelFileError."""
    try:
        yield
    except KeyError as error:
        raise ModelFileError(f"{path} is damaged: it has no {error}") from None
    except (TypeError, ValueError, OverflowError, InputError) as error:
        raise ModelFileError(f"{path} is damaged: {error}") from None


def read_feature_names(path: str | PathLike[str]) -> tuple[str, ...]:
    """Return the names of the features of a mixture in a file; none if it does not know them.

    A mixture of another kind knows none.

    Raises
    ------
    ModelFileError
        If the names are not those of all features, or the file is no model file.
    """
    if read_kind(path) != KIND:
        return ()
    header, arrays = read_model(path, kind=KIND)
    names = header.get("feature_names", [])
    are_names = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not are_names or (names and [len(names)] != [*arrays.get("means", np.empty(0)).shape[1:]]):
        raise ModelFileError(f"{path} is damaged: feature_names do not fit the means")
    return tuple(names)


def record_header(record: FitRecord) -> dict[str, Any]:
    """Return what the header says of a fit; its bounds are an array."""
    return {
        "is_converged": record.is_converged,
        "stop_reason": record.stop_reason,
        "weight_sum": record.weight_sum,
        "events": [[e.iteration, e.component, e.reason, e.action] for e in record.events],
    }


def record_of(header: Mapping[str, Any], lower_bounds: NDArray[Any]) -> FitRecord:
    """Return the record of a fit from a header and its bounds."""
    if lower_bounds.ndim != 1 or lower_bounds.dtype.kind != "f" or np.isnan(lower_bounds).any():
        raise InputError("lower_bounds must be a list of numbers")
    return FitRecord(
        tuple(lower_bounds.tolist()),
        is_converged=_typed(header["is_converged"], bool),
        stop_reason=_typed(header["stop_reason"], str),
        events=tuple(_event(event) for event in _typed(header["events"], list)),
        weight_sum=_weight_sum(header.get("weight_sum", 0.0)),
    )


def _weight_sum(value: Any) -> float:
    # A whole number in JSON may be larger than any float.
    if not 0.0 <= _typed(value, int | float) <= LARGEST_SUM:
        raise InputError(f"wanted weight_sum from 0 in the header, got {value}")
    return float(value)


def _event(fields: object) -> FitEvent:
    iteration, component, reason, action = _typed(fields, list)
    if reason not in get_args(Reason) or action not in get_args(Action):
        raise InputError(f"the header tells of {reason!r} and {action!r}, which cannot happen")
    return FitEvent(_typed(iteration, int), _typed(component, int), reason, action)


def _typed(value: Any, kind: Any) -> Any:
    is_truth = isinstance(value, bool) and kind is not bool  # which Python counts as a number
    if is_truth or not isinstance(value, kind):
        wanted = getattr(kind, "__name__", kind)
        raise InputError(f"wanted {wanted} in the header, got {type(value).__name__}")
    return value
