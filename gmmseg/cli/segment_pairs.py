"""Which segments are held to which: two files, or what two folders have of the same names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gmmseg.audio.suffixes import SEGMENTS
from gmmseg.cli.console import say, warn
from gmmseg.cli.options import STDIN
from gmmseg.errors import GmmsegError

if TYPE_CHECKING:
    from gmmseg.audio import Segment

TEXT = ".txt"  # may be anything
PROBABILITIES = "_prob"


@dataclass(frozen=True)
class Pair:
    """A recording: its name, the truth about it, and what is held to it."""

    name: str
    reference: "list[Segment]"
    hypothesis: "list[Segment]"


@dataclass(frozen=True)
class Source:
    """Where the segments of a recording are: a file, and which recording in it if on several."""

    path: Path
    recording: str | None = None

    def segments(self) -> "list[Segment]":
        """Read them."""
        from gmmseg.audio import read_segments

        return read_segments(self.path, recording=self.recording)


class Pairs:
    """The recordings that can be read on both sides; the others are reported and counted.

    Parameters
    ----------
    reference, hypothesis : Path
        Two files; or folders, of which files of the same stem are held to each other; a file of
        RTTM on several recordings is as good as a folder.
    preferred : str
        Suffix that is taken where a folder has several files of one stem.
    """

    def __init__(self, reference: Path, hypothesis: Path, *, preferred: str) -> None:
        self.reference, self.hypothesis = reference, hypothesis
        self.suffixes = sorted(SEGMENTS, key=lambda one: (one != preferred, one == TEXT))
        self.n_failed = 0

    def each(self, use: Callable[[Pair], None]) -> None:
        """Use every pair; what cannot be read or used is told in one line, and the rest goes on."""
        for name, reference, hypothesis in self._sources():
            try:
                truth = reference.segments()
                use(Pair(name, truth, [] if hypothesis is None else hypothesis.segments()))
            except GmmsegError as error:
                warn(str(error))
                self.n_failed += 1

    def _sources(self) -> Iterator[tuple[str, Source, Source | None]]:
        """Yield the name, the reference and the hypothesis of every recording."""
        truths = self._named(self.reference, beside=self.hypothesis)
        guesses = self._named(self.hypothesis, beside=self.reference)
        are_files = not self.reference.is_dir() and not self.hypothesis.is_dir()
        if are_files and len(truths) == len(guesses) == 1:
            stem = (self.hypothesis if str(self.reference) == STDIN else self.reference).stem
            yield stem, Source(self.reference), Source(self.hypothesis)
            return
        if self.reference.is_dir() and not self.hypothesis.is_dir() and len(guesses) == 1:
            raise typer.BadParameter(
                f"{self.reference} is a folder, so {self.hypothesis} must be one, too"
            )
        for name, truth in truths.items():
            if name in guesses:
                yield name, truth, guesses[name]
            elif not self.hypothesis.is_dir():
                yield name, truth, None  # on which a file on several recordings has no segment
            else:
                self._tell_missing(name, truth)
        others = [name for name in guesses if name not in truths]
        if others and len(truths) > 1:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            say(f"{self.reference} has nothing on {others[0]}{more}")

    def _named(self, path: Path, *, beside: Path) -> dict[str, Source]:
        """Return the sources of a side by the names that match them."""
        if path.is_dir():
            files = files_by_stem(path, self.suffixes)
            return {stem: Source(file) for stem, file in files.items()}
        recordings = recordings_of(path)
        if len(recordings) > 1 or (recordings and not beside.is_dir()):
            return {recording: Source(path, recording) for recording in recordings}
        return {path.stem: Source(path)}

    def _tell_missing(self, name: str, truth: Source) -> None:
        """Count a reference without a hypothesis, unless it is a file of something else."""
        try:
            truth.segments()
        except GmmsegError:
            say(f"{truth.path} is no file of segments, and passed over")
            return
        warn(f"{self.hypothesis} has nothing on {name}")
        self.n_failed += 1


def recordings_of(path: Path) -> list[str]:
    """Return the recordings that a file is on; none if it does not tell, or cannot be read."""
    from gmmseg.audio.segment_files import recordings_in

    try:
        return [] if str(path) == STDIN else recordings_in(path)
    except GmmsegError:
        return []  # which will be told where it is read


def files_by_stem(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Return the files of a folder by their stems; of several, that of the first suffix."""
    found: dict[str, Path] = {}
    for suffix in suffixes:
        for path in sorted(folder.iterdir()):
            is_wanted = path.suffix.lower() == suffix and not path.stem.endswith(PROBABILITIES)
            if is_wanted and not path.name.startswith(".") and path.is_file():
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))
