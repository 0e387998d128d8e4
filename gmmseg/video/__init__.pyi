from .foreground import BackgroundSubtractor
from .io import Video, open_video
from .regions import MovingRegion, moving_regions, write_regions
from .scene import Event

__all__ = [
    "BackgroundSubtractor",
    "Event",
    "MovingRegion",
    "Video",
    "moving_regions",
    "open_video",
    "write_regions",
]
