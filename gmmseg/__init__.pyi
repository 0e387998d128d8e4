from . import core, errors, image, report
from .core import GaussianMixture

__all__ = ["GaussianMixture", "core", "errors", "image", "report"]

__version__: str
