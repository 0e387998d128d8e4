"""The E-step of rows with missing entries, compiled by numba: one row at a time, in float64.

A component's precision factor U whitens a deviation: ``z = U.T @ dev``. A missing entry adds a
multiple of its row of U to z, and its conditional mean is the multiple that makes z shortest. So
the rows of U that belong to missing entries are orthogonalised once for each pattern of missing
entries (modified Gram-Schmidt; the last feature first, since its row is the shortest). What is left
of z when its shares along them are taken away is the whitened deviation of the observed entries
alone. Nothing is squared and no covariance is inverted, so components that are nearly flat keep
their digits.

Björck (1967), "Solving linear least squares problems by Gram-Schmidt orthogonalization".
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.core.vectormath import exp_nonpositive

# A missing entry takes its normaliser along; the factors of a kernel mixture are 1 / sqrt(2) of U.
HALF_LOG_PI = 0.5 * math.log(math.pi)
SHORTEST = 1e-150  # of what is left of a row of U, so that its inverse square is finite


class PartialRows(NamedTuple):
    """Which rows and features of X the kernels read."""

    order: Any  # (n_rows,): rows of X; those with the same entries missing follow one another
    features: Any  # (n_features,): columns of X


class PartialScratch(NamedTuple):
    """Working memory for one row and for the pattern of its missing entries, float64."""

    log_scale: Any  # (n_features,): logarithms of the units that the kernel mixture is in
    sample: Any  # (n_features,): the row, shifted and scaled; NaN where it is missing
    missing: Any  # (n_features,): the missing features, the last first, then -1
    log_norm: Any  # (n_components,): log weight + log normaliser of the observed features
    basis: Any  # (n_components, n_features, n_features): one unit vector per missing feature
    triangle: Any  # as basis: rows of U of the missing features = triangle.T @ basis
    inverse: Any  # (n_features, n_features): that of one triangle
    whitened: Any  # (n_features,)
    shares: Any  # (n_features,): those of ``whitened`` along the basis
    expected: Any  # (n_components, n_features): deviations from each mean, expected where missing
    variances: Any  # (n_components, n_features): conditional variances of the missing features
    resp: Any  # (n_components,): first log-probabilities, then responsibilities
    pattern_resp: Any  # (n_components,): responsibilities of all rows of the pattern so far


class Answers(NamedTuple):
    """What is asked for, by the row of X; an empty array is not asked for."""

    labels: Any  # (n_samples,)
    log_density: Any  # (n_samples,)
    resp: Any  # (n_samples, n_components)
    filled: Any  # (n_samples, n_features): the conditional mean goes where an entry is missing
    deviation: Any  # (n_samples, n_features): and here its conditional standard deviation


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def load_row(X, row, features, mixture, sample):
    """Fill ``sample`` with one row, shifted and scaled as in `kernels.load_block`, NaN kept."""
    limit = mixture.limit
    for d in range(features.size):
        value = np.float64(X[row, features[d]])
        if not np.isnan(value):
            coordinate = (value - mixture.origin[d]) * mixture.inverse_scale[d]
            value = max(-limit, min(coordinate, limit))
        sample[d] = value


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def has_pattern(sample, missing):
    """Return whether exactly the ``missing`` entries are missing."""
    n_missing = 0
    for d in range(sample.size - 1, -1, -1):
        if np.isnan(sample[d]):
            if missing[n_missing] != d:
                return False
            n_missing += 1
    return n_missing == missing.size or missing[n_missing] == -1


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def set_pattern(sample, missing):
    """Write down which entries are missing; return how many."""
    n_missing = 0
    for d in range(sample.size - 1, -1, -1):
        if np.isnan(sample[d]):
            missing[n_missing] = d
            n_missing += 1
    for a in range(n_missing, sample.size):
        missing[a] = -1
    return n_missing


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def prepare_pattern(factors, n_missing, mixture, scratch):
    """Fill ``scratch.log_norm`` and, for full factors, ``basis`` and ``triangle``."""
    for k in range(gaussian_count(mixture)):
        log_norm = mixture.log_norm[k] + n_missing * HALF_LOG_PI
        for a in range(n_missing):
            if factors.ndim == 3:
                length = orthogonalise(k, a, factors, scratch)
            else:
                length = factors[k, scratch.missing[a]]
            log_norm -= math.log(length)
        scratch.log_norm[k] = log_norm
    for k in range(gaussian_count(mixture), factors.shape[0]):
        log_norm = mixture.log_norm[k]
        for a in range(n_missing):
            log_norm += math.log(mixture.noise_width[scratch.missing[a]])
        scratch.log_norm[k] = log_norm


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def gaussian_count(mixture):
    """Return the number of Gaussians; one that follows is noise, of which the weight is learned."""
    return mixture.means.shape[0] - min(mixture.noise_width.size, 1)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def orthogonalise(k, a, factors, scratch):
    """Make the a-th missing feature's row of U a unit vector of ``basis``; return its length."""
    basis, triangle, missing = scratch.basis, scratch.triangle, scratch.missing
    first, n_features = missing[a], basis.shape[2]  # a row of U begins at its diagonal
    for i in range(first, n_features):
        basis[k, a, i] = factors[k, first, i]
    for b in range(a):
        share = 0.0
        for i in range(missing[b], n_features):
            share += basis[k, b, i] * basis[k, a, i]
        for i in range(missing[b], n_features):
            basis[k, a, i] -= share * basis[k, b, i]
        triangle[k, b, a] = share
    square = 0.0
    for i in range(first, n_features):
        square += basis[k, a, i] * basis[k, a, i]
    length = max(math.sqrt(square), SHORTEST)
    triangle[k, a, a] = length
    for i in range(first, n_features):
        basis[k, a, i] /= length
    return length


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def expect_row(factors, n_missing, mixture, scratch):
    """Fill ``scratch.resp`` with log-probabilities and ``scratch.expected`` with deviations."""
    for k in range(gaussian_count(mixture)):
        if factors.ndim == 3:
            distance = expect_full(k, n_missing, factors, mixture, scratch)
        else:
            distance = expect_diag(k, factors, mixture, scratch)
        scratch.resp[k] = scratch.log_norm[k] - min(distance, mixture.farthest)
    # Noise lies in the middle of its box and is nowhere else less dense.
    for k in range(gaussian_count(mixture), factors.shape[0]):
        scratch.resp[k] = scratch.log_norm[k]
        for d in range(scratch.sample.size):
            scratch.expected[k, d] = 0.0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def expect_full(k, n_missing, factors, mixture, scratch):
    """Fill ``scratch.expected[k]``; return the squared length of the whitened observed entries."""
    sample, missing, expected = scratch.sample, scratch.missing, scratch.expected
    whitened, basis, triangle = scratch.whitened, scratch.basis, scratch.triangle
    for i in range(sample.size):
        whitened[i] = 0.0
    for j in range(sample.size):
        if not np.isnan(sample[j]):
            deviation = sample[j] - mixture.means[k, j]
            expected[k, j] = deviation
            for i in range(j, sample.size):
                whitened[i] += deviation * factors[k, j, i]
    for a in range(n_missing):
        share = 0.0
        for i in range(missing[a], sample.size):
            share += basis[k, a, i] * whitened[i]
        for i in range(missing[a], sample.size):
            whitened[i] -= share * basis[k, a, i]
        scratch.shares[a] = share
    for a in range(n_missing - 1, -1, -1):
        rest = -scratch.shares[a]
        for b in range(a + 1, n_missing):
            rest -= triangle[k, a, b] * expected[k, missing[b]]
        expected[k, missing[a]] = max(-mixture.limit, min(rest / triangle[k, a, a], mixture.limit))
    distance = 0.0
    for i in range(sample.size):
        distance += whitened[i] * whitened[i]
    return distance


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def expect_diag(k, factors, mixture, scratch):
    """Fill ``scratch.expected[k]``; return the squared length of the whitened observed entries."""
    sample, distance = scratch.sample, 0.0
    for d in range(sample.size):
        is_missing = np.isnan(sample[d])
        deviation = 0.0 if is_missing else sample[d] - mixture.means[k, d]
        scratch.expected[k, d] = deviation
        distance += (deviation * factors[k, d]) ** 2
    return distance


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def pin_row(label, resp, farthest):
    """Leave a row of known label, 0 or above, to that component alone, even one of weight 0."""
    for k in range(resp.size):
        if label == k:
            resp[k] = max(resp[k], -farthest)
        elif label >= 0:
            resp[k] = -np.inf


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def share_row(resp, negligible):
    """Turn log-probabilities into responsibilities; return the log-density."""
    peak, total = resp[0], 0.0
    for k in range(1, resp.size):
        peak = max(peak, resp[k])
    for k in range(resp.size):
        value = exp_nonpositive(resp[k] - peak)
        resp[k] = value if value > negligible else 0.0
        total += resp[k]
    for k in range(resp.size):
        resp[k] /= total
    return peak + math.log(total)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_row(dev2_sum, k, share, expected, dev_sum):
    """Add one row's expected deviations and their products, weighted by its share."""
    for i in range(expected.shape[1]):
        weighted = share * expected[k, i]
        dev_sum[k, i] += weighted
        if dev2_sum.ndim == 3:
            for j in range(i + 1):
                dev2_sum[k, i, j] += weighted * expected[k, j]
        else:
            dev2_sum[k, i] += weighted * expected[k, i]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def invert_triangle(k, n_missing, triangle, inverse):
    """Fill ``inverse`` with that of component k's triangle, by back substitution."""
    for a in range(n_missing):
        inverse[a, a] = 1.0 / triangle[k, a, a]
        for b in range(a - 1, -1, -1):
            rest = 0.0
            for c in range(b + 1, a + 1):
                rest -= triangle[k, b, c] * inverse[c, a]
            inverse[b, a] = rest / triangle[k, b, b]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_conditional(factors, n_missing, mixture, scratch, dev2_sum):
    """Add the conditional covariances of the missing features, once for each row of a pattern."""
    missing, inverse = scratch.missing, scratch.inverse
    for k in range(gaussian_count(mixture)):
        share = 0.5 * scratch.pattern_resp[k]
        scratch.pattern_resp[k] = 0.0
        if n_missing == 0 or share == 0.0:
            continue
        if factors.ndim == 3:
            invert_triangle(k, n_missing, scratch.triangle, inverse)
            for a in range(n_missing):
                for b in range(a + 1):
                    product = 0.0
                    for c in range(a, n_missing):
                        product += inverse[a, c] * inverse[b, c]
                    dev2_sum[k, missing[b], missing[a]] += share * product
        else:
            for a in range(n_missing):
                dev2_sum[k, missing[a]] += share / factors[k, missing[a]] ** 2


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def fill_variances(factors, n_missing, mixture, scratch):
    """Fill ``scratch.variances`` with the conditional variances of the missing features."""
    inverse = scratch.inverse
    for k in range(gaussian_count(mixture), factors.shape[0]):
        for a in range(n_missing):
            d = scratch.missing[a]
            scratch.variances[k, d] = mixture.noise_width[d] ** 2 / 12.0
    for k in range(gaussian_count(mixture)):
        if factors.ndim == 3:
            invert_triangle(k, n_missing, scratch.triangle, inverse)
        for a in range(n_missing):
            d, square = scratch.missing[a], 0.0
            if factors.ndim == 3:
                for c in range(a, n_missing):
                    square += inverse[a, c] ** 2
            else:
                square = 1.0 / factors[k, d] ** 2
            scratch.variances[k, d] = 0.5 * square


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def unit_of(n_missing, missing, log_scale):
    """Return the logarithm of the units that the missing features do not divide a density by."""
    total = 0.0
    for a in range(n_missing):
        total += log_scale[missing[a]]
    return total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_partial(X, sample_weight, labels, rows, partial, mixture, scratch, sums):
    """Add the statistics of ``order[rows[0] : rows[1]]`` to ``sums``; return their log-likelihood.

    As `kernels.accumulate`: an empty ``sample_weight`` stands for ones, empty ``labels`` for none
    that is known, and every density is multiplied by all scales.
    """
    log_likelihood, unit, n_missing = 0.0, 0.0, 0
    scratch.missing[0] = -2  # no pattern yet
    for position in range(rows[0], rows[1]):
        row = partial.order[position]
        weight = sample_weight[row] if sample_weight.size > 0 else 1.0
        load_row(X, row, partial.features, mixture, scratch.sample)
        if not has_pattern(scratch.sample, scratch.missing):
            add_conditional(mixture.factors, n_missing, mixture, scratch, sums.dev2_sum)
            n_missing = set_pattern(scratch.sample, scratch.missing)
            prepare_pattern(mixture.factors, n_missing, mixture, scratch)
            unit = unit_of(n_missing, scratch.missing, scratch.log_scale)
        expect_row(mixture.factors, n_missing, mixture, scratch)
        if labels.size > 0:
            pin_row(labels[row], scratch.resp, mixture.farthest)
        log_likelihood += weight * (share_row(scratch.resp, mixture.negligible) + unit)
        for k in range(scratch.resp.size):
            share = weight * scratch.resp[k]
            if share > 0.0:
                sums.resp_sum[k] += share
                scratch.pattern_resp[k] += share
                add_row(sums.dev2_sum, k, share, scratch.expected, sums.dev_sum)
    add_conditional(mixture.factors, n_missing, mixture, scratch, sums.dev2_sum)
    return log_likelihood


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def describe_partial(X, rows, partial, mixture, scratch, answers):
    """Fill what is asked for over ``order[rows[0] : rows[1]]``, log-densities in units of X."""
    n_missing, unit, units = 0, 0.0, scratch.log_scale.sum()
    scratch.missing[0] = -2  # no pattern yet
    for position in range(rows[0], rows[1]):
        row = partial.order[position]
        load_row(X, row, partial.features, mixture, scratch.sample)
        if not has_pattern(scratch.sample, scratch.missing):
            n_missing = set_pattern(scratch.sample, scratch.missing)
            prepare_pattern(mixture.factors, n_missing, mixture, scratch)
            unit = unit_of(n_missing, scratch.missing, scratch.log_scale) - units
            if answers.deviation.size > 0:
                fill_variances(mixture.factors, n_missing, mixture, scratch)
        expect_row(mixture.factors, n_missing, mixture, scratch)
        if answers.labels.size > 0:
            answers.labels[row] = scratch.resp.argmax()
        log_density = share_row(scratch.resp, mixture.negligible) + unit
        if answers.log_density.size > 0:
            answers.log_density[row] = log_density
        if answers.resp.size > 0:
            for k in range(scratch.resp.size):
                answers.resp[row, k] = scratch.resp[k]
        if answers.filled.size > 0 or answers.deviation.size > 0:
            fill_missing(row, n_missing, mixture, scratch, answers)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def fill_missing(row, n_missing, mixture, scratch, answers):
    """Fill the conditional means and standard deviations of one row's missing entries."""
    for a in range(n_missing):
        d, mean, variance = scratch.missing[a], 0.0, 0.0
        for k in range(scratch.resp.size):
            mean += scratch.resp[k] * (mixture.means[k, d] + scratch.expected[k, d])
        if answers.filled.size > 0:
            answers.filled[row, d] = mixture.origin[d] + mean / mixture.inverse_scale[d]
        if answers.deviation.size > 0:
            for k in range(scratch.resp.size):
                apart = mixture.means[k, d] + scratch.expected[k, d] - mean
                variance += scratch.resp[k] * (scratch.variances[k, d] + apart * apart)
            answers.deviation[row, d] = math.sqrt(variance) / mixture.inverse_scale[d]
