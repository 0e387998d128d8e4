"""What ``gmmseg image anomaly score`` leaves behind: a table, maps, overlays, explanations."""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.anomaly import score_all
from gmmseg.cli.console import about
from gmmseg.cli.image_files import stem_of
from gmmseg.cli.outputs import make_folder, print_json, refuse_collisions, write_json

if TYPE_CHECKING:
    from gmmseg.image import ImageAnomalyDetector

MAP, OVERLAY, REASONS = "_map.tif", "_overlay.png", "_why.json"


@dataclass(frozen=True)
class ScoreRequest:
    """Where the results go, and which of them are wanted."""

    folder: Path
    explain: bool
    json: bool

    def results(self, images: list[Path]) -> list[tuple[Path, Path]]:
        """Return the images, each with every file that is written of it."""
        endings = (MAP, OVERLAY, REASONS) if self.explain else (MAP, OVERLAY)
        return [(path, self.folder / f"{stem_of(path)}{end}") for path in images for end in endings]


def score_files(detector: "ImageAnomalyDetector", paths: list[Path], request: ScoreRequest) -> int:
    """Score files, write what is wanted, and return the number that could not be scored."""
    refuse_collisions(request.results(paths), paths)
    make_folder(request.folder)
    score = partial(score_file, detector, request=request)
    return score_all(paths, score, request.folder, things="images")


def score_file(
    detector: "ImageAnomalyDetector", path: Path, *, request: ScoreRequest
) -> dict[str, Any]:
    """Score one file, write its map and overlay, and return its row of the table."""
    from gmmseg.image.io import read_image, write_image, write_map
    from gmmseg.report.strangeness import overlay_anomaly

    image, _ = read_image(path)
    with about(path):
        found = detector.inspect(image)
        regions = detector.explain(image) if request.explain else ()
    stem = stem_of(path)
    write_map(request.folder / f"{stem}{MAP}", found.map)
    shown = image if image.ndim == 2 or image.shape[2] in (3, 4) else image.mean(axis=2)
    picture = overlay_anomaly(shown, found.map, threshold=detector.threshold_, marked=found.marked)
    write_image(request.folder / f"{stem}{OVERLAY}", picture)
    row: dict[str, Any] = {
        "file": str(path),
        "score": found.score,
        "p_value": found.p_value,
        "anomalous": found.is_anomalous,
    }
    report = dict(row)
    if request.explain:
        report["regions"] = [asdict(region) for region in regions]
        write_json(request.folder / f"{stem}{REASONS}", report)
    if request.json:
        print_json(report)
    return row
