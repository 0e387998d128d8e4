"""Edge strength: how much colour and texture differ between the two halves of a disc."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.threads import run_in_threads
from gmmseg.image.region_features import Floats, Mask, color_codes, smoothed, texture_codes
from gmmseg.image.region_kernels import (
    OUTSIDE,
    add_half_disc_differences,
    strongest_line_means,
)
from gmmseg.smoothing.grid import ranges_of_lines

N_ORIENTATIONS = 8
# Radius of the disc, in pixels, and weight: for the first colour (lightness), for each other one,
# and for texture, which needs more pixels to be seen.
FIRST_RADIUS, FIRST_WEIGHT = 5, 0.7
OTHER_RADIUS, OTHER_WEIGHT = 10, 0.7
TEXTURE_RADIUS, TEXTURE_WEIGHT = 10, 0.5
LINE_LENGTH = 5  # half of it, in pixels
BLUR = 1.0  # of the histograms of colours, in bins
ROUNDED_TO = 1.0 / 1024  # so that what is even but for rounding has no edges


def edge_strength(colors: Floats, inside: Mask, *, n_jobs: int | None = None) -> Floats:
    """Return how strong an edge runs through every pixel, from 0 to 1, (rows, cols).

    A disc around the pixel is cut in half in eight directions; the histograms of each colour, and
    of texture, in the two halves are compared by the chi-square distance (Martin, Fowlkes, Malik
    2004, "Learning to detect natural image boundaries using local brightness, color, and texture
    cues"). The weighted mean of all these, averaged along the line of the cut, is largest where
    the cut follows an edge.
    """
    ranges = ranges_of_lines((1, *inside.shape))
    differences = np.zeros((N_ORIENTATIONS, *inside.shape), dtype=np.float32)
    weight_sum = 0.0
    for codes, blur, radius, weight in _cues(colors, inside):
        coded = np.where(inside, codes, np.uint8(OUTSIDE))
        steps, scale = disc_steps(radius, N_ORIENTATIONS), np.float32(weight)
        add = partial(add_half_disc_differences, coded, blur, steps, scale, differences)
        run_in_threads(add, ranges, n_jobs)
        weight_sum += weight
    out = np.empty(inside.shape, dtype=np.float32)
    steps, weights = line_steps(LINE_LENGTH, N_ORIENTATIONS)
    along = partial(strongest_line_means, differences, inside, steps, weights, out)
    run_in_threads(along, ranges, n_jobs)
    strength = smoothed(out, inside, 1.0) / np.float32(weight_sum)
    return np.rint(strength / np.float32(ROUNDED_TO)) * np.float32(ROUNDED_TO)


def disc_steps(radius: int, n_orientations: int) -> NDArray[np.intp]:
    """Return the steps (row, col) to the pixels of a disc, and the sector of each, (n, 3).

    Sector i lies between the angles ``i + 1/2`` and ``i + 3/2`` times ``π / n_orientations``: no
    pixel lies on a cut, and the cuts of the transposed image are the transposed cuts.
    """
    row, col = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
    turn = np.arctan2(row, col) * (n_orientations / np.pi) - 0.5
    sector = np.floor(turn).astype(np.intp) % (2 * n_orientations)
    is_inside = (row**2 + col**2 <= radius**2) & ((row != 0) | (col != 0))
    return np.stack([row, col, sector], axis=1)[is_inside]


def line_steps(length: int, n_orientations: int) -> tuple[NDArray[np.intp], Floats]:
    """Return the steps along lines of every orientation, (n_orientations, n, 2), and weights."""
    way = np.arange(-length, length + 1)
    angles = (np.arange(n_orientations)[:, np.newaxis] + 0.5) * (np.pi / n_orientations)
    steps = np.stack([way * np.sin(angles), way * np.cos(angles)], axis=2)
    weights = np.exp(-0.5 * (way / (length / 2)) ** 2)
    return np.rint(steps).astype(np.intp), weights.astype(np.float32)


def _cues(colors: Floats, inside: Mask) -> list[tuple[NDArray[np.uint8], Floats, int, float]]:
    """Return the codes whose histograms are compared, with blur, radius and weight."""
    first = colors[:, :, 0]
    others = [colors[:, :, i] for i in range(1, colors.shape[2])]
    blur = gaussian_weights(BLUR)
    sharp = np.ones(1, dtype=np.float32)
    return [
        (color_codes(first), blur, FIRST_RADIUS, FIRST_WEIGHT),
        *((color_codes(color), blur, OTHER_RADIUS, OTHER_WEIGHT) for color in others),
        (texture_codes(first, inside), sharp, TEXTURE_RADIUS, TEXTURE_WEIGHT),
    ]


def gaussian_weights(scale: float) -> Floats:
    """Return weights of a Gaussian out to two standard deviations, (an odd number,)."""
    reach = int(np.ceil(2 * scale))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / scale) ** 2)
    return (weights / weights.sum()).astype(np.float32)
