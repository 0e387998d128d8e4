"""Regions: the connected parts of an image that a person would outline."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_above, check_number
from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.image.edges import edge_strength
from gmmseg.image.features import dark_to_light, lightness
from gmmseg.image.grids import block_means_inside
from gmmseg.image.pixels import pixels_of
from gmmseg.image.recipe import Recipe
from gmmseg.image.region_features import Floats, Mask, comparable_colors, region_features
from gmmseg.image.region_kernels import move_borders
from gmmseg.image.region_merging import Stop, merge_regions, region_statistics
from gmmseg.image.region_noise import without_noise
from gmmseg.image.superpixels import Borders, superpixels

# Regions are found at about this size, at which the discs of the edges are as large as a person
# would want them; larger images are reduced.
USUAL_PIXELS = 160_000
USUAL_COST = 2.5  # where merging stops: between people who draw many outlines and few


def segment_regions(
    image: ArrayLike,
    *,
    n_regions: int | None = None,
    mask: ArrayLike | None = None,
    detail: float = 1.0,
    channel_axis: int | None = -1,
    n_jobs: int | None = None,
) -> NDArray[np.int32]:
    """Split an image into connected regions, as a person would outline them.

    The image is cut into small patches along its edges. Each is described by one Gaussian of
    colour and texture, and the two neighbours that are most alike, and between which the edge is
    weakest, are merged again and again. Unlike with `segment_image`, the same stuff in two places
    makes two regions. Images of more than about 0.25 megapixels are reduced for this, and the
    borders then moved to where they lie in the full image. Noise that is in all of several channels
    is averaged out first.

    Parameters
    ----------
    image : array_like of shape (rows, cols) or (rows, cols, channels)
        Image of any number of channels; boolean, integer or floating. Three channels are RGB
        and, if floating, lie in 0…1; the scale of others does not matter.
    n_regions : int, optional
        Number of regions wanted. If None, merging stops where two neighbours differ too much.
    mask : array_like of bool of shape (rows, cols), optional
        True (or not 0) where pixels are used. Pixels that are not finite never are.
    detail : float
        How little two neighbours must differ to stay apart if `n_regions` is None: at 2 half as
        much as at 1, so that there are more regions. Search it on a log scale: 0.5, 0.7, 1, 1.4.
    channel_axis : int or None
        Axis of the channels. A two-dimensional image has none.
    n_jobs : int or None
        Number of threads; all processors if None. The labels do not depend on it.

    Returns
    -------
    labels : ndarray of int32 of shape (rows, cols)
        1 to the number of regions, from the darkest region to the lightest, and 0 where masked
        out. The pixels of a label are connected by their sides.

    Raises
    ------
    InputError
        If the image or an option cannot be used.

    Warns
    -----
    GmmsegWarning
        If there are fewer or more regions than wanted: an image has no more than it has patches,
        and no fewer than the parts into which the mask cuts it.

    References
    ----------
    Arbelaez, Maire, Fowlkes, Malik (2011), "Contour detection and hierarchical image
    segmentation", for regions from edges; the edges are those of Martin, Fowlkes, Malik (2004).

    Examples
    --------
    >>> image = np.zeros((40, 60), dtype=np.uint8)
    >>> image[10:30, 5:25] = image[10:30, 35:55] = 200
    >>> labels = segment_regions(image)
    >>> labels[[0, 20, 20], [0, 15, 45]]
    array([1, 2, 3], dtype=int32)
    """
    check_above("detail", detail, 0)
    if n_regions is not None:
        check_number("n_regions", n_regions, least=1, is_whole=True)
    pixels = pixels_of(image, mask=mask, channel_axis=channel_axis)
    if pixels.n_axes == 3:
        raise InputError("regions are found in planes, got a volume; use segment_image")
    color = "lab" if pixels.n_channels == 3 else "none"
    features, inside = Recipe.fitting(pixels, color=color).features(pixels, pixels.everything)
    if not inside.any():
        raise InputError(
            "no pixel is left to segment: all are masked out, transparent, NaN or infinite"
        )
    stop = Stop(cost=USUAL_COST / detail) if n_regions is None else Stop(n_regions=n_regions)
    labels = _labels(features[0], inside[0], stop, n_jobs)
    found = int(labels.max())
    if n_regions is not None and found != n_regions:
        warnings.warn(
            f"found {found} regions, {n_regions} were wanted", GmmsegWarning, stacklevel=2
        )
    return _numbered(labels, lightness(image, channel_axis=channel_axis))


def _labels(features: Floats, inside: Mask, stop: Stop, n_jobs: int | None) -> NDArray[np.int32]:
    """Return the regions of the pixels in use, in any order."""
    if not inside.all():
        features = np.where(inside[..., np.newaxis], features, np.float32(0))
    colors = comparable_colors(features, inside)
    factor = max(1, round(float(np.sqrt(inside.size / USUAL_PIXELS))))
    if factor == 1:
        return coarse_regions(colors, inside, stop, n_jobs)
    coarse, coarse_inside = block_means_inside(colors, inside, factor)
    small = coarse_regions(coarse, coarse_inside, stop, n_jobs)
    rows, cols = inside.shape
    labels = small.repeat(factor, axis=0)[:rows].repeat(factor, axis=1)[:, :cols]
    labels = np.where(inside, labels, np.int32(0))
    for _ in range(factor):
        if not move_borders(colors, labels, coarse, small, factor):
            break
    if not inside.all():
        from skimage.measure import label

        # What is one region in the coarse image may be cut in two by the mask.
        labels = label(labels, connectivity=1).astype(np.int32)
    return labels


def coarse_regions(
    colors: Floats, inside: Mask, stop: Stop, n_jobs: int | None
) -> NDArray[np.int32]:
    """Return the regions of an image of usual size from 1, and 0 outside, (rows, cols)."""
    colors = without_noise(colors, inside)
    strength = edge_strength(colors, inside, n_jobs=n_jobs)
    patches = superpixels(strength, inside)
    statistics = region_statistics(region_features(colors, inside), patches[inside])
    merged = merge_regions(statistics, Borders.between(patches, strength), stop)
    labels = np.zeros(inside.shape, dtype=np.int32)
    labels[inside] = merged[patches[inside] - 1] + 1
    return labels


def _numbered(labels: NDArray[np.int32], light: Floats) -> NDArray[np.int32]:
    """Return the labels numbered by how light their pixels are on average, the darkest 1."""
    used = labels > 0
    order = 1 + dark_to_light(labels[used] - 1, light[used])
    numbers = np.zeros(len(order) + 1, dtype=np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[labels]
