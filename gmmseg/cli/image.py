"""The commands ``gmmseg image``: files in, label images and what is known of them out."""

import json
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say, track, warn
from gmmseg.cli.image_cut import cut
from gmmseg.cli.options import Covariance
from gmmseg.errors import GmmsegError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image.features import Color as FeatureColor
    from gmmseg.image.segmentation import SegmentModel

LABELS, OVERLAY = "_labels.png", "_overlay.png"
PROBABILITIES, REPORT = "_probabilities.tif", ".json"

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command()(cut)


class Color(StrEnum):
    """Colour spaces."""

    auto = "auto"
    lab = "lab"
    rgb = "rgb"
    gray = "gray"
    none = "none"


@dataclass(frozen=True)
class SegmentOptions:
    """What `segment` was asked for, apart from the files."""

    n_segments: int
    covariance: str
    color: "FeatureColor"
    position: float
    seed: int


@dataclass(frozen=True)
class Outputs:
    """Where the results go, and which of them are wanted."""

    folder: Path
    overlay: bool
    probabilities: bool
    json: bool

    def path(self, image: Path, ending: str) -> Path:
        """Return the path of one result of an image."""
        return self.folder / f"{image.stem}{ending}"


@app.callback()
def image() -> None:
    """Segment images.

    Example: gmmseg image segment photo.jpg -k 5 -o out --overlay
    """


@app.command()
def segment(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Image files.")],
    n_segments: Annotated[
        int, typer.Option("-k", "--segments", min=1, max=1000, help="Number of segments.")
    ] = 5,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")] = Path(),
    covariance: Annotated[
        Covariance, typer.Option(help="Shape of a segment's colours: one Gaussian each.")
    ] = Covariance.full,
    color: Annotated[
        Color,
        typer.Option(help="Colour space; auto is lab for colour, the channels as they are else."),
    ] = Color.auto,
    position: Annotated[
        float, typer.Option(min=0.0, help="Weight of a pixel's place against its colour.")
    ] = 0.0,
    mask: Annotated[
        Path | None, typer.Option(help="Image that is not 0 where pixels are to be used.")
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write <stem>_overlay.png too, to look at.")
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Write <stem>_probabilities.tif: a page per segment."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same labels.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results to stdout, one JSON line per image.")
    ] = False,
) -> None:
    """Label the pixels of images by what they look like.

    Writes <stem>_labels.png (0 masked out, 1 the darkest segment to K the lightest) and
    <stem>.json (area, mean colour and weight of each segment; BIC; seconds). A file that cannot
    be read is reported and passed over.

    Example: gmmseg image segment photo.jpg -k 5 -o out --overlay
    """
    options = SegmentOptions(n_segments, covariance.value, color.value, position, seed)
    outputs = Outputs(out, overlay, probabilities, as_json)
    refuse_equal_stems(images)
    refuse_to_replace([*images, *([mask] if mask else [])], images, outputs)
    use = None if mask is None else read_mask(mask)
    make_folder(out)
    n_failed = 0
    with announce_compilation():
        for path in track(images, "segmenting"):
            try:
                segment_file(path, use, options, outputs)
            except GmmsegError as error:
                warn(str(error))
                n_failed += 1
            except MemoryError as error:
                warn(
                    f"{path}: not enough memory: {error}; try --covariance diag, or a smaller image"
                )
                n_failed += 1
    if n_failed:
        if len(images) > 1:
            say(f"{n_failed} of {len(images)} images could not be segmented")
        raise typer.Exit(1)


