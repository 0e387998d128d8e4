"""The figures of ``gmmseg image score``: what is told of labels, masks and maps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gmmseg.cli.label_pairs import Pair
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Report = dict[str, Any]


class Mode(StrEnum):
    """What is held to the truth."""

    classes = "classes"
    regions = "regions"
    mask = "mask"
    map = "map"


class Match(StrEnum):
    """How labels are matched to classes."""

    one_to_one = "one-to-one"
    majority = "majority"
    same = "same"


@dataclass(frozen=True)
class Request:
    """What is asked for, apart from the files."""

    mode: Mode
    match: Match
    ignored: int | None
    foreground: bool
    tolerance: float | None
    limit: float


COLUMNS = {
    Mode.classes: {
        "mean IoU": "mean_iou",
        "mean Dice": "mean_dice",
        "accuracy": "accuracy",
        "classes": "n_classes",
        "labels": "n_labels",
        "scored": "scored",
    },
    Mode.regions: {
        "covering": "covering",
        "PRI": "rand_index",
        "VoI": "variation_of_information",
        "border F": "border_f1",
        "precision": "border_precision",
        "recall": "border_recall",
        "regions": "n_regions",
        "annotators": "n_annotators",
        "scored": "scored",
    },
    Mode.mask: {
        "IoU": "iou",
        "Dice": "dice",
        "precision": "precision",
        "recall": "recall",
        "accuracy": "accuracy",
        "scored": "scored",
    },
    Mode.map: {"AUPRO": "aupro", "pixel AUC": "pixel_auc", "defects": "defects"},
}


def with_one_foreground(pair: Pair, ignored: int | None) -> Pair:
    """Return a pair in whose truths all that is neither 0 nor ignored is class 1."""
    import numpy as np

    truths = []
    for truth in pair.truths:
        values = (truth.values != 0).astype(np.int64)
        if ignored is not None:
            values[truth.values == ignored] = ignored
        truths.append(replace(truth, values=values))
    return replace(pair, truths=truths)


def refuse_blank_truths(pair: Pair, ignored: int | None) -> None:
    """Stop where there is nothing that a file can be held to."""
    for truth in pair.truths:
        if scored_share(truth.values, ignored) == 0.0:
            raise InputError(
                f"{truth.path} has no pixel that is scored: all are {ignored}; "
                "--ignore none makes that a label like the others"
            )


def class_report(pair: Pair, request: Request) -> Report:
    """Return how well every class was found."""
    from gmmseg.evaluation import class_scores, match_labels

    known: list[Report] = []
    for truth in pair.truths:
        options: Report = {"match": request.match.value, "ignore_label": request.ignored}
        found = class_scores(pair.held.values, truth.values, **options)
        match = match_labels(pair.held.values, truth.values, **options)
        classes = {
            str(name): {"iou": iou, "dice": dice}
            for name, iou, dice in zip(found.classes, found.iou, found.dice, strict=True)
        }
        known.append(
            {
                "truth": str(truth.path),
                "mean_iou": found.mean_iou,
                "mean_dice": found.mean_dice,
                "accuracy": found.accuracy,
                "n_classes": len(classes),
                "scored": sum(found.true) / truth.values.size,
                "classes": classes,
                "match": {str(label): name for label, name in match.items()},
            }
        )
    n_classes = max(one["n_classes"] for one in known)
    counts = {"n_classes": n_classes, "n_labels": n_labels_in(pair.held.values, request.ignored)}
    return {**mean_of(known), **counts, "annotators": known}


def region_report(pair: Pair, request: Request) -> Report:
    """Return how alike the regions of a segmentation and of its annotators are."""
    from gmmseg.evaluation import boundary_scores, region_scores

    truths = [truth.values for truth in pair.truths]
    found = region_scores(pair.held.values, truths, ignore_label=request.ignored)
    borders = boundary_scores(
        pair.held.values, truths, tolerance=request.tolerance, ignore_label=request.ignored
    )
    shares = [scored_share(truth, request.ignored) for truth in truths]
    return {
        "covering": found.covering,
        "rand_index": found.rand_index,
        "variation_of_information": found.variation_of_information,
        "false_splits": found.false_splits,
        "false_merges": found.false_merges,
        "border_f1": borders.f1,
        "border_precision": borders.precision,
        "border_recall": borders.recall,
        "n_regions": n_labels_in(pair.held.values, request.ignored),
        "n_annotators": len(truths),
        "scored": sum(shares) / len(shares),
    }


def mask_report(pair: Pair, request: Request) -> Report:
    """Return how well a foreground was found."""
    from gmmseg.evaluation import mask_scores

    rates = ("iou", "dice", "precision", "recall", "accuracy")
    known = []
    for truth in pair.truths:
        found = mask_scores(pair.held.values, truth.values, ignore_label=request.ignored)
        shares = {rate: getattr(found, rate) for rate in rates}
        known.append({**shares, "scored": scored_share(truth.values, request.ignored)})
    return {**mean_of(known), "n_annotators": len(known)}


def map_report(pair: Pair, request: Request) -> Report:
    """Return how well a map shows where defects are; of an image without any nothing is known."""
    if len(pair.truths) > 1:
        raise InputError(f"a map must have one truth, got {len(pair.truths)}")
    return of_maps([pair], request)


def of_maps(pairs: list[Pair], request: Request) -> Report:
    """Return how well maps show where defects are, all their pixels together."""
    import numpy as np

    from gmmseg.evaluation import aupro, pixel_auc

    maps, masks = [pair.held.values for pair in pairs], [pair.truths[0].values for pair in pairs]
    share = float(np.concatenate([np.ravel(mask) != 0 for mask in masks]).mean())
    if share in (0.0, 1.0):
        return {"aupro": None, "pixel_auc": None, "defects": share}
    return {
        "aupro": aupro(maps, masks, max_false_positive_rate=request.limit),
        "pixel_auc": pixel_auc(maps, masks),
        "defects": share,
    }


REPORTS: dict[Mode, Callable[[Pair, Request], Report]] = {
    Mode.classes: class_report,
    Mode.regions: region_report,
    Mode.mask: mask_report,
    Mode.map: map_report,
}


def n_labels_in(labels: "NDArray[Any]", ignored: int | None) -> int:
    """Return how many labels there are that are not masked out."""
    import numpy as np

    return sum(name != ignored for name in np.unique(labels).tolist())


def scored_share(truth: "NDArray[Any]", ignored: int | None) -> float:
    """Return which share of the pixels of a truth is scored."""
    return 1.0 if ignored is None else float((truth != ignored).mean())


def mean_of(reports: list[Report]) -> Report:
    """Return the mean of every figure that is no count."""
    figures = [key for key, value in reports[0].items() if isinstance(value, float)]
    return {key: sum(report[key] for report in reports) / len(reports) for key in figures}
