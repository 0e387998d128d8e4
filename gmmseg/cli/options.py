"""What the options of several commands share: choices, and what they refuse."""

from enum import StrEnum
from pathlib import Path

import typer

STDOUT = "-"


class Init(StrEnum):
    """Ways to find a start."""

    kmeans = "k-means++"
    random = "random"


class Covariance(StrEnum):
    """Shapes of a component."""

    full = "full"
    diag = "diag"
    tied = "tied"
    spherical = "spherical"


def refuse_to_replace(inputs: list[Path], out: Path) -> None:
    """Stop, as misuse, before a result replaces an input."""
    if str(out) != STDOUT and out.resolve() in {path.resolve() for path in inputs}:
        raise typer.BadParameter(f"{out} is an input and would be replaced; choose another with -o")
