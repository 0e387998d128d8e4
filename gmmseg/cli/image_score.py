"""The command ``gmmseg image score``: how good labels, masks and maps are beside the truth."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from gmmseg.cli.console import about, say, track, warn
from gmmseg.cli.image_measures import (
    COLUMNS,
    REPORTS,
    Match,
    Mode,
    Report,
    Request,
    mean_of,
    of_maps,
    refuse_blank_truths,
    with_one_foreground,
)
from gmmseg.cli.label_pairs import Pair, Truths, files_held, name_and_ending, read_pair
from gmmseg.cli.options import AsJson
from gmmseg.cli.outputs import print_json, refuse_to_replace
from gmmseg.cli.score_table import rounded, show_reports
from gmmseg.errors import GmmsegError

MEAN, TOTAL = "mean", "total"
NONE = "none"


HELD = {Mode.classes: "labels", Mode.regions: "labels", Mode.mask: "mask", Mode.map: "map"}
LABELS_FIRST = ("labels", "seg", "gt", "truth", "mask", "map")
MASKS_FIRST = ("mask", "gt", "truth", "seg", "labels", "map")


def score(
    labels: Annotated[
        list[str],
        typer.Argument(
            metavar="LABELS",
            help="Files of labels, masks or maps; a folder stands for its files <name>_labels, "
            "_mask or _map if it has such.",
        ),
    ],
    truth: Annotated[
        list[Path],
        typer.Option(
            metavar="PATH",
            help="The truth of all LABELS, or a folder with <name>_seg.png and the like; again "
            "for another annotator, or <name>_seg0.png, <name>_seg1.png.",
        ),
    ],
    mode: Annotated[
        Mode,
        typer.Option(
            help="classes: mean IoU and Dice; regions: covering, PRI, VoI in bits, and borders; "
            "mask: the foreground; map: where defects are."
        ),
    ] = Mode.classes,
    match: Annotated[
        Match,
        typer.Option(
            help="Of classes: one label for each; all labels, to the class that most of their "
            "pixels have; labels that are the classes."
        ),
    ] = Match.one_to_one,
    ignore: Annotated[
        str | None,
        typer.Option(
            metavar="N|none",
            help="Value of the truth that is not scored; 0, of masks none, if not given.",
        ),
    ] = None,
    foreground: Annotated[
        bool,
        typer.Option(
            "--foreground",
            help="Of classes: all that is not 0 in the truth is one, as of cells with a number "
            "each, and 0 is the other.",
        ),
    ] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="PIXELS",
            help="How far apart borders may be; 0.0075 of the diagonal if not given.",
        ),
    ] = None,
    limit: Annotated[
        float, typer.Option(help="Largest false positive rate of AUPRO.", metavar="RATE")
    ] = 0.3,
    volume: Annotated[
        bool, typer.Option("--volume", help="Read TIFF stacks and .npy as volumes.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="CSV", help="Table to write as well.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell how good segmentations, masks and maps of strangeness are beside the truth.

    Files are matched by names, from which _labels, _mask, _map, _seg, _gt and _truth are left out.
    0 in the truth of labels is masked out; --ignore none makes it a class, such as a background.
    What the labels alone mask out is an error. Over several annotators the mean is told, and a
    border is right that one of them drew. Every map needs a truth, which is 0 for a good image; the
    total is of all pixels together.

    Example: gmmseg image score out --truth truth

    Example: gmmseg image score out --truth people --mode regions --json

    Example: gmmseg image score object.png --truth object_gt.png --mode mask --ignore 128
    """
    ignored = ignored_of(NONE if ignore is None and foreground else ignore, mode)
    request = Request(mode, match, ignored, foreground, tolerance, limit)
    refuse_what_the_mode_lacks(request, ignore)
    held = files_held(labels, HELD[mode])
    endings = MASKS_FIRST if mode in (Mode.mask, Mode.map) else LABELS_FIRST
    truths = Truths(truth, held, endings)
    if out is not None:
        files = [file for name in truths.named.values() for file in name]
        refuse_to_replace([*held, *truths.files, *files], out)
    reports, whole, n_failed = score_files(held, truths, request, is_volume=volume)
    if out is not None and reports:
        write_table(out, reports, COLUMNS[mode])
    finish(reports, whole, request, as_json=as_json)
    if n_failed:
        if len(held) > 1:
            say(f"{n_failed} of {len(held)} could not be scored")
        raise typer.Exit(1)


