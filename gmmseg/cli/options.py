"""What the options of several commands share: their choices, their help, how they are read."""

from enum import StrEnum
from typing import Annotated

import typer

from gmmseg.errors import InputError

STDIN = STDOUT = "-"
AUTO = "auto"

AsJson = Annotated[bool, typer.Option("--json", help="Print the result to stdout as JSON.")]
AsJsonLines = Annotated[
    bool, typer.Option("--json", help="Print the results to stdout, one JSON line per file.")
]


class Init(StrEnum):
    """Ways to find a start."""

    kmeans = "k-means++"
    random = "random"
    hierarchical = "hierarchical"


class Criterion(StrEnum):
    """What the number of components and the family are chosen by."""

    bic = "bic"
    icl = "icl"
    held_out = "held-out"


def numbers_of(text: str) -> int | str | list[int]:
    """Return the numbers of components that a user asks for: one, several, or "auto"."""
    if text == AUTO:
        return text
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise typer.BadParameter(
                f"the number of Gaussians must be a number, a range such as 2-6, a list such as "
                f"2,4,8, or auto, got {text!r}"
            )
        numbers += range(int(first), int(last or first) + 1)
    if not numbers or min(numbers) < 1:
        raise typer.BadParameter(f"there must be at least 1 Gaussian, got {text!r}")
    return numbers if len(numbers) > 1 else numbers[0]


def families_of(text: str) -> str | list[str]:
    """Return the covariance families that a user asks for: one, several, or "auto"."""
    from gmmseg.core.covariance import family_named

    names = [name.strip() for name in text.split(",")]
    for name in names:
        try:
            if name != AUTO:
                family_named(name)
        except InputError as error:
            raise typer.BadParameter(
                str(error).replace("covariance_type", "--covariance")
            ) from None
    return names if len(names) > 1 else names[0]
