"""How pixels become features: settled once on an image, then the same for any part or other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.image import texture as texture_of
from gmmseg.image.arrays import as_array, with_channels
from gmmseg.image.color import (
    COLORS,
    Color,
    check_integers,
    check_range,
    converted,
    is_colorimetric,
    light_of,
    resolve_color,
    scaled,
)
from gmmseg.image.dark_field import DarkField
from gmmseg.image.pixels import Pixels, Region, as_region, pixels_of

Features: TypeAlias = Color | Callable[[NDArray[Any]], ArrayLike] | NDArray[Any]

LEARNED_FROM = 2**18  # pixels, about, that ground, noise and spread are learned from
FARTHEST = 1e36  # place that float32 holds, with the distances between places


@dataclass(frozen=True)
class Place:
    """How plane, row and column become features: the middle of an image, and a unit of distance.

    Parameters
    ----------
    middle : tuple of float
        Plane, row and column that become 0.
    unit : float
        What the distance of one pixel becomes.
    """

    middle: tuple[float, float, float]
    unit: float

    def features(self, region: Region, n_axes: int) -> NDArray[np.float32]:
        """Return ``unit * (coordinates - middle)`` in a region, (planes, rows, cols, n_axes)."""
        axes = [
            self.unit * (np.arange(part.start, part.stop) - middle)
            for part, middle in zip(region, self.middle, strict=True)
        ]
        grid = np.meshgrid(*axes, indexing="ij")
        return np.stack(grid[3 - n_axes :], axis=-1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Recipe:
    """Everything that turns channels into features.

    Parameters
    ----------
    color : str
        Colour space, not "auto" for three channels.
    dark_field : DarkField or None
        Ground and noise of the channels, where some are dark fields.
    texture : bool
        Whether local spreads are added.
    place : Place or None
        How coordinates are added, if they are.
    """

    color: str
    dark_field: DarkField | None = None
    texture: bool = False
    place: Place | None = None

    @classmethod
    def fitting(
        cls, pixels: Pixels, *, color: str = "auto", texture: bool = False, position: float = 0.0
    ) -> "Recipe":
        """Settle the features on an image: grounds, noises and the weight of place."""
        check_number("position", position, least=0)
        conversion = resolve_color(color, pixels.n_channels)
        dark_field, place = _dark_field(pixels, conversion), None
        if position > 0:
            colors = sampled_rows(pixels, cls(conversion, dark_field), LEARNED_FROM)
            place = _place(pixels, position * _mean_deviation(colors))
            if not place.unit * max(pixels.shape) < FARTHEST:
                raise InputError(
                    f"position weighs places beyond what numbers can hold, got {position}; "
                    "give a weight such as 1"
                )
        return cls(conversion, dark_field, texture, place)

    def n_features(self, n_channels: int, n_axes: int) -> int:
        """Return the number of features of an image of so many channels, or of such a volume."""
        n_colors = {"gray": 1, "rgb": 3, "hsv": 3, "lab": 3}.get(self.color, n_channels)
        n_spreads = len(texture_of.SCALES) if self.texture else 0
        return n_colors + n_spreads + (0 if self.place is None else n_axes)

    @property
    def reach(self) -> int:
        """How far from a pixel lies what its features depend on."""
        return texture_of.REACH if self.texture else 0

    def features(
        self, pixels: Pixels, region: Region
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the features in a region, (planes, rows, cols, n_features), and where to use them.

        Pixels are in use if the mask and all of their features are finite. What is masked out may
        be anything, such as the -9999 that stands for no data: it becomes NaN.
        """
        values, inside = pixels.read(region)
        channels = scaled(values)
        if values.dtype.kind == "f" and not inside.all():
            channels = np.where(inside[..., np.newaxis], channels, np.float32(np.nan))
        if is_colorimetric(self.color, pixels.n_channels):
            check_integers(values, self.color)
            check_range(channels, values.dtype, self.color)
        if self.dark_field is None:
            parts = [converted(channels, self.color)]
        else:
            parts = [self.dark_field.raised(channels)]
        if self.texture:
            parts.append(texture_of.local_spread(light_of(channels), pixels.n_axes))
        if self.place is not None:
            parts.append(self.place.features(region, pixels.n_axes))
        features = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        if values.dtype.kind == "f":
            inside = inside & np.isfinite(parts[0]).all(axis=-1)
        return features, inside


def feature_pixels(
    image: ArrayLike, features: Features, mask: ArrayLike | None, channel_axis: int | None
) -> tuple[Pixels, str]:
    """Return the pixels whose channels the features are made of, and their colour space.

    For features that are a function or an array these are the channels, and the space is "none".
    """
    if isinstance(features, str):
        if features not in COLORS:
            raise InputError(f"features must be one of {', '.join(COLORS)}, got {features!r}")
        return pixels_of(image, mask=mask, channel_axis=channel_axis), features
    grid = with_channels(image, channel_axis).shape[:-1]
    given = features(np.asarray(image)) if callable(features) else features
    given = as_array(given, "features")
    if given.ndim != len(grid) + 1 or given.shape[:-1] != grid:
        wanted = ", ".join(str(length) for length in grid)
        raise InputError(
            f"features must have shape ({wanted}, n_features) for this image, got {given.shape}"
        )
    return pixels_of(given, mask=mask), "none"


def sampled_rows(pixels: Pixels, recipe: Recipe, n_rows: int) -> NDArray[np.float32]:
    """Return the features of about ``n_rows`` pixels in use drawn by chance, (n, n_features)."""
    share, rows = n_rows / max(pixels.n_inside, 1), []
    for _, region in pixels.strips():
        features, inside = recipe.features(pixels, region)
        rows.append(features[inside & pixels.chosen(region, share, seed=0)])
    return np.concatenate(rows)


def within(outer: Region, inner: Region) -> Region:
    """Return where in the outer region the inner one lies."""
    return as_region(
        tuple(slice(i.start - o.start, i.stop - o.start) for o, i in zip(outer, inner, strict=True))
    )


def _dark_field(pixels: Pixels, conversion: str) -> DarkField | None:
    """Return ground and noise, if the conversion looks for them and finds a dark field."""
    if conversion not in ("log", "auto"):
        return None
    known = sampled_rows(pixels, Recipe("none"), LEARNED_FROM)
    if not len(known):
        return None
    dark_field = DarkField.fitting(known, always=conversion == "log")
    return dark_field if dark_field.noise.any() else None


def _mean_deviation(colors: NDArray[np.float32]) -> float:
    """Return the standard deviation of the average feature, or 1 if there is none."""
    if not len(colors):
        return 1.0
    deviation = colors.std(axis=0, dtype=np.float64)
    # What rounding leaves of a constant is no spread.
    deviation[deviation < 1e-6 * np.abs(colors).max(axis=0)] = 0
    return float(np.mean(deviation)) or 1.0


def _place(pixels: Pixels, spread: float) -> Place:
    """Return the place in which the longest side has this standard deviation."""
    planes, rows, cols = pixels.shape
    longest = max(pixels.shape)
    # The numbers 0…n-1 have variance (n² - 1) / 12.
    unit = spread / max(np.sqrt((longest**2 - 1) / 12), 0.5)
    return Place(((planes - 1) / 2, (rows - 1) / 2, (cols - 1) / 2), float(unit))
