from . import anomaly, audio, core, errors, evaluation, image, report
from .core import BayesianGaussianMixture, GaussianMixture

__all__ = [
    "BayesianGaussianMixture",
    "GaussianMixture",
    "anomaly",
    "audio",
    "core",
    "errors",
    "evaluation",
    "image",
    "report",
]

__version__: str
