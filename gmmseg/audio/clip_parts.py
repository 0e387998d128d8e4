"""Clips of other lengths than the normal ones are judged by parts that have been compared."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.clip_recipe import ClipRecipe
from gmmseg.errors import InputError

Array = NDArray[np.float64]

TOLERANCE = 0.05
"""How much longer or shorter, relative to it, a clip may be and still count as of a length."""
GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole part, fill the time evenly, however many there are."""
CALMEST = 0.95
"""Largest p-value that a part counts with: being all too normal outweighs nothing strange."""


@dataclass(frozen=True)
class Parts:
    """Say which parts of a clip are judged.

    Parameters
    ----------
    level : int
        Which of the recipe's `lengths` they are compared at.
    length : int
        How long each is, in samples.
    starts : tuple of int
        Where they begin, in samples.
    """

    level: int
    length: int
    starts: tuple[int, ...]

    @classmethod
    def of_clip(cls, n_samples: int, recipe: ClipRecipe) -> "Parts":
        """Return parts of the greatest length that fits; together they cover the clip."""
        fitting = [n_samples >= (1.0 - TOLERANCE) * length for length in recipe.lengths]
        level = fitting.index(True) if any(fitting) else len(fitting) - 1
        length = recipe.lengths[level]
        if n_samples <= (1.0 + TOLERANCE) * length:
            return cls(level, n_samples, (0,))
        starts = np.linspace(0, n_samples - length, math.ceil(n_samples / length))
        return cls(level, length, tuple(np.rint(starts).astype(int).tolist()))

    def of(self, samples: Array) -> list[Array]:
        """Return the samples of each part."""
        return [cut(samples, start, self.length) for start in self.starts]


def cut(samples: Array, start: int, length: int) -> Array:
    """Return so many samples from there on, about their mean, as a clip of their own would be."""
    if start == 0 and length >= len(samples):
        return samples
    part = samples[start : start + length]
    centered: Array = part - part.mean()
    return centered


def normal_rows(recipe: ClipRecipe, samples: Array, number: int) -> Array:
    """Return a normal clip as described at each of the recipe's lengths, (n_lengths, n_features).

    Where it is longer than that, a part is taken, one that the number of the clip chooses: one
    from each clip, so that they are as independent as the clips are, from all over their time.
    """
    share = number * GOLDEN % 1.0
    rows = []
    for length in recipe.lengths:
        if len(samples) > (1.0 + TOLERANCE) * length:
            part = cut(samples, round(share * (len(samples) - length)), length)
        else:
            part = samples
        rows.append(recipe.described(part))
    return np.stack(rows)


def new_rows(recipe: ClipRecipe, samples: Array, number: int) -> Array:
    """Return a further normal clip as `normal_rows` does, once the fit has set what is typical.

    Raises
    ------
    InputError
        If it is shorter: its means are not like those of whole clips, which it would be added to.
    """
    if len(samples) < (1.0 - TOLERANCE) * recipe.lengths[0]:
        raise InputError(
            f"it lasts {len(samples) / recipe.sr:.3g} s, but a detector adapts only to clips as "
            f"long as those it was fitted to, {recipe.seconds:.3g} s, or longer ones"
        )
    return normal_rows(recipe, samples, number)


def is_too_short(n_samples: int, recipe: ClipRecipe) -> bool:
    """Return whether a clip is shorter than any part of normal clips that was heard."""
    return n_samples < (1.0 - TOLERANCE) * recipe.lengths[-1]


def combined(p_values: Array) -> float:
    """Return the p-value of a clip from those of its parts.

    ``tan(pi * (0.5 - p))`` of a uniform p follows Cauchy's distribution, and so does the mean of
    several, be they independent or all the same (Liu, Xie 2020, "Cauchy combination test",
    DOI 10.1080/01621459.2018.1554485).

    Examples
    --------
    >>> round(combined(np.array([0.03, 0.03, 0.03])), 6)
    0.03
    >>> round(combined(np.array([0.001, 0.5, 0.5, 0.5])), 6)
    0.004
    """
    calm = np.minimum(p_values, CALMEST)
    strangeness = (1.0 / np.tan(np.pi * calm) / len(calm)).sum()
    p_value = np.arctan2(1.0, strangeness) / np.pi
    return float(np.clip(p_value, p_values.min(), p_values.max()))
