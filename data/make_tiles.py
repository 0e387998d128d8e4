"""Make the folder tiles: made woven cloth as a camera sees it, normal and with three defects.

Twenty pieces are normal, one has a pulled thread, one a stain and one a hole; where, is in the mask
beside each. Every piece has another light, another crop and other uneven threads. No cloth was
photographed.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

N_NORMAL = 20
SIZE = 128  # pixels
PERIOD = 8.0  # pixels from thread to thread
FOLDER = Path(__file__).parent / "tiles"


def make_cloth(rng):
    """Return woven threads, about 0 to 1, each a little uneven and a little off its place."""
    rows, cols = np.mgrid[:SIZE, :SIZE].astype(float)
    bend_rows, bend_cols = (gaussian_filter(rng.normal(size=(SIZE, SIZE)), 12) for _ in range(2))
    first, second = rng.uniform(0, PERIOD, size=2)
    across = 2 * np.pi * (cols + first + 8 * bend_cols) / PERIOD
    down = 2 * np.pi * (rows + second + 8 * bend_rows) / PERIOD
    is_over = np.sign(np.sin(across / 2) * np.sin(down / 2))
    threads = np.where(is_over > 0, np.cos(across), np.cos(down))
    fibres = gaussian_filter(rng.normal(size=(SIZE, SIZE)), 0.8)
    return 0.5 + 0.2 * threads + 0.18 * fibres


def as_photograph(cloth, rng):
    """Return the cloth in the light of a lamp that is elsewhere every time, with noise."""
    rows, cols = np.mgrid[:SIZE, :SIZE] / SIZE
    slope = rng.uniform(-0.25, 0.25, size=2)
    light = rng.uniform(0.6, 1.0) * (1 + slope[0] * (rows - 0.5) + slope[1] * (cols - 0.5))
    noise = rng.normal(scale=0.01, size=cloth.shape)
    return np.clip(255 * (cloth * light + noise), 0, 255).astype(np.uint8)


def pull_thread(cloth, rng):
    """Return the cloth with one thread bright and straight, and where."""
    rows, cols = np.mgrid[:SIZE, :SIZE]
    place = np.abs(cols - 70 - 0.12 * rows) < 2.0
    mask = place & (rows > 25) & (rows < 100)
    return np.where(mask, 0.85 + 0.05 * rng.normal(size=cloth.shape), cloth), mask


def stain(cloth, rng):
    """Return the cloth with a dark patch of soft edge, and where."""
    rows, cols = np.mgrid[:SIZE, :SIZE]
    wave = gaussian_filter(rng.normal(size=cloth.shape), 6)
    depth = 1 / (1 + np.exp((np.hypot(rows - 40, cols - 85) - 14 - 60 * wave) / 1.5))
    return cloth * (1 - 0.45 * depth), depth > 0.5


def hole(cloth, rng):
    """Return the cloth with a hole and the loose ends around it, and where."""
    rows, cols = np.mgrid[:SIZE, :SIZE]
    distance = np.hypot(rows - 88, 1.3 * (cols - 45)) + 40 * gaussian_filter(
        rng.normal(size=cloth.shape), 3
    )
    loose = (distance < 12) & (distance >= 8)
    torn = np.where(loose, 0.35 + 0.3 * rng.random(cloth.shape), cloth)
    return np.where(distance < 8, 0.05, torn), distance < 12


def save(name, picture):
    """Write a picture: JPEG for cloth, PNG for masks."""
    Image.fromarray(picture).save(FOLDER / name, quality=85)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    for number in range(1, N_NORMAL + 1):
        save(f"normal_{number:02d}.jpg", as_photograph(make_cloth(generator), generator))
    for change in (pull_thread, stain, hole):
        changed, where = change(make_cloth(generator), generator)
        save(f"{change.__name__}.jpg", as_photograph(changed, generator))
        save(f"{change.__name__}_mask.png", (255 * where).astype(np.uint8))
