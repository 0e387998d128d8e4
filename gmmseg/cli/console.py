"""Words for people go to stderr: lines, a progress bar, and why a first run takes longer."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

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
