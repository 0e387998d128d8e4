"""The commands ``gmmseg image``."""

import typer

from gmmseg.cli.image_cut import cut
from gmmseg.cli.image_segment import segment

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def image() -> None:
    """Segment images, and cut things out of them.

    Example: gmmseg image segment photo.jpg -k 5 -o out --overlay
    """


app.command()(segment)
app.command()(cut)
