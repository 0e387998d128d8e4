"""What the commands ``anomaly`` of all domains share: options, table of scores, what is told."""

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from gmmseg.cli.console import say, track, warn
from gmmseg.cli.outputs import text_to
from gmmseg.errors import GmmsegError

SCORES = "scores.csv"
COLUMNS = ("file", "score", "p_value", "anomalous")

Row = dict[str, Any]
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Model that fit wrote.")]
NewModel = Annotated[Path, typer.Option("-o", "--out", metavar="MODEL", help="Model to write.")]
AdaptedModel = Annotated[
    Path | None,
    typer.Option("-o", "--out", metavar="MODEL", help="Model to write; the same if not given."),
]
Results = Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder of results.")]
OtherFalseAlarm = Annotated[
    float | None, typer.Option(help="Another false-alarm rate than that of fit.")
]


class Detector(Protocol):
    """A detector, as far as commands of all domains know it."""

    false_alarm: float

    @property
    def threshold_(self) -> float:
        """The score above which something is anomalous."""


def check_share(false_alarm: float | None) -> None:
    """Stop, as misuse, at a false-alarm rate that is none."""
    if false_alarm is not None and not 0.0 < false_alarm < 1.0:
        raise typer.BadParameter(f"--false-alarm must lie between 0 and 1, got {false_alarm}")


def of_threshold(detector: Detector) -> str:
    """Return what the threshold is, in words."""
    rate = percent(detector.false_alarm)
    if is_blind(detector):
        return f"nothing can be anomalous (false alarms {rate})"
    return f"anomalous above {detector.threshold_:.3g} (false alarms {rate})"


def is_blind(detector: Detector) -> bool:
    """Return whether normal ones were so few that nothing can ever be called anomalous."""
    return detector.threshold_ == float("inf")


def warn_if_blind(detector: Detector) -> None:
    """Tell of a model that can call nothing anomalous, before its answers are taken for praise."""
    if is_blind(detector):
        warn(
            "the model was fitted to so few that nothing can be called anomalous at a false-alarm "
            f"rate of {percent(detector.false_alarm)}, whatever comes; fit to more"
        )


def percent(share: float) -> str:
    """Return a share in per cent, to a tenth, or more exactly where that would tell another."""
    tenths = f"{share:.1%}"
    return tenths if abs(round(share, 3) - share) < 1e-9 else f"{100.0 * share:.3g}%"


def counted(number: int, things: str) -> str:
    """Return a number of things, which are given in the plural."""
    return f"{number} {things.removesuffix('s') if number == 1 else things}"


def told_of(detector: Detector, model: Path, *, n_normal: int, n_bad: int) -> Row:
    """Return what is told as JSON of a model that has learned from normal files."""
    threshold = detector.threshold_
    return {
        "model": str(model),
        "n_normal": n_normal,
        "n_bad": n_bad,
        "false_alarm": detector.false_alarm,
        "threshold": threshold if math.isfinite(threshold) else None,  # None: too few are normal
    }


def score_all(
    names: list[Any], score_one: Callable[[Any], Row], folder: Path, *, things: str
) -> int:
    """Score one after the other, write the table, and return how many could not be scored."""
    rows = []
    for name in track(names, "scoring"):
        try:
            rows.append(score_one(name))
        except GmmsegError as error:
            warn(str(error))
    write_scores(folder / SCORES, rows)
    n_strange = sum(row["anomalous"] for row in rows)
    say(f"{n_strange} of {len(rows)} {things} anomalous: {folder / SCORES}")
    n_failed = len(names) - len(rows)
    if n_failed:
        say(f"{n_failed} of {len(names)} {things} could not be scored")
    return n_failed


def write_scores(path: Path, rows: list[Row]) -> None:
    """Write the table of scores."""
    with text_to(path) as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_cells(rows))


def _cells(rows: list[Row]) -> Iterator[tuple[str, str, str, int]]:
    """Yield rows of the table as they are written."""
    for row in rows:
        score, p_value = f"{row['score']:.6g}", f"{row['p_value']:.6g}"
        yield row["file"], score, p_value, int(row["anomalous"])
