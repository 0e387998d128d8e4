"""Threads that stay, for work that comes with every frame: to start new ones would take longer."""

import itertools
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gmmseg.core.threads import thread_count

SHARES = 4  # ranges per thread, so that one that is held up leaves work to the others

Lines = tuple[int, int]


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
        self._pool = ThreadPoolExecutor(self._n_helpers) if n_threads > 1 else None

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

    def run_on_all(self, work: Callable[[], object]) -> None:
        """Call a function on every thread, which share the work among themselves."""
        helpers = [self._pool.submit(work) for _ in range(self._n_helpers)] if self._pool else []
        work()
        for helper in helpers:
            helper.result()  # raises what the helper met
