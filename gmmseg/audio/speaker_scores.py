"""From log-likelihood ratios to answers: against the other speakers, and against an unknown one."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def rival_ratios(ratios: Array) -> Array:
    """Return how much likelier each speaker is than the average of the others.

    Whatever makes a recording likely under all speakers, such as its noise, cancels.

    Parameters
    ----------
    ratios : ndarray of shape (n_tests, n_speakers)
        ``log p(test | speaker) - log p(test | anyone)``, for two speakers or more.

    Returns
    -------
    scores : ndarray of shape (n_tests, n_speakers)
        ``scores[t, k] = ratios[t, k] - log(mean over j != k of exp(ratios[t, j]))``.

    Examples
    --------
    >>> rival_ratios(np.array([[3.0, 1.0]]))
    array([[ 2., -2.]])
    """
    n_speakers = ratios.shape[1]
    scores = np.empty_like(ratios)
    for k in range(n_speakers):
        others = np.delete(ratios, k, axis=1)
        scores[:, k] = ratios[:, k] - np.logaddexp.reduce(others, axis=1)
    return scores + np.log(n_speakers - 1)


def probabilities(ratios: Array) -> Array:
    """Return the probability of each speaker, and in the last column that of an unknown one.

    Before the recording is heard, all are equally probable, the unknown one included.

    Parameters
    ----------
    ratios : ndarray of shape (n_tests, n_speakers)
        ``log p(test | speaker) - log p(test | anyone)``.

    Returns
    -------
    probabilities : ndarray of shape (n_tests, n_speakers + 1)
        Rows sum to 1.

    Examples
    --------
    >>> probabilities(np.array([[0.0], [-50.0]])).round(2)
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    log_joint = np.column_stack([ratios, np.zeros(len(ratios))])
    log_joint -= log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint)
    shares: Array = joint / joint.sum(axis=1, keepdims=True)
    return shares
