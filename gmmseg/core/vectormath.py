"""Exponential and logarithm that the compiler can run on whole vector registers.

numba calls the C library once per element for ``np.exp`` and ``np.log``; the short polynomials here
are inlined, and a loop over them becomes vector code. Both follow the precision of their argument.
"""

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

# No "reassoc": taking a number apart into whole and fraction must happen as written. No "nnan" or
# "ninf": -inf is a legal argument.
STRICT_MATH = {"contract", "nsz"}

LOG2_E = math.log2(math.e)
LOG_2 = math.log(2.0)
# 2**f = sum_k (f log 2)**k / k!, highest power first; |f| <= 1/2 leaves 5e-9 after k = 7 and
# 4e-18 after k = 13.
EXP2_SINGLE = tuple(np.float32(LOG_2**k / math.factorial(k)) for k in range(7, -1, -1))
EXP2_DOUBLE = tuple(LOG_2**k / math.factorial(k) for k in range(13, -1, -1))
# log m = 2 z sum_k z**(2k) / (2k + 1), z = (m - 1) / (m + 1); |z| <= 0.172 leaves 7e-10 after
# k = 4 and 2e-19 after k = 10.
LOG_SINGLE = tuple(np.float32(2.0 / (2 * k + 1)) for k in range(4, -1, -1))
LOG_DOUBLE = tuple(2.0 / (2 * k + 1) for k in range(10, -1, -1))
SQRT_HALF_SINGLE = np.int32(np.float32(math.sqrt(0.5)).view(np.int32))
SQRT_HALF_DOUBLE = np.int64(np.float64(math.sqrt(0.5)).view(np.int64))


@njit(cache=True, nogil=True, fastmath=STRICT_MATH, error_model="numpy")
def horner(x, coefficients):
    """Return ``sum_k coefficients[-1 - k] * x**k``."""
    value = coefficients[0]
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


@njit(cache=True, nogil=True, fastmath=STRICT_MATH, error_model="numpy")
def _exp_single(x):
    power = max(x * np.float32(LOG2_E), np.float32(-126.0))
    whole = np.int32(power - np.float32(0.5))
    fraction = power - np.float32(whole)
    scale = np.int32((whole + np.int32(127)) << np.int32(23)).view(np.float32)
    value = horner(fraction, EXP2_SINGLE) * scale
    return value if power > np.float32(-126.0) else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=STRICT_MATH, error_model="numpy")
def _exp_double(x):
    power = max(x * LOG2_E, -1022.0)
    whole = np.int32(power - 0.5)
    fraction = power - np.float64(whole)
    scale = np.int64((np.int64(whole) + np.int64(1023)) << np.int64(52)).view(np.float64)
    value = horner(fraction, EXP2_DOUBLE) * scale
    return value if power > -1022.0 else 0.0


@njit(cache=True, nogil=True, fastmath=STRICT_MATH, error_model="numpy")
def _log_single(x):
    bits = np.float32(x).view(np.int32)
    exponent = np.int32((bits - SQRT_HALF_SINGLE) >> np.int32(23))
    mantissa = np.int32(bits - np.int32(exponent << np.int32(23))).view(np.float32)
    z = (mantissa - np.float32(1.0)) / (mantissa + np.float32(1.0))
    return np.float32(exponent) * np.float32(LOG_2) + z * horner(z * z, LOG_SINGLE)


@njit(cache=True, nogil=True, fastmath=STRICT_MATH, error_model="numpy")
def _log_double(x):
    bits = np.float64(x).view(np.int64)
    exponent = np.int64((bits - SQRT_HALF_DOUBLE) >> np.int64(52))
    mantissa = np.int64(bits - np.int64(exponent << np.int64(52))).view(np.float64)
    z = (mantissa - 1.0) / (mantissa + 1.0)
    return np.float64(exponent) * LOG_2 + z * horner(z * z, LOG_DOUBLE)


def exp_nonpositive(x):
    """Return ``exp(x)`` for ``x <= 0``, -inf allowed; 0 below the smallest normal number."""
    return np.exp(x)


def log_positive(x):
    """Return ``log(x)`` for a finite, normal ``x > 0``."""
    return np.log(x)


@overload(exp_nonpositive)
def _exp_for_precision(x):
    if x == types.float32:
        return lambda x: _exp_single(x)
    return lambda x: _exp_double(x)


@overload(log_positive)
def _log_for_precision(x):
    if x == types.float32:
        return lambda x: _log_single(x)
    return lambda x: _log_double(x)
