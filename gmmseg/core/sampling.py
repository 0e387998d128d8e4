"""Drawing new samples from a mixture."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance_base import shares_of
from gmmseg.core.parameters import MixtureParameters


def draw_samples(
    parameters: MixtureParameters, n_samples: int, rng: np.random.RandomState
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return samples (n_samples, n_features), one component after the other, and their components.

    Noise comes last, anywhere in its box, with the label -1. With ``inverse(covariance) = U @ U.T``
    and z standard normal, ``mean + inverse(U.T) @ z`` has the covariance of the component.
    """
    n_components, noise = parameters.n_components, parameters.noise
    counts = rng.multinomial(n_samples, shares_of(parameters.shares))
    labels = np.repeat(np.arange(len(counts)), counts)
    X = rng.standard_normal((n_samples, parameters.n_features))
    for k, factor in enumerate(parameters.component_factors):
        is_mine = labels == k
        z = X[is_mine]
        deviations = np.linalg.solve(factor.T, z.T).T if factor.ndim == 2 else z / factor
        X[is_mine] = parameters.means[k] + deviations
    if noise is not None:
        is_noise = labels == n_components
        X[is_noise] = rng.uniform(noise.low, noise.high, (counts[-1], parameters.n_features))
        labels[is_noise] = -1
    return X, labels
