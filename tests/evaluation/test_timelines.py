"""Claims about the measures of timelines: cases by hand, laws, and pyannote.metrics as oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyannote.core import Annotation, Timeline
from pyannote.core import Segment as Stretch
from pyannote.metrics.detection import DetectionErrorRate, DetectionPrecision, DetectionRecall
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from gmmseg.audio import Segment
from gmmseg.audio.timeline import union
from gmmseg.errors import InputError
from gmmseg.evaluation import (
    DetectionError,
    DiarizationError,
    JaccardError,
    detection_error,
    diarization_error,
    jaccard_error,
    match_speakers,
)
from gmmseg.evaluation.cells import cells_of
from gmmseg.evaluation.jaccard import pair_errors

END = 30.0
COLLARS = st.sampled_from([0.0, 0.05, 0.25, 1.0])


def timelines(names):
    """Segments to the millisecond; those of one name lie apart, those of several may overlap."""
    times = st.integers(0, 29_000)
    rows = st.tuples(times, st.integers(1, 8000), st.sampled_from(names))
    make = st.lists(rows, max_size=12).map(
        lambda drawn: union(
            Segment(start / 1000, min((start + length) / 1000, END), label)
            for start, length, label in drawn
        )
    )
    return make.map(lambda segments: [(one.start, one.end, one.label) for one in segments])


def annotation(rows):
    told = Annotation()
    for index, (start, end, label) in enumerate(rows):
        told[Stretch(start, end), index] = label
    return told


def oracle(metric, reference, hypothesis, scored=((0.0, END),)):
    uem = Timeline([Stretch(*one) for one in scored])
    return metric(annotation(reference), annotation(hypothesis), uem=uem, detailed=True)


@given(timelines("ABC"), timelines("1234"), COLLARS, st.booleans())
def test_diarization_errors_are_those_of_pyannote(reference, hypothesis, collar, skip_overlap):
    ours = diarization_error(reference, hypothesis, collar=collar, skip_overlap=skip_overlap)
    metric = DiarizationErrorRate(collar=2 * collar, skip_overlap=skip_overlap)
    theirs = oracle(metric, reference, hypothesis)
    assert_allclose(ours.speaker_time, theirs["total"], atol=1e-9)
    assert_allclose(ours.miss, theirs["missed detection"], atol=1e-9)
    assert_allclose(ours.false_alarm, theirs["false alarm"], atol=1e-9)
    assert_allclose(ours.confusion, theirs["confusion"], atol=1e-9)
    if ours.speaker_time > 1e-6:
        assert_allclose(ours.error_rate, theirs["diarization error rate"], atol=1e-9)


@given(timelines("ABC"), timelines("1234"), COLLARS)
def test_time_that_is_not_scored_counts_as_with_pyannote(reference, hypothesis, collar):
    scored = [(2.0, 9.5), (11.0, 20.0)]
    ours = diarization_error(reference, hypothesis, collar=collar, scored=scored)
    theirs = oracle(DiarizationErrorRate(collar=2 * collar), reference, hypothesis, scored)
    assert_allclose(ours.speaker_time, theirs["total"], atol=1e-9)
    errors = theirs["missed detection"] + theirs["false alarm"] + theirs["confusion"]
    assert_allclose(ours.miss + ours.false_alarm + ours.confusion, errors, atol=1e-9)


@given(timelines("ABC"), timelines("1234"))
def test_jaccard_errors_are_those_of_pyannote_under_its_match_and_no_larger(reference, hypothesis):
    ours = jaccard_error(reference, hypothesis)
    metric = JaccardErrorRate()
    theirs = oracle(metric, reference, hypothesis)
    match = metric.optimal_mapping(annotation(hypothesis), annotation(reference))
    cells = cells_of(reference, hypothesis)
    pairs, errors = pair_errors(cells), np.ones(len(ours.speakers))
    for truth, guess in match.items():
        row, column = cells.reference_labels.index(truth), cells.hypothesis_labels.index(guess)
        errors[row] = pairs[row, column]
    assert_allclose(errors.sum(), theirs["speaker error"], atol=1e-9)
    assert sum(ours.errors) <= theirs["speaker error"] + 1e-9
    assert len(ours.errors) == theirs["speaker count"]


@given(timelines("A"), timelines("1"))
def test_with_one_speaker_the_jaccard_error_is_that_of_pyannote(reference, hypothesis):
    theirs = oracle(JaccardErrorRate(), reference, hypothesis)
    if reference:
        ours = jaccard_error(reference, hypothesis).error_rate
        assert_allclose(ours, theirs["jaccard error rate"], atol=1e-9)


@given(timelines("A"), timelines("12"), COLLARS)
def test_detection_errors_are_those_of_pyannote(reference, hypothesis, collar):
    ours = detection_error(reference, hypothesis, collar=collar, scored=[(0, END)])
    metrics = [DetectionErrorRate, DetectionPrecision, DetectionRecall]
    error, precision, recall = (
        oracle(metric(collar=2 * collar), reference, hypothesis) for metric in metrics
    )
    assert_allclose(ours.speech, error["total"], atol=1e-9)
    assert_allclose(ours.false_negative, error["miss"], atol=1e-9)
    assert_allclose(ours.false_positive, error["false alarm"], atol=1e-9)
    called = ours.true_positive + ours.false_positive
    assert_allclose(called, precision["retrieved"], atol=1e-9)
    if min(called, ours.speech) > 1e-6:
        assert_allclose(ours.precision, precision["detection precision"], atol=1e-9)
        assert_allclose(ours.recall, recall["detection recall"], atol=1e-9)


@given(timelines("ABC"), timelines("123"))
def test_names_do_not_matter_and_a_timeline_has_no_error_against_itself(reference, hypothesis):
    other = [(start, end, {"1": "3", "2": "1", "3": "2"}[k]) for start, end, k in hypothesis]
    one, two = (diarization_error(reference, guess) for guess in (hypothesis, other))
    assert_allclose(one.error_rate, two.error_rate, atol=1e-12)
    assert diarization_error(reference, reference).error_rate < 1e-12
    assert jaccard_error(reference, reference).error_rate < 1e-12
    assert detection_error(reference, reference).error_rate == 0


@given(timelines("AB"), timelines("12"), st.integers(1, 29_999))
def test_errors_of_the_parts_of_a_recording_add_up_where_the_match_is_the_same(
    reference, hypothesis, cut
):
    cut /= 1000
    parts = [[(0.0, cut)], [(cut, END)]]
    whole = detection_error(reference, hypothesis, scored=[(0, END)])
    first, second = (detection_error(reference, hypothesis, scored=part) for part in parts)
    assert_allclose((first + second).error_rate, whole.error_rate, atol=1e-9)
    assert_allclose((first + second).true_negative, whole.true_negative, atol=1e-9)
    one, two = (diarization_error(reference, hypothesis, scored=part) for part in parts)
    all_of_it = diarization_error(reference, hypothesis)
    assert_allclose((one + two).miss, all_of_it.miss, atol=1e-9)
    assert_allclose((one + two).false_alarm, all_of_it.false_alarm, atol=1e-9)
    assert (one + two).confusion <= all_of_it.confusion + 1e-9


@given(timelines("ABC"), timelines("123"))
def test_cutting_a_segment_in_two_changes_nothing(reference, hypothesis):
    halves = [
        part
        for start, end, label in reference
        for part in ((start, (start + end) / 2, label), ((start + end) / 2, end, label))
    ]
    one = diarization_error(reference, hypothesis, collar=0.25)
    two = diarization_error(halves, hypothesis, collar=0.25)
    assert_allclose(one.miss, two.miss, atol=1e-9)
    assert_allclose(one.confusion, two.confusion, atol=1e-9)


def test_a_conversation_by_hand():
    truth = [(0, 4, "Ann"), (3, 6, "Ben"), (8, 10, "Ann")]  # 9 s, 1 s of overlap
    guess = [(0, 5, "x"), (5, 7, "y"), (8, 10, "y")]
    # x is Ann: 4 s right. 3-4: Ben is missed. 4-5: Ben is called x. 5-6: right. 6-7: false.
    # 8-10: Ann is called y. (y as Ann and x as Ben would make 2 + 2 right, x as Ann, y as Ben 5.)
    error = diarization_error(truth, guess)
    assert error == DiarizationError(speaker_time=9, miss=1, false_alarm=1, confusion=3)
    assert (error.miss_rate, error.confusion_rate) == (1 / 9, 3 / 9)
    assert match_speakers(truth, guess) == {"x": "Ann", "y": "Ben"}
    skipping = diarization_error(truth, guess, skip_overlap=True)
    assert skipping == DiarizationError(speaker_time=7, miss=0, false_alarm=1, confusion=3)


def test_the_collar_is_the_width_on_each_side():
    truth, guess = [(1.0, 2.0, "Ann")], [(0.5, 2.0, "x")]
    error = diarization_error(truth, guess, collar=0.25)
    assert error == DiarizationError(speaker_time=0.5, miss=0, false_alarm=0.25, confusion=0)
    assert detection_error(truth, guess, collar=0.25).false_positive == 0.25


def test_touching_segments_of_one_speaker_have_no_boundary_between_them():
    truth = [(0.0, 0.3, "Ann"), (0.1 + 0.2, 1.0, "Ann")]  # from 0.30000000000000004 on
    assert diarization_error(truth, [], collar=0.25).miss == 0.5


def test_speakers_who_never_speak_together_are_not_matched():
    assert match_speakers([(0, 1, "Ann")], [(1, 2, "x")]) == {}


def test_jaccard_errors_by_hand():
    truth = [(0, 8, "Ann"), (8, 10, "Ben"), (10, 11, "Cem")]
    guess = [(0, 4, "1"), (8, 12, "2")]
    error = jaccard_error(truth, guess)
    assert error == JaccardError(("Ann", "Ben", "Cem"), (0.5, 0.5, 1.0))
    assert_allclose(error.error_rate, 2 / 3)


def test_the_jaccard_match_is_that_of_smallest_error_not_of_most_time():
    guess = [(0, 4, "1"), (4, 110, "2")]  # 2 has 6 s of Ann's 10, and 100 s of nobody's
    assert match_speakers([(0, 10, "Ann")], guess) == {"2": "Ann"}
    assert jaccard_error([(0, 10, "Ann")], guess).errors == (0.6,)


def test_detection_by_hand():
    error = detection_error([(2, 6)], [(0, 3), (5, 8)], scored=[(0, 10)])
    assert error == DetectionError(2.0, 4.0, 2.0, 2.0)
    assert error.error_rate == 1.5
    assert error.false_speech_rate == 4 / 6
    assert (error.precision, error.recall) == (pytest.approx(1 / 3), 0.5)
    assert (error.f1, error.accuracy) == (pytest.approx(0.4), 0.4)


def test_objects_rows_and_arrays_say_the_same():
    rows = [(0.0, 2.0, "Ann"), (1.0, 3.0, "Ben")]
    objects = [Segment(*row) for row in rows]
    assert diarization_error(objects, rows) == diarization_error(rows, iter(objects))
    assert detection_error(np.array([[0.0, 2.0], [1.0, 3.0]]), objects).error_rate == 0


def test_of_nothing_the_rates_are_0_and_of_nothing_but_errors_1():
    nothing = detection_error([], [])
    assert nothing == DetectionError(0, 0, 0, 0)
    assert (nothing.error_rate, nothing.false_speech_rate) == (0, 0)
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.accuracy) == (1, 1, 1, 1)
    assert detection_error([], [(0, 1)]).error_rate == 1
    assert detection_error([], [(0, 1)]).f1 == 0
    assert diarization_error([], []).error_rate == 0
    assert diarization_error([], [(0, 1, "x")]).error_rate == 1
    assert diarization_error([(0, 1, "x")], []).error_rate == 1
    assert jaccard_error([], [(0, 1, "x")]).error_rate == 0
    assert jaccard_error([(0, 1, "x")], []).error_rate == 1
    assert diarization_error([(1, 1, "x")], [], collar=0.5, skip_overlap=True).error_rate == 0


def test_who_does_not_speak_in_the_time_that_is_scored_is_no_speaker():
    error = jaccard_error([(0, 1, "Ann"), (5, 6, "Ben")], [(0, 1, "x")], scored=[(0, 2)])
    assert error == JaccardError(("Ann",), (0.0,))


@pytest.mark.parametrize("row", [(2, 1, "x"), (0, float("nan"), "x"), (float("-inf"), 0, "x")])
def test_times_that_are_none_are_refused(row):
    with pytest.raises(InputError, match=r"hypothesis\[1\] must not end before it starts, got "):
        diarization_error([], [(0, 1, "x"), row])


@pytest.mark.parametrize("row", [("a", 1, "x"), (1,), 3, {"start": 1}, None])
def test_what_is_no_segment_is_refused(row):
    with pytest.raises(InputError, match=r"reference\[0\] must have start, end and label, or be"):
        detection_error([row], [])


def test_words_in_place_of_speakers_are_compared_or_refused():
    words = [(k, k + 1, str(k)) for k in range(2000)]
    assert diarization_error(words, words).error_rate == 0
    many = [(k, k + 1, str(k)) for k in range(40_000)]
    with pytest.raises(InputError, match="40000 labels in 40000 segments are too many to compare"):
        diarization_error([(0, 1, "Ann")], many)


@pytest.mark.parametrize("collar", [-0.25, float("nan"), float("inf")])
def test_a_collar_that_is_none_is_refused(collar):
    with pytest.raises(InputError, match=r"collar must be at least 0 seconds \(per side\), got"):
        diarization_error([], [], collar=collar)
