"""Seconds and memory from shell to shell for a photograph of 12 megapixels and one of 100.

Run from the root of the repository: ``python -m tests.benchmarks.large``
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROUNDS = 3
COMMAND = [sys.executable, "-m", "gmmseg.cli.main", "image", "segment", "-k", "5"]


def tiled(rows, cols):
    """Return a photograph of so many pixels, made by tiling one and adding noise."""
    with Image.open("data/coffee.png") as picture:
        coffee = np.asarray(picture.convert("RGB"))
    times = (-(-rows // coffee.shape[0]), -(-cols // coffee.shape[1]), 1)
    image = np.tile(coffee, times)[:rows, :cols]
    rng = np.random.default_rng(0)
    for part in np.array_split(image, 20):  # little memory at a time
        part[...] = np.clip(part + rng.integers(-6, 7, part.shape), 0, 255)
    return image


def measured(path, folder):
    """Return the seconds and the peak memory in MB of segmenting a file."""
    start = time.perf_counter()
    process = subprocess.Popen([*COMMAND, path, "-o", folder], stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0
    return time.perf_counter() - start, usage.ru_maxrss / 1e3


def main():
    """Print a line per picture."""
    import tifffile

    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, "photo.jpg")
        Image.fromarray(tiled(3000, 4000)).save(photo, quality=92)
        huge = Path(folder, "huge.tif")
        tifffile.imwrite(huge, tiled(10_000, 10_000), photometric="rgb")
        measured(photo, folder)  # whatever is to be compiled
        for name, path, rounds in (("12 megapixels", photo, ROUNDS), ("100 megapixels", huge, 1)):
            runs = [measured(path, folder) for _ in range(rounds)]
            seconds, memory = np.median(runs, axis=0)
            print(f"{name}: {seconds:.1f} s, {memory:.0f} MB ({len(runs)} runs)")


if __name__ == "__main__":
    main()
