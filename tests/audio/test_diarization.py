from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose

from gmmseg.audio import Segment, diarization_windows, diarize, read_audio, read_segments
from gmmseg.audio.diarization_file import diarize_recording, recording
from gmmseg.audio.timeline import intersection, overlaps, union
from gmmseg.errors import InputError
from gmmseg.evaluation import diarization_error

DATA = Path(__file__).parents[2] / "data"
SR = 16000


@pytest.fixture(scope="module")
def talk():
    """Return the made conversation of two voices, and who speaks when."""
    y, _ = read_audio(DATA / "conversation.flac")
    return y, read_segments(DATA / "conversation.rttm")


def error_rate(truth, turns):
    return diarization_error(truth, turns).error_rate


def speakers(turns):
    return {turn.label for turn in turns}


def times(turns):
    return np.array([(turn.start, turn.end) for turn in turns])


def test_two_voices_are_found_when_they_speak(talk):
    y, truth = talk
    turns = diarize(y, sr=SR, speech=truth)
    assert speakers(turns) == {"speaker1", "speaker2"}
    assert error_rate(truth, turns) < 0.05


def test_nothing_given_is_nearly_as_good_but_for_pauses(talk):
    y, truth = talk
    assert error_rate(truth, diarize(y, sr=SR)) < 0.35


@pytest.mark.parametrize("seconds", [2, 10])
def test_silence_before_and_after_hardly_changes_the_turns(talk, seconds):
    y, _ = talk
    quiet = np.zeros(seconds * SR, dtype=np.float32)
    turns = diarize(np.concatenate([quiet, y, quiet]), sr=SR)
    shifted = [Segment(turn.start - seconds, turn.end - seconds, turn.label) for turn in turns]
    assert error_rate(diarize(y, sr=SR), shifted) < 0.03


def test_turns_tile_the_speech(talk):
    y, truth = talk
    turns = diarize(y, sr=SR, speech=truth)
    tiled, heard = union(turns, label="speech"), union(truth, label="speech")
    assert_allclose(times(tiled), times(heard), atol=1e-6)
    assert sum(turn.duration for turn in turns) == pytest.approx(
        sum(part.duration for part in heard)
    )


def interrupted(talk, *, seconds):
    """Return the talk with its second turn come before the first has ended, and who speaks."""
    y, truth = talk
    first, second = truth[0], next(turn for turn in truth if turn.label != truth[0].label)
    one, other = (y[round(turn.start * SR) : round(turn.end * SR)] for turn in (first, second))
    start = len(one) - round(seconds * SR)
    both = np.zeros(start + len(other), dtype=np.float32)
    both[: len(one)] += one
    both[start:] += other
    shift = len(both) / SR
    turns = [
        Segment(0.0, len(one) / SR, first.label),
        Segment(start / SR, shift, second.label),
        *(Segment(turn.start + shift, turn.end + shift, turn.label) for turn in truth),
    ]
    return np.concatenate([both, y]), turns


def test_second_speaker_is_named_where_two_speak_at_once(talk):
    y, truth = interrupted(talk, seconds=0.8)
    turns = diarize(y, sr=SR, speech=truth, n_speakers=2)
    (both,) = overlaps(turns)
    (wanted,) = overlaps(truth)
    assert_allclose([both.start, both.end], [wanted.start, wanted.end], atol=0.2)
    alone = diarize(y, sr=SR, speech=truth, n_speakers=2, overlap=False)
    assert not overlaps(alone)
    assert error_rate(truth, turns) < error_rate(truth, alone)


def test_labels_of_the_speech_do_not_matter(talk):
    y, truth = talk
    united = union(truth, label="anyone")
    assert diarize(y, sr=SR, speech=united) == diarize(y, sr=SR, speech=truth)


def test_labels_go_by_first_appearance(talk):
    y, truth = talk
    turns = diarize(y, sr=SR, speech=truth, n_speakers=4)
    assert list(dict.fromkeys(turn.label for turn in turns)) == [
        f"speaker{i + 1}" for i in range(4)
    ]


@pytest.mark.parametrize("gain", [0.01, 4.0])
def test_gain_does_not_matter(talk, gain):
    y, truth = talk
    softer = diarize((gain * y).astype(np.float32), sr=SR, speech=truth)
    assert error_rate(diarize(y, sr=SR, speech=truth), softer) < 0.01


@pytest.mark.parametrize("offset", [-0.002, 0.03, 0.3])
def test_an_offset_of_the_microphone_does_not_matter(talk, offset):
    y, truth = talk
    moved = y + np.float32(offset)
    for speech in (truth, None):
        assert diarize(moved, sr=SR, speech=speech) == diarize(y, sr=SR, speech=speech)


def test_an_offset_in_a_file_does_not_matter(talk, tmp_path):
    y, truth = talk
    soundfile.write(tmp_path / "moved.wav", y + 0.1, SR, subtype="FLOAT")
    moved = recording(tmp_path / "moved.wav")
    for speech in (truth, None):
        turns, _ = diarize_recording(moved, speech=speech)
        assert turns == diarize(y, sr=SR, speech=speech)


def test_what_comes_later_is_found_as_much_later(talk):
    y, truth = talk
    later = [Segment(part.start + 3.0, part.end + 3.0, part.label) for part in truth]
    before = diarize(y, sr=SR, speech=truth)
    after = diarize(np.concatenate([np.zeros(3 * SR, dtype=y.dtype), y]), sr=SR, speech=later)
    assert [turn.label for turn in after] == [turn.label for turn in before]
    assert_allclose(times(after), times(before) + 3.0, atol=0.011)


