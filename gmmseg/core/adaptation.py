"""MAP adaptation: move a mixture towards new data, as far as there is data to move it."""

import warnings
from dataclasses import replace

import numpy as np

from gmmseg.core.covariance_base import Array, Floor, diagonals, shares_of
from gmmseg.core.mstep import maximize
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.statistics import SufficientStatistics
from gmmseg.core.validation import check_number
from gmmseg.errors import GmmsegWarning

FAR = 5.0  # standard deviations: samples that far on average belong to another mixture


def adapted(
    parameters: MixtureParameters,
    statistics: SufficientStatistics,
    *,
    relevance_factor: float = 16.0,
    floor: Floor,
) -> MixtureParameters:
    """Return the mixture adapted to the data behind the statistics.

    A component that explains ``n`` samples of the new data goes ``n / (n + relevance_factor)`` of
    the way to them: weights, means and second moments are mixed in that proportion. That is the
    M-step of the new statistics with ``relevance_factor`` samples of the old component added to
    them, except that weights are mixed as shares, that of noise, too.

    Parameters
    ----------
    parameters : MixtureParameters
        The mixture before, which is the prior.
    statistics : SufficientStatistics
        Result of `expectation` of the new data with the same parameters.
    relevance_factor : float, default=16.0
        Number of samples that the prior counts as, in each component.
    floor : float or ndarray of shape (n_features,)
        Smallest variance, in squared units of the data.

    Returns
    -------
    adapted : MixtureParameters
        The new mixture, of the same family.

    Raises
    ------
    InputError
        If relevance_factor is negative.

    References
    ----------
    Reynolds, Quatieri, Dunn (2000), "Speaker verification using adapted Gaussian mixture models",
    equations 11 to 14.
    """
    check_number("relevance_factor", relevance_factor, least=0)
    if not statistics.weight_sum > 0.0:
        return parameters
    prior = SufficientStatistics(
        means=parameters.means,
        resp_sum=np.full(parameters.n_components, float(relevance_factor)),
        dev_sum=np.zeros_like(parameters.means),
        dev2_sum=relevance_factor * parameters.component_covariances,
        log_likelihood=0.0,
    )
    moved = maximize(statistics + prior, parameters, floor)
    count = np.append(statistics.resp_sum, statistics.noise_sum)
    pull = count / np.where(count + relevance_factor > 0.0, count + relevance_factor, 1.0)
    before = np.append(parameters.weights, parameters.noise_weight)
    shares = shares_of(pull * count / statistics.weight_sum + (1.0 - pull) * before)
    noise = parameters.noise
    return MixtureParameters.trusted(
        shares[:-1],
        moved.means,
        moved.covariances,
        parameters.covariance_type,
        noise=None if noise is None else replace(noise, weight=float(shares[-1])),
    )


def standard_deviations_off(
    statistics: SufficientStatistics, parameters: MixtureParameters
) -> Array:
    """Return how far samples lie from the components that explain them, (n_features,).

    It is the root mean square of their deviations in standard deviations of the component: about 1
    for samples of the mixture.
    """
    squares: Array = (diagonals(statistics.dev2_sum) / parameters.component_variances).sum(axis=0)
    return np.sqrt(squares / max(float(statistics.resp_sum.sum()), np.finfo(np.float64).tiny))


def warn_if_far(off: Array, names: tuple[str, ...]) -> None:
    """Warn of new samples that the mixture before can have nothing to do with."""
    worst = int(off.argmax())
    if off[worst] > FAR:
        feature = repr(names[worst]) if names else worst
        warnings.warn(
            f"the new samples lie {off[worst]:.3g} standard deviations from the mixture in feature "
            f"{feature} (root mean square); see whether they are of the same kind and unit",
            GmmsegWarning,
            stacklevel=3,
        )
