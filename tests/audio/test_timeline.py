"""Claims about timelines: laws of union, gaps and intersection, and frames there and back."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from gmmseg.audio import Segment, frame_table, frames_from_segments, segments_from_frames
from gmmseg.audio.timeline import (
    drop_short,
    fill_gaps,
    gaps,
    intersection,
    lanes,
    overlaps,
    pad,
    stacked,
    union,
)
from gmmseg.errors import InputError

END = 12  # seconds; all times are whole, so a second is either covered or it is not


@st.composite
def timelines(draw):
    starts = draw(st.lists(st.integers(0, END - 1), max_size=12))
    return [
        Segment(start, draw(st.integers(start + 1, END)), draw(st.sampled_from("ABC")))
        for start in starts
    ]


def seconds_of(segments):
    """Return the set of (second, label) that segments cover: the naive twin."""
    return {(t, one.label) for one in segments for t in range(int(one.start), int(one.end))}


def times_of(segments):
    return {t for t, _ in seconds_of(segments)}


def lie_apart(segments):
    return all(
        one.end < other.start or other.end < one.start
        for n, one in enumerate(segments)
        for other in segments[n + 1 :]
        if one.label == other.label
    )


@given(timelines())
def test_union_covers_what_its_segments_cover_and_one_label_lies_apart(segments):
    merged = union(segments)
    assert seconds_of(merged) == seconds_of(segments)
    assert lie_apart(merged)
    assert merged == sorted(merged)


@given(timelines())
def test_union_under_one_label_ignores_the_others(segments):
    merged = union(segments, label="any")
    assert seconds_of(merged) == {(t, "any") for t in times_of(segments)}
    assert lie_apart(merged)


@given(timelines())
def test_gaps_cover_what_segments_do_not(segments):
    found = gaps(segments, END, start=1)
    assert times_of(found) == set(range(1, END)) - times_of(segments)
    assert lie_apart(found)


@given(timelines(), timelines())
def test_intersection_keeps_the_seconds_that_both_cover_and_the_labels_of_the_first(first, second):
    parts = intersection(first, second)
    assert seconds_of(parts) == {(t, k) for t, k in seconds_of(first) if t in times_of(second)}
    assert intersection(first, union(second)) == parts


@given(timelines())
def test_overlaps_are_where_two_labels_are_on(segments):
    covered = [t for t, _ in seconds_of(segments)]
    assert times_of(overlaps(segments)) == {t for t in covered if covered.count(t) > 1}


@given(timelines(), st.integers(0, 5))
def test_gaps_that_are_filled_are_shorter_than_asked_for(segments, shortest):
    filled = fill_gaps(segments, shortest)
    for label in "ABC":
        own = [one for one in segments if one.label == label]
        added = times_of(one for one in filled if one.label == label) - times_of(own)
        inner = gaps(
            own, max((one.end for one in own), default=0), start=min(own).start if own else 0
        )
        short = [one for one in inner if one.duration < shortest]
        assert added == times_of(short)


@given(timelines(), st.integers(0, 5))
def test_segments_that_are_dropped_are_shorter_than_asked_for(segments, shortest):
    kept = drop_short(segments, shortest)
    assert kept == sorted(one for one in segments if one.duration >= shortest)


@given(timelines(), st.integers(0, 3), st.integers(0, 3))
def test_padding_adds_seconds_on_both_sides_inside_the_recording(segments, before, after):
    wanted = {
        (t, k)
        for second, k in seconds_of(segments)
        for t in range(max(0, second - before), min(END, second + 1 + after))
    }
    padded = pad(segments, before, after, end=END)
    assert seconds_of(padded) == wanted
    assert lie_apart(padded)


@given(timelines())
def test_lanes_hold_every_segment_once_and_none_overlaps(segments):
    found = list(lanes(segments))
    assert sorted(one for lane in found for one in lane) == sorted(segments)
    for lane in found:
        assert len({one.label for one in lane}) == 1
        assert all(one.end <= other.start for one, other in pairwise(lane))


@given(timelines())
def test_there_are_as_many_lanes_of_a_label_as_it_overlaps_itself(segments):
    found = [lane[0].label for lane in lanes(segments)]
    for label in "ABC":
        own = [one for one in segments if one.label == label]
        depth = [sum(one.start <= t < one.end for one in own) for t in range(END)]
        assert found.count(label) == max(depth)


def test_what_is_just_as_long_as_the_shortest_stays_whatever_the_rounding():
    pair = [Segment(0.0, 0.1), Segment(0.1 + 0.2, 1.0)]  # 0.30000000000000004 - 0.1 > 0.2
    assert len(fill_gaps(pair, 0.2)) == 2
    pair = [Segment(0.0, 0.7), Segment(0.8, 1.0)]  # 0.8 - 0.7 < 0.1
    assert len(fill_gaps(pair, 0.1)) == 2
    assert len(drop_short([Segment(0.7, 0.8)], 0.1)) == 1


@pytest.mark.parametrize("function", [fill_gaps, drop_short])
def test_negative_durations_are_refused(function):
    with pytest.raises(InputError, match="shortest must be at least 0 seconds, got -1"):
        function([], -1)


def test_padding_by_less_than_nothing_is_refused():
    with pytest.raises(InputError, match="after must be at least 0 seconds, got nan"):
        pad([], 0, math.nan)


@given(
    frames=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30),
    hop_length=st.integers(1, 2000),
    sr=st.sampled_from([8000, 16000, 22050, 44100, 96000]),
    rest=st.floats(0, 1, exclude_max=True),
)
def test_frames_made_into_segments_and_back_are_the_same(frames, hop_length, sr, rest):
    frames = np.array(frames)
    n_samples = (len(frames) - 1) * hop_length + int(rest * hop_length)
    hop, duration = hop_length / sr, max(n_samples, 1) / sr
    segments = segments_from_frames(frames, hop=hop, labels=["A", "B"], duration=duration)
    assert all(0 <= one.start < one.end <= duration for one in segments)
    back = frame_table(segments, len(frames), hop=hop, labels=["A", "B"])
    assert_array_equal(back, frames)
    covered = frames_from_segments(segments, len(frames), hop=hop)
    assert_array_equal(covered, frames.any(axis=1))


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(20, 500))
def test_times_rounded_to_milliseconds_give_the_same_frames(frames, hop_length):
    hop, duration = hop_length / 8000, max(len(frames) - 1, 0.5) * hop_length / 8000
    exact = segments_from_frames(frames, hop=hop, duration=duration)
    rounded = [Segment(round(one.start, 3), round(one.end, 3)) for one in exact]
    assert_array_equal(frames_from_segments(rounded, len(frames), hop=hop), frames)


@given(st.lists(st.integers(-1, 2), max_size=30))
def test_labels_of_frames_become_segments_that_tile_them(labels):
    segments = segments_from_frames(np.array(labels, dtype=int), hop=0.01, labels=["A", "B", "C"])
    table = frame_table(segments, len(labels), hop=0.01, labels=["A", "B", "C"])
    assert_array_equal(table, np.array(labels).reshape(-1, 1) == [[0, 1, 2]])


def test_a_run_of_frames_reaches_half_a_hop_beyond_its_outer_centres():
    frames = [False, False, True, True, True, False]
    (segment,) = segments_from_frames(frames, hop=0.5)
    assert segment == Segment(0.75, 2.25, "speech")


def test_labels_without_names_are_their_numbers():
    assert [one.label for one in segments_from_frames([1, 0], hop=1.0)] == ["1", "0"]
    pair = segments_from_frames(np.eye(2, dtype=bool), hop=1.0)
    assert [one.label for one in pair] == ["0", "1"]


def test_no_frames_give_no_segments():
    assert segments_from_frames(np.zeros(0, dtype=bool), hop=1.0) == []
    assert segments_from_frames(np.zeros((0, 2), dtype=bool), hop=1.0) == []
    assert segments_from_frames(np.zeros(0, dtype=int), hop=1.0) == []
    assert frames_from_segments([Segment(0, 1)], 0, hop=1.0).shape == (0,)


def test_probabilities_are_no_frames():
    message = r"frames must be booleans .* got float64 of shape \(2,\); make probabilities booleans"
    with pytest.raises(InputError, match=message):
        segments_from_frames([0.2, 0.8], hop=0.01)


@pytest.mark.parametrize("hop", [0.0, -1.0, math.nan, math.inf])
def test_a_hop_that_is_none_is_refused(hop):
    with pytest.raises(InputError, match=r"hop must be above 0 seconds, got .*hop_length / sr"):
        segments_from_frames([True], hop=hop)
    with pytest.raises(InputError, match="hop must be above 0 seconds"):
        frames_from_segments([Segment(0, 1)], 3, hop=hop)


@pytest.mark.parametrize("labels", [["A"], "AB"])
def test_labels_must_be_a_list_that_names_all(labels):
    with pytest.raises(InputError, match=r"labels must be a list of 2 names, got "):
        segments_from_frames([0, 1], hop=1.0, labels=labels)


@given(timelines())
def test_stacked_rows_are_as_many_as_segments_lie_on_one_another(segments):
    rows = stacked(segments)
    assert sorted(one for row in rows for one in row) == sorted(segments)
    assert all(one.end <= other.start for row in rows for one, other in pairwise(row))
    depth = [sum(one.start <= t < one.end for one in segments) for t in range(END)]
    assert len(rows) == max(depth)


def test_a_segment_is_stacked_in_the_first_row_that_is_free():
    first, second = Segment(0, 2), Segment(0, 4)
    assert stacked([first, second, Segment(5, 6)]) == [[first, Segment(5, 6)], [second]]
