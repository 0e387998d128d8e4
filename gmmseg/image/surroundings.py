"""What things and their ground look like around every place, where things differ in brightness.

Each nucleus in fluorescence holds its own amount of stain. One border in brightness for all cuts a
dim one too small, and a bright one too large by the glow around it. Here mean, variance and weight
of things and ground are those of what lies around a pixel, each shrunk to that of the whole image
by a conjugate prior, so that a place that knows little of a segment takes what the image knows:
maximum a posteriori, as a mixture is adapted to a speaker in Reynolds, Quatieri, Dunn (2000),
"Speaker verification using adapted Gaussian mixture models", eq. 11 to 14, with a window in place
of the recording.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import erfinv

from gmmseg.core.covariance_base import diagonals
from gmmseg.core.parameters import MixtureParameters
from gmmseg.image.pixels import Region, as_region
from gmmseg.image.recipe import within

Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]
Triple: TypeAlias = tuple[int, int, int]

GROUND_AND_THINGS = 2  # segments
LEFT, FARTHEST = 2**18, 4  # pixels, about, that are looked at; rows and columns between them
N_ROUNDS = 3  # each labels by what the one before has learned
# In parts of the mean width of things: how far the surroundings reach, and averages for labels.
SURROUNDINGS, BLUR = 0.5, 0.025
LEAST_SURROUNDINGS, MOST_BLUR = 8.0, 3.0  # pixels: fewer tell little; more hides thin things
LEAST_PART = 1e-3  # of the step from ground to things: less between two pixels is noise
SMALLEST = 1e-30  # step that counts as some
LEAST_SHARE = 1e-9  # of an image that a segment is taken for
FINE = 4  # places in a standard deviation of the surroundings: more tell no more
TRUNCATED = 3  # standard deviations at which a window ends
# What the image knows counts like a segment that fills this part of the surroundings.
PRIOR_OF_MEAN, PRIOR_OF_VARIANCE, PRIOR_OF_WEIGHT = 0.03, 0.2, 0.02


@dataclass(frozen=True, eq=False)
class ThinnedPixels:
    """The pixels of an image, or of a volume, from which surroundings are learned.

    Parameters
    ----------
    averages : ndarray of float32 of shape (planes, rows, cols, n_features)
        Features, averaged over neighbours that look alike.
    inside : ndarray of bool of shape (planes, rows, cols)
        Where pixels are in use.
    is_thing : ndarray of bool of shape (planes, rows, cols)
        What is no ground, by the mixture of the whole image.
    steps : tuple of int
        Of how many planes, rows and columns one is here.
    """

    averages: Floats
    inside: Mask
    is_thing: Mask
    steps: Triple

    @classmethod
    def empty(cls, shape: Triple, n_features: int) -> "ThinnedPixels":
        """Return room for what is kept of an image of this shape."""
        step = max(1, min(FARTHEST, math.isqrt(math.prod(shape) // LEFT)))
        planes, rows, cols = shape
        kept = planes, math.ceil(rows / step), math.ceil(cols / step)
        averages = np.zeros((*kept, n_features), dtype=np.float32)
        return cls(averages, np.zeros(kept, bool), np.zeros(kept, bool), (1, step, step))

    def put(
        self, strip: tuple[Region, Region], averages: Floats, inside: Mask, is_thing: Mask
    ) -> None:
        """Fill in what is kept of a strip, given with its halo."""
        outer, inner = strip
        there, here = [], []
        for part, kept, step in zip(inner, within(outer, inner), self.steps, strict=True):
            there.append(slice(math.ceil(part.start / step), math.ceil(part.stop / step)))
            here.append(slice(kept.start + -part.start % step, kept.stop, step))
        at, of = as_region(tuple(there)), as_region(tuple(here))
        self.averages[at] = averages[of]
        self.inside[at] = inside[of]
        self.is_thing[at] = is_thing[of] & inside[of]

    def thinner(self, factors: Triple) -> "ThinnedPixels":
        """Return one of so many planes, rows and columns of these."""
        kept = tuple(slice(None, None, factor) for factor in factors)
        planes, rows, cols = (s * f for s, f in zip(self.steps, factors, strict=True))
        return ThinnedPixels(
            self.averages[kept], self.inside[kept], self.is_thing[kept], (planes, rows, cols)
        )

    def mean_width(self) -> float:
        """Return how wide things are along rows and columns of the image; 0 if there are none."""
        cells = np.pad(self.is_thing, ((0, 0), (1, 0), (1, 0)))
        here, left, above = cells[:, 1:, 1:], cells[:, 1:, :-1], cells[:, :-1, 1:]
        n_runs = int(np.count_nonzero(here & ~left)) + int(np.count_nonzero(here & ~above))
        return 2 * self.steps[1] * int(np.count_nonzero(here)) / max(n_runs, 1)

    def softness(self) -> float:
        """Return the standard deviation, in pixels, that borders are blurred with; 0 if sharp.

        Pixels a distance d apart, one on either side of a step that was blurred with standard
        deviation s, differ by ``erf(d / (2 sqrt(2) s))`` of it.
        """
        steps = np.concatenate([self._steps_at_borders(axis) for axis in (1, 2)])
        if not len(steps):
            return 0.0
        things = self.averages[self.is_thing].mean(axis=0)
        ground = self.averages[self.inside & ~self.is_thing].mean(axis=0)
        part = float(np.median(steps)) / max(float(np.linalg.norm(things - ground)), SMALLEST)
        distance = self.steps[1] / (2 * math.sqrt(2))
        return float(distance / erfinv(min(max(part, LEAST_PART), 1.0)))

    def _steps_at_borders(self, axis: int) -> Floats:
        """Return how far neighbours along an axis differ of which one is thing and one ground."""
        ahead, behind = (
            tuple(part if a == axis else slice(None) for a in range(3))
            for part in (slice(1, None), slice(None, -1))
        )
        is_border = self.is_thing[ahead] != self.is_thing[behind]
        is_border &= self.inside[ahead] & self.inside[behind]
        difference = self.averages[ahead][is_border] - self.averages[behind][is_border]
        found: Floats = np.linalg.norm(difference, axis=1)
        return found


@dataclass(frozen=True, eq=False)
class LocalGaussian:
    """One segment at every place, in the unit of its Gaussian in the whole image.

    Parameters
    ----------
    shift : ndarray of float32 of shape (planes, rows, cols, n_features)
        How far its mean is from that of the whole image, whitened by its covariance.
    spread : ndarray of float32 of shape (planes, rows, cols)
        What its covariance in the whole image is multiplied by.
    weight : ndarray of float32 of shape (planes, rows, cols)
        Its part of the surroundings.
    """

    shift: Floats
    spread: Floats
    weight: Floats

    def log_joint(self, z: Floats) -> Floats:
        """Return ``log(weight) + log N(z; shift, spread)`` of whitened features, but a constant."""
        squares = _dot(z - self.shift, z - self.shift)
        log_volume = z.shape[-1] * np.log(self.spread)
        return np.log(self.weight) - (squares / self.spread + log_volume) / 2

    def at(self, region: Region, steps: Triple) -> "LocalGaussian":
        """Return it at every pixel of a region, between places linearly."""
        shift, spread, weight = self.shift, self.spread, self.weight
        for axis, (part, step) in enumerate(zip(region, steps, strict=True)):
            places = np.arange(part.start, part.stop) / step
            shift, spread, weight = (
                _between(values, places, axis) for values in (shift, spread, weight)
            )
        return LocalGaussian(shift, spread, weight)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Ground and things at every place of an image.

    Parameters
    ----------
    parameters : MixtureParameters
        Both in the whole image.
    segments : tuple of two LocalGaussian
        Both around every place.
    steps : tuple of int
        Planes, rows and columns of the image from one place to the next.
    blur : ndarray of shape (3,)
        Standard deviations, along the axes, of the window over which pixels are averaged.
    """

    parameters: MixtureParameters
    segments: Sequence[LocalGaussian]
    steps: Triple
    blur: NDArray[np.float64]

    @property
    def reach(self) -> int:
        """How far from a pixel lies what it is averaged over."""
        return max(_radii(self.blur))

    def log_joint(self, averages: Floats, inside: Mask, region: Region) -> Floats:
        """Return ``log(weight_k) + log N(x; k)`` in a region, (2, planes, rows, cols)."""
        blurred = _blurred(averages, inside, self.blur)
        here = [segment.at(region, self.steps) for segment in self.segments]
        return _log_joint(blurred, self.parameters, here)


