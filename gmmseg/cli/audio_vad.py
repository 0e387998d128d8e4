"""The command ``gmmseg audio vad``: recordings in, segments of speech and probabilities out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gmmseg.audio.suffixes import SEGMENTS_AS_WRITTEN, SOUNDS
from gmmseg.cli.console import announce_compilation, say, track, warn
from gmmseg.cli.inputs import Recordings, named_files
from gmmseg.cli.options import AsJsonLines
from gmmseg.cli.outputs import make_folder, print_json, refuse_collisions
from gmmseg.cli.segment_formats import Format
from gmmseg.cli.sound_picture import SUFFIX as PICTURE
from gmmseg.cli.sound_picture import check_plotting, write_picture
from gmmseg.errors import GmmsegError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gmmseg.audio import Segment, VoiceActivityDetector

PROBABILITIES = "_prob.csv"


def vad(
    recordings: Recordings,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")] = Path(),
    segment_format: Annotated[
        Format, typer.Option("--format", help="Format of the segments.")
    ] = Format.csv,
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Write <stem>_prob.csv too: a row every 10 ms."),
    ] = False,
    picture: Annotated[
        bool, typer.Option("--picture", help="Draw <stem>.png too: sound, probabilities, segments.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Probability from which it is speech: higher finds less, surer; 0.5 if not given.",
        ),
    ] = None,
    min_speech: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="Shortest segment: what is shorter is left out; 0.1 if not given.",
        ),
    ] = None,
    min_pause: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            metavar="SECONDS",
            help="Shortest pause: segments that lie nearer are joined; 0.1 if not given.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="A detector of your own, which VoiceActivityDetector.save wrote; what is not "
            "given is as it was saved."
        ),
    ] = None,
    as_json: AsJsonLines = False,
) -> None:
    """Find when somebody speaks.

    Writes <stem>.csv (start, end, label; seconds), or the same in another format, for every
    recording that soundfile reads, of any length. A recording without speech has no segments. A
    file that cannot be read is reported and passed over.

    Example: gmmseg audio vad meeting.wav -o out

    Example: gmmseg audio vad meetings/ -o out --format textgrid --probabilities --picture
    """
    files = named_files(recordings, SOUNDS)
    endings = [
        SEGMENTS_AS_WRITTEN[segment_format],
        *[PROBABILITIES] * probabilities,
        *[PICTURE] * picture,
    ]
    refuse_collisions([(path, out / (path.stem + end)) for path in files for end in endings], files)
    if picture:
        check_plotting()
    options = {"threshold": threshold, "min_speech": min_speech, "min_pause": min_pause}
    detector = detector_of(model, options)
    make_folder(out)
    n_failed = 0
    with announce_compilation():
        for path in track(files, "listening"):
            started = time.perf_counter()
            try:
                segments, chances, duration = heard(path, detector)
                written = out / (path.stem + SEGMENTS_AS_WRITTEN[segment_format])
                write_results(written, segments, duration, segment_format, path.stem)
                if probabilities:
                    write_probabilities(out / (path.stem + PROBABILITIES), chances)
                if picture:
                    drawn = out / (path.stem + PICTURE)
                    tracks = {"speech": segments}
                    write_picture(
                        drawn,
                        path,
                        tracks,
                        probabilities=chances,
                        threshold=detector.threshold,
                    )
            except GmmsegError as error:
                warn(str(error))
                n_failed += 1
                continue
            tell(path, segments, duration, time.perf_counter() - started, as_json=as_json)
    if n_failed:
        raise typer.Exit(1)


def detector_of(model: Path | None, options: dict[str, float | None]) -> "VoiceActivityDetector":
    """Return the detector that comes with gmmseg, or the one in a file, with what is given."""
    from gmmseg.audio import VoiceActivityDetector

    given = {name: value for name, value in options.items() if value is not None}
    known = VoiceActivityDetector() if model is None else VoiceActivityDetector.load(model)
    return known.set_params(**given)


def heard(
    path: Path, detector: "VoiceActivityDetector"
) -> "tuple[list[Segment], NDArray[np.float32], float]":
    """Return segments, probabilities and duration of a recording of any length."""
    from gmmseg.audio import audio_blocks
    from gmmseg.audio.voice_features import SR

    return detector.predict_both(audio_blocks(path, sr=SR), sr=SR)


def write_results(
    path: Path, segments: "list[Segment]", duration: float, kind: Format, recording: str
) -> None:
    """Write the segments."""
    from gmmseg.audio import write_segments

    write_segments(path, segments, format=kind.value, recording=recording, duration=duration)


def write_probabilities(path: Path, probabilities: "NDArray[np.float32]") -> None:
    """Write a row of time and probability for every frame."""
    from gmmseg.audio.framing import HOP
    from gmmseg.files import replacing

    rows = [f"{HOP * t:.2f},{value:.4f}\n" for t, value in enumerate(probabilities.tolist())]
    with replacing(path) as temporary:
        temporary.write_text("time,probability\n" + "".join(rows), encoding="utf-8", newline="\n")


def tell(
    path: Path, segments: "list[Segment]", duration: float, seconds: float, *, as_json: bool
) -> None:
    """Say what was found in a recording, or print it as JSON."""
    speech = sum(segment.duration for segment in segments)
    if as_json:
        report = {
            "file": str(path),
            "duration": round(duration, 3),
            "speech": round(speech, 3),
            "segments": [[round(one.start, 3), round(one.end, 3)] for one in segments],
            "seconds": round(seconds, 3),
        }
        print_json(report)
        return
    share = speech / duration if duration else 0.0
    say(f"{path.name}: {len(segments)} segments, {speech:.1f} s of {duration:.1f} s ({share:.0%})")
