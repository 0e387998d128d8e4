"""What is looked at for defects: points at three scales, and texture over three windows.

Brightness varies from picture to picture more than defects do, so an image is divided by its own
local brightness first. All features lie on a grid of blocks of 4 x 4 pixels.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.threads import run_in_threads
from gmmseg.errors import InputError
from gmmseg.image.arrays import with_channels
from gmmseg.image.color import scaled
from gmmseg.image.grids import block_means, stretched

Floats = NDArray[np.float32]

STEP = 4  # pixels of a block of the grid
SCALES = (1.0, 2.0, 4.0)
WIDER = 1.6  # the second of the two Gaussians whose difference is taken
WINDOWS = (6.0, 12.0, 24.0)  # pixels, standard deviations of those that texture is averaged over
DARKNESS = 0.05  # of white: the least local brightness that is divided by; black stays black
POINTS = ("mean", "spread", "spot", "ridge", "valley", "slope", "direction")
TEXTURES = ("spread", "slope", "direction")
N_TEXTURE_SCALES = 2
TRUNCATE = 3.0  # of Gaussian windows, in standard deviations


@dataclass(frozen=True)
class DefectFeatures:
    """Turn images into features on a grid.

    Parameters
    ----------
    n_channels : int
        Number of channels of every image.
    white : float
        Brightness of the lightest part of a usual image, as `scaled` gives it.
    local_brightness : float or None
        Standard deviation, in pixels, of the window whose mean an image is divided by; None leaves
        it as it is.
    """

    n_channels: int
    white: float
    local_brightness: float | None

    step: ClassVar[int] = STEP

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Names of the features of the two layers: points, texture."""
        tints = [f"tint {c}" for c in range(1, self.n_channels)]
        points = [f"{name} {scale:g}" for scale in SCALES for name in POINTS]
        points += [f"{tint} {scale:g}" for scale in SCALES[1:] for tint in tints]
        base = [f"{name} {scale:g}" for scale in SCALES[:N_TEXTURE_SCALES] for name in TEXTURES]
        textures = [f"{name} over {window:g}" for window in WINDOWS for name in base + tints]
        return tuple(points), tuple(textures)

    def of(self, image: NDArray[Any], n_jobs: int | None = None) -> Floats:
        """Return the features of an image, (grid rows, grid cols, n_features)."""
        light, tints = self._evened(light_and_tints(image, self.n_channels))
        points = _point_features(light, n_jobs)
        n_points = len(POINTS)
        base = [
            points[..., i * n_points + POINTS.index(name)]
            for i in range(N_TEXTURE_SCALES)
            for name in TEXTURES
        ]
        coarse = [block_means(tint, STEP) for tint in tints]
        near = [_blurred(tint, scale / STEP) for scale in SCALES[1:] for tint in coarse]
        jobs = [(plane, window / STEP) for window in WINDOWS for plane in base + coarse]
        far = _all_blurred(jobs, n_jobs)
        return np.concatenate([points, np.stack([*near, *far], axis=-1)], axis=-1)

    def _evened(self, planes: list[Floats]) -> tuple[Floats, list[Floats]]:
        """Return light and tints in units of the local brightness."""
        light, *tints = planes
        if self.local_brightness is None:
            around = np.full_like(light, self.white)
        else:
            coarse = _blurred(block_means(light, STEP), self.local_brightness / STEP)
            around = stretched(coarse, STEP, light.shape)
            around = np.maximum(around, np.float32(DARKNESS * self.white))
        return light / around, [tint / around for tint in tints]


def light_and_tints(image: NDArray[Any], n_channels: int) -> list[Floats]:
    """Return the light of an image, and how its other channels differ from it."""
    channels = scaled(as_channels(image, n_channels))
    if not np.isfinite(channels).all():
        raise InputError("image has NaN or infinity; fill in what is missing")
    planes = [np.ascontiguousarray(channels[..., c]) for c in range(n_channels)]
    if n_channels == 1:
        return planes
    light = sum(planes[1:], start=planes[0]) / np.float32(n_channels)
    return [light, *(plane - light for plane in planes[1:])]


