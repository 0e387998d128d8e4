"""Claims about samples that come in blocks: what is read, what is refused, and in which words."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, blocks
from gmmseg.core.blocks import BlockData, comes_in_blocks
from gmmseg.core.data import TableData
from gmmseg.errors import InputError
from tests.mixtures import draw, random_mixture

NAN = float("nan")
SUMS = ("resp_sum", "dev_sum", "dev2_sum", "log_likelihood")


@pytest.fixture
def X(rng):
    return draw(rng, random_mixture(rng, spread=4.0), 300)


def on_disk(path, X, mode="r", *, is_fortran=False):
    """Return a memory map of X."""
    np.save(path / "X.npy", np.asfortranarray(X) if is_fortran else X)
    return np.load(path / "X.npy", mmap_mode=mode)


def fitted(X, weight=None, **options):
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "max_iter": 5} | options
    return GaussianMixture(**options).fit(X, sample_weight=weight)


def assert_same_fit(one, other, rtol=1e-9):
    assert_allclose(one.weights_, other.weights_, rtol=rtol, atol=rtol)
    assert_allclose(one.means_, other.means_, rtol=rtol, atol=rtol)
    assert_allclose(one.covariances_, other.covariances_, rtol=rtol, atol=rtol)


# ------------------------------------------------------------------------- what comes in blocks


def test_arrays_on_disk_lists_of_tables_and_functions_come_in_blocks(tmp_path, X):
    assert comes_in_blocks(on_disk(tmp_path, X))
    assert comes_in_blocks([X, X])
    assert comes_in_blocks((X, X))
    assert comes_in_blocks(lambda: iter([X]))


def test_tables_and_lists_of_rows_do_not(X):
    assert not comes_in_blocks(X)
    assert not comes_in_blocks(X.tolist())
    assert not comes_in_blocks([X[0], X[1]])
    assert not comes_in_blocks([])


def test_the_data_of_blocks_tell_the_same_as_those_of_the_table(rng, X):
    X[3, 0], X[5] = NAN, NAN
    weight, labels = rng.uniform(size=300), rng.integers(-1, 3, size=300).astype(np.int32)
    table = TableData(X, weight, labels)
    data = BlockData([X[:100], X[100:]], weight, labels=labels)
    assert data.weight_sum == pytest.approx(table.weight_sum, rel=1e-12)
    assert (data.n_features, data.n_columns, data.dtype) == (2, 2, np.float64)
    for one, other in zip(data.labelled(), table.labelled(), strict=True):
        assert_array_equal(one, other)
    samples = (part.sample(np.random.default_rng(1)) for part in (data, table))
    for one, other in zip(*samples, strict=True):
        assert_allclose(one, other, rtol=1e-12)
    assert_array_equal(data.noise().low, table.noise().low)
    assert_array_equal(data.noise().high, table.noise().high)
    parameters = random_mixture(rng)
    for name in SUMS:
        one, other = (getattr(part.statistics(parameters), name) for part in (data, table))
        assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_of_many_rows_the_same_are_drawn_as_of_one_table(rng, monkeypatch, is_weighted):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2**16)
    X = rng.normal(size=(30_000, 2))
    weight = rng.uniform(size=30_000) * (rng.random(30_000) < 0.9) if is_weighted else None
    one = BlockData([X[:7], X[7:]], weight).sample(np.random.default_rng(5))
    other = TableData(X, weight).sample(np.random.default_rng(5))
    assert_array_equal(one[0], other[0])
    assert_allclose(one[1], other[1], rtol=1e-9)


def test_a_row_is_drawn_as_often_as_it_weighs(rng):
    X, weight = np.arange(40_000.0)[:, None], np.ones(40_000)
    weight[12_345] = 40_000.0
    rows, its_weight = BlockData(
        lambda: [(X[:9_000], weight[:9_000]), (X[9_000:], weight[9_000:])]
    ).sample(rng)
    assert its_weight.sum() == pytest.approx(80_000 - 1, rel=1e-9)
    assert its_weight[rows[:, 0] == 12_345].sum() == pytest.approx(40_000, rel=0.05)


# ------------------------------------------------------------------------------- arrays on disk


@pytest.mark.parametrize("is_fortran", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, ">f4"])
def test_a_memory_map_of_any_numbers_is_fitted_as_the_array(tmp_path, X, dtype, is_fortran):
    table = (10.0 * X).astype(dtype)
    mapped = on_disk(tmp_path, table, is_fortran=is_fortran)
    tolerance = 1e-5 if dtype is np.float32 else 1e-9
    assert_same_fit(fitted(mapped), fitted(table), tolerance)


def test_a_part_of_a_memory_map_is_fitted_as_the_part(tmp_path, X):
    mapped = on_disk(tmp_path, X)
    assert_same_fit(fitted(mapped[50:200]), fitted(X[50:200]))
    assert_same_fit(fitted(mapped[::2]), fitted(X[::2]))
    assert_same_fit(fitted(mapped[:, :1]), fitted(X[:, :1]))


def test_changes_that_are_not_on_disk_are_kept(tmp_path, X):
    mapped = on_disk(tmp_path, X, mode="c")
    mapped += 3.0
    assert_same_fit(fitted(mapped), fitted(X + 3.0))
    assert_array_equal(mapped, X + 3.0)


def test_changes_on_the_way_to_the_disk_are_kept(tmp_path, X):
    mapped = on_disk(tmp_path, X, mode="r+")
    mapped += 3.0
    assert_same_fit(fitted(mapped), fitted(X + 3.0))
    assert_array_equal(mapped, X + 3.0)


def test_an_array_that_must_not_be_written_is_fitted(X):
    parts = [X[:100].copy(), X[100:].copy()]
    for part in parts:
        part.setflags(write=False)
    assert_same_fit(fitted(parts), fitted(X))


# ----------------------------------------------------------------------------- blocks of all kinds


def test_blocks_without_a_row_are_passed_over(X):
    nothing = np.empty((0, 2))
    assert_same_fit(fitted([nothing, X[:100], nothing, X[100:], np.empty((0, 7))]), fitted(X))


def test_one_block_of_double_precision_makes_all_of_it(X):
    mixed = [X[:100].astype(np.float32), X[100:]]
    assert_same_fit(fitted(mixed), fitted(np.concatenate(mixed)))
    assert_same_fit(fitted(mixed[::-1]), fitted(np.concatenate(mixed[::-1])))


def test_a_block_may_be_a_list_of_rows(X):
    assert_same_fit(fitted(lambda: [X[:100].tolist(), X[100:]]), fitted(X))


def test_a_function_may_return_a_list_or_a_new_generator(X):
    assert_same_fit(fitted(lambda: (part for part in (X[:9], X[9:]))), fitted(lambda: [X]))


def test_a_block_of_which_no_row_counts_is_no_error(rng, X):
    weight = rng.uniform(size=300)
    weight[:100] = 0.0
    pairs = [(X[:100], weight[:100]), (X[100:], weight[100:])]
    assert_same_fit(fitted(lambda: pairs), fitted(X, weight))


def test_blocks_with_and_without_weights_go_together(X):
    weight = np.concatenate([np.full(100, 2.0), np.ones(200)])
    assert_same_fit(fitted(lambda: [(X[:100], weight[:100]), X[100:]]), fitted(X, weight))


def test_names_of_columns_of_an_earlier_fit_are_forgotten(X):
    mixture = fitted(X)
    mixture.feature_names_in_ = np.array(["a", "b"], dtype=object)
    assert not hasattr(mixture.fit([X]), "feature_names_in_")


# --------------------------------------------------------------------------- what is refused


def the_same_iterator_again(X):
    parts = iter([X])
    return lambda: parts


REFUSED = {
    "a generator": (
        lambda X: (part for part in [X]),
        (
            "X is a generator, which can be read only once, and EM reads the samples in every "
            "iteration; give the function that makes it, without calling it"
        ),
    ),
    "the same iterator again": (
        the_same_iterator_again,
        (
            "X had 300 samples when it was first read and 0 now; the function must return a new "
            "iterator, over the same blocks, whenever it is called"
        ),
    ),
    "no iterator": (
        lambda _: lambda: 7,
        "the function of blocks must return an iterator over tables, got int",
    ),
    "no block": (
        lambda _: list,
        "X holds no sample; give at least one block with a row",
    ),
    "empty blocks": (
        lambda X: [X[:0], X[:0]],
        "X holds no sample; give at least one block with a row",
    ),
    "another width": (
        lambda X: [X, X[:, :1]],
        (
            "X must have the 2 features of its first block in all others, got 1 in the one that "
            "begins at row 300"
        ),
    ),
    "a line": (
        lambda X: lambda: [X, X[:, 0]],
        (
            "X must have shape (n_samples, n_features) in every block, got (300,) in the one that "
            "begins at row 300"
        ),
    ),
    "no table": (
        lambda X: lambda: [X, None],
        (
            "X must have shape (n_samples, n_features) in every block, got () in the one that "
            "begins at row 300"
        ),
    ),
    "infinity": (
        lambda X: [X, np.array([[0.0, 1.0], [np.inf, 0.0]])],
        (
            "in the block that begins at row 300, X has infinity in 1 of 2 rows, first in row 1; "
            "remove these rows, or write NaN where a value is missing"
        ),
    ),
    "nothing but NaN": (
        lambda _: [np.full((3, 2), NAN)],
        "X is missing (NaN) in every entry; give at least one entry",
    ),
    "weights for nothing but NaN": (
        lambda X: lambda: [(X, np.zeros(300)), (np.full((3, 2), NAN), np.ones(3))],
        (
            "X is missing (NaN) in every entry of every sample of positive weight; give at "
            "least one entry"
        ),
    ),
    "no weight": (
        lambda X: lambda: [(X, np.zeros(300))],
        "sample_weight is zero for every sample; give at least one a positive weight",
    ),
    "weights of another length": (
        lambda X: lambda: [(X, np.ones(301))],
        "sample_weight must have shape (300,) as X has 300 samples, got (301,)",
    ),
    "one weight": (
        lambda X: lambda: [(X, 1.0)],
        "sample_weight must have shape (300,) as X has 300 samples, got (1,)",
    ),
}


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(X, source, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fitted(source(X))


@pytest.mark.parametrize("first", [True, False])
def test_strings_are_refused(X, first):
    text = np.array([["a", "b"]])
    row = 0 if first else 300
    message = rf"^in the block that begins at row {row}, X must be a table of numbers, got "
    with pytest.raises(InputError, match=message):
        fitted([text, X] if first else [X, text])


def test_a_ragged_block_is_refused():
    with pytest.raises(InputError, match=r"^X must be a table of numbers, got something else: "):
        fitted(lambda: [[[1.0, 2.0], [3.0]]])


def test_a_function_that_changes_its_blocks_is_found_out(X):
    passes = []

    def source():
        passes.append(1)
        return [X] if len(passes) < 4 else [X, X[:, :1]]

    with pytest.raises(InputError, match=r"^X must have the 2 features of its first block"):
        fitted(source)


def test_a_function_that_loses_blocks_is_found_out(X):
    passes = []

    def source():
        passes.append(1)
        return [X, X] if len(passes) < 4 else [X]

    with pytest.raises(InputError, match=r"^X had 600 samples when it was first read and 300 now"):
        fitted(source)


def test_an_error_of_the_function_itself_comes_through(X):
    def source():
        yield X
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match=r"^the disk is gone$"):
        fitted(source)


@pytest.mark.parametrize("index", [np.s_[:, 0], np.s_[5]])
def test_a_memory_map_that_is_no_table_is_refused(tmp_path, X, index):
    line = on_disk(tmp_path, X)[index]
    message = (
        f"X must have shape (n_samples, n_features) in every block, got {line.shape} in the one "
        "that begins at row 0"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fitted(line)


def test_a_memory_map_of_no_rows_is_refused(tmp_path):
    nothing = on_disk(tmp_path, np.empty((0, 2)))
    with pytest.raises(ValueError, match=r"^X holds no sample; give at least one|with 0 sample"):
        fitted(nothing)


def test_weights_beside_a_function_are_refused(X):
    message = (
        "sample_weight goes with arrays, got it with a function of blocks; let the function yield "
        "pairs (block, sample_weight)"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fitted(lambda: [X], np.ones(300))


def test_labels_beside_a_function_are_refused(X):
    y = np.full(300, -1)
    y[:5] = 1
    message = (
        "y with known labels goes with arrays, got it with a function of blocks; give a list of "
        "arrays, which may be memory-mapped"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        GaussianMixture(3).fit(lambda: [X], y)


def test_a_y_without_unknown_labels_is_ignored_beside_a_function(X):
    with_y = GaussianMixture(3, random_state=0).fit(lambda: [X], np.zeros(300, int))
    assert_same_fit(with_y, GaussianMixture(3, random_state=0).fit(X))
