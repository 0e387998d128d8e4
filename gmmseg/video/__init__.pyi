from .foreground import BackgroundSubtractor

__all__ = ["BackgroundSubtractor"]
