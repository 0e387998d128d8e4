"""The one rule for a share of nothing, so that no measure is ever NaN."""


def rate_of(part: float, whole: float) -> float:
    """Return ``part / whole``; of nothing, 0 if the part is nothing as well, else 1."""
    if whole > 0.0:
        return part / whole
    return 0.0 if part == 0.0 else 1.0
