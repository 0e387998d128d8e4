"""The inner loops of the E-step, compiled by numba, over blocks of samples that stay in cache.

A block is turned on its side (features by samples), so that every inner loop runs along samples and
becomes vector code. Features are taken in tiles whose size the compiler knows: it is the length of
the tuple ``tile``. Up to eight features are one tile, more are tiles of four; rows that no feature
fills are zero and change nothing. Samples are shifted and scaled to the middle and spread of the
mixture as they are loaded, so that float32 loses no digits far from the origin and overflows at no
unit. Sums run over one block in the precision of the samples, and from block to block in double
precision.
"""

from typing import Any, NamedTuple

from numba import njit
from numba.extending import overload

from gmmseg.core.vectormath import exp_nonpositive, log_positive

# No "nnan" or "ninf": a component of weight zero has log-weight -inf and must keep it.
FASTMATH = {"contract", "reassoc", "arcp", "nsz"}
# A component this much less likely than the best gets nothing of a sample: it would change no sum,
# and products with it would be subnormal numbers, which are slow.
NEGLIGIBLE = 2.0**-64
# Up to so many features are one tile, and their deviations are cheaper to compute than to store.
FEW_FEATURES = 8
TILE_SIZE = 4  # features per tile where there are more


class KernelMixture(NamedTuple):
    """A mixture as the kernels want it: shifted, scaled, padded to whole tiles, typed as X."""

    origin: Any  # (n_features,), subtracted from every sample
    inverse_scale: Any  # (n_features,), powers of two, then multiplied to it
    limit: Any  # a number: coordinates are cut at plus and minus this, so that no product overflows
    farthest: Any  # a number: squared distances are cut here, so that all densities are finite
    log_norm: Any  # (n_components,): log weight + log normaliser
    means: Any  # (n_components, n_rows), n_rows even
    factors: Any  # (n_components, n_tiled[, n_tiled]): precision factors / sqrt(2), in whole tiles
    tile: tuple[int, ...]  # its length is the size of a tile


class Scratch(NamedTuple):
    """Working memory for one block, all in the dtype of X."""

    samples: Any  # (n_rows, block_size): the block, features by samples
    log_prob: Any  # (n_components, block_size): first log-probabilities, then responsibilities
    dev: Any  # (n_rows, block_size): deviations from one mean
    weighted_dev: Any  # (n_rows, block_size): the same times responsibility
    peak: Any  # (block_size,): largest log-probability of a sample
    total: Any  # (block_size,): sum over components


