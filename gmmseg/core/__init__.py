"""Gaussian mixtures over a table of weighted samples; what a sample is, the core does not know."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
