"""What ``gmmseg image segment`` is asked for, apart from the files."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from gmmseg.cli.image_files import VOLUME_SUFFIXES, suffix_of
from gmmseg.cli.image_results import Outputs
from gmmseg.cli.options import AUTO

DEFAULT_SEGMENTS = 5
USUAL_DETAIL = 1.0


class Color(StrEnum):
    """Colour spaces."""

    auto = "auto"
    lab = "lab"
    rgb = "rgb"
    hsv = "hsv"
    gray = "gray"
    log = "log"
    none = "none"


class Mode(StrEnum):
    """What a segment is."""

    classes = "classes"
    regions = "regions"


class Family(StrEnum):
    """Shapes of a segment's colours."""

    auto = "auto"
    EVV = "EVV"
    full = "full"
    diag = "diag"
    tied = "tied"
    spherical = "spherical"


@dataclass(frozen=True)
class SegmentRequest:
    """What `segment` was asked for, apart from the files."""

    n_segments: int | str
    mode: str
    covariance: str
    color: str
    texture: bool
    position: float
    smoothness: float | str | None
    bias_field: bool
    min_area: int
    seed: int
    prior: str | None
    detail: float = USUAL_DETAIL


def number_of(text: str | None, mode: str) -> int | str:
    """Return the number of segments that is asked for, or "auto"."""
    if text is None:
        return DEFAULT_SEGMENTS if mode == Mode.classes else AUTO
    if text == AUTO:
        return text
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise typer.BadParameter(f"-k must be a whole number from 1 to 1000, or auto, got {text!r}")
    return int(text)


def smoothness_of(text: str | None) -> float | str | None:
    """Return the smoothness that is asked for, "auto", or None for the default."""
    if text is None or text == AUTO:
        return text
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise typer.BadParameter(
            f"--smoothness must be a number of at least 0, or auto, got {text!r}"
        )
    return number


def refuse_what_does_not_go_together(
    request: SegmentRequest, outputs: Outputs, images: list[Path]
) -> None:
    """Stop, as misuse, at options that mean nothing for classes or for regions."""
    if request.mode == Mode.classes:
        if request.detail != USUAL_DETAIL:
            raise typer.BadParameter(
                "--detail is for --mode regions; classes are as many as -k says"
            )
        return
    if request.detail != USUAL_DETAIL and request.n_segments != AUTO:
        raise typer.BadParameter(
            "-k gives the number of regions and --detail lets it be found; leave one of them out"
        )
    if outputs.probabilities or outputs.uncertainty:
        raise typer.BadParameter("regions have no probabilities; use --mode classes for them")
    plain = SegmentRequest(
        request.n_segments, request.mode, Family.auto, Color.auto, texture=False, position=0.0,
        smoothness=None, bias_field=False, min_area=request.min_area, seed=request.seed,
        prior=None, detail=request.detail,
    )  # fmt: skip
    if request != plain:
        raise typer.BadParameter(
            "--covariance, --color, --texture, --position, --smoothness, --bias-field and --prior "
            "are for --mode classes"
        )
    if outputs.is_volume or any(suffix_of(path) in VOLUME_SUFFIXES for path in images):
        raise typer.BadParameter(
            "regions are found in images alone; use --mode classes for volumes"
        )
