"""The commands ``gmmseg image anomaly``: learn from normal images, score others, adapt."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gmmseg.cli.anomaly import (
    AdaptedModel,
    Model,
    NewModel,
    OtherFalseAlarm,
    Results,
    check_share,
    counted,
    of_threshold,
    warn_if_blind,
)
from gmmseg.cli.console import announce_compilation, say
from gmmseg.cli.image_anomaly_results import ScoreRequest, score_files
from gmmseg.cli.inputs import IMAGE_SUFFIXES, named_files
from gmmseg.cli.normal_files import NormalFiles
from gmmseg.cli.options import AsJson, AsJsonLines
from gmmseg.cli.outputs import print_json, refuse_to_replace

FEATURE_SUFFIXES = (".npy", ".tif", ".tiff")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Mode(StrEnum):
    """How places of images relate to each other."""

    auto = "auto"
    tied = "tied"
    aligned = "aligned"


NormalImages = Annotated[
    list[str],
    typer.Argument(
        metavar="NORMAL...", help="Normal images: files, folders, patterns, or a .txt of names."
    ),
]


@app.callback()
def anomaly() -> None:
    """Find defects: learn from normal images alone, then score others.

    Example: gmmseg image anomaly fit good/ -o tiles.gmm
    """


@app.command()
def fit(
    normal: NormalImages,
    out: NewModel,
    false_alarm: Annotated[
        float, typer.Option(help="Share of normal images that may be called anomalous.")
    ] = 0.05,
    mode: Annotated[
        Mode,
        typer.Option(
            help="tied: textures, of any size; aligned: parts that always lie alike, of one size; "
            "auto: what makes left-out normal images likelier."
        ),
    ] = Mode.auto,
    keep_brightness: Annotated[
        bool,
        typer.Option(
            "--keep-brightness", help="Do not divide by local brightness: it tells defects."
        ),
    ] = False,
    given_features: Annotated[
        bool,
        typer.Option(
            "--given-features", help="Files are feature maps (.npy, .tif): use their channels."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Learn what normal images look like.

    Example: gmmseg image anomaly fit good/*.png -o tiles.gmm --false-alarm 0.01
    """
    from gmmseg.image import ImageAnomalyDetector

    check_share(false_alarm)
    if given_features and keep_brightness:
        raise typer.BadParameter(
            "--given-features takes channels as they are; leave --keep-brightness out"
        )
    images = NormalFiles(named_files(normal, IMAGE_SUFFIXES), are_pictures=not given_features)
    if given_features:
        refuse_pictures(images.paths)
    refuse_to_replace(images.paths, out)
    detector = ImageAnomalyDetector(
        features="given" if given_features else "texture",
        mode=mode.value,
        local_brightness=None if keep_brightness else 24.0,
        false_alarm=false_alarm,
        random_state=seed,
    )
    images.agree()
    with announce_compilation():
        detector.fit(images.read)
    images.refuse_if_most_are_bad()
    detector.save(out)
    if as_json:
        print_json(images.told_of(detector, out) | {"mode": detector.mode_})
    number = counted(images.n_good, "normal images")
    say(f"{number}, {detector.mode_}, {of_threshold(detector)}: {out}")
    images.stop_if_bad()


@app.command()
def score(
    model: Model,
    image: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...", help="Images: files, folders, patterns, or a .txt of names."
        ),
    ],
    out: Results,
    false_alarm: OtherFalseAlarm = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Write <stem>_why.json too: regions and their features."),
    ] = False,
    as_json: AsJsonLines = False,
) -> None:
    """Score images: scores.csv, and a map and an overlay of each.

    Example: gmmseg image anomaly score tiles.gmm new/ -o found --explain
    """
    from gmmseg.image import ImageAnomalyDetector

    check_share(false_alarm)
    detector = ImageAnomalyDetector.load(model)
    if false_alarm is not None:
        detector.false_alarm = false_alarm
    warn_if_blind(detector)
    paths = named_files(image, IMAGE_SUFFIXES)
    with announce_compilation():
        n_failed = score_files(detector, paths, ScoreRequest(out, explain, as_json))
    if n_failed:
        raise typer.Exit(1)


@app.command()
def adapt(
    model: Model,
    normal: NormalImages,
    out: AdaptedModel = None,
    as_json: AsJson = False,
) -> None:
    """Teach a model further normal images, without those it was fitted to.

    Example: gmmseg image anomaly adapt tiles.gmm good_today/ -o today.gmm
    """
    from gmmseg.image import ImageAnomalyDetector

    paths = named_files(normal, IMAGE_SUFFIXES)
    target = model if out is None else out
    refuse_to_replace(paths, target)
    detector = ImageAnomalyDetector.load(model)
    images = NormalFiles(
        paths,
        are_pictures=detector.features != "given",
        n_channels=detector.model_.front.n_channels,
    )
    with announce_compilation():
        adapted = detector.adapt(images.read)
    images.refuse_if_most_are_bad()
    adapted.save(target)
    if as_json:
        print_json(images.told_of(adapted, target))
    number = counted(images.n_good, "more normal images")
    say(f"{number}, {of_threshold(adapted)}: {target}")
    images.stop_if_bad()


def refuse_pictures(paths: list[Path]) -> None:
    """Stop, as misuse, at a file that holds no feature maps."""
    for path in paths:
        if path.suffix.lower() not in FEATURE_SUFFIXES:
            raise typer.BadParameter(
                f"--given-features takes feature maps ({', '.join(FEATURE_SUFFIXES)}), got {path}; "
                "leave it out for pictures"
            )
