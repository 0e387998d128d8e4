import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.chain import Chain, minimum_duration
from gmmseg.smoothing.chain_decoding import forward_backward
from gmmseg.smoothing.chain_filter import FixedLagFilter, fixed_lag
from tests import naive

CHAINS = {
    "two": Chain.of_durations([5, 9]),
    "sticky": Chain.sticky(0.9, [0.2, 0.5, 0.3]),
    "slow": minimum_duration(Chain.of_durations([5, 9]), [4, 6]),
}


@pytest.fixture(params=CHAINS)
def chain(request):
    return CHAINS[request.param]


@pytest.mark.parametrize("lag", [0, 1, 3, 9])
def test_fixed_lag_agrees_with_a_look_at_every_path(rng, lag):
    chain = CHAINS["two"]
    table = rng.normal(scale=2.0, size=(7, 2))
    wanted = naive.fixed_lag_posteriors(table, chain.transitions, chain.start, lag)
    assert_allclose(fixed_lag(table, chain, lag=lag), wanted, rtol=1e-10)


@pytest.mark.parametrize("lag", [0, 1, 7, 300])
@pytest.mark.parametrize("scale", [2.0, 500.0])
def test_blocks_may_be_cut_anywhere(rng, chain, lag, scale):
    table = rng.normal(scale=scale, size=(200, chain.n_states))
    whole = fixed_lag(table, chain, lag=lag)
    for _ in range(5):
        cuts = np.sort(rng.integers(0, 201, size=12))
        stream = FixedLagFilter(chain, lag)
        parts = [stream.push(block) for block in np.split(table, cuts)]
        assert_array_equal(np.concatenate([*parts, stream.finish()]), whole)


def test_answer_is_late_by_the_lag(rng, chain):
    stream = FixedLagFilter(chain, 10)
    lengths = [len(stream.push(rng.normal(size=(n, chain.n_states)))) for n in (4, 6, 1, 0, 20)]
    assert lengths == [0, 0, 1, 0, 20]
    assert len(stream.finish()) == 10


@pytest.mark.parametrize("lag", [199, 200, 1000])
def test_lag_as_long_as_the_table_is_forward_and_backward(rng, chain, lag):
    table = rng.normal(scale=2.0, size=(200, chain.n_states))
    wanted, _ = forward_backward(table, chain)
    assert_allclose(fixed_lag(table, chain, lag=lag), wanted, rtol=1e-12)


def test_frames_beyond_the_lag_do_not_matter(rng, chain):
    table = rng.normal(size=(60, chain.n_states))
    other = table.copy()
    other[41:] = rng.normal(size=(19, chain.n_states))
    one, same = (fixed_lag(frames, chain, lag=10) for frames in (table, other))
    assert_array_equal(one[:31], same[:31])
    assert not np.allclose(one[31], same[31])


def test_finished_filter_starts_anew(rng, chain):
    table = rng.normal(size=(50, chain.n_states))
    stream = FixedLagFilter(chain, 5)
    first = np.concatenate([stream.push(table), stream.finish()])
    second = np.concatenate([stream.push(table), stream.finish()])
    assert_array_equal(first, second)


def test_filter_that_saw_nothing_has_nothing_to_say(chain):
    assert FixedLagFilter(chain, 5).finish().shape == (0, chain.n_states)


def test_precision_is_that_of_the_block(chain):
    stream = FixedLagFilter(chain, 0)
    assert stream.push(np.zeros((3, chain.n_states), np.float32)).dtype == np.float32
    assert stream.push(np.zeros((3, chain.n_states))).dtype == np.float64


def test_refused_block_leaves_the_filter_as_it_was(rng, chain):
    table = rng.normal(size=(50, chain.n_states))
    stream = FixedLagFilter(chain, 5)
    first = stream.push(table[:20])
    impossible = table[20:].copy()
    impossible[3] = -np.inf
    with pytest.raises(InputError, match="no path through the states is possible from frame 23 on"):
        stream.push(impossible)
    parts = [first, stream.push(table[20:]), stream.finish()]
    assert_array_equal(np.concatenate(parts), fixed_lag(table, chain, lag=5))


@pytest.mark.parametrize("lag", [-1, 1.5, True])
def test_lag_that_cannot_be_used_is_named(chain, lag):
    with pytest.raises(InputError, match="lag must be a whole number of at least 0"):
        FixedLagFilter(chain, lag)
