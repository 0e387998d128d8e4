"""Numba kernels of the chain's passes: forward, backward, and with a fixed lag.

A chance is written as the number it is, or, where that is too small for a sum of doubles to be
right, as its logarithm, which is below 0; so a chance of 0 is impossible and nothing underflows.
Chances of one frame are known but for a factor that keeps the largest near 1.
"""

import numpy as np
from numba import njit

from gmmseg.core.kernel_types import FASTMATH
from gmmseg.core.vectormath import exp_nonpositive

TINY = 1e-280  # the smallest chance that is written as a number
LOG_TINY = np.log(TINY)
LOW = 1e-20  # the largest chance of a frame is kept above this
SMALL = 1e-140  # a sum to which what is not written as a number adds nothing


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_of(chance):
    """Return the logarithm of a chance, however it is written."""
    if chance > 0.0:
        return np.log(chance)
    return chance if chance < 0.0 else -np.inf


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def written(logarithm):
    """Return how a chance is written, given its logarithm, which is at most 0 but for rounding."""
    if logarithm >= LOG_TINY:
        return np.exp(logarithm)
    return logarithm if logarithm > -np.inf else 0.0


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def lessened(chance, logarithm):
    """Return a chance times ``exp(logarithm)``, which is too little for numbers."""
    return written(log_of(chance) + logarithm)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_add(a, b):
    """Return ``log(exp(a) + exp(b))``."""
    low, high = min(a, b), max(a, b)
    return high if low == -np.inf else high + np.log1p(np.exp(low - high))


