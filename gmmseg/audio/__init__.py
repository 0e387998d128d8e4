"""Sound: frames become samples, and the mixtures that explain them say who speaks, and when."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
