"""Make field.jpg and field_labels.png: made seedlings on made soil from above, with their truth.

Rows of plants with a few broad leaves each, and weeds between them, on brown crumbs of soil; a
shadow falls across, and the camera adds noise. No field was photographed.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

ROWS, COLS = 300, 400
SOIL, DRY_SOIL = (96, 68, 48), (150, 118, 88)
GREEN, LIGHT_GREEN = (62, 104, 38), (128, 168, 74)
NOISE = 5.0
SHADOW = 0.55
FOLDER = Path(__file__).parent


def leaf(height, row, col, *, angle, length):
    """Raise the height of plants where one leaf lies: pointed, highest along its rib."""
    y, x = np.mgrid[:ROWS, :COLS]
    along = (x - col) * np.cos(angle) + (y - row) * np.sin(angle)
    across = (y - row) * np.cos(angle) - (x - col) * np.sin(angle)
    share = along / length
    width = 0.3 * length * np.sin(np.pi * np.clip(share, 0, 1)) ** 0.8
    inside = (share > 0) & (share < 1) & (np.abs(across) < width)
    rise = 1 - 0.8 * np.abs(across) / np.maximum(width, 1)
    height[inside] = np.maximum(height, rise * (0.6 + 0.4 * share))[inside]


def make_plants(rng):
    """Return how high the plants stand, 0 where there are none."""
    height = np.zeros((ROWS, COLS))
    for line in (70, 160, 245):
        for col in np.arange(30, COLS, 62):
            middle = line + rng.normal(scale=4), col + rng.normal(scale=6)
            first = rng.uniform(0, 2 * np.pi)
            for turn in range(rng.integers(4, 7)):
                leaf(height, *middle, angle=first + 2.4 * turn, length=rng.uniform(18, 32))
    for _ in range(26):
        middle = rng.uniform((0, 0), (ROWS, COLS))
        for turn in range(3):
            angle = rng.uniform(0, 7) + 2.1 * turn
            leaf(height, *middle, angle=angle, length=rng.uniform(5, 10))
    return height


def crumbs(rng):
    """Return 0…1: soil rough at three scales."""
    rough = sum(
        weight * gaussian_filter(rng.normal(size=(ROWS, COLS)), scale) * scale
        for scale, weight in ((0.8, 1.0), (2.5, 1.0), (12, 0.6))
    )
    return 1 / (1 + np.exp(-1.6 * rough))


def make_field(rng):
    """Return the picture and its labels: 1 soil, 2 plants."""
    height = make_plants(rng)
    is_plant = height > 0
    soil = crumbs(rng)[..., np.newaxis]
    light = np.clip(height + 0.25 * gaussian_filter(rng.normal(size=height.shape), 1.5), 0, 1)
    picture = (1 - soil) * SOIL + soil * DRY_SOIL
    green = (1 - light[..., np.newaxis]) * GREEN + light[..., np.newaxis] * LIGHT_GREEN
    picture = np.where(is_plant[..., np.newaxis], green, picture)
    below = gaussian_filter(np.roll(is_plant, (4, 4), axis=(0, 1)).astype(float), 2)
    picture *= 1 - 0.5 * (below * ~is_plant)[..., np.newaxis]
    y, x = np.mgrid[:ROWS, :COLS]
    shaded = gaussian_filter(((x - 0.5 * y > 250) & (x - 0.5 * y < 330)).astype(float), 6)
    picture *= 1 - (1 - SHADOW) * shaded[..., np.newaxis]
    picture = gaussian_filter(picture, (0.6, 0.6, 0)) + rng.normal(scale=NOISE, size=picture.shape)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), 1 + is_plant.astype(np.uint8)


if __name__ == "__main__":
    field, truth = make_field(np.random.default_rng(0))
    Image.fromarray(field).save(FOLDER / "field.jpg", quality=88, subsampling=0)
    Image.fromarray(truth).save(FOLDER / "field_labels.png")
