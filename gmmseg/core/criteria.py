"""Information criteria: how well a mixture explains the data, less what its parameters cost."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.estep import responsibilities
from gmmseg.core.parameters import MixtureParameters

BLOCK_SIZE = 65_536  # samples whose responsibilities are held at once


def bic(log_likelihood: float, n_free_parameters: int, weight_sum: float) -> float:
    """Return ``-2 log_likelihood + n_free_parameters * log(weight_sum)`` (Schwarz 1978)."""
    return -2.0 * log_likelihood + n_free_parameters * float(np.log(weight_sum))


def aic(log_likelihood: float, n_free_parameters: int) -> float:
    """Return ``-2 log_likelihood + 2 n_free_parameters`` (Akaike 1974)."""
    return -2.0 * log_likelihood + 2.0 * n_free_parameters


def icl(bic_value: float, entropy: float) -> float:
    """Return ``bic + 2 entropy`` (Biernacki, Celeux, Govaert 2000)."""
    return bic_value + 2.0 * entropy


def assignment_entropy(
    X: NDArray[Any],
    parameters: MixtureParameters,
    sample_weight: NDArray[np.float64] | None = None,
    n_jobs: int | None = None,
) -> float:
    """Return ``-sum_i s_i sum_k r_ik log r_ik``: how unsure the labels are, in nats."""
    entropy = 0.0
    for first in range(0, len(X), BLOCK_SIZE):
        resp = responsibilities(X[first : first + BLOCK_SIZE], parameters, n_jobs)
        resp = resp.astype(np.float64)
        unsure = -(resp * np.log(np.where(resp > 0.0, resp, 1.0))).sum(axis=1)
        if sample_weight is not None:
            unsure *= sample_weight[first : first + BLOCK_SIZE]
        entropy += float(unsure.sum())
    return entropy
