"""Axes that all components share: turn them pair by pair until no turn makes the data likelier."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.volume_shape import cost

Array = NDArray[np.float64]
Solve = Callable[[Array], Array]  # scatter along the axes -> likeliest variances along them

MOST_SWEEPS = 50
FEW_SWEEPS = 5  # where the next M-step goes on: likelier is enough, and EM does the rest
STEADY = 1e-11  # gain in log-likelihood per sample at which sweeps end


def common_axes(
    scatter: Array,
    share: Array,
    solve: Solve,
    *,
    candidates: list[Array],
    most_sweeps: int = MOST_SWEEPS,
) -> tuple[Array, Array]:
    """Return the axes, in columns, and the variances along them, from the best of the candidates.

    For given variances the likelihood is largest where ``sum_kj share[k] / variance[k, j] *
    scatter_along[k, j]`` is smallest, which for a turn in one plane is a sinusoid of twice the
    angle: its minimum is exact. Turns in planes that share no axis are made together. Variances
    follow each of them, so every step makes the data likelier.

    References
    ----------
    Flury, Gautschi (1986), "An algorithm for simultaneous orthogonal transformation of several
    positive definite symmetric matrices to nearly diagonal form".
    """
    axes, turned, variance = min(
        (_seen_along(scatter, solve, axes) for axes in candidates),
        key=lambda seen: cost(_diagonal(seen[1]), share, seen[2]),
    )
    value = cost(_diagonal(turned), share, variance)
    for _ in range(most_sweeps):
        for first, second in _rounds(len(axes)):
            turn = _best_turn(turned, share, variance, planes=(first, second))
            axes = axes @ turn
            turned = turn.T @ turned @ turn
            variance = solve(_diagonal(turned))
        before, value = value, cost(_diagonal(turned), share, variance)
        if not before - value > STEADY:
            break
    # Turns add up to rounding errors, which the original scatter does not have.
    axes, _, variance = _seen_along(scatter, solve, np.linalg.qr(axes)[0])
    return axes, variance


def variances_along(scatter: Array, axes: Array) -> Array:
    """Return the scatter along the axes, (n_components, n_features)."""
    return np.maximum((axes * (scatter @ axes)).sum(axis=-2), 0.0)


def spelled_out(axes: Array, variance: Array) -> Array:
    """Return the covariances, (n_components, d, d), with these variances along these axes.

    Variances too small for a matrix to hold beside the largest are raised until it can.
    """
    smallest = 4.0 * variance.shape[-1] * np.finfo(np.float64).eps
    variance = np.maximum(variance, smallest * variance.max(axis=-1, keepdims=True))
    matrices = (axes * variance[:, None, :]) @ np.swapaxes(axes, -1, -2)
    return 0.5 * (matrices + np.swapaxes(matrices, -1, -2))


def _seen_along(scatter: Array, solve: Solve, axes: Array) -> tuple[Array, Array, Array]:
    """Return axes, the scatter turned to them, and the likeliest variances."""
    return axes, axes.T @ scatter @ axes, solve(variances_along(scatter, axes))


def _best_turn(
    turned: Array, share: Array, variance: Array, *, planes: tuple[NDArray[np.intp], ...]
) -> Array:
    """Return the rotation that is best in each of these planes, which share no axis."""
    i, j = planes
    pull = share[:, None] * (1.0 / variance[:, i] - 1.0 / variance[:, j])
    cosine = 0.5 * (pull * (turned[:, i, i] - turned[:, j, j])).sum(axis=0)
    sine = (pull * turned[:, i, j]).sum(axis=0)
    # Subtracted from 0 so that no zero is negative: then the angle of nothing is 0.
    angle = 0.5 * np.arctan2(0.0 - sine, 0.0 - cosine)
    turn = np.eye(turned.shape[-1])
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[j, i] = np.sin(angle)
    turn[i, j] = -turn[j, i]
    return turn


def _rounds(n_axes: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return every pair of axes once, as few rounds of disjoint pairs (a round-robin)."""
    n_seats = n_axes + n_axes % 2
    seats = np.arange(n_seats)
    rounds = []
    for _ in range(n_seats - 1):
        first, second = seats[: n_seats // 2], seats[n_seats // 2 :][::-1]
        is_pair = (first < n_axes) & (second < n_axes)
        rounds.append((first[is_pair], second[is_pair]))
        seats = np.r_[seats[:1], np.roll(seats[1:], 1)]
    return rounds


def _diagonal(matrices: Array) -> Array:
    """Return the diagonals, not below 0 where rounding put them there."""
    return np.maximum(np.diagonal(matrices, axis1=-2, axis2=-1), 0.0)
