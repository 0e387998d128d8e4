"""Merging: two components into one, a mixture into a smaller one, two mixtures into one."""

from dataclasses import dataclass

import numpy as np

from gmmseg.core.covariance_base import clip_eigenvalues
from gmmseg.core.divergence import Array, Gaussians, merge_cost, pairwise, precision_factors
from gmmseg.core.noise import joined_noise
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError


@dataclass(frozen=True)
class Merge:
    """Record one step of a reduction.

    Parameters
    ----------
    first, second : tuple of int
        The components, as they were numbered at first, that had become one before this step, and
        the others that joined them in it.
    cost : float
        How far the mixture before diverges from the mixture after at most, in nats per sample.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    cost: float


def reduced(parameters: MixtureParameters, n_components: int) -> MixtureParameters:
    """Return the mixture reduced to fewer components by merging the cheapest pair in turn.

    Components keep their order; those that were merged stand where the first of them stood.

    Raises
    ------
    InputError
        If n_components is not a whole number from 1 to the number of components.
    """
    check_number("n_components", n_components, least=1, is_whole=True)
    if n_components > parameters.n_components:
        raise InputError(
            f"n_components must be at most {parameters.n_components}, as merging makes components "
            f"fewer, got {n_components}"
        )
    if n_components == parameters.n_components:
        return parameters
    gaussians, kept, _ = _merge_cheapest(parameters, n_components)
    return _in_family(gaussians, kept, parameters)


def merge_steps(parameters: MixtureParameters) -> tuple[Merge, ...]:
    """Return the steps that reduce a mixture to one component, each the cheapest at its time."""
    _, _, steps = _merge_cheapest(parameters, 1)
    return steps


def combined(
    first: MixtureParameters, second: MixtureParameters, share: float
) -> MixtureParameters:
    """Return all components of both mixtures, those of the first counting ``share`` in all.

    Raises
    ------
    InputError
        If the mixtures differ in their features or their family, or share lies outside 0…1.
    """
    kinds = [(one.n_features, one.covariance_type) for one in (first, second)]
    if kinds[0] != kinds[1]:
        raise InputError(
            "both mixtures must have the same number of features and covariance_type, got "
            f"{kinds[0]} and {kinds[1]}"
        )
    check_number("share", share, least=0)
    if share > 1:
        raise InputError(
            f"share must lie in 0…1, got {share!r}; of n and m samples it is n / (n + m)"
        )
    if share in (0, 1):
        return first if share == 1 else second
    parts = Gaussians.of(first), Gaussians.of(second)
    both = Gaussians(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
    shares = np.repeat([share, 1.0 - share], [first.n_components, second.n_components])
    both = both._replace(weights=both.weights * shares)
    merged = _in_family(both, list(range(len(both.weights))), first)
    return merged.with_noise(joined_noise(first.noise, second.noise, share))


def merge_mixtures(
    first: MixtureParameters,
    second: MixtureParameters,
    *,
    first_share: float = 0.5,
    n_components: int | None = None,
) -> MixtureParameters:
    """Merge two mixtures into one, as if it were fitted to the samples of both.

    All components of both are kept, unless ``n_components`` asks for fewer: then the pair that
    costs least is merged until so many are left, and the mean of the mixture and its covariance,
    as far as the family can hold it, stay what they were.

    Parameters
    ----------
    first, second : MixtureParameters
        Mixtures over the same features, of the same family.
    first_share : float, default=0.5
        Weight of the first mixture in the result, from 0 to 1: for mixtures that were fitted to n
        and to m samples, ``n / (n + m)``.
    n_components : int, optional
        Number of components wanted; all of both if None.

    Returns
    -------
    merged : MixtureParameters
        The mixture of both, those components first that come from the first. Components of "tied"
        mixtures share the mean of both covariances, by weight.

    Raises
    ------
    InputError
        If the mixtures differ in their features or their family, first_share lies outside 0…1, or
        n_components is not from 1 to the number of components of both.

    References
    ----------
    Runnalls (2007), "Kullback-Leibler approach to Gaussian mixture reduction", equations 2 to 4 and
    21, DOI 10.1109/TAES.2007.4383588.

    Examples
    --------
    >>> left = MixtureParameters([1.0], [[-1.0]], [[1.0]], covariance_type="diag")
    >>> right = MixtureParameters([1.0], [[3.0]], [[1.0]], covariance_type="diag")
    >>> merge_mixtures(left, right, first_share=0.75).weights
    array([0.75, 0.25])
    >>> merge_mixtures(left, right, first_share=0.75, n_components=1).means
    array([[0.]])
    """
    both = combined(first, second, first_share)
    return both if n_components is None else reduced(both, n_components)


def _merge_cheapest(
    parameters: MixtureParameters, n_components: int
) -> tuple[Gaussians, list[int], tuple[Merge, ...]]:
    """Merge the cheapest pair in turn; return all Gaussians, the places in use, and the steps."""
    gaussians = Gaussians.of(parameters)
    groups: dict[int, tuple[int, ...]] = {k: (k,) for k in range(parameters.n_components)}
    costs = pairwise(merge_cost, gaussians)
    np.fill_diagonal(costs, np.inf)
    steps = []
    while len(groups) > n_components:
        i, j = divmod(int(costs.argmin()), len(costs))
        steps.append(Merge(groups[i], groups[j], float(costs[i, j])))
        _merge(gaussians, i, j)
        groups[i] += groups.pop(j)
        costs[j] = costs[:, j] = np.inf
        others = np.array([k for k in groups if k != i], dtype=np.intp)
        costs[i, others] = costs[others, i] = merge_cost(gaussians, i, others)
    return gaussians, list(groups), tuple(steps)


def _merge(gaussians: Gaussians, i: int, j: int) -> None:
    """Put the weight, mean and covariance of Gaussians i and j together in the place of i.

    The moments of the two stay (Runnalls 2007, equations 2 to 4).
    """
    weights, means, covariances, factors = gaussians
    total = weights[i] + weights[j]
    share = weights[i] / total if total > 0.0 else 0.5
    dev = gaussians.deviations(i, np.array([j]))[0]
    between = np.outer(dev, dev) if covariances.ndim == 3 else dev**2
    within = share * covariances[i] + (1.0 - share) * covariances[j]
    covariances[i] = _positive(within + share * (1.0 - share) * between)
    factors[i] = precision_factors(covariances[[i]])[0]
    means[i] += (1.0 - share) * dev
    weights[i] = total


def _positive(covariance: Array) -> Array:
    """Return the matrix, or what rounding made singular with its smallest eigenvalues raised."""
    if covariance.ndim == 1:
        return covariance
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / scale / scale[:, None]
    raised = clip_eigenvalues(correlation, 8.0 * len(scale) * np.finfo(np.float64).eps)
    return covariance if np.array_equal(raised, correlation) else raised * np.outer(scale, scale)


def _in_family(
    gaussians: Gaussians, kept: list[int], parameters: MixtureParameters
) -> MixtureParameters:
    """Return a mixture of those kept, with the covariances that their family can hold."""
    weights = gaussians.weights[kept]
    covariances = parameters.family.estimate(gaussians.covariances[kept], weights, 0.0)
    return parameters.replaced(
        weights=weights, means=gaussians.means[kept], covariances=covariances
    )
