"""The commands ``gmmseg audio speakers``: enrol speakers, tell who is heard, check a claim."""

import csv
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say, track, warn
from gmmseg.cli.inputs import Recordings
from gmmseg.cli.options import STDOUT, AsJson, AsJsonLines
from gmmseg.cli.outputs import print_json, refuse_to_replace, text_to
from gmmseg.cli.speaker_files import named_recordings, read_recording, speaker_folders
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.audio.speaker_answers import Identification
    from gmmseg.audio.speakers import SpeakerRecognizer

REJECTED = 3
"""Exit code of `verify` where somebody else is heard; 1 and 2 keep their meanings."""


class Microphones(StrEnum):
    """Whether recordings of one speaker share a microphone and a room."""

    same = "same"
    any = "any"
    different = "different"


app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

ModelArgument = Annotated[
    Path, typer.Argument(metavar="MODEL", help="File that train wrote.", show_default=False)
]


@app.callback()
def speakers() -> None:
    """Enrol speakers, tell who is heard in recordings, check a claim.

    Example: gmmseg audio speakers train voices -o voices.gmm
    """


@app.command()
def train(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder with one folder of recordings per speaker."),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Model file.  [default: <DIR>.gmm]")
    ] = None,
    microphones: Annotated[
        Microphones,
        typer.Option(help="Whether recordings of one speaker share a microphone and a room."),
    ] = Microphones.any,
    prior: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is known of voices in general, if of your own."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Enrol the speakers of a folder: DIR/NAME/*.wav, or .flac, .ogg, or embeddings in .npy.

    Seconds of speech of each are enough to begin with; minutes make errors rare. Embeddings of your
    own, a row or a table per file, are told by their suffix .npy.

    Example: gmmseg audio speakers train voices -o voices.gmm
    """
    from gmmseg.audio.framing import HOP
    from gmmseg.audio.speakers import SpeakerRecognizer

    started = time.perf_counter()
    target = out or Path(f"{folder.resolve().name}.gmm")
    found = speaker_folders(folder)
    refuse_to_replace([path for paths in found.values() for path in paths], target)
    is_embedded = next(iter(found.values()))[0].suffix.lower() == ".npy"
    if is_embedded and (microphones is not Microphones.any or prior is not None):
        raise typer.BadParameter("--microphones and --prior are for sound, not for embeddings")
    with announce_compilation():
        tables, n_bad = _read_all(found, is_embedded=is_embedded)
        recognizer = SpeakerRecognizer(
            features="embeddings" if is_embedded else "frames",
            microphones=microphones.value,
            prior=prior,
            random_state=seed,
        )
        with about(folder):
            recognizer.fit(tables)
    recognizer.save(target)
    lengths = {name: sum(len(table) for table in own) for name, own in tables.items()}
    if as_json:
        print_json({"model": str(target), "speakers": lengths, "n_bad": n_bad})
    amount = "embeddings" if is_embedded else f"{sum(lengths.values()) * HOP:.0f} s of speech"
    seconds = time.perf_counter() - started
    say(f"{folder}: {len(lengths)} speakers, {amount}, in {seconds:.1f} s, {target}")
    if n_bad:
        raise typer.Exit(1)


@app.command()
def enroll(
    model: ModelArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who is new; nobody has the name.")],
    recordings: Recordings,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Model file.  [default: MODEL itself]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a speaker to those that a model knows; the others stay as they are.

    Example: gmmseg audio speakers enroll voices.gmm dora dora1.wav dora2.wav -o four.gmm
    """
    from gmmseg.audio.framing import HOP
    from gmmseg.audio.speakers import SpeakerRecognizer

    started = time.perf_counter()
    target = out or model
    recognizer = SpeakerRecognizer.load(model)
    is_embedded = recognizer.features == "embeddings"
    files = named_recordings(recordings, is_embedded=is_embedded)
    refuse_to_replace(files, target)
    with announce_compilation():
        tables, n_bad = _read_all({name: files}, is_embedded=is_embedded)
        recognizer.enroll(name, tables[name])
    recognizer.save(target)
    length = sum(len(table) for table in tables[name])
    if as_json:
        report = {"model": str(target), "speakers": recognizer.speakers_, "n_bad": n_bad}
        print_json(report | {"speaker": name, "n_frames": length})
    amount = f"{length} embeddings" if is_embedded else f"{length * HOP:.0f} s of speech"
    seconds = time.perf_counter() - started
    n_known = len(recognizer.speakers_)
    say(f"{name}: {amount}, now {n_known} speakers, in {seconds:.1f} s, {target}")
    if n_bad:
        raise typer.Exit(1)


