"""A cut-out beside OpenCV's GrabCut with five iterations: the same photograph, the same box.

Run from the root of the repository: ``python -m tests.benchmarks.cut [--rounds N]``

The two take turns. How far they agree is given as intersection over union.
"""

import argparse
import statistics
import time

import numpy as np
from PIL import Image

from gmmseg.image import cut_foreground

SIDE = 1000  # pixels: a square photograph of one megapixel
PHOTOGRAPHS = {
    "astronaut.jpg": (20, 5, 880, 995),
    "chelsea.png": (150, 20, 900, 980),
    "coffee.png": (190, 90, 720, 960),
}  # a box around the object of each, in the pixels of the benchmark


def photograph(name):
    """Return a photograph from the repository at one megapixel, uint8 RGB."""
    with Image.open(f"data/{name}") as picture:
        resized = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        return np.asarray(resized)


def grab_cut(cv2, image, box):
    """Return OpenCV's foreground after five iterations from a box."""
    mask = np.zeros(image.shape[:2], dtype=np.uint8)
    x0, y0, x1, y1 = box
    state = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, mask, (x0, y0, x1 - x0, y1 - y0), *state, 5, cv2.GC_INIT_WITH_RECT)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


def timed(function, *arguments, **options):
    """Return the result of a call and its seconds."""
    start = time.perf_counter()
    result = function(*arguments, **options)
    return result, time.perf_counter() - start


def main():
    """Print a row per photograph: the median seconds of both, their ratio, and how they agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="times that each is run")
    arguments = parser.parse_args()
    try:
        import cv2
    except ImportError:
        print("this benchmark compares with OpenCV: pip install opencv-python-headless")
        return
    cut_foreground(photograph("coffee.png"), box=PHOTOGRAPHS["coffee.png"])  # compile
    print("| photograph | gmmseg | OpenCV | ratio | agreement |")
    print("|---|---|---|---|---|")
    for name, box in PHOTOGRAPHS.items():
        image, ours, theirs = photograph(name), [], []
        for _ in range(arguments.rounds):
            mine, taken = timed(cut_foreground, image, box=box)
            ours.append(taken)
            other, taken = timed(grab_cut, cv2, image[..., ::-1].copy(), box)
            theirs.append(taken)
        mine_s, theirs_s = statistics.median(ours), statistics.median(theirs)
        agreement = (mine & other).sum() / (mine | other).sum()
        ratio = theirs_s / mine_s
        print(f"| {name} | {mine_s:.2f} s | {theirs_s:.2f} s | {ratio:.1f} | {agreement:.2f} |")


if __name__ == "__main__":
    main()