def test_the_same_sound_gives_the_same_turns(talk):
    y, truth = talk
    assert diarize(y, sr=SR, speech=truth) == diarize(y, sr=SR, speech=truth)


def test_channels_alike_are_one(talk):
    y, truth = talk
    assert diarize(np.stack([y, y]), sr=SR, speech=truth) == diarize(y, sr=SR, speech=truth)


def test_another_rate_tells_the_same(talk):
    y, truth = talk
    fast = np.repeat(y, 2)
    turns = diarize(fast, sr=2 * SR, speech=truth)
    assert error_rate(diarize(y, sr=SR, speech=truth), turns) < 0.1


def test_one_voice_is_one_speaker(talk):
    y, truth = talk
    anna = [part for part in truth if part.label == "anna"]
    assert speakers(diarize(y, sr=SR, speech=anna)) == {"speaker1"}


def test_one_short_word_is_one_speaker(talk):
    y, _ = talk
    word = [Segment(1.0, 1.3)]
    assert diarize(y, sr=SR, speech=word) == [Segment(1.0, 1.3, "speaker1")]


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_number_that_is_given_is_found(talk, number):
    y, truth = talk
    assert len(speakers(diarize(y, sr=SR, speech=truth, n_speakers=number))) == number


def test_limits_of_the_number_are_kept(talk):
    y, truth = talk
    assert len(speakers(diarize(y, sr=SR, speech=truth, min_speakers=3))) >= 3
    assert len(speakers(diarize(y, sr=SR, speech=truth, max_speakers=1))) == 1


def test_without_speech_nobody_speaks():
    assert diarize(np.zeros(SR, dtype=np.float32), sr=SR) == []
    assert diarize(np.zeros(SR, dtype=np.float32), sr=SR, speech=[]) == []


def test_speech_beyond_the_end_is_cut(talk):
    y, _ = talk
    turns = diarize(y[: 5 * SR], sr=SR, speech=[Segment(1.0, 100.0)])
    assert turns[-1].end == 5.0


@pytest.mark.parametrize(
    "y",
    [
        np.zeros(3 * SR),
        np.ones(3 * SR),
        np.sin(np.arange(3 * SR) / 10.0),
        np.sign(np.sin(np.arange(3 * SR) / 50.0)),
        np.eye(1, 160).ravel(),
    ],
    ids=["silence", "constant", "tone", "clipped", "10 ms"],
)
def test_sound_without_voices_is_no_trouble(y):
    turns = diarize(y.astype(np.float32), sr=SR, speech=[Segment(0.0, len(y) / SR)])
    assert sum(turn.duration for turn in turns) == pytest.approx(len(y) / SR)


def test_a_file_in_blocks_tells_what_the_array_does(talk):
    y, truth = talk
    turns, duration = diarize_recording(recording(DATA / "conversation.flac"), speech=truth)
    assert duration == pytest.approx(len(y) / SR)
    assert error_rate(diarize(y, sr=SR, speech=truth), turns) < 0.01


def test_embeddings_of_ones_own_decide(talk, rng):
    y, truth = talk
    windows = diarization_windows(truth, duration=len(y) / SR)
    owners = [
        max(truth, key=lambda part: min(w.end, part.end) - max(w.start, part.start)).label
        for w in windows
    ]
    X = np.array([[3.0, 0.0] if owner == "anna" else [0.0, 3.0] for owner in owners])
    X = X + 0.3 * rng.normal(size=X.shape)
    turns = diarize(y, sr=SR, speech=truth, embeddings=X)
    assert speakers(turns) == {"speaker1", "speaker2"}
    assert error_rate(truth, turns) < 0.05


def test_windows_are_those_that_embeddings_are_taken_of(talk):
    y, truth = talk
    n_windows = len(diarization_windows(truth, duration=len(y) / SR))
    with pytest.raises(InputError, match=rf"one for each of {n_windows} windows, got 3; diariz"):
        diarize(y, sr=SR, speech=truth, embeddings=np.eye(3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_speakers": 0}, "n_speakers must be"),
        ({"min_speakers": 0}, "min_speakers must be"),
        ({"max_speakers": 1.5}, "max_speakers must be"),
        ({"min_speakers": 3, "max_speakers": 2}, "at least min_speakers=3, got 2"),
        ({"n_speakers": 2, "min_speakers": 2}, "n_speakers=2 says all; leave min_speakers"),
    ],
)
def test_numbers_of_speakers_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        diarize(np.zeros(SR, dtype=np.float32), sr=SR, **options)


def test_a_duration_of_windows_must_be_above_zero():
    with pytest.raises(InputError, match="duration must be a number above 0"):
        diarization_windows([Segment(0.0, 1.0)], duration=0.0)


def test_the_last_minutes_of_a_long_recording_are_told_apart_as_well_as_the_first(talk):
    # Without pauses, so that every border must be found; over ten minutes are two blocks.
    y, truth = talk
    parts = [y[round(SR * one.start) : round(SR * one.end)] for one in truth] * 37
    ends = np.cumsum([len(part) for part in parts]) / SR
    duration = float(ends[-1])
    assert duration > 610.0
    said = [
        Segment(end - len(part) / SR, end, one.label)
        for part, end, one in zip(parts, ends.tolist(), truth * 37, strict=True)
    ]
    turns = diarize(np.concatenate(parts), sr=SR, speech=[Segment(0.0, duration)], overlap=False)
    first, last = (
        error_rate(intersection(said, [part]), intersection(turns, [part]))
        for part in (Segment(0.0, 300.0), Segment(duration - 300.0, duration))
    )
    assert last < first + 0.03
