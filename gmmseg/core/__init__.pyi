from .bayesian import BayesianGaussianMixture
from .estep import expectation
from .merging import merge_mixtures
from .mixture import GaussianMixture
from .mstep import maximization
from .parameters import MixtureParameters
from .similarity import Similarity
from .statistics import SufficientStatistics

__all__ = [
    "BayesianGaussianMixture",
    "GaussianMixture",
    "MixtureParameters",
    "Similarity",
    "SufficientStatistics",
    "expectation",
    "maximization",
    "merge_mixtures",
]
