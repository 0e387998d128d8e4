from .bayesian import BayesianGaussianMixture
from .estep import expectation
from .loading import load_mixture
from .merging import merge_mixtures
from .mixture import GaussianMixture
from .mstep import maximization
from .noise import UniformNoise
from .parameters import MixtureParameters
from .selection import Selection
from .similarity import Similarity
from .statistics import SufficientStatistics

__all__ = [
    "BayesianGaussianMixture",
    "GaussianMixture",
    "MixtureParameters",
    "Selection",
    "Similarity",
    "SufficientStatistics",
    "UniformNoise",
    "expectation",
    "load_mixture",
    "maximization",
    "merge_mixtures",
]
