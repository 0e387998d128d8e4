"""Which file of segments is held to which: two files, or those of one stem in two folders."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gmmseg.cli.console import say, warn
from gmmseg.errors import GmmsegError

if TYPE_CHECKING:
    from gmmseg.audio import Segment

SUFFIXES = (".csv", ".rttm", ".textgrid", ".json", ".tsv", ".txt")
PROBABILITIES = "_prob"
STDIN = "-"


@dataclass(frozen=True)
class Pair:
    """A recording: its name, the truth about it, and what is held to it."""

    name: str
    reference: "list[Segment]"
    hypothesis: "list[Segment]"


class Pairs:
    """The recordings that can be read on both sides; the others are reported and counted.

    Parameters
    ----------
    reference, hypothesis : Path
        Two files, two folders, or a file and a folder that has another of its stem.
    preferred : str
        Suffix that is taken where a folder has several files of one stem.
    """

    def __init__(self, reference: Path, hypothesis: Path, *, preferred: str) -> None:
        if reference.is_dir() and not hypothesis.is_dir():
            raise typer.BadParameter(f"{reference} is a folder, so {hypothesis} must be one, too")
        self.reference, self.hypothesis = reference, hypothesis
        self.suffixes = sorted(SUFFIXES, key=lambda suffix: suffix != preferred)
        self.n_failed = 0

    def each(self, use: Callable[[Pair], None]) -> None:
        """Use every pair; what cannot be read or used is told in one line, and the rest goes on."""
        for name, reference, hypothesis in self._paths():
            try:
                use(Pair(name, self._read(reference), self._read(hypothesis)))
            except GmmsegError as error:
                warn(str(error))
                self.n_failed += 1

    def _paths(self) -> Iterator[tuple[str, Path, Path]]:
        """Yield the name, the reference and the hypothesis of every recording."""
        if not self.hypothesis.is_dir():
            stem = (self.hypothesis if str(self.reference) == STDIN else self.reference).stem
            yield stem, self.reference, self.hypothesis
            return
        guesses = files_by_stem(self.hypothesis, self.suffixes)
        truths = {self.reference.stem: self.reference}
        if self.reference.is_dir():
            truths = files_by_stem(self.reference, self.suffixes)
        for stem, path in truths.items():
            if stem in guesses:
                yield stem, path, guesses[stem]
            else:
                self._tell_missing(path)
        others = [guesses[stem].name for stem in guesses if stem not in truths]
        if others and self.reference.is_dir():
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            say(f"no reference for {others[0]}{more} in {self.reference}")

    def _tell_missing(self, path: Path) -> None:
        """Count a reference without a hypothesis, unless it is a file of something else."""
        try:
            self._read(path)
        except GmmsegError:
            say(f"{path} is no file of segments, and passed over")
            return
        warn(f"{path}: {self.hypothesis} has no file of that name")
        self.n_failed += 1

    @staticmethod
    def _read(path: Path) -> "list[Segment]":
        from gmmseg.audio import read_segments

        return read_segments(path)


def files_by_stem(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Return the files of a folder by their stems; of several, that of the first suffix."""
    found: dict[str, Path] = {}
    for suffix in suffixes:
        for path in sorted(folder.iterdir()):
            is_wanted = path.suffix.lower() == suffix and not path.stem.endswith(PROBABILITIES)
            if is_wanted and not path.name.startswith(".") and path.is_file():
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))
