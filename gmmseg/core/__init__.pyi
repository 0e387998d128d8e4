from .estep import expectation
from .mixture import GaussianMixture
from .mstep import maximization
from .parameters import MixtureParameters
from .selection import Selection
from .statistics import SufficientStatistics

__all__ = [
    "GaussianMixture",
    "MixtureParameters",
    "Selection",
    "SufficientStatistics",
    "expectation",
    "maximization",
]
