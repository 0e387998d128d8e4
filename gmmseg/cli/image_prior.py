"""Prior maps of ``gmmseg image segment``: how many segments they are, and what they add."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.console import warn
from gmmseg.cli.image_files import Source, warn_of_another_place
from gmmseg.cli.options import AUTO
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image.prior_files import PriorMaps


@dataclass(frozen=True, eq=False)
class Given:
    """What is known of all images beforehand: where they are used, where segments are likely."""

    mask: "NDArray[Any] | None"
    prior: "PriorMaps | None"


def number_of_maps(prior: "PriorMaps", asked: str | None) -> int:
    """Return the number of segments, which is that of the maps."""
    if asked not in (None, AUTO) and int(asked) != prior.n_maps:
        raise InputError(
            f"{prior.path} has {prior.n_maps} maps, one for each segment, but -k is {asked}; "
            "leave -k out, or give as many maps"
        )
    return prior.n_maps


def with_prior(source: Source, prior: "PriorMaps | None") -> Source:
    """Return an open image that knows where its segments are likely."""
    from gmmseg.image.segmentation import log_prior_of

    if prior is None:
        return source
    grid = prior.values.shape[:-1]
    if grid != source.pixels.grid:
        raise InputError(
            f"the maps of {prior.path} must have the image's shape {source.pixels.grid}, got "
            f"{prior.n_maps} maps of shape {grid}; resample them onto the image"
        )
    if prior.volume is not None and source.volume is not None:
        warn_of_another_place(prior.path, prior.volume, source.volume)
    return replace(source, log_prior=log_prior_of(prior.values, source.pixels, prior.n_maps))


def warn_of_empty_segments(path: Path, prior: "PriorMaps | None", labels: list[int]) -> None:
    """Warn where maps have no pixel; without maps, the segments are numbered without gaps."""
    if prior is None:
        return
    empty = [number for number in range(1, prior.n_maps + 1) if number not in labels]
    if empty:
        numbers = ", ".join(map(str, empty))
        what = "segment" if len(empty) == 1 else "segments"
        warn(f"{path}: no pixel belongs to {what} {numbers} of {prior.n_maps}")
