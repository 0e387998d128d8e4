from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit
from numpy.testing import assert_array_equal

from gmmseg.core.turns import next_turn


@njit(nogil=True)
def take(counter, taken):
    turn = next_turn(counter)
    while turn < len(taken):
        taken[turn] += 1
        turn = next_turn(counter)


def test_threads_take_every_turn_once():
    counter, taken = np.zeros(1, np.int64), np.zeros(2_000_000, np.int64)
    take(counter, taken[:0])  # compile
    counter[0] = 0
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(take, counter, taken) for _ in range(4)]:
            done.result()
    assert_array_equal(taken, 1)
    assert counter[0] == len(taken) + 4
