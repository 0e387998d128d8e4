"""Pictures: pixels become samples, and the components that explain them become segments."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
