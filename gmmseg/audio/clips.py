"""Clips as a user has them, files or samples with a rate, and the recipe that suits them."""

import os
from collections.abc import Sequence
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clip_recipe import ClipRecipe, checked_any_rate, loudness, power_of_two
from gmmseg.audio.signal_files import read_signal, signal_length
from gmmseg.core.validation import check_above
from gmmseg.errors import InputError

Clip = str | os.PathLike[str] | tuple[Any, float]
"""A file, or samples and their rate in Hz."""


def clip_signal(clip: Any, *, rate: float | None = None) -> tuple[NDArray[Any], float]:
    """Return samples and rate of a clip; ``rate`` is that of files which tell none."""
    if isinstance(clip, str | os.PathLike):
        return read_signal(clip, sr=rate)
    if not isinstance(clip, tuple) or len(clip) != 2:
        raise InputError(f"a clip must be a file or a pair (y, sr), got {type(clip).__name__}")
    return clip


def clip_name(clip: Clip, number: int) -> str:
    """Return what to call a clip in a message."""
    return str(clip) if isinstance(clip, str | os.PathLike) else f"clip {number}"


def recipe_of(
    clips: Sequence[Clip],
    *,
    sr: float | None = None,
    seconds: float | None = None,
    rate: float | None = None,
) -> ClipRecipe:
    """Return the recipe for normal clips: their lowest rate, their median length.

    Clips that cannot be read have no say; whoever describes them is told why.
    """
    lengths, rates, full_scale = [], [], None
    for clip in clips:
        try:
            length, own = _length(clip, rate)
            if full_scale is None and (loudest := loudness(*clip_signal(clip, rate=rate))) > 0.0:
                full_scale = power_of_two(loudest)
        except InputError:
            continue
        lengths.append(length)
        rates.append(checked_any_rate(own))
    if not lengths:
        # Nothing was read; the first clip says why.
        for clip in clips[:1]:
            _length(clip, rate)
            loudness(*clip_signal(clip, rate=rate))
        raise InputError("normal clips must be at least 2, got 0")
    return ClipRecipe(
        checked_any_rate(sr) if sr is not None else min(rates),
        _checked_seconds(seconds) if seconds is not None else median_low(lengths),
        full_scale if full_scale is not None else 1.0,
    )


def _length(clip: Clip, rate: float | None) -> tuple[float, float]:
    """Return seconds and rate of a clip."""
    if isinstance(clip, str | os.PathLike):
        return signal_length(clip, sr=rate)
    y, own = clip_signal(clip)
    return np.shape(y)[-1] / checked_any_rate(own) if np.ndim(y) else 0.0, own


def _checked_seconds(seconds: float) -> float:
    check_above("seconds", seconds, 0.0)
    return float(seconds)