def as_channels(image: NDArray[Any], n_channels: int) -> NDArray[Any]:
    """Return an image as (rows, cols, n_channels); grey is the same as equal red, green and blue.

    Raises
    ------
    InputError
        If it has other channels.
    """
    channels = with_channels(image)
    own = channels.shape[-1]
    if channels.ndim == 3 and (own, n_channels) == (1, 3):
        return np.repeat(channels, 3, axis=2)
    if channels.ndim == 3 and (own, n_channels) == (3, 1):
        if (channels == channels[..., :1]).all():
            return channels[..., :1]
        raise InputError(
            "image must have 1 channel as the normal ones, or red, green and blue that are equal, "
            "got 3 that differ"
        )
    if own != n_channels:
        raise InputError(f"image must have {_channels(n_channels)} as the normal ones, got {own}")
    return channels


def white_of(image: NDArray[Any]) -> float:
    """Return how light the lightest part of an image is, above 0."""
    channels = scaled(with_channels(image))
    white = float(np.quantile(np.abs(channels[::4, ::4]).mean(axis=2), 0.99))
    return white if np.isfinite(white) and white > 0.0 else 1.0


def _point_features(light: Floats, n_jobs: int | None) -> Floats:
    """Return the seven features at the three scales, (grid rows, grid cols, 21)."""
    from gmmseg.image.defect_kernels import write_point_features

    half, half_square = block_means(light, 2), block_means(light * light, 2)
    planes, squares = [light, half, half], [light * light, half_square, half_square]
    shrinks = (1, 2, 2)
    scales = [scale / shrink for scale, shrink in zip(SCALES, shrinks, strict=True)]
    wider = float(np.sqrt(WIDER**2 - 1.0))
    jobs = list(zip(planes + squares, scales + scales, strict=True))
    blurred = _all_blurred(jobs, n_jobs)
    means, squares = blurred[: len(SCALES)], blurred[len(SCALES) :]
    wide = _all_blurred([(m, s * wider) for m, s in zip(means, scales, strict=True)], n_jobs)
    fine = np.empty((*half.shape, len(SCALES) * len(POINTS)), dtype=np.float32)

    def fill(which: tuple[int, int]) -> None:
        i = which[0]
        out = fine[..., i * len(POINTS) : (i + 1) * len(POINTS)]
        scale, step = np.float32(scales[i]), 2 // shrinks[i]
        write_point_features(means[i], squares[i], wide[i], scale, step, out)

    run_in_threads(fill, [(i, i + 1) for i in range(len(SCALES))], n_jobs)
    return block_means(fine, STEP // 2)


def _all_blurred(jobs: list[tuple[Floats, float]], n_jobs: int | None) -> list[Floats]:
    def blur(which: tuple[int, int]) -> Floats:
        return _blurred(*jobs[which[0]])

    return run_in_threads(blur, [(i, i + 1) for i in range(len(jobs))], n_jobs)


def _blurred(plane: Floats, sigma: float) -> Floats:
    from scipy import ndimage

    blurred: Floats = ndimage.gaussian_filter(plane, sigma, truncate=TRUNCATE)
    return blurred


def _channels(number: int) -> str:
    return f"{number} channel" if number == 1 else f"{number} channels"


@dataclass(frozen=True)
class GivenFeatures:
    """Take the channels of an image as the features that they are.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    """

    n_channels: int

    step: ClassVar[int] = 1

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Names of the features of the only layer."""
        return (tuple(f"feature {c}" for c in range(1, self.n_channels + 1)),)

    def of(self, image: NDArray[Any], n_jobs: int | None = None) -> Floats:
        """Return the features, (rows, cols, n_features)."""
        values = np.ascontiguousarray(with_channels(image))
        if values.shape[2] != self.n_channels:
            raise InputError(
                f"image must have {_channels(self.n_channels)} as the normal ones, "
                f"got {values.shape[2]}"
            )
        features = values.astype(np.float32)
        if not np.isfinite(features).all():
            raise InputError("image has NaN or infinity; fill in what is missing")
        return features
