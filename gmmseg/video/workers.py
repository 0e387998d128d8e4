"""Threads that stay, for work that comes with every frame: to start new ones would take longer."""

import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

from gmmseg.core.threads import thread_count

SHARES = 4  # ranges per thread, so that one that is held up leaves work to the others

Lines = tuple[int, int]
Work = Callable[[], object]


class Workers:
    """Do a function on all rows of a picture, a few ranges of rows at a time.

    Parameters
    ----------
    n_rows : int
        Rows of the picture.
    n_jobs : int or None
        Number of threads; None is all.
    unit : int
        Rows that belong together: every range begins at a multiple.
    """

    def __init__(self, n_rows: int, *, n_jobs: int | None, unit: int) -> None:
        n_threads = min(thread_count(n_jobs), max(n_rows // unit, 1))
        n_ranges = 1 if n_threads == 1 else min(SHARES * n_threads, max(n_rows // unit, 1))
        edges = [n_rows // unit * i // n_ranges * unit for i in range(n_ranges)] + [n_rows]
        self._ranges = list(itertools.pairwise(edges))
        self._n_helpers = n_threads - 1
        self._wanted: SimpleQueue[Work | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for _ in range(self._n_helpers):
            threading.Thread(target=_help, args=(self._wanted, self._done), daemon=True).start()
        weakref.finalize(self, _dismiss, self._wanted, self._n_helpers)

    def run(self, function: Callable[[Lines], object]) -> None:
        """Call the function with every range (first row, after last); this thread works too."""
        pending = deque(self._ranges)

        def work() -> None:
            while pending:
                try:
                    lines = pending.popleft()
                except IndexError:  # another thread was faster
                    return
                function(lines)

        self.run_on_all(work)

    def run_on_all(self, work: Work) -> None:
        """Call a function on every thread, which share the work among themselves."""
        for _ in range(self._n_helpers):
            self._wanted.put(work)
        try:
            work()
        finally:
            errors = [self._done.get() for _ in range(self._n_helpers)]
        for error in errors:
            if error is not None:
                raise error


def _help(wanted: "SimpleQueue[Work | None]", done: "SimpleQueue[BaseException | None]") -> None:
    """Do what is wanted until dismissed; tell what went wrong."""
    while True:
        work = wanted.get()
        if work is None:
            return
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (it is raised by who wanted the work)
            done.put(error)
        else:
            done.put(None)
        del work  # with it the frame


def _dismiss(wanted: "SimpleQueue[Work | None]", n_helpers: int) -> None:
    for _ in range(n_helpers):
        wanted.put(None)