class Sums(NamedTuple):
    """The statistics of one range of samples, float64, about the means of the kernel mixture."""

    resp_sum: Any  # (n_components,)
    dev_sum: Any  # (n_components, n_rows)
    dev2_sum: Any  # (n_components, n_rows[, n_rows]); if full, the lower triangle in 2 x 2 squares


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def load_block(X, first, size, mixture, samples):
    """Fill ``samples[d, n]`` with ``(X[first + n, d] - origin[d]) * inverse_scale[d]``."""
    origin, inverse_scale, limit = mixture.origin, mixture.inverse_scale, mixture.limit
    tile_size, n_features = len(mixture.tile), X.shape[1]
    n_tiled = n_features // tile_size * tile_size
    for c in range(0, n_tiled, tile_size):
        for n in range(size):
            for i in range(tile_size):
                coordinate = (X[first + n, c + i] - origin[c + i]) * inverse_scale[c + i]
                samples[c + i, n] = max(-limit, min(coordinate, limit))
    for d in range(n_tiled, n_features):
        for n in range(size):
            coordinate = (X[first + n, d] - origin[d]) * inverse_scale[d]
            samples[d, n] = max(-limit, min(coordinate, limit))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_prob_full(samples, size, mixture, dev, log_prob):
    """Fill ``log_prob[k, n]`` with ``log_norm[k] - ||(x_n - mean_k) @ factor_k||**2``."""
    means, factors, tile_size = mixture.means, mixture.factors, len(mixture.tile)
    farthest, zero = mixture.farthest, means.dtype.type(0.0)
    for k in range(means.shape[0]):
        for c in range(0, factors.shape[1], tile_size):
            for b in range(0, c, tile_size):
                for n in range(size):
                    for i in range(tile_size):
                        column = dev[i, n] if b > 0 else zero
                        for j in range(tile_size):
                            deviation = samples[b + j, n] - means[k, b + j]
                            column += factors[k, b + j, c + i] * deviation
                        dev[i, n] = column
            for n in range(size):
                distance = zero
                for i in range(tile_size):
                    column = dev[i, n] if c > 0 else zero
                    for j in range(i + 1):
                        deviation = samples[c + j, n] - means[k, c + j]
                        column += factors[k, c + j, c + i] * deviation
                    distance += column * column
                before = log_prob[k, n] if c > 0 else mixture.log_norm[k]
                log_prob[k, n] = before - min(distance, farthest)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_prob_diag(samples, size, mixture, log_prob):
    """Fill ``log_prob[k, n]`` with ``log_norm[k] - sum_d ((x_nd - mean_kd) * factor_kd)**2``."""
    means, factors, tile_size = mixture.means, mixture.factors, len(mixture.tile)
    farthest, zero = mixture.farthest, means.dtype.type(0.0)
    for k in range(means.shape[0]):
        for c in range(0, factors.shape[1], tile_size):
            for n in range(size):
                distance = zero
                for i in range(tile_size):
                    projection = (samples[c + i, n] - means[k, c + i]) * factors[k, c + i]
                    distance += projection * projection
                before = log_prob[k, n] if c > 0 else mixture.log_norm[k]
                log_prob[k, n] = before - min(distance, farthest)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def exponentiate(log_prob, size, peak, total):
    """Turn ``log_prob`` into ``exp(log_prob - peak)`` with its sum over components in ``total``."""
    negligible, zero = log_prob.dtype.type(NEGLIGIBLE), log_prob.dtype.type(0.0)
    for n in range(size):
        peak[n] = log_prob[0, n]
        total[n] = zero
    for k in range(1, log_prob.shape[0]):
        for n in range(size):
            peak[n] = max(peak[n], log_prob[k, n])
    for k in range(log_prob.shape[0]):
        for n in range(size):
            value = exp_nonpositive(log_prob[k, n] - peak[n])
            value = value if value > negligible else zero
            log_prob[k, n] = value
            total[n] += value


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def finish_log_density(size, peak, total):
    """Turn ``peak`` into ``log p(x)`` and ``total`` into its inverse."""
    one = total.dtype.type(1.0)
    for n in range(size):
        peak[n] += log_positive(total[n])
        total[n] = one / total[n]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def weigh_responsibilities(size, total, resp, resp_sum):
    """Multiply all ``resp`` by ``total``; add what each component then has to ``resp_sum``."""
    for k in range(resp.shape[0]):
        component_sum = total.dtype.type(0.0)
        for n in range(size):
            resp[k, n] *= total[n]
            component_sum += resp[k, n]
        resp_sum[k] += component_sum


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_few(samples, size, means, resp, sums):
    """Add ``dev_sum`` and the lower triangle of ``dev2_sum``, for features that are few.

    Deviations are taken anew for every product, which is cheaper than to store them.
    """
    for k in range(means.shape[0]):
        for i in range(0, means.shape[1], 2):
            add_squares(k, i, size, samples, means, resp, sums.dev_sum, sums.dev2_sum)
            for j in range(0, i, 2):
                add_products(k, i, j, size, samples, means, resp, sums.dev2_sum)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_squares(k, i, size, samples, means, resp, dev_sum, dev2_sum):
    """Add the sums of the features i and i + 1, of their squares and of their product."""
    even_mean, odd_mean, zero = means[k, i], means[k, i + 1], means.dtype.type(0.0)
    even_sum, odd_sum, even_even, odd_even, odd_odd = zero, zero, zero, zero, zero
    for n in range(size):
        even, odd = samples[i, n] - even_mean, samples[i + 1, n] - odd_mean
        weighted_even, weighted_odd = resp[k, n] * even, resp[k, n] * odd
        even_sum += weighted_even
        odd_sum += weighted_odd
        even_even += weighted_even * even
        odd_even += weighted_odd * even
        odd_odd += weighted_odd * odd
    dev_sum[k, i] += even_sum
    dev_sum[k, i + 1] += odd_sum
    dev2_sum[k, i, i] += even_even
    dev2_sum[k, i + 1, i] += odd_even
    dev2_sum[k, i + 1, i + 1] += odd_odd


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_products(k, i, j, size, samples, means, resp, dev2_sum):
    """Add the sums of the products of the features i and i + 1 with j and j + 1."""
    zero = means.dtype.type(0.0)
    even_i, odd_i, even_j, odd_j = means[k, i], means[k, i + 1], means[k, j], means[k, j + 1]
    even_even, even_odd, odd_even, odd_odd = zero, zero, zero, zero
    for n in range(size):
        even = resp[k, n] * (samples[i, n] - even_i)
        odd = resp[k, n] * (samples[i + 1, n] - odd_i)
        first, second = samples[j, n] - even_j, samples[j + 1, n] - odd_j
        even_even += even * first
        even_odd += even * second
        odd_even += odd * first
        odd_odd += odd * second
    dev2_sum[k, i, j] += even_even
    dev2_sum[k, i, j + 1] += even_odd
    dev2_sum[k, i + 1, j] += odd_even
    dev2_sum[k, i + 1, j + 1] += odd_odd


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_many(samples, size, means, scratch, sums):
    """Add ``dev_sum`` and the lower triangle of ``dev2_sum``, for features that are many.

    Deviations are stored, since each is used in many products.
    """
    resp, dev, weighted_dev = scratch.log_prob, scratch.dev, scratch.weighted_dev
    dev_sum, dev2_sum = sums.dev_sum, sums.dev2_sum
    for k in range(means.shape[0]):
        for d in range(means.shape[1]):
            center, total = means[k, d], means.dtype.type(0.0)
            for n in range(size):
                deviation = samples[d, n] - center
                weighted = resp[k, n] * deviation
                dev[d, n] = deviation
                weighted_dev[d, n] = weighted
                total += weighted
            dev_sum[k, d] += total
        add_outer_products(k, size, dev, weighted_dev, dev2_sum)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_outer_products(k, size, dev, weighted_dev, dev2_sum):
    """Add ``sum_n weighted_dev[i, n] * dev[j, n]`` to the lower triangle, two by two."""
    zero = dev.dtype.type(0.0)
    for i in range(0, dev2_sum.shape[1], 2):
        for j in range(0, i + 1, 2):
            even_even, even_odd, odd_even, odd_odd = zero, zero, zero, zero
            for n in range(size):
                even_even += weighted_dev[i, n] * dev[j, n]
                even_odd += weighted_dev[i, n] * dev[j + 1, n]
                odd_even += weighted_dev[i + 1, n] * dev[j, n]
                odd_odd += weighted_dev[i + 1, n] * dev[j + 1, n]
            dev2_sum[k, i, j] += even_even
            dev2_sum[k, i, j + 1] += even_odd
            dev2_sum[k, i + 1, j] += odd_even
            dev2_sum[k, i + 1, j + 1] += odd_odd


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_full(samples, size, means, scratch, sums):
    """Add ``dev_sum`` and the lower triangle of ``dev2_sum``."""
    if means.shape[1] <= FEW_FEATURES:
        accumulate_few(samples, size, means, scratch.log_prob, sums)
    else:
        accumulate_many(samples, size, means, scratch, sums)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_diag(samples, size, means, scratch, sums):
    """Add ``dev_sum`` and ``dev2_sum``."""
    resp, dev_sum, dev2_sum = scratch.log_prob, sums.dev_sum, sums.dev2_sum
    for k in range(means.shape[0]):
        for d in range(means.shape[1]):
            center = means[k, d]
            total, total2 = means.dtype.type(0.0), means.dtype.type(0.0)
            for n in range(size):
                deviation = samples[d, n] - center
                weighted = resp[k, n] * deviation
                total += weighted
                total2 += weighted * deviation
            dev_sum[k, d] += total
            dev2_sum[k, d] += total2


