"""The command ``gmmseg``: one sub-command per domain, one line for whatever goes wrong."""

import os
import sys
import traceback
import warnings
from typing import Annotated, NoReturn

import typer

from gmmseg import __version__
from gmmseg.cli import audio, image, model, table, video
from gmmseg.cli.console import say, warn
from gmmseg.errors import GmmsegError

DONE, COULD_NOT, INTERRUPTED = 0, 1, 130
"""Exit codes; 2, misuse, is given by typer."""

app = typer.Typer(
    name="gmmseg",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the start-up time, and it reads the same in a file
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(image.app, name="image")
app.add_typer(audio.app, name="audio")
app.add_typer(video.app, name="video")
app.add_typer(table.app, name="table")
app.add_typer(model.app, name="model")


def show_version(is_wanted: bool) -> None:
    """Print the version and stop."""
    if is_wanted:
        typer.echo(f"gmmseg {__version__}")
        raise typer.Exit


@app.callback()
def gmmseg(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show it and exit."),
    ] = False,
) -> None:
    """Segment images, sound and video with Gaussian mixtures.

    Example: gmmseg image segment photo.jpg -k 5 -o out --overlay
    """


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 could not, 2 misuse, 130 interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_args, **_kwargs: warn(f"warning: {message}")
        sys.exit(exit_code())


def exit_code() -> int | str | None:
    """Run the command line and return its exit code, having said in one line what went wrong."""
    try:
        code = run()
        if sys.stdout is not None:  # it is None where the shell closed it with >&-
            sys.stdout.flush()  # while a full disk or a closed pipe can still be told
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python flushes once more at exit: to nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return COULD_NOT
    except KeyboardInterrupt:
        return say_interrupted()
    except Exception as error:  # noqa: BLE001 (the outermost door: whatever gets here is told)
        return say_error(error)
    return say_interrupted() if code == INTERRUPTED else code


def run() -> int | str | None:
    """Run the command line and return the exit code that typer asks for."""
    try:
        app(prog_name="gmmseg")
    except SystemExit as stop:
        return stop.code
    return DONE


def say_error(error: Exception) -> int:
    """Say in one line what went wrong; the environment variable GMMSEG_DEBUG=1 shows where."""
    if os.environ.get("GMMSEG_DEBUG", "0") not in {"", "0"}:
        traceback.print_exception(error)
    if isinstance(error, GmmsegError):
        say(f"gmmseg: {error}")
    elif isinstance(error, OSError) and error.strerror is not None:
        say("gmmseg: " + ": ".join(str(part) for part in (error.filename, error.strerror) if part))
    elif isinstance(error, MemoryError):
        say(f"gmmseg: not enough memory: {error}")
    else:
        say(
            f"gmmseg: unexpected {type(error).__name__}: {error} "
            "(a bug in gmmseg; GMMSEG_DEBUG=1 shows where)"
        )
    return COULD_NOT


def say_interrupted() -> int:
    """Say that the user stopped the run."""
    say("gmmseg: interrupted")
    return INTERRUPTED


if __name__ == "__main__":
    main()
