"""The commands ``gmmseg image``."""

import typer

from gmmseg.cli import image_anomaly
from gmmseg.cli.image_box import BoxCommand
from gmmseg.cli.image_cut import cut
from gmmseg.cli.image_score import score
from gmmseg.cli.image_segment import segment

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def image() -> None:
    """Segment images, cut things out of them, and find defects.

    Example: gmmseg image segment photo.jpg -k 5 -o out --overlay
    """


app.command()(segment)
app.command(cls=BoxCommand)(cut)
app.command()(score)
app.add_typer(image_anomaly.app, name="anomaly")