@app.command()
def identify(
    model: ModelArgument,
    recordings: Recordings,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="CSV file of all scores; - writes to stdout.")
    ] = Path(STDOUT),
    as_json: AsJsonLines = False,
) -> None:
    """Tell who is heard in recordings: a name, or unknown, for each; and how all speakers compare.

    The scores (file,speaker,score) are natural logarithms of how much likelier a speaker is than
    the others who are enrolled.

    Example: gmmseg audio speakers identify voices.gmm call.wav -o scores.csv
    """
    from gmmseg.audio.speaker_scores import rival_ratios
    from gmmseg.audio.speakers import SpeakerRecognizer

    if as_json and str(out) == STDOUT:
        raise typer.BadParameter("--json and the scores would both go to stdout; give -o FILE")
    recognizer = SpeakerRecognizer.load(model)
    files = named_recordings(recordings, is_embedded=recognizer.features == "embeddings")
    refuse_to_replace([model, *files], out)
    n_bad = 0
    with announce_compilation(), text_to(out) as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["file", "speaker", "score"])
        for path in track(files, "identifying"):
            try:
                table, ratios = _heard(recognizer, path)
            except InputError as error:
                warn(str(error))
                n_bad += 1
                continue
            for name, score in zip(
                recognizer.speakers_, rival_ratios(ratios[None])[0], strict=True
            ):
                writer.writerow([str(path), name, f"{score:.6g}"])
            _tell(path, recognizer.answer(ratios, n_frames=len(table)), as_json=as_json)
    if n_bad:
        raise typer.Exit(1)


@app.command()
def verify(
    model: ModelArgument,
    speaker: Annotated[str, typer.Argument(metavar="SPEAKER", help="Who is said to speak.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    as_json: AsJson = False,
) -> None:
    """Tell whether a recording is of one speaker: exit code 0 if it is, 3 if it is not.

    Example: gmmseg audio speakers verify voices.gmm anna call.wav && echo welcome
    """
    from dataclasses import asdict

    from gmmseg.audio.speakers import SpeakerRecognizer

    recognizer = SpeakerRecognizer.load(model)
    with announce_compilation():
        table = read_recording(file, is_embedded=recognizer.features == "embeddings")
        with about(file):
            answer = recognizer.verify(speaker, table)
    word = "accepted" if answer.is_accepted else "rejected"
    if as_json:
        print_json({"file": str(file), "speaker": speaker, **asdict(answer)})
    else:
        typer.echo(f"{word} {answer.score:.3f}")
    say(f"{file}: {word} as {speaker}, probability {answer.probability:.3f}")
    if not answer.is_accepted:
        raise typer.Exit(REJECTED)


def _read_all(
    found: dict[str, list[Path]], *, is_embedded: bool
) -> "tuple[dict[str, list[NDArray[Any]]], int]":
    """Return the tables of all files that can be used, and the number of those that cannot."""
    tables: dict[str, list[NDArray[Any]]] = {name: [] for name in found}
    n_bad = 0
    for name, path in track([(n, p) for n, paths in found.items() for p in paths], "reading"):
        try:
            tables[name].append(read_recording(path, is_embedded=is_embedded))
        except InputError as error:
            warn(str(error))
            n_bad += 1
    return tables, n_bad


def _heard(recognizer: "SpeakerRecognizer", path: Path) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Return the table of a file and its ratios for all speakers."""
    table = read_recording(path, is_embedded=recognizer.features == "embeddings")
    with about(path):
        return table, recognizer.log_likelihood_ratios([table])[0]


def _tell(path: Path, answer: "Identification", *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        report = asdict(answer)
        print_json({"file": str(path), "speaker": report.pop("name"), **report})
    nearest = f", nearest {answer.best}" if answer.name != answer.best else ""
    say(f"{path}: {answer.name}, probability {answer.probability:.3f}{nearest}")
