"""The commands ``gmmseg video``."""

import typer

from gmmseg.cli.video_foreground import foreground

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def video() -> None:
    """Find what moves in a video.

    Example: gmmseg video foreground clip.mp4 -o out
    """


app.command()(foreground)