def ignored_of(text: str | None, mode: Mode) -> int | None:
    """Return the value of the truth that is not scored."""
    if text is None:
        return 0 if mode in (Mode.classes, Mode.regions) else None
    if text == NONE:
        return None
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(
            f"--ignore must be a whole number, or {NONE}, got {text!r}"
        ) from None


def refuse_what_the_mode_lacks(request: Request, ignore: str | None) -> None:
    """Stop, as misuse, at options that mean nothing in the mode."""
    if request.mode != Mode.classes and request.match != Match.one_to_one:
        raise typer.BadParameter("--match is for --mode classes")
    if request.mode != Mode.classes and request.foreground:
        raise typer.BadParameter("--foreground is for --mode classes")
    if request.mode != Mode.regions and request.tolerance is not None:
        raise typer.BadParameter("--tolerance is for --mode regions")
    if request.mode == Mode.map and ignore is not None:
        raise typer.BadParameter("--ignore is not for --mode map")
    if not 0.0 < request.limit <= 1.0:
        raise typer.BadParameter(f"--limit must lie above 0 and up to 1, got {request.limit}")


def score_files(
    held: list[Path], truths: Truths, request: Request, *, is_volume: bool
) -> tuple[list[Report], Report | None, int]:
    """Return what is known of every file, of all together, and how many could not be scored."""
    is_map = request.mode == Mode.map
    reports: list[Report] = []
    pairs: list[Pair] = []
    names = [name_and_ending(path)[0] for path in held]
    for path in track(held, "scoring"):
        try:
            pair = read_pair(path, truths, is_volume=is_volume, is_map=is_map)
            if request.foreground:
                pair = with_one_foreground(pair, request.ignored)
            refuse_blank_truths(pair, request.ignored)
            title = pair.name if names.count(pair.name) == 1 else str(path)
            with about(path):
                reports.append({"file": title, **REPORTS[request.mode](pair, request)})
        except GmmsegError as error:
            warn(str(error))
            continue
        pairs += [pair] if is_map else []
    others = [name for name in truths.named if name not in names]
    if others and len(held) > 1:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        say(f"nothing was held to the truth on {others[0]}{more}")
    return reports, whole_of(reports, pairs, request), len(held) - len(reports)


def whole_of(reports: list[Report], pairs: list[Pair], request: Request) -> Report | None:
    """Return the mean over the files, or what is known of the pixels of all maps."""
    if not reports:
        return None
    if request.mode == Mode.map:
        return {"file": TOTAL, **of_maps(pairs, request)}
    return {"file": MEAN, **mean_of(reports)}


def finish(reports: list[Report], whole: Report | None, request: Request, *, as_json: bool) -> None:
    """Print what is known."""
    if as_json:
        options = {
            "mode": request.mode.value,
            "match": request.match.value,
            "ignored": request.ignored,
            "foreground": request.foreground,
            "tolerance": request.tolerance,
            "limit": request.limit,
        }
        name = TOTAL if request.mode == Mode.map else MEAN
        print_json(rounded({**options, "files": reports, name: whole}))
    elif whole is not None:
        rows = [*reports, whole] if len(reports) > 1 else reports
        show_reports(rows, COLUMNS[request.mode])


def write_table(path: Path, reports: list[Report], columns: dict[str, str]) -> None:
    """Write the figures of every file as CSV."""
    from gmmseg.files import replacing

    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, ["file", *columns.values()], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rounded(reports))
