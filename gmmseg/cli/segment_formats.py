"""Segments of time as commands read and write them: formats, and which labels are speech."""

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gmmseg.audio import Segment


class Format(StrEnum):
    """Formats of segments."""

    csv = "csv"
    rttm = "rttm"
    audacity = "audacity"
    textgrid = "textgrid"
    json = "json"


NONSPEECH = {"nonspeech", "non-speech", "non_speech", "non speech", "silence", "sil", "noise"}


def speech_of(segments: "list[Segment]") -> "list[Segment]":
    """Return the segments that are speech."""
    return [one for one in segments if one.label.casefold() not in NONSPEECH]
