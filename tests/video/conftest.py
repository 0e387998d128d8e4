"""A made room with noise, and things that move in it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

ROWS, COLS = 60, 84


@pytest.fixture
def room(rng):
    rough = sum(gaussian_filter(rng.normal(size=(ROWS + 8, COLS + 8)), s) * s for s in (1, 4))
    return 110 + 14 * rough[:, :, np.newaxis] * np.array([1.0, 0.8, 0.6])


@pytest.fixture
def film(room, rng):
    """Return a function that films the room: light per frame, shift per frame, box per frame."""

    def make(n_frames, *, light=lambda _: 1.0, shift=lambda _: (0, 0), box=lambda _: None):
        for t in range(n_frames):
            frame = room.copy()
            if box(t) is not None:
                top, left = box(t)
                frame[4 + top : 24 + top, 4 + left : 18 + left] = (30, 40, 190)
            frame = frame * light(t)
            down, right = shift(t)
            seen = frame[4 - down : 4 - down + ROWS, 4 - right : 4 - right + COLS]
            noisy = seen + rng.normal(scale=2.0, size=seen.shape)
            yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)

    return make
