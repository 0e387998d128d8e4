"""Stepwise EM: a mixture that learns from one block of samples after another, and forgets."""

from gmmseg.core.mstep import maximize, variance_floor
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics


def updated(
    parameters: MixtureParameters,
    seen: float,
    statistics: SufficientStatistics,
    *,
    forgetting_rate: float,
    covariance_floor: float,
    fixed: frozenset[str] = frozenset(),
) -> MixtureParameters:
    """Return the mixture after one more block of samples.

    What the mixture knows of earlier samples is kept as the statistics that it is the M-step of,
    so nothing but the mixture is carried from block to block. With the weight n of the block and
    N of all samples so far, these included, the new statistics get the share
    ``(n / N) ** forgetting_rate``: at rate 1 all samples count the same, below it old ones fade.

    Parameters
    ----------
    parameters : MixtureParameters
        The mixture before.
    seen : float
        Total weight of the samples that it has learned from.
    statistics : SufficientStatistics
        Those of the new block under it.
    forgetting_rate : float
        Above 0.5, so that what chance does to single blocks averages out, and up to 1.
    covariance_floor : float
        Smallest variance, as a fraction of the mean feature variance.
    fixed : frozenset of str, default=frozenset()
        Which of "weights", "means" and "covariances" stay as they are.

    Returns
    -------
    parameters : MixtureParameters
        The mixture after.

    References
    ----------
    Cappé, Moulines (2009), "On-line expectation-maximization algorithm for latent data models",
    equation 12.
    """
    block = statistics.weight_sum
    if not block > 0.0:
        return parameters
    share = (block / (seen + block)) ** forgetting_rate
    before = SufficientStatistics.of_parameters(parameters, (1.0 - share) / share * block)
    both = before + statistics
    return maximize(both, parameters, variance_floor(both, covariance_floor), fixed=fixed)
