"""The state of a background subtractor in a model file: arrays and a header, nothing that runs."""

from os import PathLike
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.mixture_file import as_damage
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError
from gmmseg.video.coarse_kernels import coarse_memory
from gmmseg.video.lighting import N_BINS
from gmmseg.video.pixel_model import BLOCK, MEAN, PixelModel
from gmmseg.video.pixel_state import N_FEEDBACK, PixelState
from gmmseg.video.settings import check_mask_fits, checked_mask, checked_options

KIND = "video-background"
OPTIONS = {
    "fps": (float,),
    "patience": (float,),
    "learning_rate": (float,),
    "threshold": (float,),
    "min_area": (int, NoneType),
    "n_modes": (int,),
    "shadows": (bool,),
    "lighting": (bool,),
    "shake": (float,),
    "bits": (int, NoneType),
}

FilePath = str | PathLike[str]
Mask = NDArray[np.bool_]


def write_state(
    path: FilePath, state: PixelState, options: dict[str, Any], mask: Mask | None
) -> None:
    """Write a state, the options of the subtractor and where it looks."""
    arrays: dict[str, NDArray[Any]] = {
        **state.model._asdict(),
        "moving": state.moving,
        "shifts": state.shifts,
    }
    if mask is not None:
        arrays["mask"] = mask
    header = {
        "options": options,
        "light_gap": state.light_gap,
        "noise": state.noise,
        "n_strange": state.n_strange,
        "n_frames": state.n_frames,
        "n_seen": state.n_seen,
        "frame_type": state.dtype.name,
    }
    write_model(path, kind=KIND, header=header, arrays=arrays)


def read_state(path: FilePath) -> tuple[PixelState, dict[str, Any], Mask | None]:
    """Return the state, options and mask of a file.

    Raises
    ------
    ModelFileError
        If it is no such file, or damaged.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        options = _believed_options(header["options"])
        state = _checked_state(header, arrays, options["n_modes"])
        mask = arrays.get("mask")
        if mask is not None:
            check_mask_fits(checked_mask(mask), state.model.kept.shape)
        return state, options, mask


def _believed_options(options: Any) -> dict[str, Any]:
    """Return the options, or raise InputError where no subtractor has them."""
    if not isinstance(options, dict):
        raise InputError(f"options must be named, got {type(options).__name__}")
    if options.keys() != OPTIONS.keys():
        raise InputError(f"options must be {', '.join(OPTIONS)}, got {', '.join(options)}")
    for name, kinds in OPTIONS.items():
        if type(options[name]) not in kinds:
            wanted = " or ".join("null" if kind is NoneType else kind.__name__ for kind in kinds)
            raise InputError(f"{name} must be {wanted}, got {options[name]!r}")
    return checked_options(**options)


def _checked_state(
    header: dict[str, Any], arrays: dict[str, NDArray[Any]], n_modes: int
) -> PixelState:
    """Return a state whose arrays fit each other, so that no kernel reads beyond one."""
    modes = arrays["modes"]
    if modes.ndim != 4 or modes.shape[1] != n_modes or modes.shape[2] <= MEAN:
        raise InputError(
            f"modes must have shape (rows, {n_modes}, more than {MEAN}, cols), got {modes.shape}"
        )
    rows, _, n_values, cols = modes.shape
    n_channels = n_values - MEAN
    wanted: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
        "modes": (np.float32, modes.shape),
        "feedback": (np.float32, (rows, N_FEEDBACK, cols)),
        "kept": (np.uint8, (rows, cols)),
        "raw": (np.uint8, (rows, cols)),
        "depth": (np.int64, (rows,)),
        "moving": (np.bool_, (rows // BLOCK, cols // BLOCK)),
        "shifts": (np.float64, (n_channels, N_BINS)),
    }
    for name, (dtype, shape) in wanted.items():
        _check_array(name, arrays[name], dtype, shape)
    if arrays["depth"].min() < 1 or arrays["depth"].max() > n_modes:
        raise InputError(f"depth must be from 1 to {n_modes} in every row")
    _check_header(header)
    model = PixelModel(*(arrays[name] for name in PixelModel._fields))
    state = PixelState(
        model,
        coarse_memory((rows, cols, n_channels)),
        arrays["moving"],
        arrays["shifts"],
        light_gap=header["light_gap"],
        noise=header["noise"],
        n_strange=header["n_strange"],
        n_frames=header["n_frames"],
        n_seen=header["n_seen"],
        dtype=np.dtype(header["frame_type"]),
    )
    state.refresh()
    return state


def _check_array(
    name: str, array: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]
) -> None:
    """Refuse an array of another type or shape, or that holds what is no number."""
    if array.dtype != dtype or array.shape != shape:
        raise InputError(
            f"{name} must be {np.dtype(dtype)} of shape {shape}, "
            f"got {array.dtype} of shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name} has NaN or infinity")


def _check_header(header: dict[str, Any]) -> None:
    """Refuse numbers that no state has."""
    for name, least in (("n_frames", 1), ("n_seen", 1), ("n_strange", 0)):
        if type(header[name]) is not int or header[name] < least:
            raise InputError(f"{name} must be whole and at least {least}, got {header[name]!r}")
    for name in ("light_gap", "noise"):
        if type(header[name]) is not float or not 0.0 <= header[name] < np.inf:
            raise InputError(f"{name} must be a finite number of at least 0, got {header[name]!r}")
    if header["frame_type"] not in ("uint8", "uint16"):
        raise InputError(f"frame_type must be uint8 or uint16, got {header['frame_type']!r}")
