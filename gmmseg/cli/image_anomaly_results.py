"""What ``gmmseg image anomaly score`` leaves behind: a table, maps, overlays, explanations."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.console import about, say, track, warn
from gmmseg.cli.image_files import make_folder, refuse_equal_stems, stem_of
from gmmseg.errors import GmmsegError

if TYPE_CHECKING:
    from gmmseg.image import ImageAnomalyDetector

MAP, OVERLAY, REASONS, SCORES = "_map.tif", "_overlay.png", "_why.json", "scores.csv"
COLUMNS = ("file", "score", "p_value", "anomalous")


@dataclass(frozen=True)
class ScoreRequest:
    """Where the results go, and which of them are wanted."""

    folder: Path
    explain: bool
    json: bool


def score_files(detector: "ImageAnomalyDetector", paths: list[Path], request: ScoreRequest) -> int:
    """Score files, write what is wanted, and return the number that could not be scored."""
    from gmmseg.files import replacing

    refuse_equal_stems(paths, MAP)
    make_folder(request.folder)
    rows: list[dict[str, Any]] = []
    for path in track(paths, "scoring"):
        try:
            rows.append(score_file(detector, path, request))
        except GmmsegError as error:
            warn(str(error))
    with (
        replacing(request.folder / SCORES) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(cells(rows))
    n_strange = sum(row["anomalous"] for row in rows)
    say(f"{n_strange} of {len(rows)} images anomalous: {request.folder / SCORES}")
    n_failed = len(paths) - len(rows)
    if n_failed:
        say(f"{n_failed} of {len(paths)} images could not be scored")
    return n_failed


def score_file(
    detector: "ImageAnomalyDetector", path: Path, request: ScoreRequest
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
        write_reasons(request.folder / f"{stem}{REASONS}", report)
    if request.json:
        print_line(report)
    return row


def write_reasons(path: Path, report: dict[str, Any]) -> None:
    """Write the strange regions of an image as JSON."""
    from gmmseg.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def print_line(report: dict[str, Any]) -> None:
    """Print a report to stdout as one line."""
    import typer

    typer.echo(json.dumps(report))


def cells(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, int]]:
    """Yield rows of the table as they are written."""
    for row in rows:
        score, p_value = f"{row['score']:.6g}", f"{row['p_value']:.6g}"
        yield row["file"], score, p_value, int(row["anomalous"])
