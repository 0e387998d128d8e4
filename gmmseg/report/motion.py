"""Draw what moves: a frame with its mask over it, and how much moved over time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.report.plotting import CURVE, draw_in_ink, new_figure
from gmmseg.video.pixel_model import MOVING, SHADOW

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOTION, SHADE = (255, 70, 40), (60, 120, 255)
STRENGTH = 0.45  # of the colour over what moves
DIMMED = 0.75  # of the light that is left elsewhere
MARK = "#C8501E"
MOST_NAMES = 12  # events that are named in the picture


def overlay_motion(frame: ArrayLike, mask: ArrayLike) -> NDArray[np.uint8]:
    """Return a frame with what moves tinted red and outlined, and shadows blue.

    Parameters
    ----------
    frame : array_like of shape (rows, cols) or (rows, cols, n_channels)
        Of uint8, uint16, bool, or floating in 0…1; if not of 3 channels, their mean is shown.
    mask : array_like of uint8, shape (rows, cols)
        Of 0, 127 shadow and 255 moving.

    Returns
    -------
    picture : ndarray of uint8, shape (rows, cols, 3)
        To look at.

    Raises
    ------
    InputError
        If frame and mask differ in size.

    Examples
    --------
    >>> mask = np.zeros((9, 9), np.uint8)
    >>> mask[2:7, 2:7] = 255
    >>> overlay_motion(np.full((9, 9), 100, np.uint8), mask)[4, 4]
    array([169,  86,  73], dtype=uint8)
    """
    from gmmseg.video.frames import as_levels, level_values

    levels, labels = as_levels(frame), np.asarray(mask)
    if labels.shape != levels.shape[:2]:
        raise InputError(f"mask has shape {labels.shape}, the frame {levels.shape[:2]}")
    light = levels * level_values(levels.dtype)[1]
    if light.shape[2] != 3:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    moving = labels == MOVING
    picture = light * np.where(moving, 1.0, DIMMED)[:, :, np.newaxis]
    for where, color in ((moving, MOTION), (labels == SHADOW, SHADE)):
        picture[where] = (1 - STRENGTH) * light[where] + STRENGTH * np.array(color)
    picture[_border(moving)] = MOTION
    return picture.astype(np.uint8)


def _border(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels inside that have a neighbour outside."""
    padded = np.pad(inside, 1, mode="edge")
    around = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inside & ~around


def plot_motion(
    shares: ArrayLike, *, fps: float, events: Mapping[int, str] | None = None
) -> "Figure":
    """Draw how much of the picture moved over time, and what happened to the whole picture.

    Parameters
    ----------
    shares : array_like of shape (n_frames,)
        Share of the pixels that moved in each frame, 0…1.
    fps : float
        Frames per second.
    events : mapping of int to str, optional
        Number of a frame, from 0, and what happened in it, such as "light changed".

    Returns
    -------
    figure : matplotlib Figure
        The figure; ``figure.savefig("timeline.png")`` writes it.

    Raises
    ------
    InputError
        If there are no frames, or the shares are not of one dimension.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> figure = plot_motion([0.0, 0.02, 0.03, 0.0], fps=25.0, events={2: "light changed"})
    >>> figure.axes[0].get_ylabel()
    'moving, %'
    """
    values = np.asarray(shares, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise InputError(f"shares must have shape (n_frames,), got {values.shape}")
    figure = new_figure((10.0, 2.8), dpi=120)
    ax = figure.add_subplot()
    draw_in_ink(ax)
    seconds = np.arange(len(values)) / fps
    ax.fill_between(seconds, 0.0, 100 * values, color=CURVE, alpha=0.3, lw=0, step="mid")
    ax.plot(seconds, 100 * values, color=CURVE, lw=1.2, drawstyle="steps-mid")
    highest = max(100 * float(values.max()), 0.1)
    for place, (frame, name) in enumerate((events or {}).items()):
        ax.axvline(frame / fps, color=MARK, lw=1.0, ls=(0, (4, 3)))
        if place < MOST_NAMES:
            ax.text(frame / fps, 1.18 * highest, f" {name}", color=MARK, fontsize=8, va="top")
    ax.set_xlim(0.0, max(seconds[-1], 1.0 / fps))
    ax.set_ylim(0.0, 1.2 * highest)
    ax.set_ylabel("moving, %")
    ax.set_xlabel("time, s")
    return figure
