"""The background mixture of speech that speakers are adapted from."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.em import EMOptions
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_samples, generator_of

FLOOR = 1e-3  # smallest variance, as a fraction of the mean variance of the frames
MOST_ITERATIONS = 200


def fit_background(
    frames: NDArray[np.floating], n_components: int, *, random_state: int | None = 0
) -> MixtureParameters:
    """Fit a diagonal mixture to frames; components that find nothing of their own get weight 0.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, n_features)
        Frames of all speakers.
    n_components : int
        Number of Gaussians.
    random_state : int or None, default=0
        Seed of the start.

    Returns
    -------
    background : MixtureParameters
        The mixture.

    Examples
    --------
    >>> fit_background(np.array([[0.0], [2.0]]), 1).means
    array([[1.]])
    """
    start = Start(n_components=n_components, covariance_type="diag", rng=generator_of(random_state))
    options = EMOptions(covariance_floor=FLOOR, has_one_unit=True, max_iter=MOST_ITERATIONS)
    return fit_mixture(check_samples(frames), None, start, options)[0]
