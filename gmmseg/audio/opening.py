"""Open a sound file that may be missing, empty, foreign or cut short: trouble is one InputError."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gmmseg.errors import InputError
from gmmseg.files import first_bytes

# libsndfile's notes about a header that promises more bytes than the file has.
_PROMISE = re.compile(r"^\W*(?:data|SSND|Data Size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
# Programs that write into a pipe cannot know the length and promise "endless".
_ENDLESS = 2**31 - 2**16
# Where an encoder notes the number of frames of an MP3; without it the length is a guess.
_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Yield a readable soundfile.SoundFile; whatever goes wrong inside is told in one line."""
    path = Path(path)
    first_bytes(path, kind="sound")
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            _check_promise(path, file)
            yield file
    except soundfile.SoundFileError as error:
        reason = str(error).rpartition("': ")[2].strip().rstrip(".") or "the decoder stopped"
        raise InputError(
            f"{path} cannot be decoded ({reason}); it may be no sound file, damaged or cut short: "
            "give a WAV, FLAC, OGG, MP3 or AIFF file, or copy it again"
        ) from error


def _check_promise(path: Path, file: Any) -> None:
    """Refuse a file without sound, and one that ends before its header says."""
    for promised, found in _PROMISE.findall(file.extra_info):
        if int(found) < int(promised) < _ENDLESS:
            raise InputError(_cut_short(path, int(found) / int(promised)))
    if file.frames == 0:
        raise InputError(f"{path} holds no sound (0 samples); record or save it again")


def check_length(path: str | os.PathLike[str], *, promised: int, found: int) -> None:
    """Refuse a file of which fewer samples could be decoded than its header promises."""
    if found >= promised:
        return
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(4096)
    is_mp3 = start.startswith(b"ID3") or start[:1] == b"\xff"
    if not is_mp3 or any(tag in start for tag in _LENGTH_TAGS):
        raise InputError(_cut_short(path, found / promised))


def _cut_short(path: Path, share: float) -> str:
    """Say how much of a file is there."""
    return (
        f"{path} is cut short: it holds {share:.0%} of what its header promises; "
        "copy or save it again"
    )
