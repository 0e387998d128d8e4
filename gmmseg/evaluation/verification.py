"""How well scores verify speakers: error rates at every threshold, EER, minimum cost and Cllr."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.evaluation.ranking import checked_scores


@dataclass(frozen=True, eq=False)
class ErrorCurve:
    """The two error rates at every threshold: who scores at least the threshold is accepted.

    Parameters
    ----------
    thresholds : ndarray of shape (n,)
        Descending: infinity, which accepts nobody, and every score that occurs.
    miss_rates : ndarray of shape (n,)
        Share of targets that are refused.
    false_alarm_rates : ndarray of shape (n,)
        Share of the others that are accepted.

    Examples
    --------
    >>> from gmmseg.evaluation import error_curve
    >>> error_curve([1.0, 2.0, 3.0], [False, True, True]).miss_rates
    array([1. , 0.5, 0. , 0. ])
    """

    thresholds: NDArray[np.float64]
    miss_rates: NDArray[np.float64]
    false_alarm_rates: NDArray[np.float64]


@dataclass(frozen=True)
class OperatingPoint:
    """A value that is reached at a threshold.

    Parameters
    ----------
    value : float
        The measure: an error rate or a cost.
    threshold : float
        Who scores at least this is accepted.
    miss_rate, false_alarm_rate : float
        The error rates there.

    Examples
    --------
    >>> from gmmseg.evaluation import equal_error_rate
    >>> equal_error_rate([1.0, 2.0, 3.0], [False, True, True]).threshold
    2.0
    """

    value: float
    threshold: float
    miss_rate: float
    false_alarm_rate: float


def error_curve(scores: ArrayLike, is_target: ArrayLike) -> ErrorCurve:
    """Return the miss and false alarm rates at every threshold (the DET curve).

    Parameters
    ----------
    scores : array_like of shape (n_trials,)
        Higher is more likely a target.
    is_target : array_like of bool of shape (n_trials,)
        Whether the trial is of the speaker that it claims.

    Returns
    -------
    curve : ErrorCurve
        The rates; trials of one score are accepted together.

    Raises
    ------
    InputError
        If the shapes differ, a score is NaN, or there is none of one kind.

    Examples
    --------
    >>> from gmmseg.evaluation import error_curve
    >>> error_curve([1.0, 2.0, 3.0], [False, True, True]).false_alarm_rates
    array([0., 0., 0., 1.])
    """
    scores, is_target = checked_scores(scores, is_target)
    order = np.argsort(-scores, kind="stable")
    scores, is_target = scores[order], is_target[order]
    last = np.append(scores[1:] != scores[:-1], True)
    n_hits, n_false = np.cumsum(is_target)[last], np.cumsum(~is_target)[last]
    return ErrorCurve(
        np.append(np.inf, scores[last]),
        np.append(1.0, 1.0 - n_hits / n_hits[-1]),
        np.append(0.0, n_false / n_false[-1]),
    )


def equal_error_rate(scores: ArrayLike, is_target: ArrayLike) -> OperatingPoint:
    """Return where misses are as frequent as false alarms.

    Between two thresholds the rates are taken as straight lines, so the equal error rate may lie
    between those that occur.

    Parameters
    ----------
    scores : array_like of shape (n_trials,)
        Higher is more likely a target.
    is_target : array_like of bool of shape (n_trials,)
        Whether the trial is of the speaker that it claims.

    Returns
    -------
    point : OperatingPoint
        The equal error rate as `value`; threshold and rates are those that occur nearest to it.

    Raises
    ------
    InputError
        If the shapes differ, a score is NaN, or there is none of one kind.

    Examples
    --------
    >>> from gmmseg.evaluation import equal_error_rate
    >>> equal_error_rate([1.0, 3.0, 2.0, 4.0], [False, False, True, True]).value
    0.5
    """
    curve = error_curve(scores, is_target)
    excess = curve.miss_rates - curve.false_alarm_rates  # falls from 1 to -1
    after = int((excess <= 0.0).argmax())
    before = after - 1
    weight = excess[before] / (excess[before] - excess[after])
    low, high = curve.false_alarm_rates[before], curve.false_alarm_rates[after]
    nearest = before if abs(excess[before]) < abs(excess[after]) else after
    return _point(float(low + weight * (high - low)), curve, nearest)


def min_dcf(
    scores: ArrayLike,
    is_target: ArrayLike,
    *,
    p_target: float = 0.01,
    miss_cost: float = 1.0,
    false_alarm_cost: float = 1.0,
) -> OperatingPoint:
    """Return the smallest detection cost that any threshold reaches.

    The cost is ``miss_cost * p_target * miss_rate + false_alarm_cost * (1 - p_target) *
    false_alarm_rate``, over the cost of the better of accepting all and refusing all, so that 1 is
    what scores without information reach (NIST 2016, speaker recognition evaluation plan).

    Parameters
    ----------
    scores : array_like of shape (n_trials,)
        Higher is more likely a target.
    is_target : array_like of bool of shape (n_trials,)
        Whether the trial is of the speaker that it claims.
    p_target : float
        How likely a target is where the scores will be used, between 0 and 1.
    miss_cost, false_alarm_cost : float
        What an error costs, above 0.

    Returns
    -------
    point : OperatingPoint
        The smallest cost as `value`, 0 to 1, and the threshold that reaches it.

    Raises
    ------
    InputError
        If the shapes differ, a score is NaN, there is none of one kind, or probability and costs
        are none.

    Examples
    --------
    >>> from gmmseg.evaluation import min_dcf
    >>> min_dcf([1.0, 3.0, 2.0, 4.0], [False, False, True, True]).value
    0.5
    """
    if not 0.0 < p_target < 1.0:
        raise InputError(f"p_target must lie between 0 and 1, got {p_target}")
    if not (0.0 < miss_cost < np.inf and 0.0 < false_alarm_cost < np.inf):
        raise InputError(f"costs must be above 0, got {miss_cost} and {false_alarm_cost}")
    curve = error_curve(scores, is_target)
    miss, false_alarm = miss_cost * p_target, false_alarm_cost * (1.0 - p_target)
    costs = miss * curve.miss_rates + false_alarm * curve.false_alarm_rates
    best = int(costs.argmin())
    return _point(float(costs[best] / min(miss, false_alarm)), curve, best)


def cllr(log_likelihood_ratios: ArrayLike, is_target: ArrayLike) -> float:
    """Return the cost of log-likelihood ratios: how good they are as evidence, in bits.

    0 for ratios that are large and right, 1 for ratios that say nothing (all 0), and more where
    they mislead: it tells whether scores are calibrated, which EER and minimum cost do not
    (Brümmer and du Preez 2006, DOI 10.1016/j.csl.2005.08.001).

    Parameters
    ----------
    log_likelihood_ratios : array_like of shape (n_trials,)
        Natural logarithms of p(trial | target) / p(trial | other).
    is_target : array_like of bool of shape (n_trials,)
        Whether the trial is of the speaker that it claims.

    Returns
    -------
    cost : float
        Bits, at least 0: the mean of those of targets, ``log2(1 + exp(-ratio))``, and those of the
        others, ``log2(1 + exp(ratio))``.

    Raises
    ------
    InputError
        If the shapes differ, a ratio is NaN, or there is none of one kind.

    Examples
    --------
    >>> from gmmseg.evaluation import cllr
    >>> cllr([0.0, 0.0], [True, False])
    1.0
    """
    ratios, is_target = checked_scores(log_likelihood_ratios, is_target)
    targets = np.logaddexp(0.0, -ratios[is_target]).mean()
    others = np.logaddexp(0.0, ratios[~is_target]).mean()
    return float((targets + others) / 2.0 / np.log(2.0))


def _point(value: float, curve: ErrorCurve, index: int) -> OperatingPoint:
    return OperatingPoint(
        value,
        float(curve.thresholds[index]),
        float(curve.miss_rates[index]),
        float(curve.false_alarm_rates[index]),
    )
