"""From a clip of any length to its score: parts, what each scores, and what that means."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gmmseg.anomaly.null_scores import NullScores
from gmmseg.audio.clip_model import ClipModel
from gmmseg.audio.clip_parts import Parts, combined, is_too_short
from gmmseg.audio.clip_recipe import ClipRecipe
from gmmseg.errors import GmmsegWarning

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClipJudge:
    """Hold all that tells how strange a clip is.

    Parameters
    ----------
    recipe : ClipRecipe
        How clips are described.
    model : ClipModel
        What normal clips are like.
    nulls : tuple of NullScores
        What they score, at each of the recipe's lengths.
    """

    recipe: ClipRecipe
    model: ClipModel
    nulls: tuple[NullScores, ...]

    def score(self, samples: Array) -> float:
        """Return how strange a clip is, given by its samples as the recipe has them."""
        parts = Parts.of_clip(len(samples), self.recipe)
        rows = [self.recipe.described(part) for part in parts.of(samples)]
        return self.score_of_parts(np.stack(rows), parts.level)

    def score_of_parts(self, X: Array, level: int) -> float:
        """Return the score of a clip from its described parts, which are compared at a level.

        A typical clip has its own score. That of any other is the score which a typical clip of
        the same p-value has.
        """
        scores = self.model.scores(X, level)
        if level == 0 and len(X) == 1:
            return float(scores[0])
        return self.nulls[0].threshold(combined(self.nulls[level].p_values(scores)))

    def warn_if_short(self, n_samples: Sequence[int], names: Sequence[str]) -> None:
        """Warn of clips that are shorter than all that normal clips were heard in."""
        short = [k for k, number in enumerate(n_samples) if is_too_short(number, self.recipe)]
        if not short:
            return
        sr, others = self.recipe.sr, f" and {len(short) - 1} more" if len(short) > 1 else ""
        warnings.warn(
            f"too short to be compared: {names[short[0]]} ({n_samples[short[0]] / sr:.3g} s)"
            f"{others}; normal clips were heard in parts of {self.recipe.lengths[-1] / sr:.3g} s "
            "or more, and what is shorter may be called anomalous for that alone",
            GmmsegWarning,
            stacklevel=3,
        )
