"""Enrolled speakers in a model file: names and voices, plain arrays in which nothing can run."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from gmmseg.audio.speaker_voices import VIEWS, EmbeddedVoices, FrameVoices, Voices
from gmmseg.core.mixture_file import as_damage
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError

KIND = "speakers"


def write_speakers(
    path: str | PathLike[str],
    names: Sequence[str],
    voices: Voices,
    options: Mapping[str, Any],
) -> None:
    """Write names and voices, and the plain options of the recogniser."""
    header = {"speakers": list(names), "options": dict(options)}
    write_model(path, kind=KIND, header=header, arrays=voices.arrays())


def read_speakers(
    path: str | PathLike[str],
) -> tuple[tuple[str, ...], Voices, dict[str, Any]]:
    """Return names, voices and options of the recogniser that `write_speakers` wrote.

    Raises
    ------
    ModelFileError
        If anything in the file does not fit together.
    """
    header, arrays = read_model(path, kind=KIND)
    with as_damage(path):
        options = header["options"]
        features, microphones = options["features"], options["microphones"]
        if features not in {"frames", "embeddings"} or microphones not in VIEWS:
            raise InputError(f"the header has options {options}, which cannot be")
        voices: EmbeddedVoices | FrameVoices
        if features == "embeddings":
            voices = EmbeddedVoices.from_arrays(arrays)
        else:
            voices = FrameVoices.from_arrays(arrays, microphones)
        names = header["speakers"]
        are_names = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not are_names or len(names) != len(voices.embeddings):
            raise InputError("the names of the speakers do not fit the voices")
        return tuple(names), voices, {"features": features, "microphones": microphones}
