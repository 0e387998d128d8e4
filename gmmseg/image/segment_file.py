"""A segmenter in a model file: what is written, and how much of what is read is believed."""

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.mixture_file import as_damage, record_header, record_of
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.serialization import read_model, write_model
from gmmseg.core.validation import check_above, check_number, generator_of
from gmmseg.errors import InputError
from gmmseg.image.bilateral import BilateralFilter
from gmmseg.image.color import COLORS, resolve_color
from gmmseg.image.contrast import ContrastScale
from gmmseg.image.dark_field import DarkField
from gmmseg.image.recipe import FARTHEST, Place, Recipe
from gmmseg.image.segment_model import SegmentModel
from gmmseg.smoothing.grid import unit_steps

if TYPE_CHECKING:
    from gmmseg.image.segmenter import ImageSegmenter

KIND = "image-segmenter"
MIXTURES = ("segments", "averages")  # of pixels as they are, and as they were searched
PARTS = ("weights", "means", "covariances")

Segmenter = TypeVar("Segmenter", bound="ImageSegmenter")
Arrays = Mapping[str, NDArray[Any]]


def write_segmenter(path: str | PathLike[str], segmenter: "ImageSegmenter") -> None:
    """Write a fitted segmenter, but for features that are a function or an array.

    Raises
    ------
    InputError
        If it has such features, or the file cannot be written.
    """
    model = segmenter.model_
    place, dark_field = model.recipe.place, model.recipe.dark_field
    header = {
        "options": _plain_options(segmenter),
        "n_channels": model.n_channels,
        "n_pixels": model.n_pixels,
        "bic": float(model.bic),
        "smoothness": float(model.smoothness),
        "spacing": _lengths(model.spacing),
        "tolerance": None if model.bilateral is None else float(model.bilateral.tolerance),
        "noisiness": 1.0 if model.bilateral is None else float(model.bilateral.noisiness),
        "color": model.recipe.color,
        "texture": bool(model.recipe.texture),
        "place": None if place is None else [*place.middle, place.unit],
        "has_dark_field": dark_field is not None,
        "covariance_types": [model.parameters.covariance_type, model.searched.covariance_type],
        **record_header(model.record),
    }
    arrays = {
        "contrast": model.contrast.factors,
        "lower_bounds": np.array(model.record.lower_bounds),
    }
    for name, mixture in zip(MIXTURES, (model.parameters, model.searched), strict=True):
        arrays |= {f"{name}_{part}": getattr(mixture, part) for part in PARTS}
    if dark_field is not None:
        arrays |= {"ground": dark_field.ground, "noise": dark_field.noise}
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_segmenter(path: str | PathLike[str], kind: type[Segmenter]) -> Segmenter:
    """Return what `write_segmenter` wrote.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        segmenter = kind(**_believed_options(header["options"]))
        segmenter.model_ = _model(header, arrays)
        return segmenter


def _plain_options(segmenter: "ImageSegmenter") -> dict[str, Any]:
    """Return the options as JSON knows them, but those that are of this computer."""
    options = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in segmenter.get_params(deep=False).items()
        if name != "n_jobs"
    }
    if not isinstance(options["features"], str):
        raise InputError(
            "features must be a name to be saved, got a function or an array, which a model file "
            "cannot hold; make an image of such features and fit with features='none'"
        )
    options["spacing"] = _lengths(options["spacing"])
    if not isinstance(options["random_state"], int):
        options["random_state"] = None  # a source of chance that has moved on
    return options


def _lengths(spacing: tuple[float, ...] | None) -> list[float] | None:
    return None if spacing is None else [float(length) for length in spacing]


def _believed_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options, or raise InputError where they are of another kind; `fit` checks more."""
    if options["features"] not in COLORS:
        raise InputError(f"features must be one of {', '.join(COLORS)}, got {options['features']}")
    if options["n_segments"] != "auto":
        check_number("n_segments", options["n_segments"], least=1, is_whole=True)
    for name in ("texture", "bias_field"):
        if not isinstance(options[name], bool):
            raise InputError(f"{name} must be true or false, got {options[name]!r}")
    generator_of(options["random_state"])
    return options | {"spacing": _spacing(options["spacing"])}


