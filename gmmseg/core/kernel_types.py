"""What the kernels share: the mixture, the working memory and the sums as they want them."""

from typing import Any, NamedTuple

# No "nnan" or "ninf": a component of weight zero has log-weight -inf and must keep it.
FASTMATH = {"contract", "reassoc", "arcp", "nsz"}
# Sums are added up as written, so that a transposed grid gives the same numbers; no "contract",
# which would round one of two neighbours and not the other.
AS_WRITTEN = {"nsz"}
# Up to so many features are one tile, and their deviations are cheaper to compute than to store.
FEW_FEATURES = 8
TILE_SIZE = 4  # features per tile where there are more


class KernelMixture(NamedTuple):
    """A mixture as the kernels want it: shifted, scaled, padded to whole tiles, typed as X."""

    origin: Any  # (n_features,), subtracted from every sample
    inverse_scale: Any  # (n_features,), powers of two, then multiplied to it
    limit: Any  # a number: coordinates are cut at plus and minus this, so that no product overflows
    farthest: Any  # a number: squared distances are cut here, so that all densities are finite
    negligible: Any  # a number: exp(log-probability - largest) up to this counts as nothing
    log_norm: Any  # (n_components,): log weight + log normaliser
    means: Any  # (n_components, n_rows), n_rows even
    factors: Any  # (n_components, n_tiled[, n_tiled]): precision factors / sqrt(2), in whole tiles
    # (n_components, n_tiled): means projected by the factor that all components share; (0, n_tiled)
    # if each has its own.
    projected_means: Any
    noise_width: Any  # (n_features,): sides of the box of the noise, the last component; or empty
    tile: tuple[int, ...]  # its length is the size of a tile


class Scratch(NamedTuple):
    """Working memory for one block, all in the dtype of X."""

    samples: Any  # (n_rows, block_size): the block, features by samples
    log_prob: Any  # (n_components, block_size): first log-probabilities, then responsibilities
    dev: Any  # (n_rows, block_size): deviations from one mean
    weighted_dev: Any  # (n_rows, block_size): the same times responsibility
    rows: Any  # (block_size, n_rows): the block, samples by features; (0, n_rows) if not needed
    row_sums: Any  # (2, n_rows): sums over the rows of one component
    active: Any  # (block_size + 3,), whole numbers: the samples that one component has a part of
    active_resp: Any  # (block_size + 3,): its responsibilities for them
    peak: Any  # (block_size,): largest log-probability of a sample
    total: Any  # (block_size,): sum over components


class Sums(NamedTuple):
    """The statistics of one range of samples, float64, about the means of the kernel mixture."""

    resp_sum: Any  # (n_components,)
    dev_sum: Any  # (n_components, n_rows)
    dev2_sum: Any  # (n_components, n_rows[, n_rows]); if full, the lower triangle in squares
