"""Make scene.webp and scene_truth.tif: a made room in which things move, with their truth.

A wall with a poster over a floor of boards. From frame 31 on a figure walks through and a ball
rolls the other way, each with a soft shadow; in frame 81 a lamp is switched on; from frame 111 on
the camera shakes by up to two pixels. No room was filmed.
"""

from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy.ndimage import gaussian_filter

ROWS, COLS = 120, 160
EDGE = 4  # pixels around the picture that come into view when the camera shakes
N_FRAMES, FIRST, LAMP, SHAKE = 150, 30, 80, 110
FPS = 25
NOISE = 2.0
FOLDER = Path(__file__).parent


def make_room(rng):
    """Return the empty room, (rows, cols, 3), 0…255, with an edge around it."""
    rows, cols = ROWS + 2 * EDGE, COLS + 2 * EDGE
    rough = gaussian_filter(rng.normal(size=(rows, cols)), 1.2)
    room = np.empty((rows, cols, 3))
    room[:] = (150, 148, 140)
    y, x = np.mgrid[:rows, :cols]
    boards = 92 + 14 * np.sin((x - 84) * 60 / (y + 12)) + 8 * np.sin(y * 0.9)
    floor = y > 78
    room[floor] = np.stack([boards * 1.25, boards, boards * 0.72], axis=2)[floor]
    room[76:79] = (88, 74, 62)
    room[18:52, 30:62] = (70, 96, 118)
    room[24:46, 36:56] = (176, 150, 84)
    return room + 26 * rough[:, :, np.newaxis]


def figure_at(row, col):
    """Return where a standing figure is: a head on a body."""
    y, x = np.mgrid[: ROWS + 2 * EDGE, : COLS + 2 * EDGE]
    body = ((y - row) / 19) ** 2 + ((x - col) / 7) ** 2 < 1
    return body | ((y - row + 22) ** 2 + (x - col) ** 2 < 26)


def ball_at(row, col):
    """Return where a ball is."""
    y, x = np.mgrid[: ROWS + 2 * EDGE, : COLS + 2 * EDGE]
    return (y - row) ** 2 + (x - col) ** 2 < 64


def make_frame(room, t):
    """Return a frame before noise, and what moves in it, both with their edge."""
    frame, truth = room.copy(), np.zeros(room.shape[:2], bool)
    if t >= FIRST:
        figure = figure_at(80, -8 + 1.5 * (t - FIRST))
        ball = ball_at(104, COLS + 16 - 1.6 * (t - FIRST))
        for thing, color in ((figure, (52, 60, 132)), (ball, (196, 62, 40))):
            shade = gaussian_filter(np.roll(thing, (3, 5), axis=(0, 1)).astype(float), 3)
            frame *= 1 - 0.25 * shade[:, :, np.newaxis]
            frame[thing] = color
            truth |= thing
    if t >= LAMP:
        y, x = np.mgrid[: room.shape[0], : room.shape[1]]
        light = 0.55 * np.exp(-((y - 30) ** 2 + (x - 120) ** 2) / (2 * 45**2))
        frame *= 1 + light[:, :, np.newaxis]
    return frame, truth


def make_scene(rng):
    """Return the frames, (n_frames, rows, cols, 3), and the masks of what moves."""
    room, frames, masks = make_room(rng), [], []
    for t in range(N_FRAMES):
        frame, truth = make_frame(room, t)
        down, right = rng.integers(-2, 3, size=2) if t >= SHAKE else (0, 0)
        view = slice(EDGE - down, EDGE - down + ROWS), slice(EDGE - right, EDGE - right + COLS)
        seen = frame[view] + rng.normal(scale=NOISE, size=(ROWS, COLS, 3))
        frames.append(np.clip(np.rint(seen), 0, 255).astype(np.uint8))
        masks.append(truth[view].astype(np.uint8) * 255)
    return np.array(frames), np.array(masks)


if __name__ == "__main__":
    scene, moving = make_scene(np.random.default_rng(0))
    first, *others = (Image.fromarray(frame) for frame in scene)
    duration = 1000 // FPS
    first.save(
        FOLDER / "scene.webp", save_all=True, append_images=others, duration=duration, quality=60
    )
    # Not a GIF: it would leave out frames that are like the one before.
    tifffile.imwrite(
        FOLDER / "scene_truth.tif", moving, compression="zlib", photometric="minisblack"
    )
