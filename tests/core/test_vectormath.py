"""Claims about exponential and logarithm, over the whole of their domains."""

import math

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_array_equal

from gmmseg.core import vectormath
from tests import naive

DTYPES = [np.float32, np.float64]
# Two units in the last place of the polynomial's own precision.
RELATIVE_ERROR = {np.float32: 4e-7, np.float64: 2e-15}


@njit
def exp_all(x, out):
    for i in range(x.size):
        out[i] = vectormath.exp_nonpositive(x[i])


@njit
def log_all(x, out):
    for i in range(x.size):
        out[i] = vectormath.log_positive(x[i])


def run(kernel, x):
    out = np.empty_like(x)
    kernel(x, out)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_agrees_with_the_library_down_to_the_underflow(dtype):
    lowest = math.log(np.finfo(dtype).tiny)
    x = np.linspace(0.999 * lowest, 0.0, 20_011, dtype=dtype)
    wanted = np.array([naive.exp_nonpositive(float(v), 0.0) for v in x])
    # The argument itself is rounded: its error counts in full in the exponent.
    allowed = RELATIVE_ERROR[dtype] + np.abs(x) * np.finfo(dtype).eps
    assert (np.abs(run(exp_all, x) / wanted - 1.0) <= allowed).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_of_small_arguments_is_accurate_to_two_roundings(dtype):
    x = -np.geomspace(1e-30, 1.0, 5_003).astype(dtype)
    error = run(exp_all, x) / np.exp(x.astype(np.float64)) - 1.0
    assert np.abs(error).max() <= RELATIVE_ERROR[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_of_zero_is_one_and_of_minus_infinity_zero(dtype):
    x = np.array([0.0, -0.0, -np.inf, np.finfo(dtype).min], dtype)
    assert_array_equal(run(exp_all, x), [1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_normal_above_the_underflow_and_zero_below(dtype):
    tiny = np.finfo(dtype).tiny
    lowest = math.log(tiny)
    x = np.linspace(1.001 * lowest, 0.999 * lowest, 4_001, dtype=dtype)
    value = run(exp_all, x)
    assert ((value == 0.0) | (value >= 0.999 * tiny)).all()
    assert_array_equal(value[x < lowest * 1.0001], 0.0)
    assert (value[x > lowest * 0.9999] > 0.0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_never_falls(dtype):
    x = np.sort(-np.geomspace(1e-8, 80.0, 30_011)).astype(dtype)
    value = run(exp_all, x).astype(np.float64)
    assert (np.diff(value) >= -value[1:] * 2 * np.finfo(dtype).eps).all()
    assert value.max() <= 1.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_agrees_with_the_library_over_all_normal_numbers(dtype):
    x = np.geomspace(np.finfo(dtype).tiny, 0.99 * np.finfo(dtype).max, 20_011, dtype=np.float64)
    x = x.astype(dtype)
    wanted = np.array([math.log(float(v)) for v in x])
    assert (
        np.abs(run(log_all, x) - wanted) <= RELATIVE_ERROR[dtype] * np.maximum(1, abs(wanted))
    ).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_around_one_keeps_its_relative_digits(dtype):
    x = np.linspace(0.7, 1.42, 20_001).astype(dtype)
    x = x[x != 1.0]
    wanted = np.log(x.astype(np.float64))
    assert np.abs(run(log_all, x) / wanted - 1.0).max() <= 3 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_of_powers_of_two_is_the_exponent_times_log_two(dtype):
    info = np.finfo(dtype)
    exponents = np.arange(info.minexp, info.maxexp)
    value = run(log_all, np.ldexp(dtype(1.0), exponents).astype(dtype))
    assert value[exponents == 0] == 0.0
    assert np.abs(value - exponents * math.log(2.0)).max() <= abs(value).max() * info.eps


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_on_both_sides_of_the_square_root_of_a_half_joins_smoothly(dtype):
    x = np.nextafter(np.full(2, math.sqrt(0.5), dtype), np.array([0, 2], dtype))
    below, above = run(log_all, x)
    assert 0.0 < above - below < 10 * np.finfo(dtype).eps


def test_horner_is_the_polynomial():
    coefficients = (2.0, -3.0, 0.5, 7.0)
    for x in (-1.5, 0.0, 0.25, 3.0):
        assert vectormath.horner(x, coefficients) == pytest.approx(naive.horner(x, coefficients))


@pytest.mark.parametrize("x", [0.0, -1.0, -700.0])
def test_outside_compiled_code_the_names_mean_the_library(x):
    assert vectormath.exp_nonpositive(x) == np.exp(x)
    assert vectormath.log_positive(2.0 - x) == np.log(2.0 - x)
