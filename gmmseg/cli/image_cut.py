"""The command ``gmmseg image cut``: one object out of one picture, as a black and white mask."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MASK, MATTE, OVERLAY = "_mask.png", "_matte.png", "_overlay.png"


@dataclass(frozen=True)
class CutOutputs:
    """Where the results go; None is not wanted."""

    mask: Path
    matte: Path | None
    overlay: Path | None

    @classmethod
    def beside(cls, image: Path, mask: Path | None, *, matte: bool, overlay: bool) -> "CutOutputs":
        """Return the files to write: named after the image, in the folder of the mask."""
        mask = mask or Path(f"{image.stem}{MASK}")
        folder = mask.parent
        return cls(
            mask,
            folder / f"{image.stem}{MATTE}" if matte else None,
            folder / f"{image.stem}{OVERLAY}" if overlay else None,
        )

    def refuse_to_replace(self, inputs: list[Path]) -> None:
        """Stop, as misuse, before a result replaces an input or another result."""
        known = {path.resolve() for path in inputs}
        for path in (self.mask, self.matte, self.overlay):
            if path is not None and path.resolve() in known:
                raise typer.BadParameter(
                    f"{path} is an input or another result and would be replaced; choose another "
                    "name with -o"
                )
            if path is not None:
                known.add(path.resolve())


def cut(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="Image file.")],
    box: Annotated[
        tuple[int, int, int, int] | None,
        typer.Option(
            metavar="X0 Y0 X1 Y1",
            help="Box around the object: its first column and row, and those after its last.",
        ),
    ] = None,
    seeds: Annotated[
        Path | None,
        typer.Option(
            help="Image of the same size, marked where it is known: 1 or blue background, "
            "2 or red the object, anything else unknown."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Mask to write; <stem>_mask.png if not given."),
    ] = None,
    matte: Annotated[
        bool, typer.Option("--matte", help="Write <stem>_matte.png too, with a soft edge.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write <stem>_overlay.png too: the rest dimmed.")
    ] = False,
    smoothness: Annotated[
        float, typer.Option(min=0.0, help="How much the border counts against the pixels.")
    ] = 17.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same mask.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result to stdout as one JSON line.")
    ] = False,
) -> None:
    """Cut an object out of a picture, from a box around it or a few marks.

    Writes a mask: 255 at the object, 0 elsewhere. Marks are a label image of 0, 1 and 2, or a
    picture in which blue lines run over the background and red ones over the object.

    Example: gmmseg image cut photo.jpg --box 120 40 480 390 -o object.png
    """
    if box is None and seeds is None:
        raise typer.BadParameter("where is the object? give --box X0 Y0 X1 Y1, or --seeds FILE")
    outputs = CutOutputs.beside(image, out, matte=matte, overlay=overlay)
    if outputs.mask.suffix.lower() != ".png":
        raise typer.BadParameter(f"the mask must end in .png, got {outputs.mask}")
    outputs.refuse_to_replace([image, *([seeds] if seeds else [])])
    with announce_compilation():
        report = cut_file(image, box, seeds, outputs, smoothness=smoothness, seed=seed)
    if as_json:
        typer.echo(json.dumps(report))


def cut_file(
    path: Path,
    box: tuple[int, ...] | None,
    seeds: Path | None,
    outputs: CutOutputs,
    *,
    smoothness: float,
    seed: int,
) -> dict[str, Any]:
    """Cut one image file, write the results, say one line and return what JSON says of it."""
    from gmmseg.image.cut import cut_foreground
    from gmmseg.image.io import read_image, write_image

    start = time.perf_counter()
    pixels, opaque = read_image(path)
    marks = None if seeds is None else read_seeds(seeds)
    with about(path):
        mask = cut_foreground(
            pixels, box=box, seeds=marks, mask=opaque, smoothness=smoothness, random_state=seed
        )
    write_image(outputs.mask, mask.astype("uint8") * 255)
    if outputs.matte is not None:
        from gmmseg.image.matte import soften_mask

        write_image(outputs.matte, (soften_mask(pixels, mask) * 255).round().astype("uint8"))
    if outputs.overlay is not None:
        from gmmseg.report.cutout import overlay_mask

        write_image(outputs.overlay, overlay_mask(pixels, mask))
    seconds, area = time.perf_counter() - start, int(mask.sum())
    say(f"{path}: {area / mask.size:.1%} cut out in {seconds:.1f} s, {outputs.mask}")
    return {
        "image": str(path),
        "mask": str(outputs.mask),
        "area": area,
        "n_pixels": mask.size,
        "options": {
            "box": None if box is None else list(box),
            "seeds": None if seeds is None else str(seeds),
            "smoothness": smoothness,
            "seed": seed,
        },
        "seconds": round(seconds, 3),
    }


def read_seeds(path: Path) -> "NDArray[Any]":
    """Return seeds, 0 unknown, 1 background, 2 foreground, of a label image or coloured marks.

    A mark is a pixel whose red (foreground) or blue (background) is far above both other colours.
    """
    import numpy as np

    from gmmseg.image.io import read_image

    pixels, opaque = read_image(path)
    if pixels.ndim == 2:
        if not np.isin(pixels, (0, 1, 2)).all():
            raise InputError(
                f"{path}: a label image of seeds must hold 0, 1 (background) and 2 (foreground), "
                f"got values up to {pixels.max()}; or mark in red and blue in an RGB picture"
            )
        labels: NDArray[Any] = pixels.astype(np.uint8)
    else:
        labels = labels_of_marks(pixels)
    if opaque is not None:
        labels[~opaque] = 0
    if not labels.any():
        raise InputError(
            f"{path}: nothing is marked; mark the object red (or 2) and the background blue (or 1)"
        )
    return labels


def labels_of_marks(pixels: "NDArray[Any]") -> "NDArray[Any]":
    """Return 2 where red is far above green and blue, 1 where blue is above green and red."""
    import numpy as np

    if pixels.shape[2] != 3:
        raise InputError(f"seeds must be a label image or RGB, got {pixels.shape[2]} channels")
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind in "ui" else 1.0
    red, green, blue = np.moveaxis(pixels / full, 2, 0)
    labels = np.zeros(red.shape, dtype=np.uint8)
    labels[blue - np.maximum(red, green) > 0.5] = 1
    labels[red - np.maximum(green, blue) > 0.5] = 2
    return labels
