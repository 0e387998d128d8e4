"""Words for people go to stderr: lines, a progress bar, and why a first run takes longer."""

import shutil
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

from gmmseg.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

T = TypeVar("T")

PATIENCE = 1.0
"""Time without a progress bar, in seconds: what takes less needs none."""


@cache
def console() -> "Console":
    """Return the one console on stderr, so that lines and the progress bar know of each other."""
    from rich.console import Console

    return Console(stderr=True)


def say(message: str, *, style: str | None = None) -> None:
    """Write one line to stderr."""
    line = message.replace("\n", " ")
    # Neither file names nor numbers are markup, and a terminal breaks lines better than we do.
    console().print(line, style=style, markup=False, highlight=False, emoji=False, soft_wrap=True)


def show(table: "Table") -> None:
    """Write a table to stdout, as wide as it is where no terminal sets a limit."""
    from rich.console import Console

    Console(width=terminal_width(), highlight=False, emoji=False, markup=False).print(table)


def terminal_width() -> int:
    """Return how many letters a line of stdout may have; many if it is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000


def warn(message: str) -> None:
    """Write one line to stderr about something that is not as it should be."""
    say(f"gmmseg: {message}", style="yellow")


def track(items: Iterable[T], description: str) -> Iterator[T]:
    """Yield the items, with a progress bar on a terminal once they take over a second."""
    if not console().is_terminal:
        yield from items
        return
    from rich.progress import Progress

    progress = Progress(console=console(), transient=True)
    patience = Timer(PATIENCE, progress.start)
    patience.daemon = True
    patience.start()
    try:
        yield from progress.track(items, description=description)
    finally:
        patience.cancel()
        patience.join()
        progress.stop()


@contextmanager
def about(name: object) -> Iterator[None]:
    """Put the name of the file before every error and warning about what is in it."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    except InputError as error:
        if str(error).startswith(str(name)):
            raise
        raise InputError(f"{name}: {error}") from error
    for warning in caught:
        warn(f"{name}: {warning.message}")


@contextmanager
def announce_compilation() -> Iterator[None]:
    """Say once that kernels are being compiled, if they are; the cache brings them in silence."""
    from numba.core.event import Event, Listener, install_listener

    class FirstCompilation(Listener):
        is_announced = False

        def on_start(self, event: Event) -> None:
            if not self.is_announced:
                self.is_announced = True
                say("compiling kernels for this machine (once; about 5 s)")

        def on_end(self, event: Event) -> None:
            pass

    with install_listener("numba:compile", FirstCompilation()):
        yield
