from . import anomaly, audio, core, errors, evaluation, image, report, video
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
    "video",
]

__version__: str
