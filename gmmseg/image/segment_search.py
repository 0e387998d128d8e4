"""Search the segments of an image: what counts as alike for them, and their mixture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance import family_named
from gmmseg.core.em import EMOptions, FitRecord
from gmmseg.core.estep import predicted_labels
from gmmseg.core.fit import Start, fit_mixture
from gmmseg.core.halves import joint_log_densities
from gmmseg.core.initialization import parameters_from_labels
from gmmseg.core.parameters import MixtureParameters
from gmmseg.image.bilateral import BilateralFilter
from gmmseg.image.features import dark_to_light
from gmmseg.image.pixel_spread import spread_of, spread_patches
from gmmseg.image.pixels import Pixels
from gmmseg.image.recipe import Recipe, sampled_rows
from gmmseg.image.segment_sample import SegmentSample

AUTO_COVARIANCE = "auto"
SEARCHED_FAMILY, KEPT_FAMILY = "EVV", "full"  # of "auto"
FIRST_LOOK = 2**14  # pixels, about, from which is learned what counts as alike
N_STARTS = 4  # of which the most likely mixture is kept
OPTIONS = EMOptions(tol=1e-3, max_iter=200, accelerate=True, has_one_unit=True)


@dataclass(frozen=True, eq=False)
class SegmentSearch:
    """How the segments of an image are searched.

    Parameters
    ----------
    covariance_type : str
        Shape of the components, or "auto".
    rng : Generator
        Where the random starts come from.
    n_jobs : int or None
        Number of threads; all processors if None.
    """

    covariance_type: str
    rng: np.random.Generator
    n_jobs: int | None

    @property
    def searched_family(self) -> str:
        """Covariance family of the mixture while segments are searched."""
        is_auto = self.covariance_type == AUTO_COVARIANCE
        return SEARCHED_FAMILY if is_auto else family_named(self.covariance_type).name

    @property
    def kept_family(self) -> str:
        """Covariance family of the pixels in the segments found, where averages were searched."""
        return KEPT_FAMILY if self.covariance_type == AUTO_COVARIANCE else self.searched_family

    def bilateral(
        self,
        pixels: Pixels,
        recipe: Recipe,
        n_segments: int,
        spacing: tuple[float, ...] | None = None,
    ) -> BilateralFilter:
        """Return what evens out differences within segments, by a first look at a few pixels."""
        few = sampled_rows(pixels, recipe, FIRST_LOOK)
        if not len(few):
            return BilateralFilter(0.0, spacing)
        few = few[np.lexsort(few.T)]
        parameters, _ = self._fitted(few, min(n_segments, len(few)))
        labels = predicted_labels(few, parameters, self.n_jobs)
        noise = spread_of(pixels, recipe, spread_patches(pixels, recipe.reach + 1)).noise
        return BilateralFilter.of_groups(few, labels, spacing, noise=noise)

    def mixture(
        self, sample: SegmentSample, n_segments: int
    ) -> tuple[MixtureParameters, MixtureParameters, FitRecord]:
        """Return the mixture of a sample's pixels, that of their averages, and the record of this.

        Segments are searched among averages, by which pixels on edges have found their side; the
        first mixture is that of the pixels as they are in each. Both have the same order.
        """
        if sample.log_prior is None:
            parameters, record = self._fitted(sample.averaged, n_segments, n_starts=N_STARTS)
            components = predicted_labels(sample.averaged, parameters, self.n_jobs)
            used = dark_to_light(components, sample.light)
        else:
            expected = sample.log_prior.argmax(axis=0)
            previous = _of_labels(sample.averaged, expected, n_segments, self.searched_family)
            parameters, record = self._fitted(sample.averaged, n_segments, previous=previous)
            log_joint = joint_log_densities(sample.averaged, parameters, self.n_jobs)
            components = (log_joint + sample.log_prior).argmax(axis=0)
            used = np.arange(n_segments)
        searched = parameters.subset(used)
        if sample.averaged is sample.X:
            return searched, searched, record
        place = np.empty(parameters.n_components, dtype=np.intp)
        place[used] = np.arange(len(used))
        own = _of_labels(sample.X, place[components], len(used), self.kept_family)
        return own, searched, record

    def _fitted(
        self,
        X: NDArray[np.float32],
        n_segments: int,
        *,
        n_starts: int = 1,
        previous: MixtureParameters | None = None,
    ) -> tuple[MixtureParameters, FitRecord]:
        """Return the most likely mixture of features (n, n_features), and how it was found."""
        start = Start(
            n_components=n_segments,
            rng=self.rng,
            covariance_type=self.searched_family,
            n_init=n_starts,
            previous=previous,
        )
        return fit_mixture(X, None, start, OPTIONS, n_jobs=self.n_jobs)


def _of_labels(
    X: NDArray[np.float32], labels: NDArray[np.intp], n_components: int, family: str
) -> MixtureParameters:
    """Return the mixture of pixels (n, n_features) whose segments are known."""
    return parameters_from_labels(
        X.astype(np.float64),
        np.ones(len(X)),
        labels,
        n_components,
        covariance_type=family,
        has_one_unit=True,
    )
