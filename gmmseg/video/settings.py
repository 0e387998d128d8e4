"""The constants of the background model, the pace of its learning, and what options may be."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.video.frames import FEWEST_BITS, WORD_BITS
from gmmseg.video.pixel_model import Pace

VARIANCE_INIT = 30.0  # squared levels of 0…255
VARIANCE_MIN, VARIANCE_MAX = 20.0, 150.0
# Or so many variances of the noise, where that is more. Few, so that faint things are seen: what
# moves by noise alone is never most of a window, and the clean-up takes it out.
NOISE_MIN, NOISE_MAX = 0.4, 0.5
MATCH = 6.0  # squared distance per channel, in variances, up to which a mode learns
BACKGROUND_SHARE = 0.9  # the heaviest modes that weigh this much together are background
PRIOR = 0.01  # Zivkovic's c_T
DRIFT = 0.1  # share of a pixel that a mean takes up at least: slow light is followed
DARKEST_SHADOW = 0.6  # of the background: what is darker is no shadow
HURRY = 0.5  # of the rate: so much faster learns a pixel for every step of its blinking
FEEDBACK, MOST_TOLERANCE = 0.05, 4.0  # a step, for rows that learn in every second frame
MOST_START = 0.01  # weight of a new mode: a first look is no proof
FREE_FRAMES = 14  # at first everything is learned, moving or not
N_TURNS = 3  # rows learn in one of at most so many frames,
N_MOVING_TURNS = 4  # what moves learns slowly, so it need not learn often
MOST_RATE_IN_TURN = 0.05  # of fewer, where they would learn more than this at once
USUAL_RATE = 1.0 / 500.0
MOST_MODES = 16
NO_LIMIT = 1e9  # seconds or pixels: no video is as long, no picture as wide
SLOWNESS = 20.0  # in the beginning what moves is learned so much slower than what does not


@dataclass(frozen=True)
class Learning:
    """How fast, and for how long, things are learned.

    Parameters
    ----------
    rate : float
        Weight of a frame, once `1 / rate` frames are learned; before, all weigh the same.
    patience : float
        How many frames something that stands still is still called moving.
    threshold : float
        Squared distance per channel, in variances, up to which a pixel is background.
    shadows : bool
        Whether shadows are told apart.
    """

    rate: float
    patience: float
    threshold: float
    shadows: bool

    @classmethod
    def of_options(cls, options: dict[str, Any]) -> "Learning":
        """Return the learning that checked options ask for."""
        patience = max(options["patience"] * options["fps"], 1.0)
        return cls(options["learning_rate"], patience, options["threshold"], options["shadows"])

    def pace(self, n_frames: int, *, drifts: bool, noise: float = 0.0) -> Pace:
        """Return the pace for the frame after so many, in so much noise.

        `drifts` says if means follow the light.
        """
        rate = max(1.0 / (n_frames + 1), self.rate)
        # After `patience` frames of weight -log(BACKGROUND_SHARE) / patience, what stood there has
        # BACKGROUND_SHARE of the weight left, and what stands there is background too.
        moving = max(1.0 / (SLOWNESS * (n_frames + 1)), -np.log(BACKGROUND_SHARE) / self.patience)
        start, n_moving_turns = MOST_START, N_MOVING_TURNS
        if n_frames < FREE_FRAMES:
            moving, start, n_moving_turns = rate, 1.0, 1
        # What learns in every n-th frame only learns n times as much.
        n_turns = min(max(int(MOST_RATE_IN_TURN / rate), 1), N_TURNS)
        numbers = (
            rate * n_turns,
            min(moving, rate) * n_turns * n_moving_turns,
            start,
            HURRY,
            FEEDBACK * max(n_turns / 2, 1.0),
            MOST_TOLERANCE,
            self.threshold,
            max(MATCH, self.threshold),
            BACKGROUND_SHARE,
            PRIOR,
            first_variance(noise),
            max(VARIANCE_MIN, NOISE_MIN * noise),
            max(VARIANCE_MAX, NOISE_MAX * noise),
            max(1.0, DRIFT / rate) if drifts else 1.0,
            DARKEST_SHADOW if self.shadows else 1.0,
        )
        return Pace._make([*map(np.float32, numbers), n_frames, n_turns, n_moving_turns])


def at_rest(pace: Pace) -> Pace:
    """Return a pace at which nothing is learned."""
    nothing = np.float32(0.0)
    return pace._replace(rate=nothing, moving_rate=nothing, feedback=nothing)


def first_variance(noise: float) -> float:
    """Return the variance that a new mode begins with, where noise has this one."""
    return max(VARIANCE_INIT, noise)


def checked_options(**options: Any) -> dict[str, Any]:
    """Return the options of a subtractor as a model file can hold them, or refuse them."""
    check_number("fps", options["fps"], least=1e-6)
    _check_up_to("learning_rate", options["learning_rate"], least=1e-9, most=1.0)
    check_number("threshold", options["threshold"], least=1e-6)
    _check_up_to("n_modes", options["n_modes"], least=1, most=MOST_MODES, is_whole=True)
    checked = options | {
        "patience": _limit("patience", options["patience"], least=1e-6),
        "shake": _limit("shake", options["shake"], least=0),
    }
    checked |= {name: float(options[name]) for name in ("fps", "learning_rate", "threshold")}
    if options["min_area"] is not None:
        check_number("min_area", options["min_area"], least=1, is_whole=True)
    if options["bits"] is not None:
        _check_up_to("bits", options["bits"], least=FEWEST_BITS, most=WORD_BITS, is_whole=True)
    for name in ("n_modes", "min_area", "bits"):
        checked[name] = None if options[name] is None else int(options[name])
    return checked


def _check_up_to(
    name: str, value: Any, *, least: float, most: float, is_whole: bool = False
) -> None:
    """Refuse what is no number, or no whole one, in ``least`` … ``most``."""
    check_number(name, value, least=least, is_whole=is_whole)
    if value > most:
        raise InputError(f"{name} must be at most {most:g}, got {value!r}")


def _limit(name: str, value: Any, *, least: float) -> float:
    """Return a limit; infinity, which a model file cannot hold, as one that is never reached."""
    limit = NO_LIMIT if isinstance(value, Real) and value == np.inf else value
    check_number(name, limit, least=least)
    return float(limit)


def checked_mask(mask: ArrayLike) -> NDArray[np.bool_]:
    """Return a copy of the mask, or refuse it."""
    inside = np.asarray(mask)
    if inside.ndim != 2 or inside.dtype != np.bool_:
        raise InputError(
            f"mask must be bool of shape (rows, cols), got {inside.dtype} of shape {inside.shape}; "
            "mask != 0 makes one of numbers"
        )
    if not inside.any():
        raise InputError("mask leaves nothing to look at: it is False everywhere")
    return inside.copy()


def check_mask_fits(mask: NDArray[np.bool_], shape: tuple[int, int]) -> None:
    """Refuse a mask of another shape than the frames."""
    if mask.shape != shape:
        raise InputError(f"mask must have the shape of a frame, {shape}, got {mask.shape}")
