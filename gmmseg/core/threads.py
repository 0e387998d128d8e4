"""Ranges of samples on a pool of threads: what is cut where depends on the problem alone."""

import itertools
import operator
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Generic, TypeVar

from gmmseg.errors import InputError

SMALLEST_RANGE = 1_000  # samples
MOST_RANGES = 32
FEW_OPERATIONS = 2**20  # that take no longer than to start a thread
RESULT_BYTES = 2**26  # memory that the results of all ranges may take together

T = TypeVar("T")


class PerThread(threading.local, Generic[T]):
    """Make something once in every thread that asks for it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    @cached_property
    def own(self) -> T:
        """What was made for this thread."""
        return self._make()


def cut_into_ranges(n_samples: int, bytes_per_result: int = 0) -> list[tuple[int, int]]:
    """Return ranges (first, after last) that cover all samples, the same for any number of threads.

    The larger the result of a range, the fewer there are.
    """
    fitting = RESULT_BYTES // max(bytes_per_result, 1)
    n_ranges = max(1, min(MOST_RANGES, n_samples // SMALLEST_RANGE, fitting))
    edges = (n_samples * i // n_ranges for i in range(n_ranges + 1))
    return list(itertools.pairwise(edges))


def run_in_threads(
    function: Callable[[tuple[int, int]], T], ranges: list[tuple[int, int]], n_jobs: int | None
) -> list[T]:
    """Return ``[function(rows) for rows in ranges]``, computed by ``n_jobs`` threads.

    The calling thread is one of them: it would only compete for the interpreter while it waits.
    """
    pending, results = deque(enumerate(ranges)), dict[int, T]()

    def work() -> None:
        while pending:
            try:
                index, rows = pending.popleft()
            except IndexError:  # another thread was faster
                return
            results[index] = function(rows)

    n_helpers = min(thread_count(n_jobs), len(ranges)) - 1
    if n_helpers == 0:
        return [function(rows) for rows in ranges]
    with ThreadPoolExecutor(n_helpers) as pool:
        helpers = [pool.submit(work) for _ in range(n_helpers)]
        work()
    for helper in helpers:
        helper.result()  # raises what the helper met
    return [results[index] for index in range(len(ranges))]


def worthwhile_jobs(n_jobs: int | None, n_operations: int) -> int:
    """Return the number of threads that ``n_jobs`` means, or 1 where others would come too late."""
    count = thread_count(n_jobs)
    return 1 if n_operations <= FEW_OPERATIONS else count


def thread_count(n_jobs: int | None) -> int:
    """Return the number of threads that ``n_jobs`` means: None is all, -1 all, -2 all but one."""
    has_affinity = hasattr(os, "sched_getaffinity")  # not everywhere
    available = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    if n_jobs is None:
        return available
    try:
        count = operator.index(n_jobs)
    except TypeError:
        count = 0
    if count == 0:
        raise InputError(
            f"n_jobs must be a whole number other than 0, got {n_jobs!r}; give a number of "
            "threads, or None for all processors"
        )
    return count if count > 0 else max(1, available + 1 + count)
