"""Partly labelled data: samples that are known to belong to a component, and a start from them."""

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.initialization import (
    SUBSAMPLE_SIZE,
    kmeans_plus_plus,
    nearest_center,
    parameters_from_labels,
)
from gmmseg.core.missing_start import observed_mean
from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError

UNKNOWN = -1
MOST_COMPONENTS = 2**31 - 1

Array = NDArray[np.float64]
Labels = NDArray[np.int32]


def known_labels(
    y: Any, n_samples: int, n_components: int, sample_weight: Array | None = None
) -> Labels | None:
    """Return the labels if some are given and some unknown (-1), else None.

    A ``y`` without -1, or not of whole numbers, is what a pipeline hands on to every step, and as
    in scikit-learn's mixtures it means nothing here.
    """
    labels = _whole_numbers(y)
    if labels is None or not (labels == UNKNOWN).any():
        return None
    if labels.ndim != 1:
        raise InputError(
            f"y must have shape ({n_samples},), got {labels.shape}; give one label per sample"
        )
    if len(labels) != n_samples:
        raise InputError(
            f"y must have one label for each of the {n_samples} samples, got {len(labels)}"
        )
    is_bad = (labels < UNKNOWN) | (labels >= n_components)
    if is_bad.any():
        raise InputError(
            f"y must hold components from 0 to {n_components - 1}, or -1 where none is known, got "
            f"{labels[is_bad.argmax()]} for sample {is_bad.argmax()}"
        )
    if sample_weight is not None:  # a sample that does not count tells nothing
        labels = np.where(sample_weight > 0.0, labels, UNKNOWN)
    return labels.astype(np.int32) if (labels > UNKNOWN).any() else None


def _whole_numbers(y: Any) -> NDArray[np.int64] | None:
    """Return y as integers, whatever type holds them; None if it holds anything else."""
    if y is None:
        return None
    values = np.asarray(y)
    if values.dtype.kind == "O":  # a column of a data frame that may have holes
        if not all(isinstance(value, numbers.Real) for value in values.ravel()):
            return None
        values = values.astype(np.float64)
    if values.dtype.kind == "f":
        if not (values == np.trunc(values)).all() or not (np.abs(values) <= MOST_COMPONENTS).all():
            return None
    elif values.dtype.kind not in "iu":
        return None
    return values.astype(np.int64)


def parameters_from_some_labels(
    labelled: NDArray[Any],
    labels: Labels,
    sample: tuple[Array, Array],
    n_components: int,
    *,
    covariance_type: str,
    rng: np.random.Generator,
) -> MixtureParameters:
    """Return a start where labelled samples keep their labels and others go to the nearest group.

    Groups without a labelled sample begin at samples far from all the others.
    """
    if len(labelled) > SUBSAMPLE_SIZE:
        drawn = rng.choice(len(labelled), SUBSAMPLE_SIZE, replace=False)
        labelled, labels = labelled[drawn], labels[drawn]
    rows, weight = sample
    own, groups = labelled.astype(np.float64), labels
    present = np.unique(groups)
    overall = observed_mean(rows, weight)
    centers = np.array([_center(own[groups == k], overall) for k in present])
    if len(present) < n_components:
        centers = kmeans_plus_plus(rows, weight, n_components, rng, centers=centers)
    absent = np.setdiff1d(np.arange(n_components), present)
    component_of_center = np.concatenate([present, absent])[: len(centers)]
    nearest = component_of_center[nearest_center(rows, centers)]
    return parameters_from_labels(
        np.vstack([own, rows]),
        np.concatenate([np.ones(len(own)), weight]),
        np.concatenate([groups, nearest]),
        n_components,
        covariance_type=covariance_type,
    )


def _center(group: Array, overall: Array) -> Array:
    """Return the mean of a group; the overall one in features that the whole group misses."""
    is_unseen = np.isnan(group).all(axis=0)
    return np.where(is_unseen, overall, observed_mean(group, np.ones(len(group))))
