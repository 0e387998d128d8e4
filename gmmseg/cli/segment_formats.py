"""In which formats commands write segments of time, and how such files end."""

from enum import StrEnum


class Format(StrEnum):
    """Formats of segments."""

    csv = "csv"
    rttm = "rttm"
    audacity = "audacity"
    textgrid = "textgrid"
    json = "json"


SUFFIXES = {
    Format.csv: ".csv",
    Format.rttm: ".rttm",
    Format.audacity: ".txt",
    Format.textgrid: ".TextGrid",
    Format.json: ".json",
}