def learned_surroundings(
    pixels: ThinnedPixels, parameters: MixtureParameters, lengths: NDArray[np.float64]
) -> Surroundings | None:
    """Return what ground and things look like around every place.

    Parameters
    ----------
    pixels : ThinnedPixels
        What an image looks like, and what is thing in it.
    parameters : MixtureParameters
        Ground and things in the whole image, two components.
    lengths : ndarray of shape (3,)
        Length of a step along each axis; infinite along the planes of an image that is no volume.

    Returns
    -------
    surroundings : Surroundings or None
        None where there is nothing but ground.
    """
    width = pixels.mean_width()
    if not width:
        return None
    window = max(SURROUNDINGS * width, LEAST_SURROUNDINGS) / lengths
    blur = min(BLUR * width, MOST_BLUR, pixels.softness()) / lengths
    planes, rows, cols = (
        max(1, int(sigma / (FINE * step))) for sigma, step in zip(window, pixels.steps, strict=True)
    )
    averages = _blurred(pixels.averages, pixels.inside, blur / pixels.steps)
    pixels = replace(pixels, averages=averages).thinner((planes, rows, cols))
    things = pixels.is_thing.astype(np.float32)
    learner = _Learner(pixels, parameters, window / pixels.steps)
    segments = learner.segments(things)
    for _ in range(N_ROUNDS - 1):
        ground, thing = _log_joint(pixels.averages, parameters, segments)
        things = np.exp(thing - np.logaddexp(ground, thing)) * pixels.inside
        segments = learner.segments(things)
    return Surroundings(parameters, segments, pixels.steps, blur)


