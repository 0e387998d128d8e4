"""Files of ``gmmseg image cut``: what is cut, what is marked in it, and where the results go."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gmmseg.cli.image_box import IN_A_VOLUME
from gmmseg.cli.image_files import result_suffix, stem_of, suffix_of, warn_of_another_place
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image.volume_decoders import Volume

MASK, MATTE, OVERLAY = "_mask", "_matte.png", "_overlay.png"


@dataclass(frozen=True)
class CutOutputs:
    """Where the results go; None is not wanted."""

    mask: Path
    matte: Path | None
    overlay: Path | None

    @classmethod
    def beside(
        cls, image: Path, mask: Path | None, *, is_volume: bool, matte: bool, overlay: bool
    ) -> "CutOutputs":
        """Return the files to write: named after the image, in the folder of the mask."""
        stem = stem_of(image)
        mask = mask or Path(f"{stem}{MASK}{result_suffix(image, is_volume=is_volume)}")
        return cls(
            mask,
            mask.parent / f"{stem}{MATTE}" if matte else None,
            mask.parent / f"{stem}{OVERLAY}" if overlay else None,
        )

    def refuse_other_formats(self, *, is_volume: bool) -> None:
        """Stop, as misuse, where a mask cannot be written as it is to be named."""
        from gmmseg.image.volumes import SUFFIXES

        if not is_volume and self.mask.suffix.lower() != ".png":
            advice = ""
            if suffix_of(self.mask) in SUFFIXES:
                advice = f"; that of a stack needs --box {IN_A_VOLUME}, or --volume and --seeds"
            raise typer.BadParameter(f"the mask must end in .png, got {self.mask}{advice}")
        if not is_volume:
            return
        if suffix_of(self.mask) not in SUFFIXES:
            raise typer.BadParameter(
                f"the mask of a volume must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, "
                f"got {self.mask}; name it with -o"
            )
        if self.matte is not None:
            raise typer.BadParameter(
                "--matte is for pictures; soften_mask makes one of a volume in Python"
            )

    def all(self) -> list[Path]:
        """Return the files to write."""
        return [path for path in (self.mask, self.matte, self.overlay) if path is not None]


@dataclass(frozen=True, eq=False)
class Subject:
    """An image or a volume in memory, and where it is opaque; None is everywhere."""

    values: "NDArray[Any]"
    opaque: "NDArray[Any] | None" = None
    volume: "Volume | None" = None

    @property
    def grid(self) -> tuple[int, ...]:
        """Shape without channels."""
        return self.values.shape[:2] if self.volume is None else self.volume.grid

    @property
    def channel_axis(self) -> int | None:
        """Axis of the channels, as `cut_foreground` takes it."""
        return None if self.volume is not None and self.values.ndim == 3 else -1

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """Distances between planes, rows and columns; None in a picture."""
        return None if self.volume is None else self.volume.spacing


def read_subject(path: Path, *, is_volume: bool) -> Subject:
    """Read what is to be cut."""
    if is_volume:
        from gmmseg.image.volumes import read_volume

        volume = read_volume(path)
        return Subject(volume.values, volume=volume)
    from gmmseg.image.io import read_image

    return Subject(*read_image(path))


def read_seeds(path: Path, subject: Subject) -> "NDArray[Any]":
    """Return seeds, 0 unknown, 1 background, 2 foreground, of labels or of coloured marks.

    A mark is a pixel whose red (foreground) or blue (background) is far above both other colours.
    """
    import numpy as np

    marks = read_subject(path, is_volume=subject.volume is not None)
    if marks.volume is not None and subject.volume is not None:
        warn_of_another_place(path, marks.volume, subject.volume)
    if marks.values.ndim == (2 if subject.volume is None else 3):
        if not np.isin(marks.values, (0, 1, 2)).all():
            raise InputError(
                f"{path}: labels that are seeds must be 0, 1 (background) or 2 (foreground), "
                f"got values up to {marks.values.max()}; or mark in red and blue, in RGB"
            )
        labels: NDArray[Any] = marks.values.astype(np.uint8)
    else:
        labels = labels_of_marks(path, marks.values)
    if marks.opaque is not None:
        labels[~marks.opaque] = 0
    if not labels.any():
        raise InputError(
            f"{path}: nothing is marked; mark the object red (or 2) and the background blue (or 1)"
        )
    return labels


def labels_of_marks(path: Path, colors: "NDArray[Any]") -> "NDArray[Any]":
    """Return 2 where red is far above green and blue, 1 where blue is above green and red."""
    import numpy as np

    if colors.shape[-1] != 3:
        raise InputError(f"{path}: seeds must be labels or RGB, got {colors.shape[-1]} channels")
    full = np.iinfo(colors.dtype).max if colors.dtype.kind in "ui" else 1.0
    red, green, blue = np.moveaxis(colors / full, -1, 0)
    labels = np.zeros(red.shape, dtype=np.uint8)
    labels[blue - np.maximum(red, green) > 0.5] = 1
    labels[red - np.maximum(green, blue) > 0.5] = 2
    return labels
