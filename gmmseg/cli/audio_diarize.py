"""The command ``gmmseg audio diarize``: who speaks when, in a file of segments per recording."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.audio.suffixes import SEGMENTS, SEGMENTS_AS_WRITTEN, SOUNDS
from gmmseg.cli.console import about, announce_compilation, say, track, warn
from gmmseg.cli.inputs import Recordings, named_files
from gmmseg.cli.options import AsJsonLines
from gmmseg.cli.outputs import make_folder, print_json, refuse_collisions
from gmmseg.cli.segment_formats import Format, speech_of
from gmmseg.cli.sound_picture import SUFFIX as PICTURE
from gmmseg.cli.sound_picture import check_plotting, write_picture
from gmmseg.errors import GmmsegError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.audio import Segment

MANY_SPEAKERS = 100


@dataclass(frozen=True)
class DiarizeRequest:
    """What `diarize` was asked for, apart from the files."""

    n_speakers: int | None
    min_speakers: int
    max_speakers: int | None
    speech: Path | None
    embeddings: Path | None
    wants_windows: bool
    wants_overlap: bool
    is_alone: bool  # one recording: segments need not name it
    has_picture: bool


def diarize(
    recordings: Recordings,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")] = Path(),
    speakers: Annotated[
        int | None,
        typer.Option(min=1, max=MANY_SPEAKERS, metavar="N", help="Number of speakers, if known."),
    ] = None,
    min_speakers: Annotated[
        int | None,
        typer.Option(min=1, max=MANY_SPEAKERS, metavar="N", help="There are at least so many."),
    ] = None,
    max_speakers: Annotated[
        int | None,
        typer.Option(min=1, max=MANY_SPEAKERS, metavar="N", help="There are at most so many."),
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option(
            metavar="SEGMENTS",
            help="Where speech is, in any format of segments; of several files a folder of them, "
            "or an RTTM file that names them. Found by voice activity if not given.",
        ),
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            metavar="NPY",
            help="Vectors of your own for the windows, one a row; of several files a folder of "
            "them. They take the place of gmmseg's.",
        ),
    ] = None,
    windows: Annotated[
        bool,
        typer.Option("--windows", help="Write the windows that --embeddings are taken of, too."),
    ] = False,
    overlap: Annotated[
        bool,
        typer.Option(
            "--overlap/--no-overlap",
            help="Name a second speaker, too, where two clearly speak at once.",
        ),
    ] = True,
    format_: Annotated[
        Format, typer.Option("--format", help="Format of the results.")
    ] = Format.rttm,
    picture: Annotated[
        bool, typer.Option("--picture", help="Draw <stem>.png too: sound, and who speaks when.")
    ] = False,
    as_json: AsJsonLines = False,
) -> None:
    """Find who speaks when.

    Writes <stem>.rttm: the turns of speaker1, speaker2, … by first appearance. A file without
    speech gives an empty one. A file that cannot be read is reported and passed over.

    With --windows also <stem>_windows.csv: stretches of 1.5 s of speech. Embed them by any model
    of voices, a row each in the same order, and give the rows to --embeddings with the same
    --speech.

    Example: gmmseg audio diarize meeting.wav -o out

    Example: gmmseg audio diarize meetings/ -o out

    Example: gmmseg audio diarize call.flac --speakers 2 --speech call.csv --format csv

    Example: gmmseg audio diarize call.flac --embeddings call.npy
    """
    paths = named_files(recordings, SOUNDS)
    request = DiarizeRequest(
        n_speakers=speakers,
        min_speakers=min_speakers or 1,
        max_speakers=max_speakers,
        speech=speech,
        embeddings=embeddings,
        wants_windows=windows,
        wants_overlap=overlap,
        has_picture=picture,
        is_alone=len(paths) == 1,
    )
    if picture:
        check_plotting()
    refuse_contradictions(request, min_speakers)
    results = [(path, out / f"{path.stem}{SEGMENTS_AS_WRITTEN[format_]}") for path in paths]
    outputs = results + [(path, windows_file(one)) for path, one in results if windows]
    outputs += [(path, one.with_suffix(PICTURE)) for path, one in results if picture]
    refuse_collisions(outputs, [*paths, *([speech] if speech else [])])
    refuse_folder_of_speech(out, speech)
    make_folder(out)
    n_failed = 0
    with announce_compilation():
        for path, result in track(results, "diarizing"):
            try:
                report = diarize_file(path, result, request, format_)
            except GmmsegError as error:
                warn(str(error))
                n_failed += 1
                continue
            if as_json:
                print_json(report)
    if n_failed:
        raise typer.Exit(1)


def refuse_contradictions(request: DiarizeRequest, min_speakers: int | None) -> None:
    """Stop, as misuse, where numbers of speakers contradict each other."""
    limits = (min_speakers, request.max_speakers)
    if request.n_speakers is not None and limits != (None, None):
        raise typer.BadParameter("--speakers says all; leave --min-speakers and --max-speakers out")
    if request.max_speakers is not None and request.max_speakers < request.min_speakers:
        raise typer.BadParameter(
            f"--max-speakers {request.max_speakers} is less than "
            f"--min-speakers {request.min_speakers}"
        )


def refuse_folder_of_speech(out: Path, speech: Path | None) -> None:
    """Stop, as misuse, where results would lie among the segments that are read."""
    if speech is not None and speech.is_dir() and out.resolve() == speech.resolve():
        raise typer.BadParameter(
            f"{out} is what --speech is read from, which the results would replace; "
            "choose another with -o"
        )


def diarize_file(
    path: Path, result: Path, request: DiarizeRequest, format_: Format
) -> dict[str, Any]:
    """Diarize one recording, write the turns, say one line, and return what there is to tell."""
    from gmmseg.audio.diarization import diarization_windows
    from gmmseg.audio.diarization_file import diarize_recording, recording, speech_in_file
    from gmmseg.audio.segment_files import write_segments

    start = time.perf_counter()
    sound = recording(path)
    speech = speech_in_file(sound) if request.speech is None else given_speech(path, request)
    table = None if request.embeddings is None else embeddings_of(path, request)
    with about(path):
        turns, duration = diarize_recording(
            sound,
            n_speakers=request.n_speakers,
            speech=speech,
            min_speakers=request.min_speakers,
            max_speakers=request.max_speakers,
            embeddings=table,
            overlap=request.wants_overlap,
        )
    write_segments(result, turns, format=format_.value, recording=path.stem, duration=duration)
    if request.has_picture:
        write_picture(result.with_suffix(PICTURE), path, {"speakers": turns})
    if request.wants_windows:
        write_segments(windows_file(result), diarization_windows(speech, duration=duration))
    totals: Counter[str] = Counter()
    for turn in turns:
        totals[turn.label] += turn.duration  # type: ignore[assignment]  # seconds are floats
    seconds = time.perf_counter() - start
    n = len(totals)
    found = f"{n} speaker{'s' if n > 1 else ''}" if n else "no speech"
    say(f"{path}: {found} in {duration:.1f} s, took {seconds:.1f} s, {result}")
    return {
        "file": str(path),
        "out": str(result),
        "duration": round(duration, 3),
        "seconds": round(seconds, 3),
        "n_speakers": n,
        "n_turns": len(turns),
        "speakers": {label: round(total, 3) for label, total in totals.items()},
    }


def windows_file(result: Path) -> Path:
    """Return the file of windows beside a result."""
    return result.with_name(f"{result.stem}_windows.csv")


def embeddings_of(path: Path, request: DiarizeRequest) -> "NDArray[Any]":
    """Return the embeddings of the windows of a recording, a row each."""
    from gmmseg.cli.embedding_file import EMBEDDING_SUFFIX, read_embeddings

    given = request.embeddings
    assert given is not None
    if given.is_dir():
        return read_embeddings(given / f"{path.stem}{EMBEDDING_SUFFIX}")
    if not request.is_alone:
        raise InputError(
            f"{given} is one file, for the windows of one recording; "
            f"give a folder with {path.stem}{EMBEDDING_SUFFIX} in it"
        )
    return read_embeddings(given)


def given_speech(path: Path, request: DiarizeRequest) -> "list[Segment]":
    """Return where speech is said to be in a recording; labels do not matter."""
    from gmmseg.audio.segment_files import read_segments

    given = request.speech
    assert given is not None
    if given.is_dir():
        known = sorted(given.glob(f"{path.stem}.*"))
        files = [file for file in known if file.suffix.lower() in SEGMENTS]
        if not files:
            raise InputError(f"{given} has no file of segments for {path}, such as {path.stem}.csv")
        segments = read_segments(files[0])
    elif request.is_alone:
        segments = read_segments(given)
    else:
        segments = read_segments(given, recording=path.stem)
    return speech_of(segments)