@dataclass(frozen=True, eq=False)
class _Learner:
    """What surroundings are learned from, round after round."""

    pixels: ThinnedPixels
    parameters: MixtureParameters
    window: NDArray[np.float64]  # standard deviations, in places

    def segments(self, things: Floats) -> list[LocalGaussian]:
        """Return both segments, given how likely each pixel is of a thing."""
        inside = self.pixels.inside.astype(np.float32)
        present = _windowed(inside, self.window)
        return [
            self._segment(k, belief, present, max(belief.sum() / max(inside.sum(), 1), LEAST_SHARE))
            for k, belief in enumerate((inside - things, things))
        ]

    def _segment(self, k: int, belief: Floats, present: Floats, share: float) -> LocalGaussian:
        z = _whitened(self.pixels.averages, self.parameters, k)
        count = _windowed(belief, self.window)
        sums = _windowed(belief[..., np.newaxis] * z, self.window)
        squares = _windowed(belief * _dot(z, z), self.window)
        shift = sums / (count + PRIOR_OF_MEAN)[..., np.newaxis]
        left = squares - 2 * _dot(shift, sums) + count * _dot(shift, shift)
        variance = np.maximum(left, 0) / z.shape[-1]
        spread = (variance + PRIOR_OF_VARIANCE) / (count + PRIOR_OF_VARIANCE)
        # A part varies no more than the whole; else ground would grow to take in what is dim.
        return LocalGaussian(
            shift,
            np.minimum(spread, 1),
            (count + PRIOR_OF_WEIGHT * share) / (present + PRIOR_OF_WEIGHT),
        )


def _log_joint(
    X: Floats, parameters: MixtureParameters, segments: Sequence[LocalGaussian]
) -> Floats:
    """Return ``log(weight_k) + log N(x; k)`` but a constant, (2, planes, rows, cols)."""
    volumes = _log_volumes(parameters)
    return np.stack(
        [
            segment.log_joint(_whitened(X, parameters, k)) - volumes[k]
            for k, segment in enumerate(segments)
        ]
    )


def _log_volumes(parameters: MixtureParameters) -> Floats:
    """Return half the logarithm of the determinant of each covariance."""
    factors = diagonals(parameters.component_factors)
    return -np.log(factors).sum(axis=1).astype(np.float32)


def _whitened(X: Floats, parameters: MixtureParameters, k: int) -> Floats:
    factor = parameters.component_factors[k].astype(np.float32)
    deviation = X - parameters.means[k].astype(np.float32)
    return deviation @ factor if factor.ndim == 2 else deviation * factor


def _dot(a: Floats, b: Floats) -> Floats:
    product: Floats = np.einsum("...i,...i->...", a, b)
    return product


def _blurred(values: Floats, inside: Mask, sigma: NDArray[np.float64]) -> Floats:
    """Return averages over a window, of what is in use in it; 0 for what is not."""
    used = inside[..., np.newaxis]
    known = np.maximum(_windowed(inside.astype(np.float32), sigma), 1e-9)[..., np.newaxis]
    return np.where(used, _windowed(np.where(used, values, 0), sigma) / known, 0)


def _windowed(values: Floats, sigma: NDArray[np.float64]) -> Floats:
    """Return sums over a Gaussian window of (planes, rows, cols[, n_features])."""
    more = (0,) * (values.ndim - 3)
    found: Floats = ndimage.gaussian_filter(
        values, (*sigma, *more), mode="constant", radius=(*_radii(sigma), *more)
    )
    return found


def _radii(sigma: NDArray[np.float64]) -> list[int]:
    return [math.ceil(TRUNCATED * s - 0.5) for s in sigma]


def _between(values: Floats, places: NDArray[np.float64], axis: int) -> Floats:
    """Return what lies between places along an axis, and the last beyond it."""
    last = values.shape[axis] - 1
    before = np.minimum(places.astype(np.intp), last)
    part = (places - before).astype(np.float32)
    part = part.reshape(-1, *(1,) * (values.ndim - 1 - axis))
    found: Floats = values.take(before, axis) * (1 - part)
    found += values.take(np.minimum(before + 1, last), axis) * part
    return found
