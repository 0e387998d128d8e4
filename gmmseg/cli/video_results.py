"""What ``gmmseg video foreground`` leaves behind: masks, regions, an overlay, a timeline."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.console import console

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

    from gmmseg.video import MovingRegion

REGIONS, OVERLAY, TIMELINE = "regions.csv", "overlay.gif", "timeline.png"
MOVING = 255
MOST_PICTURES = 400  # in the overlay; of longer videos every second, fourth, … frame
WIDEST = 480  # pixels of the overlay
SHORTEST = 20  # milliseconds: viewers show a GIF no faster


class Results:
    """Write the mask of each frame as it comes, and keep what is written at the end.

    Parameters
    ----------
    folder : Path
        Where to.
    fps : float
        Frames per second.
    shadows : bool
        Whether shadows are 127, or 0.
    overlay : bool
        Whether an overlay is wanted.
    """

    def __init__(self, folder: Path, *, fps: float, shadows: bool, overlay: bool) -> None:
        self._folder, self._fps = folder, fps
        self._shadows = shadows
        self._overlay: _Overlay | None = _Overlay() if overlay else None
        self._regions: list[MovingRegion] = []
        self._shares: list[float] = []
        self._events: dict[int, str] = {}

    @property
    def n_frames(self) -> int:
        """How many frames there were."""
        return len(self._shares)

    def add(self, name: str, frame: "NDArray[Any]", mask: "NDArray[Any]", event: str) -> None:
        """Write the mask of a frame."""
        from PIL import Image

        from gmmseg.video import moving_regions

        moving = mask == MOVING
        number = self.n_frames
        shown = mask if self._shadows else moving.astype("uint8") * MOVING
        Image.fromarray(shown).save(self._folder / f"{name}.png", compress_level=1)
        if moving.any():
            self._regions += moving_regions(mask, frame=name, time=round(number / self._fps, 4))
        if event and event != self._events.get(number - 1):
            self._events[number] = event
        self._shares.append(float(moving.mean()))
        if self._overlay is not None:
            self._overlay.add(frame, shown)

    def write(self, *, timeline: bool) -> None:
        """Write what is only known at the end."""
        from gmmseg.video import write_regions

        write_regions(self._folder / REGIONS, self._regions)
        if self._overlay is not None:
            self._overlay.write(self._folder / OVERLAY, fps=self._fps)
        if timeline and self._shares:
            from gmmseg.report.motion import plot_motion

            events = {k: name for k, name in self._events.items() if name != "camera moved"}
            figure = plot_motion(self._shares, fps=self._fps, events=events)
            figure.savefig(self._folder / TIMELINE)

    def summary(self) -> str:
        """Return what was found, in words."""
        n_moving = sum(share > 0.0 for share in self._shares)
        words = [f"{self.n_frames} frames, something moves in {n_moving}"]
        for name in dict.fromkeys(self._events.values()):
            frames = [str(k + 1) for k, own in self._events.items() if own == name]
            more = f" and {len(frames) - 3} more" if len(frames) > 3 else ""
            words.append(f"{name} at frame {', '.join(frames[:3])}{more}")
        return "; ".join(words)

    def report(self) -> dict[str, Any]:
        """Return what was found, as JSON knows it."""
        return {
            "n_frames": self.n_frames,
            "n_moving": sum(share > 0.0 for share in self._shares),
            "n_regions": len(self._regions),
            "fps": self._fps,
            "events": [{"frame": k + 1, "event": name} for k, name in self._events.items()],
            "out": str(self._folder),
        }


class _Overlay:
    """The pictures of an animation, of which there are never too many."""

    def __init__(self) -> None:
        self._pictures: list[Image] = []
        self._step, self._count = 1, 0

    def add(self, frame: "NDArray[Any]", mask: "NDArray[Any]") -> None:
        """Keep every so many frames."""
        if self._count % self._step == 0:
            from PIL import Image

            from gmmseg.report.motion import overlay_motion

            step = -(-mask.shape[1] // WIDEST)
            picture = Image.fromarray(overlay_motion(frame[::step, ::step], mask[::step, ::step]))
            self._pictures.append(picture.quantize(128, method=Image.Quantize.FASTOCTREE))
            if len(self._pictures) > MOST_PICTURES:
                self._pictures, self._step = self._pictures[::2], 2 * self._step
        self._count += 1

    def write(self, path: Path, *, fps: float) -> None:
        """Write the animation."""
        from gmmseg.files import replacing

        first, *others = self._pictures
        duration = max(round(1000.0 * self._step / fps), SHORTEST)
        with replacing(path) as temporary:
            first.save(temporary, save_all=True, append_images=others, duration=duration, loop=0)


def frames_with_rate(
    frames: Iterable[tuple[str, Any]], n_frames: int | None
) -> Iterator[tuple[str, Any]]:
    """Yield the frames, with a bar that tells frames per second on a terminal."""
    if not console().is_terminal:
        yield from frames
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} frames/s"),
    )
    start = time.perf_counter()
    with Progress(*columns, console=console(), transient=True) as progress:
        task = progress.add_task("frames", total=n_frames, rate=0.0)
        for done, item in enumerate(frames, start=1):
            yield item
            rate = done / max(time.perf_counter() - start, 1e-6)
            progress.update(task, advance=1, rate=rate)