@njit(inline="always", cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def hand_over(chances, starts, others, probabilities, give, take, out):
    """Fill ``out[j]`` with ``sum_(i to j) p_ij chance_i + take_j sum_i give_i chance_i``.

    Return whether that is right; it is not where all that is added up is too small for a number.
    """
    common, is_right = 0.0, True
    for i in range(len(give)):
        common += give[i] * max(chances[i], 0.0)
    for j in range(len(out)):
        total = take[j] * common if len(take) > 0 else 0.0
        for link in range(starts[j], starts[j + 1]):
            total += probabilities[link] * max(chances[others[link]], 0.0)
        out[j] = total
        if total < TINY:
            is_right = is_right and total == 0.0 and (len(take) == 0 or take[j] == 0.0)
            for link in range(starts[j], starts[j + 1]):
                is_right = is_right and chances[others[link]] == 0.0
    return is_right


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def hand_over_little(chances, links, out):
    """Mend what ``hand_over`` made of chances that are too small for a number."""
    for j in range(len(out)):
        if out[j] >= TINY:
            continue
        total = -np.inf
        if len(links.take) > 0 and links.take[j] > 0.0:
            for i in range(len(chances)):
                total = log_add(total, links.log_give[i] + log_of(chances[i]))
            total += links.log_take[j]
        for link in range(links.starts[j], links.starts[j + 1]):
            total = log_add(total, links.logs[link] + log_of(chances[links.others[link]]))
        out[j] = written(total)


@njit(inline="always", cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def weigh(log_density, t, states, chances, shares, out):
    """Fill ``out`` with ``chances`` times the densities of frame t, but for a factor.

    Return the logarithm of that factor; -inf if all products are 0. ``shares`` is working memory,
    one number a state.
    """
    best, peak = -np.inf, 0.0
    for k in range(len(shares)):
        best = max(best, log_density[t, k])
    if best == -np.inf:
        return best
    for k in range(len(shares)):
        shares[k] = exp_nonpositive(log_density[t, k] - best)
    for c in range(len(chances)):
        product = chances[c] * shares[states[c]]
        if product < TINY and chances[c] != 0.0:
            product = lessened(chances[c], log_density[t, states[c]] - best)
        out[c] = product
        peak = max(peak, product)
    return best if peak > LOW else best + enlarge(out)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def enlarge(chances):
    """Divide ``chances`` by the largest, by logarithms, and return its logarithm."""
    peak = -np.inf
    for c in range(len(chances)):
        peak = max(peak, log_of(chances[c]))
    if peak > -np.inf:
        for c in range(len(chances)):
            chances[c] = written(log_of(chances[c]) - peak)
    return peak


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def run_forward(log_density, chain, ahead, alphas):
    """Fill ``alphas[t]`` with the chances of copies given the frames up to t.

    ``ahead`` holds the chances before the frame and goes on to the next. Return the logarithm of
    what was divided by, and the number of frames done: not all if no path goes on.
    """
    links, states = chain.forward, chain.states
    starts, others, probabilities = links.starts, links.others, links.probabilities
    give, take = links.give, links.take
    row, shares = np.empty_like(ahead), np.empty(log_density.shape[1])
    offset = 0.0
    for t in range(len(log_density)):
        peak = weigh(log_density, t, states, ahead, shares, row)
        if peak == -np.inf:
            return offset, t
        offset += peak
        for c in range(len(row)):
            alphas[t, c] = row[c]
        if not hand_over(row, starts, others, probabilities, give, take, ahead):
            hand_over_little(row, links, ahead)
    return offset, len(log_density)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def run_backward(log_density, alphas, chain, behind, after, out, counts):
    """Fill ``out[t, k]`` with the posteriors of states, from the last frame to the first.

    ``behind`` holds the chances of later frames given each copy, ``after`` the same one frame later
    and with that frame's density; both go on to the frames before. ``counts``, by links of the
    backward layout, gains how often each is expected to be taken, where it has room.
    """
    links, states = chain.backward, chain.states
    starts, others, probabilities = links.starts, links.others, links.probabilities
    give, take = links.give, links.take
    shares = np.empty(log_density.shape[1])
    for t in range(len(log_density) - 1, -1, -1):
        mix(alphas, t, behind, states, out)
        if len(counts) > 0:
            count(alphas, t, behind, after, links, counts)
        weigh(log_density, t, states, behind, shares, after)
        if not hand_over(after, starts, others, probabilities, give, take, behind):
            hand_over_little(after, links, behind)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def run_lagged(log_density, alphas, chain, lag, out):
    """Fill ``out[t, k]`` with posteriors given the frames up to ``t + lag``, as far as out goes."""
    behind, after = np.empty(alphas.shape[1]), np.empty(alphas.shape[1])
    links, states = chain.backward, chain.states
    starts, others, probabilities = links.starts, links.others, links.probabilities
    give, take = links.give, links.take
    shares = np.empty(log_density.shape[1])
    for t in range(len(out)):
        for c in range(len(behind)):
            behind[c] = 1.0
        for later in range(min(t + lag, len(alphas) - 1), t, -1):
            weigh(log_density, later, states, behind, shares, after)
            if not hand_over(after, starts, others, probabilities, give, take, behind):
                hand_over_little(after, links, behind)
        mix(alphas, t, behind, states, out)


@njit(inline="always", cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def mix(alphas, t, behind, states, out):
    """Fill ``out[t, k]`` with the posteriors of states in one frame."""
    total = 0.0
    for k in range(out.shape[1]):
        out[t, k] = 0.0
    for c in range(len(behind)):
        total += max(alphas[t, c], 0.0) * max(behind[c], 0.0)
    if total < SMALL:
        mix_little(alphas, t, behind, states, out)
        return
    scale = 1.0 / total
    for c in range(len(behind)):
        out[t, states[c]] += scale * max(alphas[t, c], 0.0) * max(behind[c], 0.0)


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def mix_little(alphas, t, behind, states, out):
    """Add to ``out[t, k]`` the posteriors of one frame, by logarithms."""
    log_total, total = log_product(alphas, t, behind), 0.0
    for c in range(len(behind)):
        share = np.exp(log_of(alphas[t, c]) + log_of(behind[c]) - log_total)
        out[t, states[c]] += share
        total += share
    for k in range(out.shape[1]):
        out[t, k] /= total  # which is not quite 1: logarithms were large


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def log_product(alphas, t, behind):
    """Return ``log sum_c alpha_c behind_c`` of one frame."""
    total = -np.inf
    for c in range(len(behind)):
        total = log_add(total, log_of(alphas[t, c]) + log_of(behind[c]))
    return total


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def count(alphas, t, behind, after, links, counts):
    """Add to ``counts`` how likely each link was taken between a frame and the next."""
    log_total = log_product(alphas, t, behind)
    for i in range(len(behind)):
        log_alpha = log_of(alphas[t, i]) - log_total
        for link in range(links.starts[i], links.starts[i + 1]):
            counts[link] += np.exp(log_alpha + links.logs[link] + log_of(after[links.others[link]]))
