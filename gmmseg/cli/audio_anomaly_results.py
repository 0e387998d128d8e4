"""What ``gmmseg audio anomaly score`` leaves behind: a table, pictures, explanations."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.anomaly import SCORES, score_all
from gmmseg.cli.console import about
from gmmseg.cli.outputs import (
    make_folder,
    print_json,
    refuse_collisions,
    refuse_to_replace,
    write_json,
)
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from gmmseg.audio import AudioAnomalyDetector, AudioExplanation

PICTURE, REASONS = "_why.png", "_why.json"


@dataclass(frozen=True)
class ScoreRequest:
    """Where the results go, and which of them are wanted."""

    folder: Path
    rate: float | None
    explain: bool
    json: bool

    def results(self, clips: Iterable[Path]) -> list[tuple[Path, Path]]:
        """Return the clips, each with every file that is written of it."""
        endings = (PICTURE, REASONS) if self.explain else ()
        return [(path, self.folder / f"{path.stem}{end}") for path in clips for end in endings]


def score_clips(
    detector: "AudioAnomalyDetector", files: dict[str, Path], request: ScoreRequest
) -> int:
    """Score files, write what is wanted, and return the number that could not be scored."""
    paths = dict.fromkeys(files.values())  # one file may have two names
    refuse_to_replace(paths, request.folder / SCORES)
    refuse_collisions(request.results(paths), paths)
    make_folder(request.folder)

    def score_named(name: str) -> dict[str, Any]:
        """Score the file of that name; what is wrong with it is told under the name alone."""
        try:
            with about(name):
                return score_clip(detector, name, files[name], request)
        except InputError as error:
            raise InputError(str(error).replace(f"{name}: {files[name]}", name)) from error

    return score_all(list(files), score_named, request.folder, things="clips")


def score_clip(
    detector: "AudioAnomalyDetector", name: str, path: Path, request: ScoreRequest
) -> dict[str, Any]:
    """Score one file, write why if that is wanted, and return its row of the table."""
    import numpy as np

    from gmmseg.audio.clips import clip_signal

    y, sr = clip_signal(path, rate=request.rate)
    if request.explain:
        found = detector.explain(y, sr=sr)
        score, p_value = found.score, found.p_value
    else:
        judge, samples = detector.judge_, detector.recipe_.samples(y, sr)
        judge.warn_if_short([len(samples)], ["the clip"])
        score = judge.score(samples)
        p_value = float(detector.null_.p_values(np.array([score]))[0])
    row: dict[str, Any] = {
        "file": name,
        "score": score,
        "p_value": p_value,
        "anomalous": p_value <= detector.false_alarm,
    }
    report = dict(row)
    if request.explain:
        report |= explain_clip(path, row, found, request.folder)
    if request.json:
        print_json(report)
    return row


def explain_clip(
    path: Path, row: dict[str, Any], found: "AudioExplanation", folder: Path
) -> dict[str, Any]:
    """Write a picture and a JSON file about why a clip is strange, and return what it says."""
    from gmmseg.image.io import write_image
    from gmmseg.report import picture_sound

    reasons = {
        "strangest_time": float(found.times[found.frame_scores.argmax()]),
        "strangest_frequency": float(found.frequencies[found.band_scores.argmax()]),
        "times": found.strange_times,
        "bands": found.strange_bands,
        "tones": found.tones,
        "beats": found.beats,
    }
    picture = picture_sound(found, is_anomalous=row["anomalous"], title=path.name)
    write_image(folder / f"{path.stem}{PICTURE}", picture)
    write_json(folder / f"{path.stem}{REASONS}", row | reasons)
    return reasons
