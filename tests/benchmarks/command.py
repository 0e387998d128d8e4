"""Seconds from shell to shell: help, import, and a photograph of one megapixel, first and warm.

Run from the root of the repository: ``python -m tests.benchmarks.command``
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROUNDS = 5
COMMAND = [sys.executable, "-m", "gmmseg.cli.main"]


def seconds(arguments, environment=None):
    """Return how long a process of these arguments takes."""
    start = time.perf_counter()
    subprocess.run(
        arguments, check=True, capture_output=True, env={**os.environ, **(environment or {})}
    )
    return time.perf_counter() - start


def photograph(folder):
    """Return the path of a photograph of 1254 x 836 pixels."""
    path = Path(folder, "photograph.jpg")
    with Image.open("data/coffee.png") as picture:
        picture.resize((1254, 836), Image.Resampling.LANCZOS).save(path, quality=92)
    return path


def main():
    """Print a line per command."""
    with tempfile.TemporaryDirectory() as folder:
        path, cache = photograph(folder), {"NUMBA_CACHE_DIR": str(Path(folder, "cache"))}
        segment = [*COMMAND, "image", "segment", path, "-o", folder, "--overlay"]
        print(f"first run, kernels compile: {seconds(segment, cache):.1f} s")
        commands = {
            "one megapixel, overlay included": segment,
            "gmmseg --help": [*COMMAND, "--help"],
            "import gmmseg": [sys.executable, "-c", "import gmmseg"],
            "python alone": [sys.executable, "-c", "pass"],
        }
        for name, command in commands.items():
            runs = [seconds(command, cache) for _ in range(ROUNDS)]
            print(f"{name}: {np.median(runs):.2f} s ({min(runs):.2f} to {max(runs):.2f})")


if __name__ == "__main__":
    main()
