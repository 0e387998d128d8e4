"""Variances along given axes: likeliest where volume or shape is the same in all components.

The variance of component k along axis j is ``exp(log_volume[k] + log_shape[j])`` or the like. In
logarithms the likelihood is concave and every constraint here is linear, the floor included, so
each function finds the one optimum.

In all functions ``scatter``, (n_components, n_features), is the mean squared deviation along each
axis, ``share``, (n_components,), the share of the samples (a component without any decides
nothing), ``floor`` a positive variance.

References
----------
Celeux, Govaert (1995), "Gaussian parsimonious clustering models", sections 3 and 4.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Letter = Literal["E", "V"]

TINY = float(np.finfo(np.float64).tiny)
HUGE = 1e305  # so that a few such variances can be added
ROUNDING = 1e-14
MOST_ROUNDS = 200
STEADY = 1e-9  # change of a logarithm at which rounds end: the likelihood is right to its square


def variances(
    scatter: Array, share: Array, floor: float, *, volume: Letter, shape: Letter
) -> Array:
    """Return the variances, (n_components, n_features), with volume and shape equal or free."""
    scatter, floor = np.maximum(scatter, 0.0), max(floor, TINY)
    if volume == shape == "V":
        return np.maximum(scatter, floor)
    if volume == shape == "E":
        return one_for_all(scatter, share, floor)
    return (equal_shape if shape == "E" else equal_volume)(scatter, share, floor)


def cost(scatter: Array, share: Array, variance: Array) -> float:
    """Return minus twice the mean log-likelihood, as far as the variances decide it."""
    return float(share @ (np.log(variance) + scatter / variance).sum(axis=1))


def one_for_all(scatter: Array, share: Array, floor: float) -> Array:
    """Return the same variances for all components."""
    variance = np.maximum(share @ scatter, floor)
    return np.broadcast_to(variance, scatter.shape).copy()


def equal_shape(scatter: Array, share: Array, floor: float) -> Array:
    """Return ``volume[k] * shape[j]``: each is the mean of what the other leaves, in turn."""
    log_floor = np.log(floor)
    is_used = share > 0.0
    log_shape = share @ np.log(np.maximum(scatter, floor))
    log_volume = log_volumes(scatter, log_shape, log_floor)
    for _ in range(MOST_ROUNDS):
        before = log_shape - log_shape.min()
        lowest = log_floor - log_volume[is_used].min()
        log_shape = np.maximum(_log(share @ (scatter / np.exp(log_volume)[:, None])), lowest)
        log_volume = log_volumes(scatter, log_shape, log_floor)
        if np.abs(log_shape - log_shape.min() - before).max() < STEADY:
            break
    return np.exp(log_volume[:, None] + log_shape)


def log_volumes(scatter: Array, log_shape: Array, log_floor: float) -> Array:
    """Return the likeliest volumes, as logarithms, with which no variance is below the floor."""
    smallest = log_shape.min()
    mean = (scatter / np.exp(log_shape - smallest)).mean(axis=1)
    return np.maximum(_log(mean), log_floor) - smallest


def equal_volume(scatter: Array, share: Array, floor: float) -> Array:
    """Return variances whose product is the same in all components.

    Component k has ``max(scatter[k, j] / t[k], floor)``, where ``t[k]`` brings the product to the
    common volume and the mean of ``t`` over the samples is 1. With ``m`` axes above the floor,
    ``log t`` is a line in the log-volume of slope ``-1 / m``; the largest of these lines holds.
    Without a floor the common volume is the mean of the volumes.
    """
    n_features, log_floor = scatter.shape[1], np.log(floor)
    n_above = np.arange(1, n_features + 1)
    descending = -np.sort(-_log(scatter), axis=1)
    log_product = np.cumsum(descending, axis=1) + (n_features - n_above) * log_floor
    lowest = n_features * log_floor
    # Newton's method on a falling convex function, from the left: it never steps too far.
    is_used = share > 0.0
    products, shares = log_product[is_used], share[is_used]
    log_volume = n_features * _log_mean_exp(products[:, -1] / n_features, shares)
    for _ in range(MOST_ROUNDS):
        lines = (products - log_volume) / n_above
        log_t, above = lines.max(axis=1), n_above[lines.argmax(axis=1)]
        excess = _log_mean_exp(log_t, shares)
        step = excess / float(shares @ (np.exp(log_t - excess) / above))
        log_volume += step
        if not step > ROUNDING * max(1.0, abs(log_volume)):
            break
    log_volume = max(log_volume, lowest)
    log_t = ((log_product - log_volume) / n_above).max(axis=1)
    log_variance = np.minimum(_log(scatter) - log_t[:, None], np.log(HUGE))
    return np.maximum(np.exp(log_variance), floor)


def _log(values: Array) -> Array:
    """Return the logarithm, of zero a very low one."""
    return np.log(np.maximum(values, TINY))


def _log_mean_exp(values: Array, share: Array) -> float:
    peak = float(values.max())
    return peak + float(np.log(share @ np.exp(values - peak)))
