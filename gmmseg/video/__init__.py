"""Pictures in time: every pixel has a mixture of its own, and what it does not explain moves."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
