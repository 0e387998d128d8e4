from .bayesian import BayesianGaussianMixture
from .estep import expectation
from .mixture import GaussianMixture
from .mstep import maximization
from .parameters import MixtureParameters
from .statistics import SufficientStatistics

__all__ = [
    "BayesianGaussianMixture",
    "GaussianMixture",
    "MixtureParameters",
    "SufficientStatistics",
    "expectation",
    "maximization",
]
