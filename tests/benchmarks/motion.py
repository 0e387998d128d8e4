"""Background subtraction beside OpenCV's MOG2 with shadows: frames per second, and what is found.

Run from the root of the repository: ``python -m tests.benchmarks.motion [--rounds N]``

Speed: the same made frames of 640 x 360 RGB, decoded, on all processors; the two take turns.
Quality: F on data/scene.webp, in which a lamp is switched on and the camera shakes, and on a made
scene with branches that wave; MOG2 is given the 5 x 5 median that it is commonly used with.
"""

import argparse
import statistics
import time

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from gmmseg.video import BackgroundSubtractor, open_video

ROWS, COLS, N_FRAMES = 360, 640, 90


def street(rng):
    """Return frames of 640 x 360: a wall with noise, and two things that move before it."""
    wall = 110 + 60 * gaussian_filter(rng.normal(size=(ROWS, COLS, 3)), (3, 3, 0)) * 6
    y, x = np.mgrid[:ROWS, :COLS]
    frames = []
    for t in range(N_FRAMES):
        frame = wall + rng.normal(scale=3, size=wall.shape)
        frame[(y - 200) ** 2 + (x - 6 * t) ** 2 < 40**2] = (180, 40, 40)
        frame[(abs(y - 150) < 60) & (abs(x - 600 + 5 * t) < 20)] = (30, 40, 90)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return frames


def branches(rng, n_frames=240, rows=120, cols=200):
    """Return frames and truth: leaves that wave, and from frame 101 on a thing that passes."""
    y, x = np.mgrid[:rows, :cols].astype(float)
    wall = 120 + 60 * gaussian_filter(rng.normal(size=(rows, cols)), 2)
    leaf = gaussian_filter(rng.normal(size=(rows, cols)), 1.2)
    leaf /= leaf.std()
    tree = ((y - 45) ** 2 + (x - 70) ** 2 < 45**2) & (leaf > -0.3)
    flows = [gaussian_filter(rng.normal(size=(rows, cols)), 14) for _ in range(4)]
    flows = [flow / np.abs(flow).max() for flow in flows]
    frames, truth = [], []
    for t in range(n_frames):
        bend = sum(3 * flow * np.sin(t / (2 + i)) for i, flow in enumerate(flows))
        place = [y + 0.5 * bend, x + bend + 2 * np.sin(t / 9)]
        shown = map_coordinates(tree.astype(float), place, order=1)[:, :, np.newaxis]
        color = 60 + 35 * map_coordinates(leaf, place, order=1)[:, :, np.newaxis]
        frame = (1 - shown) * wall[:, :, np.newaxis] + shown * color * np.array([0.8, 1.2, 0.6])
        passing = ((y - 65) / 22) ** 2 + ((x + 15 - 1.7 * (t - 100)) / 9) ** 2 < 1
        passing &= t >= 100
        frame[passing] = (190, 60, 50)
        frame += rng.normal(scale=3, size=frame.shape)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
        truth.append(passing)
    return frames, truth


def f_measure(masks, truth):
    """Return F over all pixels of all frames."""
    found, true = np.array(masks) == 255, np.array(truth) > 0
    return 2 * (found & true).sum() / (found.sum() + true.sum())


def with_median(cv2, mask):
    """Return a mask as MOG2 is commonly used: no shadows, and a 5 x 5 median."""
    return cv2.medianBlur((mask == 255).astype(np.uint8) * 255, 5)


def rate(make, frames):
    """Return frames per second of a new subtractor."""
    subtractor = make()
    start = time.perf_counter()
    for frame in frames:
        subtractor.apply(frame)
    return len(frames) / (time.perf_counter() - start)


def main():
    """Print frames per second of both, and F of both on two scenes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="times that each is run")
    arguments = parser.parse_args()
    try:
        import cv2
    except ImportError:
        print("this benchmark compares with OpenCV: pip install opencv-python-headless")
        return
    makers = (BackgroundSubtractor, lambda: cv2.createBackgroundSubtractorMOG2(detectShadows=True))
    frames = street(np.random.default_rng(0))
    rate(BackgroundSubtractor, frames[:5])  # compile
    rates = [[rate(make, frames) for make in makers] for _ in range(arguments.rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*rates, strict=True))
    print("| | gmmseg | MOG2 | ratio |")
    print("|---|---|---|---|")
    print(f"| 640 x 360 RGB, frames/s | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |")
    scene = [frame for _, frame in open_video("data/scene.webp").frames]
    truth = [mask for _, mask in open_video("data/scene_truth.tif").frames]
    for name, shown, true in (
        ("lamp and shake, F", scene, truth),
        ("branches, F", *branches(np.random.default_rng(0))),
    ):
        own, other = (make() for make in makers)
        mine = f_measure([own.apply(frame) for frame in shown], true)
        rival = f_measure([with_median(cv2, other.apply(frame)) for frame in shown], true)
        print(f"| {name} | {mine:.3f} | {rival:.3f} | |")


if __name__ == "__main__":
    main()
