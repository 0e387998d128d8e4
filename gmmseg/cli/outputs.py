"""What commands write: JSON, text for a file or stdout, folders; and what they never replace."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import typer

from gmmseg.cli.options import STDOUT
from gmmseg.errors import InputError


def refuse_to_replace(inputs: Iterable[Path], *outs: Path, option: str = "-o") -> None:
    """Stop, as misuse, before a result replaces an input."""
    known = {path.resolve() for path in inputs}
    for out in outs:
        if str(out) != STDOUT and out.resolve() in known:
            raise typer.BadParameter(
                f"{out} is an input and would be replaced; choose another with {option}"
            )


def refuse_collisions(results: Iterable[tuple[Path, Path]], inputs: Iterable[Path]) -> None:
    """Stop, as misuse, where two results of files are one, or a result replaces an input.

    The results are pairs: a file, and what is to be written of it.
    """
    sources: dict[str, Path] = {}
    results = list(results)
    for source, result in results:
        name = str(result).casefold()  # some file systems take A.csv and a.csv for one
        other = sources.get(name)
        if other == source:
            raise typer.BadParameter(
                f"{source} would write {result.name} twice; choose another name with -o"
            )
        if other is not None:
            raise typer.BadParameter(
                f"{other} and {source} would both write {result.name}; "
                "do them one by one into different folders"
            )
        sources[name] = source
    refuse_to_replace(inputs, *(result for _, result in results))


def make_folder(path: Path) -> None:
    """Create the folder for the results where it is missing."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot create the folder {path}: {error.strerror}") from error


def print_json(report: dict[str, Any]) -> None:
    """Print a report to stdout as one line."""
    typer.echo(json.dumps(report))


def write_json(path: Path, report: dict[str, Any]) -> None:
    """Write a report for programs and people."""
    from gmmseg.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


@contextmanager
def text_to(out: Path) -> Iterator[TextIO]:
    """Yield where text goes: stdout, or a file that appears once it is whole."""
    from gmmseg.files import replacing

    if str(out) == STDOUT:
        yield sys.stdout
        return
    with replacing(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as sink:
        yield sink
