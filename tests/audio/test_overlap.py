"""Claims about overlapping blocks: any cut gives the rows of the whole."""

import functools
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gmmseg.audio.framing import Framing
from gmmseg.audio.overlap import OverlappingFrames, OverlappingRows


def in_pieces(stage, values, cuts):
    """Return what a stage gives for values cut at the given places."""
    edges = [0, *sorted(min(cut, len(values)) for cut in cuts), len(values)]
    pieces = [stage.push(values[a:b]) for a, b in itertools.pairwise(edges)]
    return np.concatenate([*pieces, stage.finish()])


def steps_between(table, part):
    return np.diff(table, axis=0, prepend=table[:1])[part]


def sums_around(samples, n_frames, _first_frame, *, hop, margin):
    return np.array(
        [[samples[t * hop : t * hop + 2 * margin + 1].sum()] for t in range(n_frames)], dtype="f"
    )


@given(
    hop=st.integers(1, 40),
    margin=st.integers(0, 30),
    n_samples=st.integers(1, 120),
    cuts=st.lists(st.integers(0, 120), max_size=5),
)
def test_frames_of_blocks_see_what_the_frames_of_the_whole_see(hop, margin, n_samples, cuts):
    samples = np.arange(1, n_samples + 1, dtype=np.float32)
    stage = OverlappingFrames(
        lambda *args: sums_around(*args, hop=hop, margin=margin),
        framing=Framing(8000, hop, 2, 2),
        margin=margin,
        n_columns=1,
    )
    # Sample i has the value i + 1: by hand from the formula of the arithmetic series.
    centres = np.arange(1 + n_samples // hop) * hop
    low = np.maximum(centres - margin, 0) + 1
    high = np.maximum(np.minimum(centres + margin + 1, n_samples), low - 1)
    wanted = (low + high) * (high - low + 1) / 2
    assert_array_equal(in_pieces(stage, samples, cuts)[:, 0], wanted)


@given(
    before=st.integers(0, 6),
    after=st.integers(0, 6),
    n_rows=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
def test_rows_of_blocks_see_what_the_rows_of_the_whole_see(before, after, n_rows, cuts):
    def sums(rows):
        return np.array(
            [rows[max(t - before, 0) : t + after + 1].sum(axis=0) for t in range(len(rows))]
        )

    rows = np.arange(2 * n_rows, dtype=np.float32).reshape(n_rows, 2) ** 2
    stage = OverlappingRows(
        lambda table, part: sums(table)[part], before=before, after=after, n_columns=2
    )
    assert_array_equal(in_pieces(stage, rows, cuts), sums(rows))


def test_rows_wait_no_longer_than_they_must():
    stage = OverlappingRows(lambda rows, part: rows[part], before=2, after=3, n_columns=1)
    rows = np.zeros((10, 1), dtype=np.float32)
    assert len(stage.push(rows)) == 7
    assert len(stage.push(rows[:1])) == 1
    assert len(stage.finish()) == 3


def test_what_is_asked_for_is_as_long_as_what_came():
    asked = []

    def noted(rows, part):
        asked.append((len(rows), part.stop - part.start))
        return rows[part]

    stage = OverlappingRows(noted, before=20, after=3, n_columns=1)
    for n_rows in (100, 2, 2, 7):
        stage.push(np.zeros((n_rows, 1), dtype=np.float32))
    assert asked == [(100, 97), (25, 2), (25, 2), (30, 7)]


def test_a_last_block_handed_to_the_end_gives_what_pushing_it_first_gives(rng):
    values = rng.normal(size=700).astype(np.float32)
    framing = Framing.of(sr=1000, hop_length=10, n_fft=25)
    for n_before in (0, 10, 400, 700):
        tables = []
        for is_handed in (False, True):
            describe = functools.partial(sums_around, hop=10, margin=30)
            frames = OverlappingFrames(describe, framing=framing, margin=30, n_columns=1)
            rows = OverlappingRows(steps_between, before=1, after=3, n_columns=1)
            first = rows.push(frames.push(values[:n_before]))
            if is_handed:
                rest = [rows.finish(frames.finish(values[n_before:]))]
            else:
                rest = [rows.push(frames.push(values[n_before:]))]
                rest += [rows.push(frames.finish()), rows.finish()]
            tables.append(np.concatenate([first, *rest]))
        assert_array_equal(*tables)
