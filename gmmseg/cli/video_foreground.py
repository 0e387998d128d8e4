"""The command ``gmmseg video foreground``: a mask per frame of what moves."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say, warn
from gmmseg.cli.image_files import read_mask
from gmmseg.cli.options import AsJson
from gmmseg.cli.outputs import make_folder, print_json, refuse_to_replace
from gmmseg.cli.video_results import (
    OVERLAY,
    REGIONS,
    TIMELINE,
    Results,
    frames_with_rate,
)
from gmmseg.errors import GmmsegError, InputError

if TYPE_CHECKING:
    from gmmseg.video import BackgroundSubtractor, Video


def foreground(
    video: Annotated[
        Path,
        typer.Argument(
            metavar="VIDEO|FRAMES_DIR",
            help="Folder of frames, video file, TIFF or GIF stack, .npy, .y4m, or - for stdin.",
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the results.")],
    shadows: Annotated[
        bool, typer.Option("--shadows", help="Mark shadows as 127; else they are 0.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Write overlay.gif too: the video, what moves tinted.")
    ] = False,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Write timeline.png too: how much moves when.")
    ] = False,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames per second; what the file says, or 25, if not given."),
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            help="How long what stands still is called moving, in seconds; 60 if not given."
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Lower finds fainter things, and more that are none; 6 if not given."),
    ] = None,
    min_area: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Pixels of the smallest thing that counts; if not given, a tenth of the picture's "
            "side, such as 48 of 640x360.",
        ),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Image of the same size: look only where it is not black.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Size of raw RGB frames, such as 640x360.")
    ] = None,
    bits: Annotated[
        int | None,
        typer.Option(
            min=8, max=16, help="Bits that are in use of frames with 16, such as 12 of a camera."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Model file: go on from it if it is there, and write it at the end. It knows the "
            "mask, the patience, the threshold and, if no file tells, the frames per second; what "
            "is given anew takes their place from here on."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what moves in a video, and write a mask per frame.

    Writes DIR/<frame>.png (255 moves, 0 does not) and DIR/regions.csv: frame, time, box, area.

    Example: gmmseg video foreground clip.mp4 -o out --overlay --timeline
    """
    from gmmseg.video import open_video

    shape = None if size is None else size_of(size)
    refuse_folder_of_frames(video, out)
    inputs = [path for path in (video, mask, state) if path is not None]
    refuse_to_replace(inputs, *(out / name for name in (REGIONS, OVERLAY, TIMELINE)))
    source = open_video(video, size=shape)
    options = {
        "fps": source.fps if fps is None else fps,
        "patience": patience,
        "threshold": threshold,
        "min_area": min_area,
        "bits": bits,
        "mask": None if mask is None else read_mask(mask),
    }
    subtractor = opened(state, options)
    make_folder(out)
    results = Results(out, fps=subtractor.fps, shadows=shadows, overlay=overlay)
    start = time.perf_counter()
    trouble: GmmsegError | None = None
    with announce_compilation():
        try:
            run(source, subtractor, results, video)
        except GmmsegError as error:
            if not results.n_frames:
                raise
            trouble = error  # what came before it is good
    results.write(timeline=timeline)
    if state is not None:
        subtractor.save(state)
    seconds = time.perf_counter() - start
    say(f"{video}: {results.summary()} in {seconds:.1f} s, {out}")
    if results.n_frames == 1 and subtractor.n_frames_ == 1:
        warn(f"{video}: there is but one frame, so nothing can be told to move; give several")
    if as_json:
        print_json({"file": str(video), **results.report(), "seconds": round(seconds, 3)})
    if trouble is not None:
        raise trouble


def run(
    source: "Video",
    subtractor: "BackgroundSubtractor",
    results: Results,
    name: Path,
) -> None:
    """Go through the frames; what is to be said of one is said at once, for a stream is long."""
    from gmmseg.video.frames import as_levels

    with about(name):
        for frame_name, frame in frames_with_rate(source.frames, source.n_frames):
            if min(frame.shape[:2]) < 1:
                raise InputError(f"frame {frame_name} is empty")
            with about(name):
                mask = subtractor.apply(frame)
            shown = as_levels(frame, bits=subtractor.bits)
            results.add(frame_name, shown, mask, str(subtractor.event_))


def opened(state: Path | None, options: dict[str, Any]) -> "BackgroundSubtractor":
    """Return the subtractor that a file holds, or a new one; options of None are as usual there."""
    from gmmseg.video import BackgroundSubtractor

    if state is None or not state.exists():
        given = {name: value for name, value in options.items() if value is not None}
        return BackgroundSubtractor(**given)
    bits, others = options["bits"], {k: v for k, v in options.items() if k != "bits"}
    subtractor = BackgroundSubtractor.load(state, **others)
    if bits not in (None, subtractor.bits):
        raise InputError(
            f"{state} has learned from frames of {subtractor.bits or 16} bits, got --bits {bits}; "
            "leave it out, or begin a new state"
        )
    return subtractor


def size_of(text: str) -> tuple[int, int]:
    """Return columns and rows of a text such as 640x360."""
    cols, _, rows = text.lower().partition("x")
    if not (cols.isdigit() and rows.isdigit()):
        raise typer.BadParameter(f"--size must be like 640x360, got {text!r}")
    return int(cols), int(rows)


def refuse_folder_of_frames(video: Path, out: Path) -> None:
    """Stop, as misuse, before masks replace frames."""
    if video.is_dir() and out.resolve() == video.resolve():
        raise typer.BadParameter(
            f"{out} holds the frames, which the masks would replace; choose another with -o"
        )
