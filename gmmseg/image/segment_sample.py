"""The pixels that the segments of an image are learned from: as they are, and averaged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError
from gmmseg.image.bilateral import BilateralFilter
from gmmseg.image.color import light_of, scaled
from gmmseg.image.contrast import ContrastScale, NeighbourSquares
from gmmseg.image.pixels import Pixels
from gmmseg.image.recipe import Recipe, within

LEARNED_FROM = 2**18  # pixels, about, that a mixture is learned from, drawn by chance


@dataclass(frozen=True, eq=False)
class SegmentSample:
    """Pixels of an image, in an order of their own: to the bit those of the transposed image.

    Parameters
    ----------
    X : ndarray of float32 of shape (n, n_features)
        Features as they are.
    averaged : ndarray of float32 of shape (n, n_features)
        Their wide averages, in which segments are searched.
    light : ndarray of float32 of shape (n,)
        Lightness.
    log_prior : ndarray of float32 of shape (n_segments, n) or None
        What is known of where the segments are.
    contrast : ContrastScale
        How much neighbours differ where pixels are labelled.
    """

    X: NDArray[np.float32]
    averaged: NDArray[np.float32]
    light: NDArray[np.float32]
    log_prior: NDArray[np.float32] | None
    contrast: ContrastScale


def sample_of(
    pixels: Pixels,
    shown: Pixels,
    recipe: Recipe,
    bilateral: BilateralFilter | None,
    *,
    seed: int,
    log_prior: NDArray[np.float32] | None = None,
    n_jobs: int | None = None,
) -> SegmentSample:
    """Return about as many pixels as a mixture is learned from, and the contrast around them.

    Parameters
    ----------
    pixels : Pixels
        What the features are made of.
    shown : Pixels
        What the lightness is made of.
    recipe : Recipe
        How pixels become features.
    bilateral : BilateralFilter or None
        How features are averaged over neighbours; not at all if None.
    seed : int
        What decides which pixels are drawn.
    log_prior : ndarray of float32 of shape (n_segments, planes, rows, cols), optional
        What is known of where the segments are.
    n_jobs : int or None
        Number of threads; all processors if None.

    Returns
    -------
    sample : SegmentSample
        The pixels.

    Raises
    ------
    InputError
        If no pixel is in use.
    """
    rows, averages, lights, priors = [], [], [], []
    squares = NeighbourSquares(pixels.n_axes)
    share = LEARNED_FROM / max(pixels.n_inside, 1)
    reach = 1 if bilateral is None else bilateral.reach
    for outer, inner in pixels.strips(recipe.reach + reach):
        features, inside = recipe.features(pixels, outer)
        chosen, kept = np.zeros_like(inside), within(outer, inner)
        chosen[kept] = inside[kept] & pixels.chosen(inner, share, seed)
        labelled = searched = features
        if bilateral is not None:
            labelled, searched = bilateral.near_and_wide(
                features, inside, n_axes=pixels.n_axes, n_jobs=n_jobs
            )
        squares.add(labelled, inside, chosen)
        rows.append(features[chosen])
        averages.append(searched[chosen])
        lights.append(light_of(scaled(shown.read(outer)[0][chosen])))
        if log_prior is not None:
            priors.append(log_prior[(slice(None), *outer)][:, chosen])
    X, averaged, light = np.concatenate(rows), np.concatenate(averages), np.concatenate(lights)
    check_any_left(X)
    order = np.lexsort((*averaged.T, light, *X.T))
    X = X[order]
    return SegmentSample(
        X,
        X if bilateral is None else averaged[order],
        light[order],
        np.concatenate(priors, axis=1)[:, order] if priors else None,
        squares.scale(),
    )


def check_any_left(X: NDArray[np.float32]) -> None:
    """Raise InputError if there are no pixels (n, n_features) in use."""
    if not len(X):
        raise InputError(
            "no pixel is left to segment: all are masked out, transparent, NaN or infinite"
        )
