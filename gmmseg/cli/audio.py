"""The commands ``gmmseg audio``."""

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def audio() -> None:
    """Find who speaks, and when.

    Example: gmmseg audio vad meeting.wav -o out
    """
