"""What moves, one region at a time: its box, its area, and when."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike

from gmmseg.errors import InputError
from gmmseg.files import replacing
from gmmseg.video.pixel_model import MOVING

EIGHT = np.ones((3, 3), int)  # pixels that touch at a corner hang together


@dataclass(frozen=True, order=True)
class MovingRegion:
    """One region that moves in one frame.

    Parameters
    ----------
    frame : str
        Name or number of the frame.
    time : float
        When, in seconds from the first frame on.
    x0, y0, x1, y1 : int
        Box: first column and row, and those after the last.
    area : int
        Pixels that move in it.

    Examples
    --------
    >>> region = MovingRegion("000031", 1.2, x0=3, y0=2, x1=9, y1=5, area=18)
    >>> region.x1 - region.x0
    6
    """

    frame: str
    time: float
    x0: int
    y0: int
    x1: int
    y1: int
    area: int


def moving_regions(mask: ArrayLike, *, frame: str = "", time: float = 0.0) -> list[MovingRegion]:
    """Return the regions that move in a mask, from the largest to the smallest.

    Parameters
    ----------
    mask : array_like of uint8, shape (rows, cols)
        255 where something moves, as `BackgroundSubtractor.apply` returns it.
    frame : str
        Name of the frame.
    time : float
        When it was, in seconds.

    Returns
    -------
    regions : list of MovingRegion
        Pixels that touch, be it at a corner, are one region.

    Raises
    ------
    InputError
        If the mask does not have two dimensions.

    Examples
    --------
    >>> mask = np.zeros((10, 12), np.uint8)
    >>> mask[2:5, 3:9] = 255
    >>> moving_regions(mask, frame="7", time=0.28)
    [MovingRegion(frame='7', time=0.28, x0=3, y0=2, x1=9, y1=5, area=18)]
    """
    from scipy.ndimage import find_objects, label

    values = np.asarray(mask)
    if values.ndim != 2:
        raise InputError(f"mask must have shape (rows, cols), got {values.shape}")
    labels, _ = label(values == MOVING, EIGHT)
    areas = np.bincount(labels.ravel())
    regions = [
        MovingRegion(frame, time, cols.start, rows.start, cols.stop, rows.stop, int(areas[number]))
        for number, (rows, cols) in enumerate(find_objects(labels), start=1)
    ]
    return sorted(regions, key=lambda region: (-region.area, region.y0, region.x0))


def write_regions(path: str | PathLike[str], regions: Iterable[MovingRegion]) -> None:
    """Write regions as CSV: frame,time,x0,y0,x1,y1,area.

    Parameters
    ----------
    path : str or path
        File to write.
    regions : iterable of MovingRegion
        Rows of the table.

    Raises
    ------
    InputError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "regions.csv")
    >>> write_regions(path, [MovingRegion("7", 0.28, 3, 2, 9, 5, 18)])
    >>> print(path.read_text().splitlines()[1])
    7,0.28,3,2,9,5,18
    >>> folder.cleanup()
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(MovingRegion)])
        table.writerows(astuple(region) for region in regions)
