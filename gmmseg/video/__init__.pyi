from .foreground import BackgroundSubtractor
from .io import Video, open_video
from .regions import MovingRegion, moving_regions, write_regions

__all__ = [
    "BackgroundSubtractor",
    "MovingRegion",
    "Video",
    "moving_regions",
    "open_video",
    "write_regions",
]
