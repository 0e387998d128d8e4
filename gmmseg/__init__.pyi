from . import anomaly, audio, core, errors, evaluation, image, report, smoothing, video
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
    "smoothing",
    "video",
]

__version__: str
