"""How normal images become a model: read twice, one at a time, so that any number fits in memory.

First places are drawn and added up, in twelve parts of the images, or one for each if they are
fewer. Then images are scored by a model that has not seen their part: these scores are what others
are compared with.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gmmseg.errors import InputError
from gmmseg.image.aligned_layer import AlignedLayer
from gmmseg.image.arrays import with_channels
from gmmseg.image.defect_features import DefectFeatures, GivenFeatures, white_of
from gmmseg.image.defect_model import (
    DefectModel,
    Front,
    Layer,
    LayerScale,
    coarsened,
    score_of,
)
from gmmseg.image.defect_sample import MOST_ROWS, PlaceSample
from gmmseg.image.edge_scale import EdgeScale
from gmmseg.image.image_source import ImageSource
from gmmseg.image.place_sums import PlaceSums
from gmmseg.image.tied_layer import TiedLayer, best_number

Floats = NDArray[np.float32]
Mode = Literal["auto", "tied", "aligned"]

N_PARTS = 12  # an image is scored by a model of the other eleven twelfths
MOST_SCORED = 200  # images whose scores others are compared with
MOST_SCORED_PLACES = 2**25  # in all of them together
MOST_PLACES = 2**15  # of the aligned mode, in which every place has its own Gaussian
WHITE_IMAGES = 16  # first images that tell how light an image is
JUDGED_IMAGES = 16  # that choose between the modes
SCALE_PLACES = 2_000  # of an image, that tell the scale of the layers


@dataclass(frozen=True)
class FitOptions:
    """What `ImageAnomalyDetector` was given, checked."""

    features: str
    mode: Mode
    local_brightness: float | None
    smoothing: float
    seed: int | None
    n_jobs: int | None


@dataclass
class Part:
    """What is collected of a part of the images."""

    sample: PlaceSample
    sums: PlaceSums | None = None


@dataclass
class Collection:
    """What is collected of all images."""

    front: Front
    parts: list[Part]
    coarseness: int
    shape: tuple[int, int] | None
    n_images: int = 0
    n_components: tuple[int, ...] = ()

    @property
    def are_alike(self) -> bool:
        """Whether all images have the same size."""
        return self.shape is not None


def fit_model(source: ImageSource, options: FitOptions) -> tuple[DefectModel, NDArray[np.float64]]:
    """Return the model of normal images, and what each scores by models without it."""
    collected = _collect(source, options)
    mode = _mode(collected, source, options)
    coarseness = collected.coarseness if mode == "aligned" else 1
    all_parts = list(range(len(collected.parts)))
    whole = _layers(collected, all_parts, mode, options)
    empty = tuple(LayerScale(0.0, 1.0) for _ in whole)
    model = DefectModel(collected.front, whole, empty, coarseness, options.smoothing)
    partial = [
        replace(model, layers=_layers(collected, [p for p in all_parts if p != out], mode, options))
        for out in (all_parts if len(all_parts) > 1 else [])
    ] or [model]
    numbers = _scored_numbers(collected)
    maps: list[list[Floats]] = []
    for number, image in source.chosen(numbers):
        judge = partial[number % len(partial)]
        maps.append(judge.log_distances(judge.features(image, options.n_jobs), options.n_jobs))
    scales = tuple(LayerScale.of(_some(layer_maps)) for layer_maps in zip(*maps, strict=True))
    model = replace(model, scales=scales)
    places = [model.fused(own) for own in maps]
    if mode == "tied" and isinstance(model.front, DefectFeatures):
        model = replace(model, edge=EdgeScale.of(places, model.step))
    return model, np.array([score_of(model.judged(own)) for own in places])


def _collect(source: ImageSource, options: FitOptions) -> Collection:
    front, n_images = _front(source, options)
    rng = np.random.default_rng(options.seed)
    n_parts = min(n_images, N_PARTS)
    parts = [Part(PlaceSample(rng, MOST_ROWS // n_parts)) for _ in range(n_parts)]
    collected = Collection(front, parts, 1, None)
    for number, image in enumerate(source):
        features = front.of(image, options.n_jobs)
        part = parts[number % n_parts]
        part.sample.add(features)
        if options.mode != "tied":
            _add_up(collected, part, features)
        collected.n_images += 1
    if options.mode != "aligned":
        collected.n_components = _numbers_of_components(collected, options)
    return collected


def _front(source: ImageSource, options: FitOptions) -> tuple[Front, int]:
    """Return what turns these images into features, and their number."""
    whites, n_channels, n_images = [], 0, 0
    for image in source:
        if n_images < WHITE_IMAGES:
            whites.append(white_of(image))
        if n_images == 0:
            n_channels = with_channels(image).shape[-1]
        n_images += 1
        if n_images >= max(WHITE_IMAGES, N_PARTS):
            break
    if n_images == 0:
        raise InputError("there must be at least one normal image, got none")
    if options.features == "given":
        return GivenFeatures(n_channels), n_images
    return DefectFeatures(n_channels, float(np.median(whites)), options.local_brightness), n_images


def _add_up(collected: Collection, part: Part, features: Floats) -> None:
    """Add the features of an image at its places, as long as all images have the same size."""
    if collected.n_images == 0:
        rows, cols = collected.shape = features.shape[:2]
        while -(-rows // collected.coarseness) * -(-cols // collected.coarseness) > MOST_PLACES:
            collected.coarseness += 1
        origin = coarsened(features, collected.coarseness)
        for each in collected.parts:
            each.sums = PlaceSums.none(origin)
    if collected.shape != features.shape[:2]:
        collected.shape = None
        for each in collected.parts:
            each.sums = None
    if part.sums is not None:
        part.sums = part.sums.with_image(coarsened(features, collected.coarseness))


def _mode(collected: Collection, source: ImageSource, options: FitOptions) -> str:
    """Return the mode that was given, or that makes left-out images likelier."""
    if options.mode == "aligned" and not collected.are_alike:
        raise InputError(
            'mode="aligned" needs images of one size, got different ones; resize them, or use '
            'mode="tied"'
        )
    if options.mode != "auto":
        return options.mode
    if not collected.are_alike or len(collected.parts) < N_PARTS:
        return "tied"
    rest = list(range(1, N_PARTS))
    tied = _layers(collected, rest, "tied", options)[0]
    aligned = _layers(collected, rest, "aligned", options)[0]
    gain = 0.0
    for _, image in source.chosen({N_PARTS * i for i in range(JUDGED_IMAGES)}):
        fine = collected.front.of(image, options.n_jobs)
        coarse = coarsened(fine, collected.coarseness)
        own = slice(0, tied.n_features)
        here = aligned.log_likelihoods(coarse[..., own], options.n_jobs)
        anywhere = tied.log_likelihoods(coarse[..., own], options.n_jobs)
        gain += float(np.median(here) - np.median(anywhere))
    return "aligned" if gain > 0.0 else "tied"


def _layers(
    collected: Collection, numbers: list[int], mode: str, options: FitOptions
) -> tuple[Layer, ...]:
    """Return what some parts of the images say of each group of features."""
    parts = [collected.parts[number] for number in numbers]
    slices = _slices(collected.front)
    if mode == "aligned":
        sums = [part.sums for part in parts if part.sums is not None]
        return tuple(AlignedLayer(sum(sums[1:], start=sums[0]).of_features(own)) for own in slices)
    rows = np.concatenate([part.sample.rows() for part in parts])
    count = float(sum(part.sample.n_places for part in parts))
    return tuple(
        TiedLayer.learn(
            rows[:, own], n_components, count=count, seed=options.seed, n_jobs=options.n_jobs
        )
        for own, n_components in zip(slices, collected.n_components, strict=True)
    )


def _numbers_of_components(collected: Collection, options: FitOptions) -> tuple[int, ...]:
    """Return how many components each group of features wants where places are tied."""
    parts = [part.sample.rows() for part in collected.parts]
    rows = np.concatenate(parts)
    groups = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    slices = _slices(collected.front)
    return tuple(best_number(rows[:, own], groups, options.seed, options.n_jobs) for own in slices)


def _slices(front: Front) -> list[slice]:
    """Return where the features of each layer are."""
    edges = np.cumsum([0, *map(len, front.names)])
    return [slice(first, last) for first, last in itertools.pairwise(edges)]


def _scored_numbers(collected: Collection) -> set[int]:
    """Return the numbers of the images to score: evenly spaced, as many as memory holds."""
    n_images = collected.n_images
    largest = max(part.sample.largest for part in collected.parts)
    most = max(min(MOST_SCORED, MOST_SCORED_PLACES // max(largest, 1)), 8)
    return set(np.linspace(0, n_images - 1, min(n_images, most)).round().astype(int).tolist())


def _some(maps: tuple[Floats, ...]) -> Floats:
    """Return evenly spaced places of all maps, equally many of each."""
    return np.concatenate(
        [own.ravel()[:: max(1, own.size // SCALE_PLACES)][:SCALE_PLACES] for own in maps]
    )