def segment_file(
    path: Path, mask: "NDArray[Any] | None", options: SegmentOptions, outputs: Outputs
) -> None:
    """Segment one image file, write the results and say one line."""
    from gmmseg.image.features import lightness
    from gmmseg.image.io import read_image, write_labels, write_probabilities
    from gmmseg.image.segmentation import learn_segments
    from gmmseg.image.table import pixel_table

    start = time.perf_counter()
    pixels, opaque = read_image(path)
    use = both(mask, opaque)
    with about(path):
        table = pixel_table(pixels, mask=use, features=options.color, position=options.position)
        model = learn_segments(
            table,
            lightness(pixels),
            n_segments=options.n_segments,
            covariance_type=options.covariance,
            random_state=options.seed,
        )
    labels = model.labels(table)
    labels_path = outputs.path(path, LABELS)
    write_labels(labels_path, labels)
    if outputs.overlay:
        write_overlay(outputs.path(path, OVERLAY), pixels, labels)
    if outputs.probabilities:
        write_probabilities(outputs.path(path, PROBABILITIES), model.probabilities(table))
    seconds = time.perf_counter() - start
    report = {
        "image": str(path),
        "labels": str(labels_path),
        "seconds": round(seconds, 3),
        **report_of(model, pixels, labels, options),
    }
    write_report(outputs.path(path, REPORT), report)
    if outputs.json:
        typer.echo(json.dumps(report))
    n_segments = model.parameters.n_components
    number = f"{n_segments} segment{'s' if n_segments > 1 else ''}"
    say(f"{path}: {number} in {seconds:.1f} s, {labels_path}")


def report_of(
    model: "SegmentModel", pixels: "NDArray[Any]", labels: "NDArray[Any]", options: SegmentOptions
) -> dict[str, Any]:
    """Return what is known of the segments, as JSON knows it."""
    from gmmseg.image.summary import summarize_segments

    weights = model.parameters.weights
    return {
        "n_segments": len(weights),
        "bic": model.bic,
        "n_pixels": model.n_pixels,
        "n_iter": model.record.n_iter,
        "stop_reason": model.record.stop_reason,
        "options": asdict(options),
        "segments": [
            {**asdict(summary), "weight": float(weights[summary.label - 1])}
            for summary in summarize_segments(pixels, labels)
        ],
    }


def write_overlay(path: Path, pixels: "NDArray[Any]", labels: "NDArray[Any]") -> None:
    """Write the image with its segments drawn over it."""
    from gmmseg.image.io import write_image
    from gmmseg.report.figures import overlay_labels

    write_image(path, overlay_labels(pixels, labels))


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write what is known of the segments as JSON."""
    from gmmseg.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def read_mask(path: Path) -> "NDArray[Any]":
    """Return where a mask image is not 0 in any channel and not transparent."""
    from gmmseg.image.io import read_image

    pixels, opaque = read_image(path)
    marked: NDArray[Any] = pixels != 0 if pixels.ndim == 2 else (pixels != 0).any(axis=2)
    return marked if opaque is None else marked & opaque


def both(mask: "NDArray[Any] | None", opaque: "NDArray[Any] | None") -> "NDArray[Any] | None":
    """Return where both masks are True; None is True everywhere."""
    if mask is None or opaque is None:
        return opaque if mask is None else mask
    if mask.shape != opaque.shape:
        return mask  # whose shape is refused where it meets the image
    return mask & opaque


def refuse_equal_stems(images: list[Path]) -> None:
    """Stop, as misuse, where two images would write the same files."""
    seen: dict[str, Path] = {}
    for path in images:
        stem = path.stem.casefold()  # some file systems take A.png and a.png for one
        if stem in seen:
            raise typer.BadParameter(
                f"{seen[stem]} and {path} would both write {path.stem}{LABELS}; "
                "segment them one by one into different folders"
            )
        seen[stem] = path


def refuse_to_replace(inputs: list[Path], images: list[Path], outputs: Outputs) -> None:
    """Stop, as misuse, before a result replaces an input or a report that is not ours."""
    known = {path.resolve() for path in inputs}
    for image in images:
        for ending in (LABELS, OVERLAY, PROBABILITIES, REPORT):
            if outputs.path(image, ending).resolve() in known:
                raise typer.BadParameter(
                    f"{outputs.path(image, ending)} is an input and would be replaced by a result "
                    f"of {image}; choose another folder with -o"
                )
        report = outputs.path(image, REPORT)
        if report.is_file() and b'"n_segments"' not in report.read_bytes()[:1000]:
            raise typer.BadParameter(
                f"{report} is there already and no report of gmmseg; choose another folder with -o"
            )


def make_folder(path: Path) -> None:
    """Create the folder for the results where it is missing."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder {path}: {error.strerror}") from error
