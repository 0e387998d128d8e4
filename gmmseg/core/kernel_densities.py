"""The first half of the E-step, compiled: from a block of samples to densities.

A block is turned on its side (features by samples), so that every inner loop runs along samples and
becomes vector code. Features are taken in tiles whose size the compiler knows: it is the length of
the tuple ``tile``. Up to eight features are one tile, more are tiles of four; rows that no feature
fills are zero and change nothing. Samples are shifted and scaled to the middle and spread of the
mixture as they are loaded, so that float32 loses no digits far from the origin and overflows at no
unit.
"""

from numba import njit
from numba.extending import overload

from gmmseg.core.kernel_types import FASTMATH, TILE_SIZE
from gmmseg.core.vectormath import exp_nonpositive, log_positive


def load_block(tile, X, first, size, mixture, samples):
    """Fill ``samples[d, n]`` with ``(X[first + n, d] - origin[d]) * inverse_scale[d]``."""


@overload(load_block)
def _load_for_tile(tile, X, first, size, mixture, samples):
    if tile.count != TILE_SIZE:  # then it holds all features
        return lambda tile, X, first, size, mixture, samples: load_tile(
            X, first, size, mixture, samples
        )
    return lambda tile, X, first, size, mixture, samples: load_tiles(
        X, first, size, mixture, samples
    )


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def load_tile(X, first, size, mixture, samples):
    """Load a block whose features are one tile."""
    origin, inverse_scale, limit = mixture.origin, mixture.inverse_scale, mixture.limit
    for n in range(size):
        for i in range(len(mixture.tile)):
            coordinate = (X[first + n, i] - origin[i]) * inverse_scale[i]
            samples[i, n] = max(-limit, min(coordinate, limit))


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def load_tiles(X, first, size, mixture, samples):
    """Load a block tile by tile, and the features beyond the last whole one."""
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
def load_rows(X, first, size, mixture, rows):
    """Fill ``rows[n, d]`` with what `load_block` puts into ``samples[d, n]``."""
    origin, inverse_scale, limit = mixture.origin, mixture.inverse_scale, mixture.limit
    for n in range(size):
        for d in range(X.shape[1]):
            coordinate = (X[first + n, d] - origin[d]) * inverse_scale[d]
            rows[n, d] = max(-limit, min(coordinate, limit))


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
def project(samples, size, mixture, projected):
    """Fill ``projected`` with ``x_n @ factor`` for the factor that all components share."""
    factors, tile_size = mixture.factors, len(mixture.tile)
    zero = samples.dtype.type(0.0)
    for c in range(0, factors.shape[1], tile_size):
        for b in range(0, c, tile_size):
            for n in range(size):
                for i in range(tile_size):
                    column = projected[c + i, n] if b > 0 else zero
                    for j in range(tile_size):
                        column += factors[0, b + j, c + i] * samples[b + j, n]
                    projected[c + i, n] = column
        for n in range(size):
            for i in range(tile_size):
                column = projected[c + i, n] if c > 0 else zero
                for j in range(i + 1):
                    column += factors[0, c + j, c + i] * samples[c + j, n]
                projected[c + i, n] = column


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_prob_shared(samples, size, mixture, projected, log_prob):
    """Fill ``log_prob`` as `log_prob_full` does, with one projection for all components."""
    means, tile_size, farthest = mixture.projected_means, len(mixture.tile), mixture.farthest
    project(samples, size, mixture, projected)
    for k in range(means.shape[0]):
        for c in range(0, means.shape[1], tile_size):
            for n in range(size):
                distance = means.dtype.type(0.0)
                for i in range(tile_size):
                    deviation = projected[c + i, n] - means[k, c + i]
                    distance += deviation * deviation
                before = log_prob[k, n] if c > 0 else mixture.log_norm[k]
                log_prob[k, n] = before - min(distance, farthest)
    for k in range(means.shape[0], log_prob.shape[0]):
        for n in range(size):
            log_prob[k, n] = mixture.log_norm[k]  # of noise


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_prob_of_matrices(samples, size, mixture, dev, log_prob):
    """Fill ``log_prob`` by the kernel for one factor of all components, or for one of each."""
    if mixture.projected_means.shape[0] > 0:
        log_prob_shared(samples, size, mixture, dev, log_prob)
    else:
        log_prob_full(samples, size, mixture, dev, log_prob)


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
def exponentiate(log_prob, size, negligible, peak, total):
    """Turn ``log_prob`` into ``exp(log_prob - peak)`` with its sum over components in ``total``.

    What is no larger than ``negligible`` becomes 0.
    """
    zero = log_prob.dtype.type(0.0)
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


def log_prob_of(factors, samples, size, mixture, scratch):
    """Fill ``scratch.log_prob`` by the kernel for such factors."""


@overload(log_prob_of)
def _log_prob_for_dimensions(factors, samples, size, mixture, scratch):
    if factors.ndim == 3:
        return lambda factors, samples, size, mixture, scratch: log_prob_of_matrices(
            samples, size, mixture, scratch.dev, scratch.log_prob
        )
    return lambda factors, samples, size, mixture, scratch: log_prob_diag(
        samples, size, mixture, scratch.log_prob
    )
