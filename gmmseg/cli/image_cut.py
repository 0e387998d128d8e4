"""The command ``gmmseg image cut``: one object out of one picture or volume, as a mask."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say
from gmmseg.cli.image_box import IN_A_PLANE, IN_A_VOLUME, Box, box_of
from gmmseg.cli.image_cut_files import CutOutputs, Subject, read_seeds, read_subject
from gmmseg.cli.image_files import STACK_SUFFIXES, VOLUME_SUFFIXES, suffix_of
from gmmseg.cli.options import AsJson
from gmmseg.cli.outputs import print_json, refuse_collisions

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cut(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Image file, or a volume.")],
    box: Annotated[
        Box | None,
        typer.Option(
            metavar=IN_A_PLANE,
            parser=box_of,
            help="Box around the object: its first column and row, and those after its last, "
            f"counted from 0. In a volume {IN_A_VOLUME}, z counting planes; of a NIfTI volume x, "
            "y, z are the voxel numbers i, j, k that viewers show.",
        ),
    ] = None,
    seeds: Annotated[
        Path | None,
        typer.Option(
            help="Image or volume of the same size, marked where it is known: 1 or blue "
            "background, 2 or red the object, anything else unknown. With --box too, what lies "
            "far off is left alone: in volumes the better way."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Mask to write; if not given <stem>_mask.png, of a volume in its own format.",
        ),
    ] = None,
    volume: Annotated[
        bool, typer.Option("--volume", help="Read a TIFF stack or .npy as a volume.")
    ] = False,
    matte: Annotated[
        bool, typer.Option("--matte", help="Write <stem>_matte.png too, with a soft edge.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write <stem>_overlay.png too: the rest dimmed.")
    ] = False,
    smoothness: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="How much the border counts against the pixels; 17, in a volume 3, if not given.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same mask.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Cut an object out of a picture or a volume, from a box around it or a few marks.

    Writes a mask: 255 at the object, in a volume 1, and 0 elsewhere. Marks are labels 0, 1 and 2,
    or a picture in which blue lines run over the background and red ones over the object. Volumes
    are NIfTI and .npz files, and with --volume or a box of six numbers TIFF stacks and .npy; the
    mask of a NIfTI volume lies where the volume lies.

    Example: gmmseg image cut photo.jpg --box 120 40 480 390 -o object.png

    Example: gmmseg image cut head.nii.gz --box 60 80 20 110 130 55 --overlay
    """
    from gmmseg.image.cut import usual_smoothness

    suffix = suffix_of(image)
    is_in_three = box is not None and box.is_in_a_volume and suffix in STACK_SUFFIXES
    is_volume = volume or is_in_three or suffix in VOLUME_SUFFIXES
    if box is None and seeds is None:
        corners = IN_A_VOLUME if is_volume else IN_A_PLANE
        raise typer.BadParameter(f"where is the object? give --box {corners}, or --seeds FILE")
    outputs = CutOutputs.beside(image, out, is_volume=is_volume, matte=matte, overlay=overlay)
    outputs.refuse_other_formats(is_volume=is_volume)
    results = [(image, path) for path in outputs.all()]
    refuse_collisions(results, [image, *([seeds] if seeds else [])])
    with announce_compilation():
        start = time.perf_counter()
        subject = read_subject(image, is_volume=is_volume)
        marks = None if seeds is None else read_seeds(seeds, subject)
        if smoothness is None:
            smoothness = usual_smoothness(subject.grid)
        with about(image):
            mask = mask_of(subject, box, marks, smoothness=smoothness, seed=seed)
        write_results(outputs, subject, mask)
    seconds, area = time.perf_counter() - start, int(mask.sum())
    share = f"{area / mask.size:.1%}{millilitres(subject, area)}"
    say(f"{image}: {share} cut out in {seconds:.1f} s, {outputs.mask}")
    if as_json:
        report = {
            "file": str(image),
            "mask": str(outputs.mask),
            "area": area,
            "n_pixels": mask.size,
            "spacing": subject.spacing,
            "options": {
                "box": None if box is None else box.corners,
                "seeds": None if seeds is None else str(seeds),
                "smoothness": smoothness,
                "seed": seed,
            },
            "seconds": round(seconds, 3),
        }
        print_json(report)


def mask_of(
    subject: Subject,
    box: Box | None,
    marks: "NDArray[Any] | None",
    *,
    smoothness: float,
    seed: int,
) -> "NDArray[Any]":
    """Return where the object is."""
    from gmmseg.image.cut import cut_foreground

    return cut_foreground(
        subject.values,
        box=None if box is None else box.corners,
        seeds=marks,
        mask=subject.opaque,
        channel_axis=subject.channel_axis,
        spacing=subject.spacing,
        smoothness=smoothness,
        random_state=seed,
    )


def write_results(outputs: CutOutputs, subject: Subject, mask: "NDArray[Any]") -> None:
    """Write the mask, and what else is wanted."""
    from gmmseg.image.io import write_image

    if subject.volume is not None:
        from gmmseg.image.volumes import write_volume

        write_volume(outputs.mask, mask.astype("uint8"), like=subject.volume)
    else:
        write_image(outputs.mask, mask.astype("uint8") * 255)
    if outputs.matte is not None:
        from gmmseg.image.matte import soften_mask

        matte = soften_mask(subject.values, mask)
        write_image(outputs.matte, (matte * 255).round().astype("uint8"))
    if outputs.overlay is not None:
        write_image(outputs.overlay, picture_of(subject, mask))


def picture_of(subject: Subject, mask: "NDArray[Any]") -> "NDArray[Any]":
    """Return the picture, or slices of the volume, with everything dimmed but the object."""
    from gmmseg.report.cutout import cutout_sheet, overlay_mask

    if subject.volume is not None:
        return cutout_sheet(subject.volume, mask)
    return overlay_mask(subject.values, mask)


def millilitres(subject: Subject, area: int) -> str:
    """Return how large the object is, where voxels are known to be measured in mm."""
    if subject.volume is None or subject.volume.affine is None:
        return ""
    planes, rows, cols = subject.volume.spacing
    return f" ({area * planes * rows * cols / 1000:.3g} ml)"
