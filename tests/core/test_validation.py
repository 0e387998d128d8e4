"""Claims about the public door: what comes in, and what is said to the rest."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.core.validation import (
    as_float32,
    check_no_infinity,
    check_number,
    check_sample_weight,
    check_samples,
)
from gmmseg.errors import InputError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_in_a_working_precision_are_not_copied(dtype):
    X = np.ones((3, 2), dtype)
    assert check_samples(X) is X


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, bool, ">f8", ">f4"])
def test_all_other_numbers_become_float64(dtype):
    X = check_samples(np.ones((3, 2), dtype))
    assert X.dtype == np.float64
    assert X.dtype.isnative
    assert_array_equal(X, np.ones((3, 2)))


def test_samples_in_any_memory_order_become_c_ordered():
    X = np.arange(12.0, dtype=np.float32).reshape(2, 6).T[:, ::-1]
    checked = check_samples(X)
    assert checked.flags.c_contiguous
    assert_array_equal(checked, X)


def test_samples_so_large_that_their_sum_overflows_are_finite():
    check_no_infinity(np.full((3, 2), 1e308))


@pytest.mark.parametrize("X", [[[NAN, 1.0]], [[NAN, NAN]]])
def test_missing_entries_may_pass(X):
    assert_array_equal(check_samples(X), X)


@pytest.mark.parametrize(("value", "shown"), [(1e152, "1e+152"), (-1e308, "1e+308")])
def test_samples_whose_squares_overflow_are_refused(value, shown):
    message = f"X must lie within plus and minus 1e+151, got up to {shown}; divide it by a constant"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_samples([[0.0], [value]])


BAD_SAMPLES = {
    "line": (
        [1.0, 2.0],
        "X must have shape (n_samples, n_features), got (2,); for one feature use X.reshape(-1, 1)",
    ),
    "cube": (
        np.zeros((2, 2, 2)),
        (
            "X must have shape (n_samples, n_features), got (2, 2, 2); "
            "for one feature use X.reshape(-1, 1)"
        ),
    ),
    "no sample": (
        np.zeros((0, 2)),
        "X must have at least one sample and one feature, got shape (0, 2)",
    ),
    "no feature": (
        np.zeros((2, 0)),
        "X must have at least one sample and one feature, got shape (2, 0)",
    ),
    "too wide": (np.zeros((2, 3)), "X must have 2 features as the mixture has, got 3"),
    "infinity": (
        [[0.0, 0.0], [0.0, INF], [-INF, 0.0]],
        (
            "X has infinity in 2 of 3 rows, first in row 1; remove these rows, or write NaN "
            "where a value is missing"
        ),
    ),
    "infinity beside NaN": (
        [[0.0, NAN], [0.0, NAN], [-INF, NAN]],
        (
            "X has infinity in 1 of 3 rows, first in row 2; remove these rows, or write NaN "
            "where a value is missing"
        ),
    ),
    "too large beside NaN": (
        [[0.0, NAN], [NAN, -1e200]],
        "X must lie within plus and minus 1e+151, got up to 1e+200; divide it by a constant",
    ),
    "complex": ([[1j, 0.0]], "X must be a table of numbers, got something else: complex numbers"),
}


@pytest.mark.parametrize(("X", "message"), BAD_SAMPLES.values(), ids=BAD_SAMPLES)
def test_what_is_no_table_of_samples_is_refused(X, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_samples(X, 2)


@pytest.mark.parametrize("X", [{}, [["a", "b"]], [[1.0], [1.0, 2.0]], [[object()]]])
def test_what_is_no_array_is_refused_in_one_line(X):
    with pytest.raises(InputError, match=r"^X must be a table of numbers, got something else: .*$"):
        check_samples(X)


def test_no_weight_stays_none():
    assert check_sample_weight(None, 5) is None


@pytest.mark.parametrize("weight", [[1, 0, 2], np.array([1, 0, 2], np.float32), (1.0, 0.0, 2.0)])
def test_weights_become_float64(weight):
    checked = check_sample_weight(weight, 3)
    assert checked.dtype == np.float64
    assert_array_equal(checked, [1.0, 0.0, 2.0])


BAD_WEIGHTS = {
    "one too few": (
        [1.0, 1.0],
        "sample_weight must have shape (3,) as X has 3 samples, got (2,)",
    ),
    "a column": (
        [[1.0], [1.0], [1.0]],
        "sample_weight must have shape (3,) as X has 3 samples, got (3, 1)",
    ),
    "a number": (2.0, "sample_weight must have shape (3,) as X has 3 samples, got (1,)"),
    "negative": (
        [1.0, -2.0, -3.0],
        "sample_weight must be finite and not negative, got -2.0 for sample 1",
    ),
    "NaN": (
        [1.0, 1.0, NAN],
        "sample_weight must be finite and not negative, got nan for sample 2",
    ),
    "infinite": (
        [INF, 1.0, 1.0],
        "sample_weight must be finite and not negative, got inf for sample 0",
    ),
    "all zero": (
        [0.0, 0.0, 0.0],
        "sample_weight is zero for every sample; give at least one a positive weight",
    ),
    "text": (
        ["a", "b", "c"],
        "sample_weight must be numbers, got something else: could not convert string to float: 'a'",
    ),
}


@pytest.mark.parametrize(("weight", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_weights_that_do_not_fit_are_refused(weight, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_sample_weight(weight, 3)


@pytest.mark.parametrize("value", [1, 2, np.int64(3)])
def test_a_whole_number_of_at_least_the_least_passes(value):
    check_number("n_init", value, least=1, is_whole=True)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(1.0), 10**400 // 10**399])
def test_a_number_of_at_least_the_least_passes(value):
    check_number("tol", value, least=0)


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "3", None, NAN])
def test_a_bad_whole_number_is_refused(value):
    message = f"n_init must be a whole number of at least 1, got {value!r}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_number("n_init", value, least=1, is_whole=True)


@pytest.mark.parametrize(
    ("value", "shown"), [(-0.5, "-0.5"), (True, "True"), ("3", "'3'"), (NAN, "nan"), (INF, "inf")]
)
def test_a_bad_number_is_refused(value, shown):
    message = f"tol must be a number of at least 0, got {shown}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        check_number("tol", value, least=0)


def test_kernels_are_given_one_kind_of_array():
    read_only = np.arange(6, dtype=np.float32).reshape(2, 3)
    read_only.setflags(write=False)
    for values in (read_only, read_only.T, read_only.astype(np.float64), read_only.tolist()):
        given = as_float32(values, "costs")
        assert given.dtype == np.float32
        assert given.flags.c_contiguous
        assert given.flags.writeable
        assert_array_equal(given, values)


def test_table_that_kernels_can_take_is_not_copied():
    table = np.zeros((2, 3), dtype=np.float32)
    assert as_float32(table, "costs") is table


def test_what_are_no_numbers_is_named():
    with pytest.raises(
        InputError, match=r"^costs must be an array of numbers, got something else: could not "
    ):
        as_float32("dear", "costs")
