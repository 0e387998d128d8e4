from . import core, errors, image, report
from .core import BayesianGaussianMixture, GaussianMixture

__all__ = ["BayesianGaussianMixture", "GaussianMixture", "core", "errors", "image", "report"]

__version__: str
