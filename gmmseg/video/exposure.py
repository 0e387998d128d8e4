"""Follow the light of the whole picture: a tone curve per frame, and far light made the model's."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.video import lighting
from gmmseg.video.pixel_state import PixelState
from gmmseg.video.scene import Event

REBASE = 32.0  # levels: light that is further off becomes that of the model
SEEN = 0.5  # of the contrast that a far light leaves the background, which the picture must have
FAINTEST = 0.2  # of the contrast of the background, that any light leaves it
BARE = 0.1  # of the contrast of the picture: a relit background with less is blank

Picture = NDArray[np.float32]


def follow_light(state: PixelState, use: NDArray[np.bool_]) -> Event | None:
    """Find the tone curve of a frame; where it is far off, make its light the model's.

    Parameters
    ----------
    state : PixelState
        What is known, the frame as seen from afar included; its curve is changed.
    use : ndarray of bool, shape (rows / 4, cols / 4)
        Blocks that count.

    Returns
    -------
    event : Event or None
        LIGHT if the model was changed, else NOTHING; None if the curve is that of the last frame.
    """
    picture, background = state.coarse.picture, state.coarse.background
    gap = lighting.light_gap(picture, background, use)
    if gap <= lighting.NO_FURTHER * state.light_gap:  # as in the last frame, without a curve
        state.light_gap = min(gap, state.light_gap)
        return None
    shifts = lighting.find_tone(picture, background, calm=use & ~state.moving, use=use)
    is_far = np.abs(shifts).max() > REBASE
    if is_far and (state.n_strange > 0 or is_blank(picture[use], background[use], shifts)):
        state.light_gap = 0.0
        return None
    state.light_gap = 0.0 if shifts.any() else gap
    event = Event.NOTHING
    if is_far:
        lighting.relight_model(state.model.modes, shifts)
        state.refresh()
        event = Event.LIGHT
        shifts = np.zeros_like(shifts)
    state.shifts[:] = shifts
    return event


def is_blank(picture: Picture, background: Picture, shifts: NDArray[np.float64]) -> bool:
    """Return whether a picture has lost the contrast that the background has in new light.

    No light makes a black frame of a background, or a white one: it is a bad frame, or a new scene.
    Nor does light make a scene of a blank background.
    """
    curves = np.clip(lighting.forward_curves(shifts), 0.0, 255.0)
    seen = relit = least = 0.0
    for c, curve in enumerate(curves):
        seen += float(picture[..., c].std())
        least += FAINTEST * float(background[..., c].std())
        relit += float(np.interp(background[..., c], lighting.LEVELS, curve).std())
    return seen < SEEN * max(relit, least) or relit < BARE * seen
