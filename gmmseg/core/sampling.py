"""Drawing new samples from a mixture."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.parameters import MixtureParameters


def draw_samples(
    parameters: MixtureParameters, n_samples: int, rng: np.random.RandomState
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return samples (n_samples, n_features), one component after the other, and their components.

    With ``inverse(covariance) = U @ U.T`` and z standard normal, ``mean + inverse(U.T) @ z`` has
    the covariance of the component.
    """
    counts = rng.multinomial(n_samples, parameters.weights)
    labels = np.repeat(np.arange(parameters.n_components), counts)
    noise = rng.standard_normal((n_samples, parameters.n_features))
    for k, factor in enumerate(parameters.component_factors):
        is_mine = labels == k
        if factor.ndim == 2:
            noise[is_mine] = np.linalg.solve(factor.T, noise[is_mine].T).T
        else:
            noise[is_mine] /= factor
    return parameters.means[labels] + noise, labels
