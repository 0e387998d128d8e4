"""Compute a table block by block although its rows depend on neighbours: blocks overlap."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import Framing

Array = NDArray[np.float32]
FRAMES_AT_ONCE = 1024  # their spectra stay in the cache


class Stage(Protocol):
    """Takes consecutive blocks, gives consecutive rows as soon as they are certain."""

    lookahead: int

    def push(self, block: Array) -> Array:
        """Return the rows that are certain after the next block."""

    def finish(self, block: Array | None = None) -> Array:
        """Return the rows that are left, after a last block if there is one."""


class OverlappingFrames:
    """Cut consecutive blocks of samples into stretches that hold all that their frames see.

    Parameters
    ----------
    describe : callable
        ``describe(samples, n_frames, first_frame)`` → (n_frames, n_columns); `samples` begin
        `margin` before the centre of the first frame.
    framing : Framing
        How the frames lie.
    margin : int
        Samples on either side of its centre that a frame depends on. Beyond both ends of the sound
        lie zeros.
    n_columns : int
        Columns that `describe` gives.
    """

    def __init__(
        self,
        describe: Callable[[Array, int, int], Array],
        *,
        framing: Framing,
        margin: int,
        n_columns: int,
    ) -> None:
        self._describe, self._framing, self._margin = describe, framing, margin
        self._hop_length = framing.hop_length
        self._nothing = np.zeros((0, n_columns), dtype=np.float32)
        self._waiting = np.zeros(margin, dtype=np.float32)
        self._start = 0  # of the next frame in `_waiting`, which it may lie behind
        self._n_samples = 0
        self._n_frames = 0
        self.lookahead = margin

    def push(self, block: Array) -> Array:
        """Return the frames that are ready after the next samples."""
        self._n_samples += len(block)
        self._waiting = np.concatenate([self._waiting, block])
        last_seen = self._n_samples - self._margin - 1
        return self._frames_until(last_seen // self._hop_length + 1)

    def finish(self, block: Array | None = None) -> Array:
        """Return the frames that are left, after the last samples if there are any."""
        block = self._waiting[:0] if block is None else block
        self._n_samples += len(block)
        # The last frame may be centred just behind the last sample.
        behind = np.zeros(self._margin + 1, dtype=np.float32)
        self._waiting = np.concatenate([self._waiting, block, behind])
        return self._frames_until(self._framing.n_frames(self._n_samples))

    def _frames_until(self, end: int) -> Array:
        tables = [self._nothing]
        while self._n_frames < end:
            n_frames = min(end - self._n_frames, FRAMES_AT_ONCE)
            stop = self._start + (n_frames - 1) * self._hop_length + 2 * self._margin + 1
            samples = self._waiting[self._start : stop]
            tables.append(self._describe(samples, n_frames, self._n_frames))
            self._n_frames += n_frames
            self._start += n_frames * self._hop_length
        n_old = min(self._start, len(self._waiting))
        self._waiting = self._waiting[n_old:]
        self._start -= n_old
        return np.concatenate(tables)


class OverlappingRows:
    """Apply a function of a table to consecutive blocks of it, each with rows around it.

    Parameters
    ----------
    function : callable
        ``function(table, part)`` → the rows `part`, a slice, of a result (n_rows, n_columns): row
        ``t`` depends on the rows from ``t - before`` to ``t + after``, near the start of the table
        on the first `at_least` too.
    before, after : int
        Rows on either side that a row depends on.
    n_columns : int
        Columns that `function` gives.
    at_least : int
        Rows that must have come before the first is certain.
    """

    def __init__(
        self,
        function: Callable[[Array, slice], Array],
        *,
        before: int,
        after: int,
        n_columns: int,
        at_least: int = 1,
    ) -> None:
        self._function = function
        self._before, self._after, self._at_least = before, after, at_least
        self._nothing = np.zeros((0, n_columns), dtype=np.float32)
        self._blocks: list[Array] = []
        self._n_rows = 0  # in the blocks
        self._n_done = 0  # rows at their start that are context alone
        self.lookahead = after

    def push(self, block: Array) -> Array:
        """Return the rows that are certain after the next ones."""
        self._blocks.append(block)
        self._n_rows += len(block)
        is_early = self._n_done == 0 and self._n_rows < self._at_least
        return self._nothing if is_early else self._rows_until(self._n_rows - self._after)

    def finish(self, block: Array | None = None) -> Array:
        """Return the rows that are left, after the last ones if there are any."""
        if block is not None:
            self._blocks.append(block)
            self._n_rows += len(block)
        return self._rows_until(self._n_rows)

    def _rows_until(self, end: int) -> Array:
        if end <= self._n_done:
            return self._nothing
        rows = np.concatenate(self._blocks)
        ready = self._function(rows, slice(self._n_done, end))
        n_old = max(end - self._before, 0)
        self._blocks = [rows[n_old:]]
        self._n_rows -= n_old
        self._n_done = end - n_old
        return ready
