"""VoiceStream: probabilities of speech in sound that comes in blocks, a fixed lag behind it."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.framing import HOP
from gmmseg.audio.overlap import OverlappingRows
from gmmseg.audio.voice_decision import SMOOTHED, chain_table, smoothed, voice_chain
from gmmseg.audio.voice_evidence import ContextStream, blocks_of
from gmmseg.audio.voice_features import N_LEVELS, lookahead
from gmmseg.audio.voice_levels import Levels
from gmmseg.audio.voice_model import VoiceModel
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError
from gmmseg.smoothing.chain_filter import FixedLagFilter


class VoiceStream:
    """Give the probability of speech in every frame of 10 ms of a sound that comes in blocks.

    Made by `VoiceActivityDetector.stream`. Blocks may be cut anywhere: what comes out in all is
    the same.

    Parameters
    ----------
    model : VoiceModel
        What speech and noise are like.
    sr : float
        Sampling rate, in Hz.
    lag : float
        Seconds by which the answer is late.
    levels : Levels, optional
        How loud speech and noise are.

    Raises
    ------
    InputError
        If the rate or the lag cannot be used.

    Examples
    --------
    >>> from gmmseg.audio import VoiceActivityDetector
    >>> stream = VoiceActivityDetector().stream(sr=16000, lag=0.8)
    >>> blocks = [stream.push(np.zeros(8000)) for _ in range(3)]
    >>> [len(block) for block in blocks], len(stream.finish())
    ([0, 21, 50], 80)
    """

    def __init__(
        self, model: VoiceModel, *, sr: float, lag: float, levels: Levels | None = None
    ) -> None:
        check_number("lag", lag, least=0)
        needed = lookahead() + SMOOTHED
        n_late = round(lag / HOP)
        if n_late < needed:
            raise InputError(f"lag must be at least {needed * HOP:.2f} s, got {lag}")
        self._model, self._levels = model, levels
        self._context = ContextStream(sr=sr)
        self._odds = OverlappingRows(self._judged, before=SMOOTHED, after=SMOOTHED, n_columns=1)
        self._filter = FixedLagFilter(voice_chain(), n_late - needed)

    def push(self, y: ArrayLike) -> NDArray[np.float32]:
        """Return the probabilities (n_frames,) that are due after the next mono samples."""
        return self._filtered(self._odds.push(self._rows(self._context.push(y))))

    def finish(self) -> NDArray[np.float32]:
        """Return the probabilities (n_frames,) that are left after the last sample."""
        last = np.concatenate(
            [self._odds.push(self._rows(self._context.finish())), self._odds.finish()]
        )
        rest = self._filtered(last)
        return np.concatenate([rest, self._filter.finish()[:, 1].astype(np.float32)])

    def _rows(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return log-odds of the model and levels (n_frames, 1 + n_levels)."""
        odds = self._model.log_odds(table[:, N_LEVELS:])
        return np.column_stack([odds, table[:, :N_LEVELS]]).astype(np.float32)

    def _judged(self, rows: NDArray[np.float32], part: slice) -> NDArray[np.float32]:
        """Return the log-odds (n_frames, 1) of the model, smoothed, and of levels if known."""
        table = rows.astype(np.float64)
        odds = smoothed(table[:, 0])
        if self._levels is not None:
            odds = odds + self._levels.log_odds(table[:, 1:])
        return odds[part, np.newaxis].astype(np.float32)

    def _filtered(self, odds: NDArray[np.float32]) -> NDArray[np.float32]:
        table = chain_table(odds[:, 0].astype(np.float64))
        return self._filter.push(table)[:, 1].astype(np.float32)


def filtered(
    stream: VoiceStream, y: ArrayLike | Iterator[NDArray[np.float32]], *, sr: int
) -> NDArray[np.float32]:
    """Return what a stream says of a whole sound."""
    parts = [stream.push(block) for block in blocks_of(y, sr=sr)]
    return np.concatenate([*parts, stream.finish()])
