"""The commands ``gmmseg audio``."""

import typer

from gmmseg.cli import audio_speakers

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def audio() -> None:
    """Find who speaks, and when.

    Example: gmmseg audio vad meeting.wav -o out
    """


app.add_typer(audio_speakers.app, name="speakers")
