"""The E-step over a range of samples, compiled: block after block, each staying in cache."""

import numpy as np
from numba import njit

from gmmseg.core.kernel_densities import (
    exponentiate,
    finish_log_density,
    load_block,
    load_rows,
    log_prob_of,
)
from gmmseg.core.kernel_sums import accumulate_deviations, weigh_responsibilities
from gmmseg.core.kernel_types import FASTMATH


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def pin_labels(labels, first, size, log_prob, farthest):
    """Leave a sample of known label, 0 or above, to that component alone, even one of weight 0."""
    for k in range(log_prob.shape[0]):
        for n in range(size):
            if labels[first + n] == k:
                log_prob[k, n] = max(log_prob[k, n], -farthest)
            elif labels[first + n] >= 0:
                log_prob[k, n] = -np.inf


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate(X, sample_weight, labels, rows, mixture, scratch, sums):
    """Add the statistics of ``X[rows[0] : rows[1]]`` to ``sums``; return their log-likelihood.

    An empty ``sample_weight`` stands for ones, empty ``labels`` for none that is known.
    """
    log_likelihood = 0.0
    block_size = scratch.samples.shape[1]
    is_weighted = sample_weight.size > 0
    for first in range(rows[0], rows[1], block_size):
        size = min(block_size, rows[1] - first)
        load_block(mixture.tile, X, first, size, mixture, scratch.samples)
        if scratch.rows.shape[0] > 0:
            load_rows(X, first, size, mixture, scratch.rows)
        log_prob_of(mixture.factors, scratch.samples, size, mixture, scratch)
        if labels.size > 0:
            pin_labels(labels, first, size, scratch.log_prob, mixture.farthest)
        exponentiate(scratch.log_prob, size, mixture.negligible, scratch.peak, scratch.total)
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
        load_block(mixture.tile, X, first, size, mixture, scratch.samples)
        log_prob_of(mixture.factors, scratch.samples, size, mixture, scratch)
        if labels.size > 0:
            write_labels(first, size, scratch.log_prob, labels)
        if log_density.size > 0 or resp.size > 0:
            exponentiate(scratch.log_prob, size, mixture.negligible, scratch.peak, scratch.total)
            finish_log_density(size, scratch.peak, scratch.total)
        if log_density.size > 0:
            for n in range(size):
                log_density[first + n] = scratch.peak[n]
        if resp.size > 0:
            for k in range(resp.shape[1]):
                for n in range(size):
                    resp[first + n, k] = scratch.log_prob[k, n] * scratch.total[n]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def write_joint(X, rows, mixture, scratch, joint):
    """Fill ``joint[k, n]`` with log weight plus log-density over ``X[rows[0] : rows[1]]``."""
    block_size = scratch.samples.shape[1]
    for first in range(rows[0], rows[1], block_size):
        size = min(block_size, rows[1] - first)
        load_block(mixture.tile, X, first, size, mixture, scratch.samples)
        log_prob_of(mixture.factors, scratch.samples, size, mixture, scratch)
        for k in range(joint.shape[0]):
            for n in range(size):
                joint[k, first + n] = scratch.log_prob[k, n]


@njit(cache=True, nogil=True, fastmath=FASTMATH, error_model="numpy")
def accumulate_given(X, resp, rows, mixture, scratch, sums):
    """Add the statistics of ``X[rows[0] : rows[1]]`` under given ``resp[k, n]`` to ``sums``."""
    block_size = scratch.samples.shape[1]
    for n in range(block_size):
        scratch.total[n] = 1.0
    for first in range(rows[0], rows[1], block_size):
        size = min(block_size, rows[1] - first)
        load_block(mixture.tile, X, first, size, mixture, scratch.samples)
        if scratch.rows.shape[0] > 0:
            load_rows(X, first, size, mixture, scratch.rows)
        for k in range(resp.shape[0]):
            for n in range(size):
                scratch.log_prob[k, n] = resp[k, first + n]
        weigh_responsibilities(size, scratch.total, scratch.log_prob, sums.resp_sum)
        accumulate_deviations(
            sums.dev2_sum, mixture.tile, scratch.samples, size, mixture.means, scratch, sums
        )
