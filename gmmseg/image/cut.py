"""Cut an object out of an image or a volume, from a box around it or a few marked pixels."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number, generator_of
from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image.arrays import with_channels
from gmmseg.image.cut_grid import (
    BACKGROUND,
    FOREGROUND,
    UNKNOWN,
    CutGrid,
    scaled_channels,
)
from gmmseg.image.cut_rounds import CutOptions
from gmmseg.image.cut_shading import without_shading
from gmmseg.image.cut_starts import cut
from gmmseg.image.pixels import checked_mask, shaped_like

# The surroundings that the background is learned from, on each side of a box, in lengths of it.
# What lies further off is often something else.
SURROUNDINGS = 0.4
# A voxel has 18 neighbours where a pixel has 8, and a body more border to its inside than a disc:
# what holds a picture together makes a body shrink or fill its box.
SMOOTHNESS, SMOOTHNESS_OF_VOLUMES = 17.0, 3.0
NOTHING_FOUND = (
    "nothing was cut out: all pixels look like the background; mark some of the object in seeds, "
    "draw the box closer, or lower smoothness"
)


def cut_foreground(
    image: ArrayLike,
    *,
    box: tuple[int, ...] | None = None,
    seeds: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    channel_axis: int | None = -1,
    spacing: tuple[float, ...] | None = None,
    n_components: int = 5,
    smoothness: float | None = None,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> NDArray[np.bool_]:
    """Return where an object is that a box encloses, or that a few marked pixels belong to.

    Two Gaussian mixtures learn what the object and what its surroundings look like. The border
    is the one of least energy: pixels on the wrong side cost, and so does the border, least where
    neighbours differ most. Mixtures and border are improved in turns.

    Parameters
    ----------
    image : array_like of shape (rows, cols[, channels]) or (planes, rows, cols[, channels])
        Image or volume of any number of channels; boolean, integer or floating.
    box : tuple of int, optional
        (x0, y0, x1, y1): first column and row of the object, and those after its last. In a
        volume (x0, y0, z0, x1, y1, z1). Nothing outside is foreground.
    seeds : array_like of int of the image's shape without channels, optional
        0 where nothing is known, 1 at pixels of the background, 2 at those of the object. It may
        be given with a box or without.
    mask : array_like of bool of the image's shape without channels, optional
        True (or not 0) where pixels are used; the others are not foreground. Pixels that are not
        finite are never used.
    channel_axis : int or None
        Axis of the channels; None if there is none, so that three axes are a volume. An image of
        two axes has none in any case.
    spacing : tuple of float, optional
        Distance between neighbouring pixels along each axis but that of the channels; all 1 if
        None.
    n_components : int
        Gaussians on each side, fewer on a side of few pixels.
    smoothness : float, optional
        How much the border counts against the pixels, at least 0; 17 in an image and 3 in a volume
        if None. Search it on a log scale: 5, 10, 20, 40, in a volume 1, 2, 4, 8.
    random_state : int or None
        Seed: the same seed gives the same mask.
    n_jobs : int or None
        Number of threads; all processors if None. The mask does not depend on it.

    Returns
    -------
    foreground : ndarray of bool of the image's shape without channels
        True at the object; nowhere, with a warning, if all pixels look like the background.

    Raises
    ------
    InputError
        If the image, the box or the seeds cannot be used, or neither a box nor seeds are given.

    References
    ----------
    Rother, Kolmogorov, Blake (2004), "GrabCut: interactive foreground extraction using iterated
    graph cuts", https://doi.org/10.1145/1015706.1015720

    Examples
    --------
    >>> image = np.zeros((20, 30), dtype=np.uint8)
    >>> image[5:15, 10:20] = 200
    >>> foreground = cut_foreground(image, box=(7, 3, 24, 17))
    >>> foreground.sum(), foreground[5:15, 10:20].all()
    (np.int64(100), np.True_)
    """
    check_number("n_components", n_components, least=1, is_whole=True)
    pixels = with_channels(image, channel_axis)
    shape = pixels.shape[:-1]
    smoothness = usual_smoothness(shape) if smoothness is None else smoothness
    check_number("smoothness", smoothness, least=0)
    grid, part = cut_grid(pixels, Hints(box, seeds, mask), spacing)
    foreground = np.zeros((1,) * (3 - len(shape)) + shape, dtype=bool)
    if grid.unknown.any():
        options = CutOptions(n_components, smoothness, generator_of(random_state), n_jobs)
        grid = without_shading(grid, options.rng.spawn(1)[0], n_jobs)
        foreground[part] = cut(grid, options).mask
        if not foreground.any():
            warnings.warn(NOTHING_FOUND, GmmsegWarning, stacklevel=2)
    else:
        foreground[part] = grid.known == FOREGROUND
    return foreground.reshape(shape)


def usual_smoothness(shape: tuple[int, ...]) -> float:
    """Return the smoothness for an image, or a volume of more than one plane."""
    return SMOOTHNESS if shape[:-2] in ((), (1,)) else SMOOTHNESS_OF_VOLUMES


@dataclass(frozen=True, eq=False)
class Hints:
    """What the user says of an image."""

    box: tuple[int, ...] | None
    seeds: ArrayLike | None
    mask: ArrayLike | None


def cut_grid(
    pixels: NDArray[Any], hints: Hints, spacing: tuple[float, ...] | None
) -> tuple[CutGrid, tuple[slice, ...]]:
    """Return what there is to cut, and which part of the volume it is."""
    shape = pixels.shape[:-1]
    if hints.box is None and hints.seeds is None:
        raise InputError("where is the object? give a box around it, or seeds")
    known, part = boxed(hints.box, shape)
    usable = np.ones(shape, dtype=bool)
    if hints.mask is not None:
        usable = checked_mask(hints.mask, shape)
    if hints.seeds is not None:
        mark_seeds(known, shaped_like(hints.seeds, "seeds", shape))
    pixels, usable, known = pixels[part], usable[part], known[part]
    usable = usable & np.isfinite(pixels).all(axis=-1)
    if not usable.any():
        raise InputError("no pixel is left to cut: all are masked out, NaN or infinite")
    known[~usable] = BACKGROUND
    if not (known != BACKGROUND).any():
        raise InputError(
            "no pixel can be foreground: all are background, masked out, NaN or infinite"
        )
    as_volume = (1,) * (3 - len(shape))
    grid = CutGrid(
        features=scaled_channels(pixels, usable).reshape(as_volume + pixels.shape),
        usable=usable.reshape(as_volume + usable.shape),
        known=known.reshape(as_volume + known.shape),
        coupled=usable.reshape(as_volume + usable.shape),
        spacing=lengths(spacing, len(shape)),
    )
    return grid, tuple(slice(0, 1) for _ in as_volume) + part


def boxed(
    box: tuple[int, ...] | None, shape: tuple[int, ...]
) -> tuple[NDArray[np.int8], tuple[slice, ...]]:
    """Return what a box says of all pixels, and where it and its surroundings are."""
    if box is None:
        return np.full(shape, UNKNOWN, dtype=np.int8), tuple(slice(0, n) for n in shape)
    is_plane = len(shape) == 2
    names = "(x0, y0, x1, y1)" if is_plane else "(x0, y0, z0, x1, y1, z1)"
    corners = np.asarray(box)
    if corners.shape != (2 * len(shape),) or corners.dtype.kind not in "iu":
        what = "an image" if is_plane else "a volume"
        raise InputError(f"box must be whole numbers {names} in {what}, got {box}")
    first, last = corners[: len(shape)][::-1].astype(int), corners[len(shape) :][::-1].astype(int)
    first, last = np.maximum(first, 0), np.minimum(last, shape)
    if (first >= last).any():
        raise InputError(
            f"box {names} must enclose pixels of the image, got {tuple(box)} on an image of "
            f"shape {shape}; x counts columns, y rows{'' if is_plane else ', z planes'}, and the "
            "end lies outside"
        )
    inside = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    known = np.full(shape, BACKGROUND, dtype=np.int8)
    known[inside] = UNKNOWN
    margin = np.maximum(np.ceil(SURROUNDINGS * (last - first)), 2).astype(int)
    starts, ends = np.maximum(first - margin, 0), np.minimum(last + margin, shape)
    return known, tuple(slice(a, b) for a, b in zip(starts, ends, strict=True))


def mark_seeds(known: NDArray[np.int8], seeds: NDArray[Any]) -> None:
    """Write the seeds into what is known; outside a box all stays background."""
    if not np.isin(seeds, (0, 1, 2)).all():
        other = seeds[~np.isin(seeds, (0, 1, 2))][0]
        raise InputError(
            f"seeds must be 0 (unknown), 1 (background) or 2 (foreground), got {other}"
        )
    if not seeds.any():
        raise InputError(
            "seeds are 0 everywhere; mark some pixels 1 (background) or 2 (foreground)"
        )
    known[seeds == 1] = BACKGROUND
    known[(seeds == 2) & (known == UNKNOWN)] = FOREGROUND


def lengths(spacing: tuple[float, ...] | None, n_axes: int) -> tuple[float, float, float]:
    """Return the length of a step along each of three axes."""
    steps = np.ones(n_axes) if spacing is None else np.asarray(spacing, dtype=np.float64)
    if steps.shape != (n_axes,) or not np.all(np.isfinite(steps) & (steps > 0)):
        raise InputError(
            f"spacing must be {n_axes} lengths above 0, one for each axis, got {spacing}"
        )
    planes, rows, cols = np.concatenate([np.ones(3 - n_axes), steps])
    return float(planes), float(rows), float(cols)
