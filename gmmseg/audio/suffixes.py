"""How files of sounds, of records of sensors and of segments end."""

SOUNDS = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".w64",
)  # fmt: skip
NUMBERS = (".npy", ".npz", ".csv")

SEGMENTS_AS_WRITTEN = {
    "csv": ".csv", "rttm": ".rttm", "audacity": ".txt", "textgrid": ".TextGrid", "json": ".json",
}  # fmt: skip
"""The ending that a file of segments is given, by its format."""

SEGMENTS = {suffix.lower(): name for name, suffix in SEGMENTS_AS_WRITTEN.items()} | {".tsv": "csv"}
"""The format that files of segments have, by their ending."""
