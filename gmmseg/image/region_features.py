"""What regions are told apart by: colours on one scale, however many channels, and texture."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

LAB_OFFSET = np.array([0.0, 50.0, 50.0], dtype=np.float32)  # puts a* = b* = 0 in the middle
MOST_COLORS = 3
# How much a unit of each colour counts: in Lab photographs vary about twice as much in lightness
# as in hue without a person drawing a line there.
LAB_WEIGHTS = (0.6, 1.2, 1.2)
OTHER_WEIGHT = 0.6
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
    scaled = np.stack([_scaled(features[:, :, i], inside) for i in range(features.shape[2])], -1)
    return _principal_colors(scaled, inside) if scaled.shape[2] > 1 else scaled


def color_weights(n_features: int, n_colors: int) -> NDArray[np.float64]:
    """Return how much a unit of each colour counts, (n_colors,)."""
    return np.array(LAB_WEIGHTS if n_features == 3 else (OTHER_WEIGHT,) * n_colors)


def smoothed(values: Floats, inside: Mask, scale: float) -> Floats:
    """Return Gaussian means over the pixels inside, with a standard deviation of ``scale``."""
    means: Floats = ndimage.gaussian_filter(np.where(inside, values, np.float32(0)), scale)
    if not inside.all():
        share = ndimage.gaussian_filter(inside.astype(np.float32), scale)
        means = np.where(inside, means / np.maximum(share, np.float32(1e-6)), np.float32(0))
    return means


def log_spread(light: Floats, inside: Mask, scale: float) -> Floats:
    """Return ``log(1 + local standard deviation)`` of one colour, (rows, cols)."""
    means = smoothed(light, inside, scale)
    variance = smoothed(light * light, inside, scale) - means * means
    return np.log1p(np.sqrt(np.maximum(variance, np.float32(0))))


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


def _scaled(channel: Floats, inside: Mask) -> Floats:
    """Return a channel with its first hundredth at 0 and its last at 100, outliers clipped."""
    values = channel[inside].astype(np.float64)
    low, high = np.percentile(values, (1, 99))
    if high <= low:  # nearly everywhere the same
        low, high = values.min(), values.max()
    if high <= low:
        return np.zeros_like(channel)
    # Halved, so that the difference of the largest numbers is finite.
    centred = (np.where(inside, channel, low) / 2 - low / 2) / (high / 2 - low / 2)
    scaled: Floats = np.clip(100.0 * centred, -100.0, 200.0).astype(np.float32)
    return scaled


def _principal_colors(scaled: Floats, inside: Mask) -> Floats:
    """Return the main components, such that that of equal channels is each of these."""
    values = scaled[inside].astype(np.float64)
    middle = values.mean(axis=0)
    dev = values - middle
    _, axes = np.linalg.eigh(dev.T @ dev)
    axes = axes[:, ::-1][:, :MOST_COLORS]
    axes = axes * np.where(axes.sum(axis=0) < 0, -1.0, 1.0) / np.sqrt(len(middle))
    colors: Floats = ((scaled - middle) @ axes + 50.0).astype(np.float32)
    return colors
