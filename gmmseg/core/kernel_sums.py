"""The second half of the E-step, compiled: from responsibilities to weighted sums.

Sums run over one block in the precision of the samples, and from block to block in double
precision. Where features are many, most samples belong to few components: then a component visits
only the samples that it has a part of.
"""

from numba import njit
from numba.extending import overload

from gmmseg.core.kernel_types import FASTMATH, FEW_FEATURES, TILE_SIZE

# A component that has a part of fewer than this share of a block visits these samples one by one.
SPARSE_ROWS = 0.35  # for variances
SPARSE_COLUMNS = 0.6  # for covariances, whose many products pay for the gathering


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
def accumulate_few(samples, size, tile, means, resp, sums):
    """Add ``dev_sum`` and the lower triangle of ``dev2_sum``, for features that are few.

    Deviations are taken anew for every product, which is cheaper than to store them. Features are
    taken three at a time, and the last ones two at a time where no three are left.
    """
    n_features = len(tile)
    first_pair = n_features - 2 * (-n_features % 3) if n_features > 1 else 0
    for k in range(means.shape[0]):
        for i in range(0, first_pair, 3):
            add_three_squares(k, i, size, samples, means, resp, sums.dev_sum, sums.dev2_sum)
            for j in range(0, i, 3):
                add_three_by_three(k, i, j, size, samples, means, resp, sums.dev2_sum)
        for i in range(first_pair, n_features, 2):
            add_squares(k, i, size, samples, means, resp, sums.dev_sum, sums.dev2_sum)
            for j in range(0, first_pair, 3):
                add_two_by_three(k, i, j, size, samples, means, resp, sums.dev2_sum)
            for j in range(first_pair, i, 2):
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
def add_three_squares(k, i, size, samples, means, resp, dev_sum, dev2_sum):
    """Add the sums of the features i to i + 2, of their squares and of their products."""
    zero = means.dtype.type(0.0)
    mean_a, mean_b, mean_c = means[k, i], means[k, i + 1], means[k, i + 2]
    sum_a, sum_b, sum_c = zero, zero, zero
    aa, ba, bb, ca, cb, cc = zero, zero, zero, zero, zero, zero
    for n in range(size):
        a, b, c = samples[i, n] - mean_a, samples[i + 1, n] - mean_b, samples[i + 2, n] - mean_c
        weighted_a, weighted_b, weighted_c = resp[k, n] * a, resp[k, n] * b, resp[k, n] * c
        sum_a += weighted_a
        sum_b += weighted_b
        sum_c += weighted_c
        aa += weighted_a * a
        ba += weighted_b * a
        bb += weighted_b * b
        ca += weighted_c * a
        cb += weighted_c * b
        cc += weighted_c * c
    dev_sum[k, i] += sum_a
    dev_sum[k, i + 1] += sum_b
    dev_sum[k, i + 2] += sum_c
    dev2_sum[k, i, i] += aa
    dev2_sum[k, i + 1, i] += ba
    dev2_sum[k, i + 1, i + 1] += bb
    dev2_sum[k, i + 2, i] += ca
    dev2_sum[k, i + 2, i + 1] += cb
    dev2_sum[k, i + 2, i + 2] += cc


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_three_by_three(k, i, j, size, samples, means, resp, dev2_sum):
    """Add the sums of the products of the features i to i + 2 with j to j + 2."""
    add_two_by_three(k, i, j, size, samples, means, resp, dev2_sum)
    zero = means.dtype.type(0.0)
    mean_c, mean_x, mean_y, mean_z = means[k, i + 2], means[k, j], means[k, j + 1], means[k, j + 2]
    cx, cy, cz = zero, zero, zero
    for n in range(size):
        c = resp[k, n] * (samples[i + 2, n] - mean_c)
        cx += c * (samples[j, n] - mean_x)
        cy += c * (samples[j + 1, n] - mean_y)
        cz += c * (samples[j + 2, n] - mean_z)
    dev2_sum[k, i + 2, j] += cx
    dev2_sum[k, i + 2, j + 1] += cy
    dev2_sum[k, i + 2, j + 2] += cz


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_two_by_three(k, i, j, size, samples, means, resp, dev2_sum):
    """Add the sums of the products of the features i and i + 1 with j to j + 2."""
    zero = means.dtype.type(0.0)
    mean_a, mean_b = means[k, i], means[k, i + 1]
    mean_x, mean_y, mean_z = means[k, j], means[k, j + 1], means[k, j + 2]
    ax, ay, az, bx, by, bz = zero, zero, zero, zero, zero, zero
    for n in range(size):
        a, b = resp[k, n] * (samples[i, n] - mean_a), resp[k, n] * (samples[i + 1, n] - mean_b)
        x, y, z = samples[j, n] - mean_x, samples[j + 1, n] - mean_y, samples[j + 2, n] - mean_z
        ax += a * x
        ay += a * y
        az += a * z
        bx += b * x
        by += b * y
        bz += b * z
    dev2_sum[k, i, j] += ax
    dev2_sum[k, i, j + 1] += ay
    dev2_sum[k, i, j + 2] += az
    dev2_sum[k, i + 1, j] += bx
    dev2_sum[k, i + 1, j + 1] += by
    dev2_sum[k, i + 1, j + 2] += bz


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
def is_sparse(resp, k, size, share):
    """Return whether component k has a part of fewer than this share of the samples."""
    count = 0
    for n in range(size):
        count += resp[k, n] > 0
    return count < share * size


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def find_active(resp, k, size, active, active_resp):
    """Write down the samples that component k has a part of; return how many, to a whole four.

    The list is filled up with the first sample at responsibility 0.
    """
    count = 0
    for n in range(size):
        active[count] = n
        active_resp[count] = resp[k, n]
        count += resp[k, n] > 0
    while count % 4 > 0:
        active[count] = active[0]
        active_resp[count] = resp.dtype.type(0.0)
        count += 1
    return count


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_many(samples, size, means, scratch, sums):
    """Add ``dev_sum`` and the lower triangle of ``dev2_sum``, for features that are many.

    Deviations are stored, since each is used in many products.
    """
    active, active_resp, dev2_sum = scratch.active, scratch.active_resp, sums.dev2_sum
    for k in range(means.shape[0]):
        if is_sparse(scratch.log_prob, k, size, SPARSE_COLUMNS):
            count = find_active(scratch.log_prob, k, size, active, active_resp)
            store_active(k, count, samples, means, scratch, sums.dev_sum)
            add_outer_products(k, count, scratch.dev, scratch.weighted_dev, dev2_sum)
        else:
            store_all(k, size, samples, means, scratch, sums.dev_sum)
            add_outer_products(k, size, scratch.dev, scratch.weighted_dev, dev2_sum)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def store_all(k, size, samples, means, scratch, dev_sum):
    """Store the deviations of all samples from mean k, and add their weighted sums."""
    resp, dev, weighted_dev = scratch.log_prob, scratch.dev, scratch.weighted_dev
    for d in range(means.shape[1]):
        center, total = means[k, d], means.dtype.type(0.0)
        for n in range(size):
            deviation = samples[d, n] - center
            weighted = resp[k, n] * deviation
            dev[d, n] = deviation
            weighted_dev[d, n] = weighted
            total += weighted
        dev_sum[k, d] += total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def store_active(k, count, samples, means, scratch, dev_sum):
    """Store the deviations of the active samples from mean k, and add their weighted sums."""
    active, active_resp = scratch.active, scratch.active_resp
    dev, weighted_dev = scratch.dev, scratch.weighted_dev
    for d in range(means.shape[1]):
        center, total = means[k, d], means.dtype.type(0.0)
        for a in range(count):
            deviation = samples[d, active[a]] - center
            weighted = active_resp[a] * deviation
            dev[d, a] = deviation
            weighted_dev[d, a] = weighted
            total += weighted
        dev_sum[k, d] += total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_outer_products(k, size, dev, weighted_dev, dev2_sum):
    """Add ``sum_n weighted_dev[i, n] * dev[j, n]`` to the lower triangle, four by four."""
    zero = dev.dtype.type(0.0)
    for i in range(0, dev2_sum.shape[1], 4):
        for j in range(0, i + 1, 4):
            ae, af, ag, ah = zero, zero, zero, zero
            be, bf, bg, bh = zero, zero, zero, zero
            ce, cf, cg, ch = zero, zero, zero, zero
            de, df, dg, dh = zero, zero, zero, zero
            for n in range(size):
                a, b = weighted_dev[i, n], weighted_dev[i + 1, n]
                c, d = weighted_dev[i + 2, n], weighted_dev[i + 3, n]
                e, f, g, h = dev[j, n], dev[j + 1, n], dev[j + 2, n], dev[j + 3, n]
                ae, af, ag, ah = ae + a * e, af + a * f, ag + a * g, ah + a * h
                be, bf, bg, bh = be + b * e, bf + b * f, bg + b * g, bh + b * h
                ce, cf, cg, ch = ce + c * e, cf + c * f, cg + c * g, ch + c * h
                de, df, dg, dh = de + d * e, df + d * f, dg + d * g, dh + d * h
            square = ((ae, af, ag, ah), (be, bf, bg, bh), (ce, cf, cg, ch), (de, df, dg, dh))
            for row in range(4):
                for column in range(4):
                    dev2_sum[k, i + row, j + column] += square[row][column]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_full(samples, size, tile, means, scratch, sums):
    """Add ``dev_sum`` and the lower triangle of ``dev2_sum``."""
    if means.shape[1] <= FEW_FEATURES:
        accumulate_few(samples, size, tile, means, scratch.log_prob, sums)
    else:
        accumulate_many(samples, size, means, scratch, sums)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_diag(samples, size, means, scratch, sums):
    """Add ``dev_sum`` and ``dev2_sum``."""
    for k in range(means.shape[0]):
        if scratch.rows.shape[0] > 0 and is_sparse(scratch.log_prob, k, size, SPARSE_ROWS):
            count = find_active(scratch.log_prob, k, size, scratch.active, scratch.active_resp)
            add_active_squares(k, count, means, scratch, sums.dev_sum, sums.dev2_sum)
        else:
            add_all_squares(k, size, samples, means, scratch.log_prob, sums.dev_sum, sums.dev2_sum)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_all_squares(k, size, samples, means, resp, dev_sum, dev2_sum):
    """Add the weighted deviations of all samples from mean k, and their squares."""
    zero = means.dtype.type(0.0)
    for d in range(0, means.shape[1], 2):
        even_mean, odd_mean = means[k, d], means[k, d + 1]
        even_sum, odd_sum, even_even, odd_odd = zero, zero, zero, zero
        for n in range(size):
            even, odd = samples[d, n] - even_mean, samples[d + 1, n] - odd_mean
            weighted_even, weighted_odd = resp[k, n] * even, resp[k, n] * odd
            even_sum += weighted_even
            odd_sum += weighted_odd
            even_even += weighted_even * even
            odd_odd += weighted_odd * odd
        dev_sum[k, d] += even_sum
        dev_sum[k, d + 1] += odd_sum
        dev2_sum[k, d] += even_even
        dev2_sum[k, d + 1] += odd_odd


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def add_active_squares(k, count, means, scratch, dev_sum, dev2_sum):
    """Add the weighted deviations of the active samples from mean k, and their squares."""
    rows, sums, active, resp = scratch.rows, scratch.row_sums, scratch.active, scratch.active_resp
    for d in range(means.shape[1]):
        sums[0, d] = sums[1, d] = means.dtype.type(0.0)
    for a in range(0, count, 4):
        n, o, p, q = active[a], active[a + 1], active[a + 2], active[a + 3]
        for d in range(means.shape[1]):
            dev_n, dev_o = rows[n, d] - means[k, d], rows[o, d] - means[k, d]
            dev_p, dev_q = rows[p, d] - means[k, d], rows[q, d] - means[k, d]
            weighted_n, weighted_o = resp[a] * dev_n, resp[a + 1] * dev_o
            weighted_p, weighted_q = resp[a + 2] * dev_p, resp[a + 3] * dev_q
            sums[0, d] += weighted_n + weighted_o + weighted_p + weighted_q
            sums[1, d] += (
                weighted_n * dev_n + weighted_o * dev_o + weighted_p * dev_p + weighted_q * dev_q
            )
    for d in range(means.shape[1]):
        dev_sum[k, d] += sums[0, d]
        dev2_sum[k, d] += sums[1, d]


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
            samples, size, tile, means, scratch.log_prob, sums
        )
    return lambda dev2_sum, tile, samples, size, means, scratch, sums: accumulate_full(
        samples, size, tile, means, scratch, sums
    )
