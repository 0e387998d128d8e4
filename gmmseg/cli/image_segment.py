"""The command ``gmmseg image segment``: files in, label images and what is known of them out."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say, track, warn
from gmmseg.cli.image_files import VOLUME_SUFFIXES, Source, open_source, read_mask
from gmmseg.cli.image_prior import Given, number_of_maps, warn_of_empty_segments, with_prior
from gmmseg.cli.image_request import (
    USUAL_DETAIL,
    Color,
    Family,
    Mode,
    SegmentRequest,
    number_of,
    refuse_what_does_not_go_together,
    smoothness_of,
)
from gmmseg.cli.image_results import (
    OVERLAY,
    REPORT,
    SHEET,
    Outputs,
    overlay_of,
    segment_table,
    write_all_labels,
    write_contact_sheet,
    write_picture,
    write_probability_files,
)
from gmmseg.cli.inputs import IMAGE_SUFFIXES, named_files
from gmmseg.cli.options import AUTO, AsJsonLines
from gmmseg.cli.outputs import make_folder, print_json, refuse_collisions, write_json
from gmmseg.errors import GmmsegError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image.pixels import Pixels
    from gmmseg.image.segment_model import SegmentModel
    from gmmseg.image.segmentation import SegmentOptions


def segment(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Images or volumes: files, folders, patterns, or a .txt of names.",
        ),
    ],
    n_segments: Annotated[
        str | None,
        typer.Option(
            "-k",
            "--segments",
            help="Number of segments, or auto; 5, auto for regions, one per map of --prior.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")] = Path(),
    mode: Annotated[
        Mode,
        typer.Option(
            help="classes: the same stuff has one label wherever it lies; regions: connected parts."
        ),
    ] = Mode.classes,
    detail: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=100.0,
            help="How little two regions differ, without -k: at 2 half as much, so that there are "
            "more and smaller ones.",
        ),
    ] = USUAL_DETAIL,
    covariance: Annotated[
        Family,
        typer.Option(
            help="Shape of a segment's colours; EVV: any shape, but equal volumes; auto: these for "
            "the search, then each its own."
        ),
    ] = Family.auto,
    color: Annotated[
        Color,
        typer.Option(
            help="Colour space; auto is lab for colour, else the channels as they are, or log "
            "where bright things lie on a dark ground."
        ),
    ] = Color.auto,
    texture: Annotated[
        bool, typer.Option("--texture", help="Let local spread count besides colour.")
    ] = False,
    position: Annotated[
        float, typer.Option(min=0.0, help="Weight of a pixel's place against its colour.")
    ] = 0.0,
    smoothness: Annotated[
        str | None,
        typer.Option(
            help="How much alike neighbours count: 2 by default, or auto; 0: every pixel by "
            "itself, and nothing is averaged."
        ),
    ] = None,
    bias_field: Annotated[
        bool,
        typer.Option("--bias-field", help="Take out slow shading, as of MRI or a microscope."),
    ] = False,
    min_area: Annotated[
        int, typer.Option(min=1, help="Parts of fewer pixels join the segment around them.")
    ] = 1,
    mask: Annotated[
        Path | None, typer.Option(help="Image that is not 0 where pixels are to be used.")
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(
            help="Maps of how likely each segment is in each place, at least 0, as of an atlas: a "
            "TIFF with a page per map (of a volume, a channel), .npy or .npz with the maps along "
            "the last axis, NIfTI along the fourth. Segment 1 is that of the first map, 2 that of "
            "the second, and so on, however dark; -k is their number. Where all maps are 0 "
            "nothing is known. Only their ratios count."
        ),
    ] = None,
    volume: Annotated[
        bool, typer.Option("--volume", help="Read TIFF stacks and .npy as volumes.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write <stem>_overlay.png too, to look at.")
    ] = False,
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Write <stem>_probabilities.tif: a page per segment."),
    ] = False,
    uncertainty: Annotated[
        bool,
        typer.Option("--uncertainty", help="Write <stem>_uncertainty.png: dark where it is sure."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same labels.")] = 0,
    as_json: AsJsonLines = False,
) -> None:
    """Label the pixels of images by what they look like.

    Writes <stem>_labels.png (0 masked out, 1 the darkest segment to K the lightest, or in the order
    of the maps of --prior) and <stem>.json (area, mean colour and weight of each segment;
    BIC; seconds). Volumes (NIfTI, .npz; TIFF stacks and .npy with --volume) get labels of their own
    kind. A file that cannot be read is reported and passed over.

    Example: gmmseg image segment photo.jpg -k 5 -o out --overlay

    Example: gmmseg image segment photos/ --mode regions -o out --overlay

    Example: gmmseg image segment cells.tif --mode regions --detail 2 -o out

    Example: gmmseg image segment head.nii.gz -k 3 --mask brain.nii.gz -o out

    Example: gmmseg image segment head.nii.gz --prior tissues.nii.gz --mask brain.nii.gz -o out
    """
    request = SegmentRequest(
        n_segments=number_of(n_segments, mode.value),
        mode=mode.value,
        covariance=covariance.value,
        color=color.value,
        texture=texture,
        position=position,
        smoothness=smoothness_of(smoothness),
        bias_field=bias_field,
        min_area=min_area,
        seed=seed,
        prior=None if prior is None else str(prior),
        detail=detail,
    )
    outputs = Outputs(out, overlay, probabilities, uncertainty, as_json, volume)
    images = named_files(named, (*IMAGE_SUFFIXES, *VOLUME_SUFFIXES))
    refuse_what_does_not_go_together(request, outputs, images)
    inputs = [*images, *(path for path in (mask, prior) if path is not None)]
    refuse_collisions(
        [(path, result) for path in images for result in outputs.all_of(path)], inputs
    )
    outputs.refuse_foreign_reports(images)
    use = None if mask is None else read_mask(mask, is_volume=volume)
    maps = None
    if prior is not None:
        from gmmseg.image.prior_files import read_prior

        maps = read_prior(prior)
        request = replace(request, n_segments=number_of_maps(maps, n_segments))
    make_folder(out)
    n_failed = segment_all(images, Given(use, maps), request, outputs)
    if n_failed:
        if len(images) > 1:
            say(f"{n_failed} of {len(images)} images could not be segmented")
        raise typer.Exit(1)


def segment_all(images: list[Path], given: Given, request: SegmentRequest, outputs: Outputs) -> int:
    """Segment one file after the other, and return how many could not be segmented."""
    n_failed, overlays = 0, {}
    with announce_compilation():
        for path in track(images, "segmenting"):
            try:
                overlays[path.name] = segment_file(path, given, request, outputs)
            except GmmsegError as error:
                warn(str(error))
                n_failed += 1
            except MemoryError as error:
                warn(
                    f"{path}: not enough memory: {error}; try --covariance diag, or a smaller image"
                )
                n_failed += 1
    write_contact_sheet(outputs.folder / SHEET, overlays)
    return n_failed


def segment_file(
    path: Path, given: Given, request: SegmentRequest, outputs: Outputs
) -> "NDArray[Any] | None":
    """Segment one file, write the results, say one line, and return the overlay or None."""
    start = time.perf_counter()
    with open_source(path, given.mask, is_volume=outputs.is_volume) as opened:
        with about(path):
            source = with_prior(opened, given.prior)
            labels, known = (
                regions_of(source, request)
                if request.mode == Mode.regions
                else classes_of(source, request, outputs)
            )
        labels_path = outputs.labels(path)
        write_all_labels(labels_path, labels, source)
        picture = None
        if outputs.overlay:
            picture = overlay_of(source, labels)
            write_picture(outputs.path(path, OVERLAY), picture)
        segments = segment_table(source, labels, known.pop("weights", None))
        warn_of_empty_segments(path, given.prior, [segment["label"] for segment in segments])
    seconds = time.perf_counter() - start
    n_segments = len(segments)
    report = {
        "file": str(path),
        "labels": str(labels_path),
        "seconds": round(seconds, 3),
        "n_segments": n_segments,
        **known,
        "options": asdict(request),
        "segments": segments,
    }
    write_json(outputs.path(path, REPORT), report)
    if outputs.json:
        print_json(report)
    number = f"{n_segments} {request.mode[:-1] if request.mode == Mode.regions else 'segment'}"
    say(f"{path}: {number}{'s' if n_segments > 1 else ''} in {seconds:.1f} s, {labels_path}")
    return picture


def classes_of(
    source: Source, request: SegmentRequest, outputs: Outputs
) -> "tuple[NDArray[Any], dict[str, Any]]":
    """Return labels by what pixels look like, and what is known of the mixture."""
    import numpy as np

    from gmmseg.image.numbering import close_gaps, of_those_left
    from gmmseg.image.segmentation import learn_segments, warn_of_fewer

    options = segment_options(source, request)
    pixels = even_pixels(source, request) if request.bias_field else source.pixels
    model = learn_segments(pixels, options, color=request.color, random_state=request.seed)
    probabilities = None
    if outputs.probabilities or outputs.uncertainty:
        probabilities = model.probabilities(pixels)
        inside = probabilities.any(axis=-1)
        labels = np.where(inside, probabilities.argmax(axis=-1) + 1, 0).astype(np.uint16)
    else:
        labels = model.labels(pixels, dtype=np.uint8 if few(model) else np.uint16)
    labels = without_specks(labels, request.min_area)
    weights = model.parameters.weights
    if source.log_prior is None:
        used = close_gaps(labels)
        if request.n_segments != AUTO and len(used) < len(weights):
            warn_of_fewer(len(used), int(request.n_segments), stacklevel=1)
        weights = weights[used - 1] / weights[used - 1].sum()
        if probabilities is not None:
            probabilities = of_those_left(probabilities, used, labels)
    if probabilities is not None:
        write_probability_files(source.path, probabilities, outputs, source)
    return labels, {
        "bic": model.bic,
        "n_pixels": model.n_pixels,
        "n_iter": model.record.n_iter,
        "stop_reason": model.record.stop_reason,
        "weights": weights,
    }


def segment_options(source: Source, request: SegmentRequest) -> "SegmentOptions":
    """Return what the library is asked for; smoothness is its own choice if none is given."""
    from gmmseg.image.segmentation import SegmentOptions

    options = SegmentOptions(
        n_segments=request.n_segments,  # type: ignore[arg-type]  # a number or "auto"
        texture=request.texture,
        position=request.position,
        covariance_type=request.covariance,
        log_prior=source.log_prior,
        spacing=source.volume.spacing if source.volume is not None else None,
    )
    if request.smoothness is None:
        return options
    return replace(options, smoothness=request.smoothness)  # type: ignore[arg-type]


def even_pixels(source: Source, request: SegmentRequest) -> "Pixels":
    """Return the pixels divided by the shading that was found."""
    from gmmseg.errors import InputError
    from gmmseg.image.bias_field import without_bias_field
    from gmmseg.image.pixels import pixels_of

    image = source.image if source.volume is None else source.volume.values
    if image is None:
        raise InputError(
            f"it has {source.pixels.n_inside} pixels, too many for --bias-field; scale it down"
        )
    axis = None if image.ndim == source.pixels.n_axes else -1
    n_segments: Any = request.n_segments  # a number or "auto"
    even = without_bias_field(image, n_segments, mask=source.mask, channel_axis=axis)
    return pixels_of(even, mask=source.mask, channel_axis=axis)


def few(model: "SegmentModel") -> bool:
    """Tell whether the labels fit into a byte."""
    return model.parameters.n_components <= 255


def regions_of(source: Source, request: SegmentRequest) -> "tuple[NDArray[Any], dict[str, Any]]":
    """Return labels of connected parts."""
    from gmmseg.errors import InputError
    from gmmseg.image.regions import segment_regions

    if source.image is None:
        raise InputError(
            f"it has {source.pixels.n_inside} pixels, too many for regions; "
            "scale it down, or use --mode classes"
        )
    n_regions = None if request.n_segments == AUTO else int(request.n_segments)
    labels = segment_regions(
        source.image, n_regions=n_regions, mask=source.mask, detail=request.detail
    )
    return without_specks(labels, request.min_area), {}


def without_specks(labels: "NDArray[Any]", min_area: int) -> "NDArray[Any]":
    """Return labels whose parts have so many pixels at least."""
    if min_area == 1:
        return labels
    from gmmseg.image.small_regions import merge_small_regions

    return merge_small_regions(labels, min_area)
