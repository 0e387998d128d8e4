"""What regions are told apart by: colours on one scale, however many channels, and texture."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gmmseg.image.pixels import pixels_of
from gmmseg.image.texture import local_deviation

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LAB_OFFSET = np.array([0.0, 50.0, 50.0], dtype=np.float32)  # puts a* = b* = 0 in the middle
MOST_COLORS = 3
MOST_PIXELS = 200_000  # that the scale of channels is learned from
# How much a unit of each colour counts: in Lab photographs vary about twice as much in lightness
# as in hue without a person drawing a line there.
LAB_WEIGHTS = (0.6, 1.2, 1.2)
SPREAD_SCALES = (1.5, 4.0)  # standard deviation of the windows, in pixels
SPREAD_WEIGHT = 10.0
GRADIENT_SCALE = 1.5  # in pixels
GRADIENT_LEVELS = (1.0, 2.5, 6.0)  # per pixel, on the scale of lightness: 0 to 100
N_DIRECTIONS = 8
N_BINS = 13


def comparable_colors(features: Floats, inside: Mask) -> Floats:
    """Return at most three colours that mostly lie in 0…100, (rows, cols, n_colors).

    Three features are Lab, whose scale is known. Others are scaled by their range without the
    outermost hundredths; of more than three the principal components are taken.
    """
    if features.shape[2] == 3:
        return features + LAB_OFFSET
    pixels = pixels_of(features, mask=inside)
    share = MOST_PIXELS / pixels.n_inside
    chosen = inside & pixels.chosen(pixels.everything, share, seed=0)[0]
    scaled = np.stack(
        [_scaled(features[:, :, i], features[:, :, i][chosen]) for i in range(features.shape[2])],
        axis=2,
    )
    return _principal_colors(scaled, scaled[chosen]) if scaled.shape[2] > 1 else scaled


def region_features(colors: Floats, inside: Mask) -> NDArray[np.float64]:
    """Return colours and texture of the pixels inside, such that units count alike, (n, d)."""
    weights = LAB_WEIGHTS[: colors.shape[2]]
    spreads = [log_spread(colors[:, :, 0], inside, scale)[inside] for scale in SPREAD_SCALES]
    columns = [*(colors[inside] * weights).T, *(SPREAD_WEIGHT * spread for spread in spreads)]
    return np.stack(columns, axis=1).astype(np.float64)


def smoothed(values: Floats, inside: Mask, scale: float) -> Floats:
    """Return Gaussian means over the pixels inside, with a standard deviation of ``scale``."""
    means: Floats = ndimage.gaussian_filter(np.where(inside, values, np.float32(0)), scale)
    if not inside.all():
        share = ndimage.gaussian_filter(inside.astype(np.float32), scale)
        means = np.where(inside, means / np.maximum(share, np.float32(1e-6)), np.float32(0))
    return means


def log_spread(light: Floats, inside: Mask, scale: float) -> Floats:
    """Return ``log(1 + local standard deviation)`` of one colour, (rows, cols)."""
    return np.log1p(local_deviation(light, scale, inside))


def color_codes(color: Floats) -> NDArray[np.uint8]:
    """Return in which of equal steps from 0 to 100 every pixel lies."""
    return np.clip(color * np.float32(N_BINS / 100), 0, N_BINS - 1).astype(np.uint8)


def texture_codes(light: Floats, inside: Mask) -> NDArray[np.uint8]:
    """Return 0 where a colour is even, else a code for the strength and direction of its slope."""
    # Outside there is the mean, which makes no slopes but at the mask's border.
    filled = np.where(inside, light, light[inside].mean(dtype=np.float64)).astype(np.float32)
    down = ndimage.gaussian_filter(filled, GRADIENT_SCALE, order=(1, 0))
    right = ndimage.gaussian_filter(filled, GRADIENT_SCALE, order=(0, 1))
    level = np.digitize(np.hypot(down, right), GRADIENT_LEVELS)
    # Opposite slopes are one direction.
    turn = np.arctan2(down, right) * (N_DIRECTIONS / np.pi)
    direction = np.rint(turn).astype(np.intp) % N_DIRECTIONS
    return np.where(level > 0, (level - 1) * N_DIRECTIONS + direction + 1, 0).astype(np.uint8)


def _scaled(channel: Floats, sample: Floats) -> Floats:
    """Return a channel with the first hundredth of a sample at 0 and its last at 100."""
    low, high = np.percentile(sample.astype(np.float64), (1, 99))
    if high <= low:  # nearly everywhere the same
        low, high = float(sample.min()), float(sample.max())
    if high <= low:
        return np.zeros_like(channel)
    with np.errstate(invalid="ignore"):  # what is outside need not be finite
        centred = (channel - low) * (100.0 / (high - low))
    clipped = np.clip(centred, -100.0, 200.0)
    return np.where(np.isfinite(clipped), clipped, 0.0).astype(np.float32)


def _principal_colors(scaled: Floats, sample: Floats) -> Floats:
    """Return the main components, such that that of equal channels is each of these."""
    values = sample.astype(np.float64)
    middle = values.mean(axis=0)
    dev = values - middle
    _, axes = np.linalg.eigh(dev.T @ dev)
    axes = axes[:, ::-1][:, :MOST_COLORS]
    axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0) / np.sqrt(len(middle))
    colors: Floats = (scaled - middle.astype(np.float32)) @ axes.astype(np.float32)
    return colors + np.float32(50)
