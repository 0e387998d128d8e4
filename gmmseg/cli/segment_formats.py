"""In which formats commands write segments of time."""

from enum import StrEnum


class Format(StrEnum):
    """Formats of segments."""

    csv = "csv"
    rttm = "rttm"
    audacity = "audacity"
    textgrid = "textgrid"
    json = "json"
