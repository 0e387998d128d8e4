"""What was learned of an image's segments, and how pixels are labelled with it, strip by strip."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.em import FitRecord
from gmmseg.core.halves import joint_log_densities
from gmmseg.core.parameters import MixtureParameters
from gmmseg.image.bilateral import BilateralFilter
from gmmseg.image.contrast import ContrastScale
from gmmseg.image.pixels import Pixels, Region
from gmmseg.image.recipe import Recipe, within
from gmmseg.image.surroundings import (
    GROUND_AND_THINGS,
    Surroundings,
    ThinnedPixels,
    learned_surroundings,
)
from gmmseg.smoothing.coupling import estimate_coupling
from gmmseg.smoothing.field_mean import mean_field
from gmmseg.smoothing.grid import GridField, contrast_field, unit_steps

# What the surroundings of a pixel find impossible counts so much, what they find likeliest 1; less
# where noise makes single pixels tell little.
LEAST_SUPPORT = 0.3
N_SWEEPS = 5
REACH_OF_SWEEP = 2  # each of its two colours looks at the next pixel


@dataclass(frozen=True, eq=False)
class SegmentModel:
    """A mixture whose components are segments, from dark to light, and a prior over neighbours.

    Parameters
    ----------
    parameters : MixtureParameters
        One component per segment: component ``k`` is label ``k + 1``.
    record : FitRecord
        How the search went.
    bic : float
        Bayesian information criterion of the mixture over the pixels it was learned from; lower
        is better.
    n_pixels : int
        Number of these pixels.
    n_channels : int
        Number of channels of the image.
    recipe : Recipe
        How pixels become features.
    searched : MixtureParameters
        The same segments among wide averages, in which they were searched.
    bilateral : BilateralFilter or None
        How features are averaged over neighbours; not if None.
    contrast : ContrastScale
        How much neighbours then differ on average.
    smoothness : float
        How much a neighbour that looks alike counts; 0 for no prior.
    log_prior : ndarray of float32 of shape (n_segments, planes, rows, cols) or None
        What is added to the log-density of every segment at every pixel of the image.
    spacing : tuple of float or None
        Length of a step along each axis of a volume.
    """

    parameters: MixtureParameters
    record: FitRecord
    bic: float
    n_pixels: int
    n_channels: int
    recipe: Recipe
    searched: MixtureParameters
    bilateral: BilateralFilter | None
    contrast: ContrastScale
    smoothness: float
    log_prior: NDArray[np.float32] | None = None
    spacing: tuple[float, ...] | None = None

    def labels(
        self,
        pixels: Pixels,
        *,
        dtype: type[np.integer[Any]] = np.int32,
        n_jobs: int | None = None,
    ) -> NDArray[Any]:
        """Return the label of every pixel: 1 to n_segments, 0 where not in use."""
        labels = np.zeros(pixels.shape, dtype=dtype)
        for region, q, inside in self.posteriors(pixels, n_jobs):
            labels[region] = np.where(inside, q.argmax(axis=0) + 1, 0)
        return labels.reshape(pixels.grid)

    def probabilities(self, pixels: Pixels, n_jobs: int | None = None) -> NDArray[np.float32]:
        """Return the probability of every segment at every pixel, (..., n_segments), 0 unused."""
        n_segments = self.parameters.n_components
        result = np.empty((*pixels.shape, n_segments), dtype=np.float32)
        for region, q, inside in self.posteriors(pixels, n_jobs):
            result[region] = np.moveaxis(np.where(inside, q, 0), 0, -1)
        return result.reshape((*pixels.grid, n_segments))

    def posteriors(
        self, pixels: Pixels, n_jobs: int | None = None
    ) -> Iterator[tuple[Region, NDArray[np.float32], NDArray[np.bool_]]]:
        """Yield strips: the region, its probabilities (n_segments, ...) and where they are used.

        The strips overlap as far as neighbours speak, so that their seams cannot be seen.
        """
        around = self._surroundings(pixels, n_jobs)
        halo = self._reach + (REACH_OF_SWEEP * N_SWEEPS if self.smoothness else 0)
        for outer, inner in pixels.strips(halo + (0 if around is None else around.reach)):
            log_joint, field, inside = self._evidence(pixels, outer, n_jobs, around)
            q = mean_field(
                log_joint,
                field,
                coupling=self.smoothness,
                n_sweeps=N_SWEEPS,
                stops_early=False,
                n_jobs=n_jobs,
            )
            kept = within(outer, inner)
            yield inner, q[(slice(None), *kept)], inside[kept]

    def estimated_smoothness(self, pixels: Pixels, n_jobs: int | None = None) -> float:
        """Return how much neighbours count in the middle of an image, by pseudo-likelihood."""
        strips = pixels.strips(self._reach)
        _, middle = strips[len(strips) // 2]
        log_joint, field, _ = self._evidence(pixels, middle, n_jobs)
        q = mean_field(log_joint, field, coupling=0.0, n_jobs=n_jobs)
        return estimate_coupling(q, field, weights=self.parameters.weights)

    @property
    def _reach(self) -> int:
        """How far from a pixel lies what is compared with the mixture."""
        averaged = 0 if self.bilateral is None else self.bilateral.reach
        return self.recipe.reach + averaged

    def _evidence(
        self,
        pixels: Pixels,
        region: Region,
        n_jobs: int | None,
        around: Surroundings | None = None,
    ) -> tuple[NDArray[np.float32], GridField, NDArray[np.bool_]]:
        """Return what pixels and prior say, how neighbours are coupled, and where pixels are used.

        The first is ``log(weight_k) + log N(x; k) + log prior_k``, (n_segments, planes, rows,
        cols), for ``x`` averaged over near neighbours, and what wide averages say; or for wide
        averages, where the segments are those of the surroundings.
        """
        features, wide, inside = self._averages(pixels, region, n_jobs)
        if around is None:
            log_joint = self._log_evidence(features, wide, inside, n_jobs)
        else:
            log_joint = around.log_joint(wide, inside, region)
        if self.log_prior is not None:
            log_joint += self.log_prior[(slice(None), *region)]
        return log_joint, self._field(features, inside, pixels.n_axes, n_jobs), inside

    def _averages(
        self, pixels: Pixels, region: Region, n_jobs: int | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return features averaged over near and many neighbours, and where pixels are used."""
        features, inside = self.recipe.features(pixels, region)
        if self.bilateral is None:
            return features, features, inside
        near, wide = self.bilateral.near_and_wide(
            features, inside, n_axes=pixels.n_axes, n_jobs=n_jobs
        )
        return near, wide, inside

    def _log_evidence(
        self,
        near: NDArray[np.float32],
        wide: NDArray[np.float32],
        inside: NDArray[np.bool_],
        n_jobs: int | None,
    ) -> NDArray[np.float32]:
        """Return what near averages say, and wide ones where there are any, of the whole image."""
        log_joint = _log_joint(near, inside, self.parameters, n_jobs)
        if self.bilateral is not None:
            log_wide = _log_joint(wide, inside, self.searched, n_jobs)
            log_joint += _log_support(log_wide, LEAST_SUPPORT / self.bilateral.noisiness**2)
        return log_joint

    def _surroundings(self, pixels: Pixels, n_jobs: int | None) -> Surroundings | None:
        """Return how ground and things differ from place to place, if the segments are these.

        With more segments brightness tells things from each other, and must not be evened out.
        """
        n_segments, recipe, bilateral = self.parameters.n_components, self.recipe, self.bilateral
        has_ground = recipe.dark_field is not None and recipe.place is None
        if bilateral is None or not has_ground or n_segments != GROUND_AND_THINGS:
            return None
        kept = ThinnedPixels.empty(pixels.shape, self.parameters.n_features)
        for strip in pixels.strips(self._reach):
            near, wide, inside = self._averages(pixels, strip[0], n_jobs)
            ground, things = self._log_evidence(near, wide, inside, n_jobs)
            kept.put(strip, wide, inside, things > ground)
        # Where noise rules what is alike, pixels as they are spread by it, and averages do not.
        parameters = self.searched if bilateral.noisiness > 1 else self.parameters
        lengths = unit_steps(self.spacing, pixels.n_axes)
        lengths[: 3 - pixels.n_axes] = np.inf
        return learned_surroundings(kept, parameters, lengths)

    def _field(
        self,
        features: NDArray[np.float32],
        inside: NDArray[np.bool_],
        n_axes: int,
        n_jobs: int | None,
    ) -> GridField:
        """Return how neighbours are coupled: the less the more they differ."""
        return contrast_field(
            self.contrast.scaled(features if n_axes == 3 else features[0]),
            inside=inside if n_axes == 3 else inside[0],
            spacing=self.spacing,
            mean_square=1.0,
            n_jobs=n_jobs,
        )


def _log_joint(
    features: NDArray[np.float32],
    inside: NDArray[np.bool_],
    parameters: MixtureParameters,
    n_jobs: int | None,
) -> NDArray[np.float32]:
    """Return ``log(weight_k) + log N(x; k)``, (n_segments, planes, rows, cols)."""
    known = features if inside.all() else np.where(inside[..., None], features, np.float32(0))
    rows = known.reshape(-1, features.shape[-1])
    return joint_log_densities(rows, parameters, n_jobs).reshape(-1, *inside.shape)


def _log_support(log_joint: NDArray[np.float32], least: float) -> NDArray[np.float32]:
    """Return ``log max(p_k / max p, least)`` of the posteriors of wide averages, in place.

    Faint segments drown in the noise of single pixels, but not in that of many; thin ones are lost
    in wide averages, so that these may not rule.
    """
    log_joint -= log_joint.max(axis=0)
    return np.maximum(log_joint, np.float32(np.log(least)), out=log_joint)
