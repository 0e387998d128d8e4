"""A detector of strange sounds in a model file: what is written, and how much is believed."""

import dataclasses
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.moment_arrays import finite, moment_arrays, moments_of, prefixed, unprefixed
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.anomaly.separable import Shrinkage
from gmmseg.anomaly.view import Scale
from gmmseg.audio.clip_line_model import LineModel
from gmmseg.audio.clip_model import ClipModel, FittedView
from gmmseg.audio.clip_recipe import N_BANDS, N_POOLED, RATIOS, ClipRecipe
from gmmseg.audio.clip_views import VIEWS
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from gmmseg.audio.anomaly import AudioAnomalyDetector

KIND = "audio-anomaly-detector"
SETTINGS = 5  # numbers kept for each view
KINDS = ("tones", "beats")

Detector = TypeVar("Detector", bound="AudioAnomalyDetector")


def write_audio_detector(path: str | PathLike[str], detector: "AudioAnomalyDetector") -> None:
    """Write a fitted detector."""
    recipe = detector.recipe_
    header = {
        "false_alarm": float(detector.false_alarm),
        "domains": [
            name if isinstance(name, str | None) else str(name) for name in detector.domains_
        ],
        "recipe": {
            "sr": recipe.sr,
            "seconds": recipe.seconds,
            "full_scale": recipe.full_scale,
            "ratios": list(RATIOS),
            "n_bands": N_BANDS,
        },
    }
    views = [
        (*dataclasses.astuple(fit.shrinkage), fit.scale.center, fit.scale.spread)
        for fit in detector.model_.fitted
    ]
    arrays: dict[str, NDArray[Any]] = {
        "null_scores": np.stack([null.scores for null in detector.judge_.nulls]),
        "shifts": detector.model_.shifts,
        "outliers": detector.outliers_,
        "views": np.array(views),
    }
    for k, domain in enumerate(detector.model_.domains):
        arrays |= prefixed(str(k), moment_arrays(domain))
    for kind, line in zip(KINDS, detector.model_.lines, strict=True):
        own = {
            "counts": line.counts,
            "means": line.means,
            "squares": line.squares,
            "shifts": line.shifts,
            "null_scores": np.stack([null.scores for null in line.nulls]),
        }
        arrays |= prefixed(kind, own)
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_audio_detector(path: str | PathLike[str], kind: type[Detector]) -> Detector:
    """Return what `write_audio_detector` wrote.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        detector = kind(false_alarm=_between(header["false_alarm"], 0.0, 1.0))
        detector.recipe_ = _recipe(header["recipe"])
        detector.domains_ = [name if name is None else str(name) for name in header["domains"]]
        detector.model_ = _model(arrays, len(detector.domains_), detector.recipe_)
        nulls = finite(arrays["null_scores"], "null_scores", 2)
        if len(nulls) != len(detector.recipe_.lengths):
            raise InputError(f"it must have scores at {len(detector.recipe_.lengths)} lengths")
        detector.null_, *cut_nulls = map(NullScores.of, nulls)
        detector.cut_nulls_ = tuple(cut_nulls)
        detector.outliers_ = arrays["outliers"].astype(np.intp)
        return detector


def _recipe(header: dict[str, Any]) -> ClipRecipe:
    if header["ratios"] != list(RATIOS) or header["n_bands"] != N_BANDS:
        raise InputError("its clips are described by other ratios or bands than this version's")
    sr = _between(header["sr"], 0.0, 1e9)
    seconds = _between(header["seconds"], 0.0, 1e9)
    return ClipRecipe(round(sr), seconds, _between(header["full_scale"], 0.0, np.inf))


def _model(arrays: dict[str, NDArray[Any]], n_domains: int, recipe: ClipRecipe) -> ClipModel:
    n_lengths = len(recipe.lengths)
    domains = [moments_of(unprefixed(str(k), arrays)) for k in range(n_domains)]
    if not domains or any(len(domain.mean) != N_POOLED for domain in domains):
        raise InputError(f"it must have a domain, and each {N_POOLED} features")
    views = finite(arrays["views"], "views", 2)
    if views.shape != (len(VIEWS), SETTINGS):
        raise InputError(f"it must have {len(VIEWS)} views of {SETTINGS} numbers")
    if not ((views[:, :3] >= 0.0) & (views[:, :3] <= 1.0)).all() or not (views[:, 4] > 0.0).all():
        raise InputError("shrinkage must lie from 0 to 1, and a spread above 0")
    fitted = [FittedView(Shrinkage(*view[:3]), Scale(*view[3:])) for view in views.tolist()]
    shifts = finite(arrays["shifts"], "shifts", 2)
    if shifts.shape != (n_lengths, N_POOLED):
        raise InputError(f"it must have shifts of {n_lengths} lengths and {N_POOLED} features")
    lines = [
        _lines(arrays, kind, (n_domains, n_lengths, size))
        for kind, size in zip(KINDS, recipe.lines.sizes, strict=True)
    ]
    return ClipModel(tuple(domains), tuple(fitted), shifts, tuple(lines))


def _lines(arrays: dict[str, NDArray[Any]], kind: str, sizes: tuple[int, int, int]) -> LineModel:
    n_domains, n_lengths, n_lines = sizes
    counts = finite(arrays[f"{kind}_counts"], f"{kind}_counts", 1)
    means = finite(arrays[f"{kind}_means"], f"{kind}_means", 2)
    squares = finite(arrays[f"{kind}_squares"], f"{kind}_squares", 2)
    shifts = finite(arrays[f"{kind}_shifts"], f"{kind}_shifts", 2)
    nulls = finite(arrays[f"{kind}_null_scores"], f"{kind}_null_scores", 2)
    found = (counts.shape, means.shape, squares.shape, shifts.shape, len(nulls))
    own = (n_domains, n_lines)
    if found != ((n_domains,), own, own, (n_lengths, n_lines), n_lengths):
        raise InputError(
            f"its {kind} must be {n_lines}, of {n_domains} domains and {n_lengths} lengths"
        )
    if not (counts > 0.0).all() or not (squares >= 0.0).all():
        raise InputError(f"numbers of clips and squares of {kind} must not be below 0")
    return LineModel(counts, means, squares, shifts, tuple(map(NullScores.of, nulls)))


def _between(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < high:
        raise InputError(f"a number must lie between {low} and {high}, got {value!r}")
    return float(value)