def log_prob_of(factors, samples, size, mixture, scratch):
    """Fill ``scratch.log_prob`` by the kernel for such factors."""


@overload(log_prob_of)
def _log_prob_for_dimensions(factors, samples, size, mixture, scratch):
    if factors.ndim == 3:
        return lambda factors, samples, size, mixture, scratch: log_prob_full(
            samples, size, mixture, scratch.dev, scratch.log_prob
        )
    return lambda factors, samples, size, mixture, scratch: log_prob_diag(
        samples, size, mixture, scratch.log_prob
    )


def accumulate_deviations(dev2_sum, tile, samples, size, means, scratch, sums):
    """Add ``dev_sum`` and ``dev2_sum`` by the kernel for such sums and tiles."""


@overload(accumulate_deviations)
def _accumulate_for_types(dev2_sum, tile, samples, size, means, scratch, sums):
    if dev2_sum.ndim == 2:
        return lambda dev2_sum, tile, samples, size, means, scratch, sums: accumulate_diag(
            samples, size, means, scratch, sums
        )
    if tile.count != TILE_SIZE:  # then it holds all features, and only one kernel is compiled
        return lambda dev2_sum, tile, samples, size, means, scratch, sums: accumulate_few(
            samples, size, means, scratch.log_prob, sums
        )
    return lambda dev2_sum, tile, samples, size, means, scratch, sums: accumulate_full(
        samples, size, means, scratch, sums
    )


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate(X, sample_weight, rows, mixture, scratch, sums):
    """Add the statistics of ``X[rows[0] : rows[1]]`` to ``sums``; return their log-likelihood.

    An empty ``sample_weight`` stands for ones.
    """
    log_likelihood = 0.0
    block_size = scratch.samples.shape[1]
    is_weighted = sample_weight.size > 0
    for first in range(rows[0], rows[1], block_size):
        size = min(block_size, rows[1] - first)
        load_block(X, first, size, mixture, scratch.samples)
        log_prob_of(mixture.factors, scratch.samples, size, mixture, scratch)
        exponentiate(scratch.log_prob, size, scratch.peak, scratch.total)
        finish_log_density(size, scratch.peak, scratch.total)
        if is_weighted:
            for n in range(size):
                scratch.peak[n] *= sample_weight[first + n]
                scratch.total[n] *= sample_weight[first + n]
        for n in range(size):
            log_likelihood += scratch.peak[n]
        weigh_responsibilities(size, scratch.total, scratch.log_prob, sums.resp_sum)
        accumulate_deviations(
            sums.dev2_sum, mixture.tile, scratch.samples, size, mixture.means, scratch, sums
        )
    return log_likelihood


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def write_labels(first, size, log_prob, labels):
    """Fill ``labels[first + n]`` with the first component of largest log-probability."""
    for n in range(size):
        best = 0
        for k in range(1, log_prob.shape[0]):
            if log_prob[k, n] > log_prob[best, n]:
                best = k
        labels[first + n] = best


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def describe(X, rows, mixture, scratch, labels, log_density, resp):
    """Fill what is asked for over ``X[rows[0] : rows[1]]``; an empty output is not asked for."""
    block_size = scratch.samples.shape[1]
    for first in range(rows[0], rows[1], block_size):
        size = min(block_size, rows[1] - first)
        load_block(X, first, size, mixture, scratch.samples)
        log_prob_of(mixture.factors, scratch.samples, size, mixture, scratch)
        if labels.size > 0:
            write_labels(first, size, scratch.log_prob, labels)
        if log_density.size > 0 or resp.size > 0:
            exponentiate(scratch.log_prob, size, scratch.peak, scratch.total)
            finish_log_density(size, scratch.peak, scratch.total)
        if log_density.size > 0:
            for n in range(size):
                log_density[first + n] = scratch.peak[n]
        if resp.size > 0:
            for k in range(resp.shape[1]):
                for n in range(size):
                    resp[first + n, k] = scratch.log_prob[k, n] * scratch.total[n]
