"""Stepwise EM: a mixture that learns from one block of samples after another, and forgets."""

from gmmseg.core.data import LARGEST_SUM
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.mstep import maximize
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics


def learned(
    parameters: MixtureParameters,
    record: FitRecord,
    statistics: SufficientStatistics,
    options: EMOptions,
    *,
    forgetting_rate: float,
) -> tuple[MixtureParameters, FitRecord]:
    """Return the mixture after one more block of samples, and the record of this.

    What the mixture knows of earlier samples is kept as the statistics that it is the M-step of,
    so nothing but the mixture is carried from block to block. With the weight n of the block and
    N of all samples so far, these included, the new statistics get the share
    ``(n / N) ** forgetting_rate``: at rate 1 all samples count the same, below it old ones fade.

    Parameters
    ----------
    parameters : MixtureParameters
        The mixture before.
    record : FitRecord
        Its record, which knows the total weight of the samples that it has learned from.
    statistics : SufficientStatistics
        Those of the new block under it.
    options : EMOptions
        Floor of the variances, and what stays fixed.
    forgetting_rate : float
        Above 0.5, so that what chance does to single blocks averages out, and up to 1.

    Returns
    -------
    parameters : MixtureParameters
        The mixture after.
    record : FitRecord
        The likelihood of the block under the mixture before, and the weight of all samples so far.

    References
    ----------
    Cappé, Moulines (2009), "On-line expectation-maximization algorithm for latent data models",
    equation 12.
    """
    block = statistics.weight_sum
    seen = record.weight_sum + block
    share = (block / seen) ** forgetting_rate
    before = SufficientStatistics.of_parameters(parameters, (1.0 - share) / share * block)
    both = before + statistics
    floor = options.floor_of(both)
    after = FitRecord(
        (statistics.mean_log_likelihood,),
        is_converged=False,
        stop_reason="learned from a block of samples",
        events=record.events,
        weight_sum=min(seen, LARGEST_SUM),
    )
    return maximize(both, parameters, floor, fixed=options.fixed), after
