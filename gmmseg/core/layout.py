"""How a mixture and its sums lie in memory while the kernels work, and the way there and back."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance_base import diagonals, shares_of
from gmmseg.core.kernel_matrices import spell_out
from gmmseg.core.kernel_types import FEW_FEATURES, TILE_SIZE, KernelMixture, Scratch, Sums
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics

Array = NDArray[np.float64]

BLOCK_BYTES = 2**20  # of one block: about what the second-level cache holds
# A block is an odd number of vector register loads long: rows that lie a power of two apart evict
# one another from the cache.
REGISTERS = 64
SMALLEST_BLOCK, LARGEST_BLOCK = 3 * REGISTERS, 15 * REGISTERS

# By the bytes of a number: the powers of two that have an inverse; how large a coordinate and a
# factor may be so that neither their product nor a sum of products overflows; the largest squared
# distance; and how much less likely than the best a component is that gets nothing of a sample,
# because what it would get changes no sum.
EXPONENTS = {4: (-120, 120), 8: (-1000, 1000)}
LIMITS = {4: 1e17, 8: 1e140}
FARTHEST = {4: 1e37, 8: 1e300}
NEGLIGIBLE = {4: 2.0**-32, 8: 2.0**-64}


def kernel_mixture(
    parameters: MixtureParameters, dtype: np.dtype[Any]
) -> tuple[KernelMixture, Array]:
    """Return the mixture shifted to its middle and divided by its spread, and that spread.

    Noise is a last component of no precision, at the middle of its box.
    """
    weights = parameters.weights
    share = shares_of(weights)  # of what is no noise
    # A component that is switched off may lie anywhere: it must not matter where.
    is_used = (weights > 0.0)[:, None]
    means = np.where(is_used, parameters.means, parameters.means[weights.argmax()])
    # Taken about one of the means, so that a far origin costs no digits, and rounded to what X can
    # hold, so that subtracting it from samples nearby is exact.
    origin = (means[0] + share @ (means - means[0])).astype(dtype).astype(np.float64)
    variance = share @ (parameters.component_variances + (means - origin) ** 2)
    # A power of two: dividing by it rounds nothing; within the reach of X its inverse is finite.
    scale = 2.0 ** np.clip(np.round(np.log2(variance) / 2.0), *EXPONENTS[dtype.itemsize])
    n_features = parameters.n_features
    limit, farthest = LIMITS[dtype.itemsize], FARTHEST[dtype.itemsize]
    tile_size = n_features if n_features <= FEW_FEATURES else TILE_SIZE
    n_tiled = n_features + -n_features % tile_size
    n_rows = n_tiled + n_tiled % 2
    factors = parameters.component_factors
    log_scale = np.log(diagonals(factors) * scale) - 0.5 * math.log(2 * math.pi)
    with np.errstate(divide="ignore"):
        log_norm = np.log(weights) + log_scale.sum(axis=1)
    factors = factors * (scale[:, None] if factors.ndim == 3 else scale)
    factors /= math.sqrt(2.0)
    scaled_means, projected = (means - origin) / scale, np.empty((0, n_features))
    if parameters.family.is_shared:
        projected = scaled_means @ factors[0]
    noise_width = np.empty(0)
    if (noise := parameters.noise) is not None:
        noise_width = noise.width / scale
        with np.errstate(divide="ignore"):
            log_noise = np.log(noise.weight) - np.log(noise_width).sum()
        log_norm = np.append(log_norm, log_noise)
        middle = noise.low + noise.width / 2.0
        scaled_means = np.vstack([scaled_means, (middle - origin) / scale])
        factors = np.concatenate([factors, np.zeros_like(factors[:1])])
    mixture = KernelMixture(
        origin=origin.astype(dtype),
        inverse_scale=(1.0 / scale).astype(dtype),
        limit=dtype.type(limit),
        farthest=dtype.type(farthest),
        negligible=dtype.type(NEGLIGIBLE[dtype.itemsize]),
        log_norm=log_norm.astype(dtype),
        means=_filled_up(scaled_means, n_rows, limit=limit).astype(dtype),
        factors=_filled_up(factors, n_tiled, limit=limit).astype(dtype, copy=False),
        projected_means=_filled_up(projected, n_tiled, limit=FARTHEST[dtype.itemsize]).astype(
            dtype
        ),
        noise_width=noise_width,
        tile=(0,) * tile_size,
    )
    return mixture, scale


def _filled_up(values: Array, size: int, *, limit: float) -> Array:
    """Return values cut at plus and minus the limit, in arrays of this size in every feature."""
    if values.shape[-1] == size:
        return np.clip(values, -limit, limit)
    filled = np.zeros((len(values), *(size for _ in values.shape[1:])))
    inside = (slice(None), *(slice(n) for n in values.shape[1:]))
    np.clip(values, -limit, limit, out=filled[inside])
    return filled


def zero_sums(mixture: KernelMixture) -> Sums:
    """Return sums of nothing."""
    shape = mixture.means.shape
    is_full = mixture.factors.ndim == 3
    return Sums(
        resp_sum=np.zeros(shape[0]),
        dev_sum=np.zeros(shape),
        dev2_sum=np.zeros(shape + shape[1:] * is_full),
    )


def added_up(results: list[tuple[float, Sums]]) -> tuple[float, Sums]:
    """Return the sums of all ranges, added in their order."""
    total, sums = results[0]
    for log_likelihood, part in results[1:]:
        total += log_likelihood
        for whole, its_part in zip(sums, part, strict=True):
            np.add(whole, its_part, out=whole)
    return total, sums


def empty_scratch(mixture: KernelMixture, rows: tuple[int, int]) -> Scratch:
    """Return working memory for blocks of the samples from ``rows[0]`` to ``rows[1]``."""
    (n_components, n_rows), dtype = mixture.means.shape, mixture.means.dtype
    is_sparse_diag = mixture.factors.ndim == 2 and n_rows > FEW_FEATURES
    fitting = BLOCK_BYTES // (dtype.itemsize * (3 * n_rows + n_components + 2))
    odd = (fitting // REGISTERS - 1 | 1) * REGISTERS
    block_size = min(max(odd, SMALLEST_BLOCK), LARGEST_BLOCK, rows[1] - rows[0])
    return Scratch(
        samples=np.zeros((n_rows, block_size), dtype),
        log_prob=np.empty((n_components, block_size), dtype),
        dev=np.zeros((n_rows, block_size), dtype),
        weighted_dev=np.zeros((n_rows, block_size), dtype),
        rows=np.zeros((block_size if is_sparse_diag else 0, n_rows), dtype),
        row_sums=np.empty((2, n_rows), dtype),
        active=np.empty(block_size + 3, np.int32),
        active_resp=np.empty(block_size + 3, dtype),
        peak=np.empty(block_size, dtype),
        total=np.empty(block_size, dtype),
    )


def statistics_of(
    log_likelihood: float,
    sums: Sums,
    *,
    mixture: KernelMixture,
    scale: Array,
    parameters: MixtureParameters,
) -> SufficientStatistics:
    """Return what the kernels summed in the units of X, about the exact means of the mixture."""
    d = parameters.n_features
    n = parameters.n_components
    resp_sum, dev_sum = sums.resp_sum[:n], sums.dev_sum[:n, :d] * scale
    # The kernels took deviations from means that were rounded to the precision of X.
    rounded = mixture.origin.astype(np.float64) + mixture.means[:n, :d].astype(np.float64) * scale
    shift = np.where((resp_sum > 0.0)[:, None], rounded - parameters.means, 0.0)
    if parameters.family.scatter_kind == "full":
        spell_out(sums.dev2_sum, scale, shift, resp_sum, dev_sum)
        dev2_sum = np.ascontiguousarray(sums.dev2_sum[:n, :d, :d])
    else:
        dev2_sum = sums.dev2_sum[:n, :d] * scale**2
        dev2_sum += 2.0 * shift * dev_sum + resp_sum[:, None] * shift**2
    return SufficientStatistics(
        means=parameters.means,
        resp_sum=resp_sum,
        dev_sum=dev_sum + resp_sum[:, None] * shift,
        dev2_sum=dev2_sum,
        # The densities that the kernels saw are those of X times prod(scale).
        log_likelihood=log_likelihood - float(np.log(scale).sum()) * float(sums.resp_sum.sum()),
        noise_sum=float(sums.resp_sum[n:].sum()),
    )