def _spacing(lengths: list[float] | None) -> tuple[float, ...] | None:
    if lengths is None:
        return None
    if len(lengths) not in (2, 3):
        raise InputError(f"spacing must be 2 or 3 lengths, got {len(lengths)}")
    unit_steps(tuple(lengths), len(lengths))
    return tuple(lengths)


def _model(header: dict[str, Any], arrays: Arrays) -> SegmentModel:
    n_channels = header["n_channels"]
    check_number("n_channels", n_channels, least=1, is_whole=True)
    check_number("n_pixels", header["n_pixels"], least=1, is_whole=True)
    if not isinstance(header["bic"], float) or not np.isfinite(header["bic"]):
        raise InputError(f"bic must be a finite number, got {header['bic']!r}")
    check_number("smoothness", header["smoothness"], least=0)
    own, searched = (
        MixtureParameters(
            *(arrays[f"{name}_{part}"] for part in PARTS), covariance_type=str(covariance_type)
        )
        for name, covariance_type in zip(MIXTURES, header["covariance_types"], strict=True)
    )
    if own.means.shape != searched.means.shape:
        raise InputError("its two mixtures have different shapes")
    recipe = _recipe(header, arrays, n_channels)
    wanted = [recipe.n_features(n_channels, n_axes) for n_axes in (2, 3)]
    if own.n_features not in wanted:
        raise InputError(f"its means must have {wanted[0]} features, got {own.n_features}")
    spacing = _spacing(header["spacing"])
    return SegmentModel(
        parameters=own,
        record=record_of(header, arrays["lower_bounds"]),
        bic=header["bic"],
        n_pixels=header["n_pixels"],
        n_channels=n_channels,
        recipe=recipe,
        searched=searched,
        bilateral=_bilateral(header["tolerance"], header["noisiness"], spacing),
        contrast=ContrastScale(_float32(arrays, "contrast", own.n_features)),
        smoothness=float(header["smoothness"]),
        spacing=spacing,
    )


def _recipe(header: dict[str, Any], arrays: Arrays, n_channels: int) -> Recipe:
    """Return how channels become features."""
    color, texture = header["color"], header["texture"]
    if resolve_color(color, n_channels) != color or not isinstance(texture, bool):
        raise InputError(f"color and texture must be a space and whether, got {color}, {texture}")
    dark_field = None
    if header["has_dark_field"]:
        dark_field = DarkField(
            *(_float32(arrays, name, n_channels) for name in ("ground", "noise"))
        )
    return Recipe(color, dark_field, texture, _place(header["place"]))


def _place(numbers: list[float] | None) -> Place | None:
    if numbers is None:
        return None
    planes, rows, cols, unit = numbers
    for coordinate in (planes, rows, cols):
        check_number("the middle of place", coordinate, least=0)
    check_above("the unit of place", unit, 0)
    if not unit * max(planes, rows, cols, 1.0) < FARTHEST:
        raise InputError(f"the unit of place weighs beyond what numbers can hold, got {unit}")
    return Place((planes, rows, cols), unit)


def _bilateral(
    tolerance: float | None, noisiness: float, spacing: tuple[float, ...] | None
) -> BilateralFilter | None:
    if tolerance is None:
        return None
    check_number("tolerance", tolerance, least=0)
    check_number("noisiness", noisiness, least=1)
    return BilateralFilter(float(tolerance), spacing, float(noisiness))


def _float32(arrays: Arrays, name: str, length: int) -> NDArray[np.float32]:
    """Return an array of so many numbers of float32, or raise InputError."""
    array = arrays[name]
    if array.dtype != np.float32 or array.shape != (length,) or not np.isfinite(array).all():
        raise InputError(f"{name} must be {length} finite numbers of float32")
    return array
