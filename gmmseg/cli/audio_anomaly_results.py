"""What ``gmmseg audio anomaly score`` leaves behind: a table, pictures, explanations."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.console import about, say, track, warn
from gmmseg.cli.image_files import make_folder, refuse_equal_stems
from gmmseg.errors import GmmsegError

if TYPE_CHECKING:
    from gmmseg.audio import AudioAnomalyDetector, AudioExplanation

PICTURE, REASONS, SCORES = "_why.png", "_why.json", "scores.csv"
COLUMNS = ("file", "score", "p_value", "anomalous")


@dataclass(frozen=True)
class ScoreRequest:
    """Where the results go, and which of them are wanted."""

    folder: Path
    rate: float | None
    explain: bool
    json: bool


def score_clips(
    detector: "AudioAnomalyDetector", files: dict[str, Path], request: ScoreRequest
) -> int:
    """Score files, write what is wanted, and return the number that could not be scored."""
    from gmmseg.files import replacing

    if request.explain:
        refuse_equal_stems(list(files.values()), PICTURE)
    make_folder(request.folder)
    rows: list[dict[str, Any]] = []
    for name in track(list(files), "scoring"):
        try:
            with about(name):
                rows.append(score_clip(detector, name, files[name], request))
        except GmmsegError as error:
            warn(str(error).replace(f"{name}: {files[name]}", name))
    with (
        replacing(request.folder / SCORES) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(cells(rows))
    n_strange = sum(row["anomalous"] for row in rows)
    say(f"{n_strange} of {len(rows)} clips anomalous: {request.folder / SCORES}")
    n_failed = len(files) - len(rows)
    if n_failed:
        say(f"{n_failed} of {len(files)} clips could not be scored")
    return n_failed


def score_clip(
    detector: "AudioAnomalyDetector", name: str, path: Path, request: ScoreRequest
) -> dict[str, Any]:
    """Score one file, write why if that is wanted, and return its row of the table."""
    from gmmseg.audio.anomaly import describe
    from gmmseg.audio.clips import clip_signal

    if request.explain:
        found = detector.explain(*clip_signal(path, rate=request.rate))
        score, p_value = found.score, found.p_value
    else:
        x = describe(detector.recipe_, path, rate=request.rate)
        scores = detector.model_.scores(x[None])
        score, p_value = float(scores[0]), float(detector.null_.p_values(scores)[0])
    row: dict[str, Any] = {
        "file": name,
        "score": score,
        "p_value": p_value,
        "anomalous": p_value <= detector.false_alarm,
    }
    report = dict(row)
    if request.explain:
        report |= write_reasons(path, row, found, request.folder)
    if request.json:
        print_line(report)
    return row


def write_reasons(
    path: Path, row: dict[str, Any], found: "AudioExplanation", folder: Path
) -> dict[str, Any]:
    """Write a picture and a JSON file about why a clip is strange, and return what it says."""
    from gmmseg.files import replacing
    from gmmseg.image.io import write_image
    from gmmseg.report import picture_sound

    reasons = {
        "strangest_time": float(found.times[found.frame_scores.argmax()]),
        "strangest_frequency": float(found.frequencies[found.band_scores.argmax()]),
        "times": found.strange_times,
        "bands": found.strange_bands,
    }
    picture = picture_sound(found, is_anomalous=row["anomalous"], title=path.name)
    write_image(folder / f"{path.stem}{PICTURE}", picture)
    with replacing(folder / f"{path.stem}{REASONS}") as temporary:
        temporary.write_text(json.dumps(row | reasons, indent=1) + "\n", encoding="utf-8")
    return reasons


def print_line(report: dict[str, Any]) -> None:
    """Print a report to stdout as one line."""
    import typer

    typer.echo(json.dumps(report))


def cells(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, int]]:
    """Yield rows of the table as they are written."""
    for row in rows:
        score, p_value = f"{row['score']:.6g}", f"{row['p_value']:.6g}"
        yield row["file"], score, p_value, int(row["anomalous"])
