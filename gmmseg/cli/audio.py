"""The commands ``gmmseg audio``."""

import typer

from gmmseg.cli import audio_anomaly, audio_speakers
from gmmseg.cli.audio_diarize import diarize
from gmmseg.cli.audio_score import score_diarization, score_vad
from gmmseg.cli.audio_vad import vad

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def audio() -> None:
    """Find who speaks, and when.

    Example: gmmseg audio vad meeting.wav -o out
    """


app.add_typer(audio_speakers.app, name="speakers")
app.command()(diarize)
app.command()(vad)
app.command()(score_vad)
app.command()(score_diarization)
app.add_typer(audio_anomaly.app, name="anomaly")
