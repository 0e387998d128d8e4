"""Claims about ranges and threads."""

import os
import re
import threading
from itertools import pairwise

import pytest

from gmmseg.core.threads import cut_into_ranges, run_in_threads, thread_count, worthwhile_jobs
from gmmseg.errors import InputError


@pytest.mark.parametrize("n_samples", [1, 999, 1_000, 1_999, 2_000, 31_999, 32_000, 1_000_003])
def test_ranges_cover_every_sample_once_in_order(n_samples):
    ranges = cut_into_ranges(n_samples)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == n_samples
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    sizes = [last - first for first, last in ranges]
    assert max(sizes) - min(sizes) <= 1


def test_there_are_at_most_32_ranges_of_at_least_a_thousand_samples():
    assert [len(cut_into_ranges(n)) for n in (10, 1_999, 2_000, 32_000, 10**9)] == [1, 1, 2, 32, 32]


def test_large_results_make_fewer_ranges():
    assert len(cut_into_ranges(10**6, 2**24)) == 4
    assert len(cut_into_ranges(10**6, 2**30)) == 1


@pytest.mark.parametrize("n_jobs", [1, 2, 5, None])
def test_results_come_in_the_order_of_the_ranges(n_jobs):
    ranges = [(i, i + 1) for i in range(20)]
    assert run_in_threads(sum, ranges, n_jobs) == [2 * i + 1 for i in range(20)]


def test_one_job_runs_in_the_thread_of_the_caller():
    names = run_in_threads(lambda _: threading.current_thread(), [(0, 1), (1, 2)], 1)
    assert set(names) == {threading.current_thread()}


def test_little_work_is_done_by_the_caller_alone():
    assert [worthwhile_jobs(n_jobs, 1_000) for n_jobs in (None, 1, 7)] == [1, 1, 1]
    assert [worthwhile_jobs(n_jobs, 10**8) for n_jobs in (1, 7)] == [1, 7]
    with pytest.raises(InputError, match=r"^n_jobs must be a whole number other than 0, got 0.5"):
        worthwhile_jobs(0.5, 1_000)


def test_an_error_in_a_thread_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        run_in_threads(lambda rows: 1 // rows[0], [(1, 2), (0, 1)], 2)


def test_negative_numbers_leave_processors_free(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    counts = [thread_count(n_jobs) for n_jobs in (None, 1, 3, 20, -1, -2, -8, -9, -100)]
    assert counts == [8, 1, 3, 20, 8, 7, 1, 1, 1]


@pytest.mark.parametrize("n_jobs", [0, 0.5, 2.0, "all"])
def test_what_is_no_number_of_threads_is_refused(n_jobs):
    message = (
        f"n_jobs must be a whole number other than 0, got {n_jobs!r}; "
        "give a number of threads, or None for all processors"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        thread_count(n_jobs)
