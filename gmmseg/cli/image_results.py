"""What ``gmmseg image segment`` leaves behind: labels, tables, pictures, a report."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gmmseg.cli.console import say
from gmmseg.cli.image_files import VOLUME_SUFFIXES, Source, result_suffix, stem_of, suffix_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVERLAY, UNCERTAINTY = "_overlay.png", "_uncertainty.png"
PROBABILITIES, REPORT, SHEET = "_probabilities", ".json", "contact_sheet.png"


@dataclass(frozen=True)
class Outputs:
    """Where the results go, and which of them are wanted."""

    folder: Path
    overlay: bool
    probabilities: bool
    uncertainty: bool
    json: bool
    is_volume: bool

    def path(self, image: Path, ending: str) -> Path:
        """Return the path of one result of an image."""
        return self.folder / f"{stem_of(image)}{ending}"

    def labels(self, image: Path) -> Path:
        """Return the path of the labels: a volume's are of the same kind as the volume."""
        return self.path(image, f"_labels{self._suffix(image)}")

    def chances(self, image: Path) -> Path:
        """Return the path of the probabilities: a volume's are of the same kind as the volume."""
        suffix = self._suffix(image)
        return self.path(image, PROBABILITIES + (".tif" if suffix == ".png" else suffix))

    def _suffix(self, image: Path) -> str:
        is_volume = self.is_volume or suffix_of(image) in VOLUME_SUFFIXES
        return result_suffix(image, is_volume=is_volume)

    def all_of(self, image: Path) -> list[Path]:
        """Return the paths of all results an image may have."""
        endings = (OVERLAY, UNCERTAINTY, REPORT)
        return [
            self.labels(image),
            self.chances(image),
            *(self.path(image, ending) for ending in endings),
        ]

    def refuse_foreign_reports(self, images: list[Path]) -> None:
        """Stop, as misuse, before a report replaces JSON that is not ours."""
        for image in images:
            path = self.path(image, REPORT)
            if path.is_file() and b'"n_segments"' not in path.read_bytes()[:1000]:
                raise typer.BadParameter(
                    f"{path} is there already and no report of gmmseg; "
                    "choose another folder with -o"
                )


def segment_table(
    source: Source, labels: "NDArray[Any]", weights: "NDArray[Any] | None"
) -> list[dict[str, Any]]:
    """Return what is known of each segment, as JSON knows it."""
    from gmmseg.image.summary import summaries_of

    rows = [asdict(summary) for summary in summaries_of(source.pixels, labels)]
    if weights is not None:
        for row in rows:
            row["weight"] = float(weights[row["label"] - 1])
    return rows


def write_all_labels(path: Path, labels: "NDArray[Any]", source: Source) -> None:
    """Write the labels of a plane or of a volume."""
    from gmmseg.image.io import write_labels
    from gmmseg.image.volumes import write_volume

    if source.volume is None:
        write_labels(path, labels)
    else:
        write_volume(path, labels, like=source.volume)


def write_probability_files(
    path: Path, probabilities: "NDArray[Any]", outputs: Outputs, source: Source
) -> None:
    """Write the probabilities, and the picture of how sure they are, where wanted."""
    from gmmseg.image.io import write_probabilities
    from gmmseg.image.volumes import write_volume_probabilities
    from gmmseg.report.uncertainty import picture_uncertainty

    if outputs.probabilities:
        if source.volume is None:
            write_probabilities(outputs.chances(path), probabilities)
        else:
            write_volume_probabilities(outputs.chances(path), probabilities, like=source.volume)
    if outputs.uncertainty:
        flat = probabilities.reshape(-1, *probabilities.shape[-2:])  # planes below each other
        write_picture(outputs.path(path, UNCERTAINTY), picture_uncertainty(flat))


def overlay_of(source: Source, labels: "NDArray[Any]") -> "NDArray[Any]":
    """Return the image, or slices of the volume, with the segments drawn over and a legend."""
    from gmmseg.report.figures import overlay_labels
    from gmmseg.report.legend import add_legend
    from gmmseg.report.slices import volume_sheet

    if source.volume is not None:
        return add_legend(volume_sheet(source.volume, labels), labels)
    image, shown = source.shown(labels)
    return add_legend(overlay_labels(image, shown), labels)


def write_picture(path: Path, picture: "NDArray[Any]") -> None:
    """Write a picture to look at."""
    from gmmseg.image.io import write_image

    write_image(path, picture)


def write_contact_sheet(path: Path, overlays: "dict[str, NDArray[Any] | None]") -> None:
    """Write all overlays on one sheet, if there are several."""
    pictures = {name: picture for name, picture in overlays.items() if picture is not None}
    if len(pictures) < 2:
        return
    from gmmseg.report.sheet import contact_sheet

    write_picture(path, contact_sheet(list(pictures.values()), list(pictures)))
    say(f"all overlays: {path}")
