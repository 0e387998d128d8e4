"""The commands ``gmmseg image anomaly``: learn from normal images, score others, adapt."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.anomaly import (
    AdaptedModel,
    Model,
    NewModel,
    OtherFalseAlarm,
    Results,
    check_share,
    of_threshold,
)
from gmmseg.cli.console import announce_compilation, say, track, warn
from gmmseg.cli.image_anomaly_results import ScoreRequest, score_files
from gmmseg.cli.inputs import named_files
from gmmseg.cli.options import refuse_to_replace
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".npy", ".jp2", ".avif", ".ppm",
    ".pgm",
)  # fmt: skip
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
) -> None:
    """Learn what normal images look like.

    Example: gmmseg image anomaly fit good/*.png -o tiles.gmm --false-alarm 0.01
    """
    from gmmseg.image import ImageAnomalyDetector

    check_share(false_alarm)
    images = Readable(named_files(normal, SUFFIXES))
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
    with announce_compilation():
        detector.fit(images.read)
    detector.save(out)
    say(f"{images.n_good} normal images, {detector.mode_}, {of_threshold(detector)}: {out}")
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
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line per image to stdout.")
    ] = False,
) -> None:
    """Score images: scores.csv, and a map and an overlay of each.

    Example: gmmseg image anomaly score tiles.gmm new/ -o found --explain
    """
    from gmmseg.image import ImageAnomalyDetector

    check_share(false_alarm)
    detector = ImageAnomalyDetector.load(model)
    if false_alarm is not None:
        detector.false_alarm = false_alarm
    paths = named_files(image, SUFFIXES)
    with announce_compilation():
        n_failed = score_files(detector, paths, ScoreRequest(out, explain, as_json))
    if n_failed:
        raise typer.Exit(1)


@app.command()
def adapt(
    model: Model,
    normal: NormalImages,
    out: AdaptedModel = None,
) -> None:
    """Teach a model further normal images, without those it was fitted to.

    Example: gmmseg image anomaly adapt tiles.gmm good_today/ -o today.gmm
    """
    from gmmseg.image import ImageAnomalyDetector

    images = Readable(named_files(normal, SUFFIXES))
    target = model if out is None else out
    refuse_to_replace(images.paths, target)
    detector = ImageAnomalyDetector.load(model)
    images.n_channels = detector.model_.front.n_channels
    with announce_compilation():
        adapted = detector.adapt(images.read)
    adapted.save(target)
    say(f"{images.n_good} more normal images, {of_threshold(adapted)}: {target}")
    images.stop_if_bad()


def refuse_pictures(paths: list[Path]) -> None:
    """Stop, as misuse, at a file that holds no feature maps."""
    for path in paths:
        if path.suffix.lower() not in FEATURE_SUFFIXES:
            raise typer.BadParameter(
                f"--given-features takes feature maps ({', '.join(FEATURE_SUFFIXES)}), got {path}; "
                "leave it out for pictures"
            )


class Readable:
    """Read image files again and again, and tell once of each that cannot be used.

    Parameters
    ----------
    paths : list of Path
        The files.
    """

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.n_channels: int | None = None
        self._bad: set[Path] = set()
        self._good: set[Path] = set()

    @property
    def n_good(self) -> int:
        """Number of files that could be used."""
        return len(self._good)

    def read(self) -> Iterator["NDArray[Any]"]:
        """Yield the images that can be used."""
        for path in track([p for p in self.paths if p not in self._bad], "reading normal images"):
            try:
                yield self._read(path)
            except InputError as error:
                warn(str(error))
                self._bad.add(path)
                continue
            self._good.add(path)

    def stop_if_bad(self) -> None:
        """Stop, with the exit code of what could not be done, if files were passed over."""
        if self._bad:
            say(f"{len(self._bad)} of {len(self.paths)} images could not be used")
            raise typer.Exit(1)

    def _read(self, path: Path) -> "NDArray[Any]":
        import numpy as np

        from gmmseg.image.features import with_channels
        from gmmseg.image.io import read_image

        image, _ = read_image(path)
        n_channels = with_channels(image, None if image.ndim == 2 else -1).shape[-1]
        if self.n_channels is None:
            self.n_channels = n_channels
        if n_channels != self.n_channels:
            raise InputError(
                f"{path}: it has {n_channels} channels, the others have {self.n_channels}"
            )
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise InputError(f"{path}: it has NaN or infinity; fill in what is missing")
        return image
