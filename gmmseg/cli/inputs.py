"""Files that a command is given: names, folders, patterns, and lists of names."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

import typer

from gmmseg.errors import InputError

IMAGE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".npy", ".jp2", ".avif", ".ppm",
    ".pgm",
)  # fmt: skip
LIST_SUFFIX = ".txt"
WILDCARDS = "*?["

Recordings = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE", help="Recordings: files, folders, patterns, or a .txt of names."
    ),
]


def named_files(arguments: list[str], suffixes: Collection[str]) -> list[Path]:
    """Return the files that arguments name, each once, in the order given.

    A folder stands for the files in it that end in one of the suffixes, in order of their names; a
    pattern such as ``good/*.png`` for what it matches; a file ending in ".txt" for the names in its
    lines, from its own folder on.

    Raises
    ------
    InputError
        If a folder or a pattern names no file, or a list cannot be read.
    """
    found: dict[Path, None] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = files_in(path, suffixes)
            if not inside:
                raise InputError(f"{path} holds no file ending in {', '.join(sorted(suffixes))}")
            found |= dict.fromkeys(inside)
        elif path.suffix.lower() == LIST_SUFFIX and path.is_file():
            found |= dict.fromkeys(_listed(path))
        elif any(letter in argument for letter in WILDCARDS) and not path.exists():
            found |= dict.fromkeys(_matching(argument))
        else:
            found[path] = None
    return list(found)


def files_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files in a folder that end in one of the suffixes and are not hidden, sorted."""
    return [
        path
        for path in sorted(folder.iterdir())
        if path.name.lower().endswith(tuple(suffixes))
        and not path.name.startswith(".")
        and path.is_file()
    ]


def _listed(path: Path) -> list[Path]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a list of files: {error}") from None
    return [path.parent / line.strip() for line in lines if line.strip()]


def _matching(pattern: str) -> list[Path]:
    anchor = Path(pattern).anchor
    matches = sorted(Path(anchor).glob(str(Path(pattern).relative_to(anchor))))
    if not matches:
        raise InputError(f"nothing matches {pattern}")
    return [match for match in matches if match.is_file()]
