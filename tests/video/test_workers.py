import gc
import threading

import pytest

from gmmseg.video.workers import Workers


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
@pytest.mark.parametrize("n_rows", [3, 8, 61])
def test_every_row_is_done_once_and_ranges_begin_at_multiples(n_jobs, n_rows):
    workers, seen = Workers(n_rows, n_jobs=n_jobs, unit=4), []
    for _ in range(2):
        seen.clear()
        workers.run(seen.append)
        assert sorted(row for first, end in seen for row in range(first, end)) == [*range(n_rows)]
        assert all(first % 4 == 0 for first, _ in seen)


def test_what_a_helper_raises_is_raised():
    def fail(lines):
        raise ZeroDivisionError(lines)

    with pytest.raises(ZeroDivisionError):
        Workers(40, n_jobs=2, unit=4).run(fail)


def test_the_threads_go_with_the_workers():
    before = set(threading.enumerate())
    workers = Workers(40, n_jobs=3, unit=4)
    workers.run_on_all(lambda: None)
    helpers = set(threading.enumerate()) - before
    assert len(helpers) == 2
    del workers
    gc.collect()
    for thread in helpers:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in helpers)


def test_after_an_error_the_threads_go_on():
    workers, seen = Workers(40, n_jobs=3, unit=4), []

    def fail():
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            workers.run_on_all(fail)
    workers.run_on_all(lambda: seen.append(1))
    assert seen == [1, 1, 1]
