"""Similarity: how near the components of a mixture lie to one another, and which to merge."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.divergence import Gaussians, bhattacharyya, merge_cost, pairwise, symmetric_kl
from gmmseg.core.merging import Merge, merge_steps
from gmmseg.core.parameters import MixtureParameters


@dataclass(frozen=True, eq=False)
class Similarity:
    """Hold how near every two components of a mixture lie, by four measures.

    All matrices are symmetric, finite and of shape (n_components, n_components).

    Parameters
    ----------
    parameters : MixtureParameters
        The mixture whose components are compared.
    bhattacharyya : ndarray
        Bhattacharyya distance, ``-log(integral of sqrt(p_i p_j))``, from 0 on the diagonal up.
    symmetric_kl : ndarray
        Kullback-Leibler divergence there and back, ``KL(p_i, p_j) + KL(p_j, p_i)``, in nats: 0 on
        the diagonal.
    merge_cost : ndarray
        How many nats per sample the mixture loses at most if the two become one Gaussian with the
        weight, the mean and the covariance (for "diag" and "spherical": the variances) of both;
        "tied" and "spherical" mixtures lose more where their family cannot hold that covariance.
        0 on the diagonal, and where a component has weight 0.

    See Also
    --------
    gmmseg.core.merge_mixtures : Merge components, and whole mixtures.

    References
    ----------
    Bhattacharyya (1943), "On a measure of divergence between two statistical populations defined by
    their probability distributions". Kullback, Leibler (1951), "On information and sufficiency".
    Runnalls (2007), "Kullback-Leibler approach to Gaussian mixture reduction", equation 21.

    Examples
    --------
    >>> from gmmseg.core import MixtureParameters
    >>> three = MixtureParameters(
    ...     [0.4, 0.4, 0.2], [[0.0], [2.0], [8.0]], [1.0, 1.0, 1.0], covariance_type="spherical"
    ... )
    >>> similarity = Similarity.of(three)
    >>> similarity.bhattacharyya[0]
    array([0. , 0.5, 8. ])
    >>> similarity.nearest_pair
    (0, 1)
    >>> [(merge.first, merge.second) for merge in similarity.merges]
    [((0,), (1,)), ((0, 1), (2,))]
    """

    parameters: MixtureParameters = field(repr=False)
    bhattacharyya: NDArray[np.float64]
    symmetric_kl: NDArray[np.float64]
    merge_cost: NDArray[np.float64]

    @classmethod
    def of(cls, parameters: MixtureParameters) -> "Similarity":
        """Compare every two components of a mixture."""
        gaussians = Gaussians.of(parameters)
        measures = (bhattacharyya, symmetric_kl, merge_cost)
        return cls(parameters, *(pairwise(measure, gaussians) for measure in measures))

    @cached_property
    def overlap(self) -> NDArray[np.float64]:
        """Bhattacharyya coefficient, ``integral of sqrt(p_i p_j)``: 0 apart, 1 where they agree.

        Who tells the two apart as well as can be, errs in at most ``overlap * sqrt(w_i w_j)`` of
        all samples (Kailath 1967).
        """
        return np.exp(-self.bhattacharyya)

    @cached_property
    def nearest_pair(self) -> tuple[int, int] | None:
        """The two components in use (weight above 0) of least Bhattacharyya distance."""
        used = np.flatnonzero(self.parameters.weights > 0.0)
        if len(used) < 2:
            return None
        distance = self.bhattacharyya[np.ix_(used, used)] + np.diag(np.full(len(used), np.inf))
        i, j = divmod(int(distance.argmin()), len(used))
        return int(used[i]), int(used[j])

    @cached_property
    def merges(self) -> tuple[Merge, ...]:
        """Every merge until one component is left: always the pair that costs least by then.

        Each has the groups that it puts together, ``first`` and ``second``, and its ``cost``,
        reckoned with what was merged before. Components of weight 0 go first, at no cost.
        """
        return merge_steps(self.parameters)
