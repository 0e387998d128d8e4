"""The commands ``gmmseg audio anomaly``: learn from normal sounds, score others, adapt."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.audio.suffixes import NUMBERS, SOUNDS
from gmmseg.cli.anomaly import (
    AdaptedModel,
    Model,
    NewModel,
    OtherFalseAlarm,
    Results,
    check_share,
    counted,
    of_threshold,
    told_of,
    warn_if_blind,
)
from gmmseg.cli.audio_anomaly_results import ScoreRequest, score_clips
from gmmseg.cli.console import say, track, warn
from gmmseg.cli.inputs import named_files
from gmmseg.cli.options import AsJson, AsJsonLines
from gmmseg.cli.outputs import print_json, refuse_to_replace
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.audio import AudioAnomalyDetector
    from gmmseg.audio.anomaly import Rows
    from gmmseg.audio.clip_recipe import ClipRecipe

SUFFIXES = (*SOUNDS, *NUMBERS)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

NormalClips = Annotated[
    list[str],
    typer.Argument(
        metavar="NORMAL...",
        help="Normal clips: sound files, numbers (.npy, .npz, .csv), folders, patterns, or a .txt "
        "of names.",
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(metavar="HZ", help="Sampling rate of numbers that come without one."),
]


@app.callback()
def anomaly() -> None:
    """Find strange sounds and vibrations: learn from normal ones alone, then score others.

    Example: gmmseg audio anomaly fit good/ -o pump.gmm
    """


@app.command()
def fit(
    normal: NormalClips,
    out: NewModel,
    false_alarm: Annotated[
        float, typer.Option(help="Share of normal clips that may be called anomalous.")
    ] = 0.05,
    domains: Annotated[
        bool,
        typer.Option(
            "--domains",
            help="Each folder is a domain (machine, load, microphone): resemble one of them.",
        ),
    ] = False,
    model_rate: Annotated[
        float | None,
        typer.Option(metavar="HZ", help="Rate to hear all clips at; the lowest if not given."),
    ] = None,
    rate: Rate = None,
    as_json: AsJson = False,
) -> None:
    """Learn what normal clips sound like.

    Example: gmmseg audio anomaly fit good/*.wav -o pump.gmm --false-alarm 0.01
    """
    from gmmseg.audio import AudioAnomalyDetector
    from gmmseg.audio.clip_parts import normal_rows
    from gmmseg.audio.clips import recipe_of

    check_share(false_alarm)
    paths = named_files(normal, SUFFIXES)
    refuse_to_replace(paths, out)
    heard = hear(paths, recipe_of(paths, sr=model_rate, rate=rate), rate, normal_rows)
    names = [str(path.parent) for path in heard.paths] if domains else None
    detector = AudioAnomalyDetector(sr=model_rate, false_alarm=false_alarm)
    quietly_fit(detector, heard, names)
    detector.save(out)
    left_out = [str(heard.paths[k]) for k in detector.outliers_]
    for name in left_out:
        say(f"{name}: left out, too unlike the others to be normal")
    of_domains = f" of {len(detector.domains_)} domains" if domains else ""
    recipe = detector.recipe_
    n_normal = len(detector.null_.scores)
    number = counted(n_normal, "normal clips")
    say(f"{number}{of_domains}, {recipe.sr} Hz, {of_threshold(detector)}: {out}")
    if as_json:
        report = told_of(detector, out, n_normal=n_normal, n_bad=heard.n_bad)
        domains_of = {"domains": detector.domains_} if domains else {}
        print_json(report | {"left_out": left_out, "sr": recipe.sr} | domains_of)
    heard.stop_if_bad()


@app.command()
def score(
    model: Model,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="Clips: files, folders, patterns, or a .txt of names."
        ),
    ],
    out: Results,
    false_alarm: OtherFalseAlarm = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Write <stem>_why.png and .json too: when, and in which band."
        ),
    ] = False,
    rate: Rate = None,
    as_json: AsJsonLines = False,
) -> None:
    """Score clips: scores.csv (file,score,p_value,anomalous), higher is stranger.

    Example: gmmseg audio anomaly score pump.gmm new/ -o found --explain
    """
    from gmmseg.audio import AudioAnomalyDetector

    check_share(false_alarm)
    detector = AudioAnomalyDetector.load(model)
    if false_alarm is not None:
        detector.false_alarm = false_alarm
    warn_if_blind(detector)
    request = ScoreRequest(out, rate, explain, as_json)
    if score_clips(detector, as_given(files), request):
        raise typer.Exit(1)


@app.command()
def adapt(
    model: Model,
    normal: NormalClips,
    out: AdaptedModel = None,
    domain: Annotated[
        str | None, typer.Option(help="Folder, as given to fit --domains, that the clips join.")
    ] = None,
    rate: Rate = None,
    as_json: AsJson = False,
) -> None:
    """Teach a model further normal clips, without those it was fitted to.

    Example: gmmseg audio anomaly adapt pump.gmm good_today/ -o today.gmm
    """
    from gmmseg.audio import AudioAnomalyDetector
    from gmmseg.audio.clip_parts import new_rows

    paths = named_files(normal, SUFFIXES)
    target = model if out is None else out
    refuse_to_replace(paths, target)
    detector = AudioAnomalyDetector.load(model)
    heard = hear(paths, detector.recipe_, rate, new_rows)
    adapted = detector.adapt_described(heard.table, domain=domain)
    if caution := detector.caution(heard.table, heard.paths):
        warn(caution)
    adapted.save(target)
    if as_json:
        print_json(told_of(adapted, target, n_normal=len(heard.paths), n_bad=heard.n_bad))
    number = counted(len(heard.paths), "more normal clips")
    say(f"{number}, {of_threshold(adapted)}, before {detector.threshold_:.3g}: {target}")
    heard.stop_if_bad()


@dataclass(frozen=True)
class Heard:
    """Normal clips that could be heard, described, and how many were given."""

    recipe: "ClipRecipe"
    paths: list[Path]
    table: "NDArray[Any]"
    n_given: int

    @property
    def n_bad(self) -> int:
        """Number of clips that could not be heard."""
        return self.n_given - len(self.paths)

    def stop_if_bad(self) -> None:
        """Stop, with the exit code of what could not be done, if files were passed over."""
        if self.n_bad:
            say(f"{self.n_bad} of {self.n_given} clips could not be used")
            raise typer.Exit(1)


def hear(paths: list[Path], recipe: "ClipRecipe", rate: float | None, described: "Rows") -> Heard:
    """Describe the clips that can be heard, and tell of each that cannot."""
    import numpy as np

    from gmmseg.audio.clips import clip_signal

    good: list[Path] = []
    rows: list[NDArray[Any]] = []
    for path in track(paths, "hearing normal clips"):
        try:
            samples = recipe.samples(*clip_signal(path, rate=rate))
            rows.append(described(recipe, samples, len(rows)))
        except InputError as error:
            warn(with_name(path, error))
            continue
        good.append(path)
    if not rows:
        raise InputError("none of the normal clips could be used")
    return Heard(recipe, good, np.stack(rows), len(paths))


def quietly_fit(detector: "AudioAnomalyDetector", heard: Heard, names: list[str] | None) -> None:
    """Fit, and tell warnings in one line each."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detector.fit_described(heard.recipe, heard.table, names)
    for warning in caught:
        warn(str(warning.message))


def as_given(arguments: list[str]) -> dict[str, Path]:
    """Return the files that arguments name, each by the name that the user gave it."""
    found: dict[str, Path] = {}
    for argument in arguments:
        for path in named_files([argument], SUFFIXES):
            found[argument if path == Path(argument) else str(path)] = path
    return found


def with_name(path: Path, error: InputError) -> str:
    """Return what is wrong with a file, beginning with its name."""
    return str(error) if str(path) in str(error) else f"{path}: {error}"
