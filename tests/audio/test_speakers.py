"""Recognising speakers: names, claims and strangers, alike however they come in."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from gmmseg.audio import SpeakerRecognizer, read_audio, read_segments
from gmmseg.audio.speech_frames import speaker_frames
from gmmseg.core.serialization import write_model
from gmmseg.errors import InputError, ModelFileError, NotFittedError
from tests.voices import SPEAKERS, recordings, spoken

NAMES = tuple(SPEAKERS)


@pytest.fixture(scope="module")
def enrolled():
    """Three made speakers, of two recordings each."""
    return recordings(np.random.default_rng(1))


@pytest.fixture(scope="module")
def recognizer(enrolled):
    return SpeakerRecognizer().fit(enrolled, sr=8000)


def embeddings(rng, *, n_each=4, n_rows=3, n_dims=12):
    """Return embeddings of four speakers, whose recordings differ less than they do."""
    who = 3.0 * np.random.default_rng(7).normal(size=(4, n_dims))
    return {
        f"speaker {k}": [
            who[k] + rng.normal(size=n_dims) + 0.1 * rng.normal(size=(n_rows, n_dims))
            for _ in range(n_each)
        ]
        for k in range(4)
    }


def test_a_new_second_of_speech_is_given_the_right_name(recognizer, rng):
    for name, own in recordings(rng, n_each=3, seconds=1.0).items():
        assert [answer.best for answer in recognizer.identify(own, sr=8000)] == [name] * 3


@pytest.mark.parametrize("microphones", ["same", "any", "different"])
def test_gain_changes_no_answer(microphones):
    y, sr = read_audio("data/conversation.flac", sr=8000)
    turns = [
        (turn.label, y[int(sr * turn.start) : int(sr * turn.end)])
        for turn in read_segments("data/conversation.rttm")
    ]
    half = len(turns) // 2
    names, enrolled = zip(*turns[:half], strict=True)
    recognizer = SpeakerRecognizer(microphones=microphones).fit(enrolled, names, sr=sr)
    speech = [turn for _, turn in turns[half:]]
    wanted = recognizer.log_likelihood_ratios(speech, sr=sr)
    for gain in (0.01, 0.1, 10.0):
        quieter = [np.float32(gain) * turn for turn in speech]
        assert_allclose(recognizer.log_likelihood_ratios(quieter, sr=sr), wanted, atol=1e-3)


def test_silence_around_a_voice_changes_no_answer(recognizer, rng):
    speech = spoken(rng, **SPEAKERS["ben"], seconds=3.0)
    quiet = np.zeros(8000 * 100)
    alone, beside = recognizer.identify([speech, np.concatenate([quiet, speech, quiet])], sr=8000)
    assert (beside.name, alone.name) == ("ben", "ben")
    assert abs(beside.n_frames - alone.n_frames) <= 5


def test_a_stranger_is_unknown(enrolled, rng):
    others = {name: enrolled[name] for name in ("anna", "ben")}
    recognizer = SpeakerRecognizer().fit(others, sr=8000)
    (answer,) = recognizer.identify([spoken(rng, pitch=300.0, tract=1.4, seconds=2.0)], sr=8000)
    assert answer.name == "unknown"
    assert answer.best in others
    assert answer.probability > 0.9


def test_a_claim_is_accepted_or_rejected(recognizer, rng):
    speech = spoken(rng, **SPEAKERS["anna"], seconds=5.0)
    true, false = (recognizer.verify(name, speech, sr=8000) for name in ("anna", "carl"))
    assert (true.is_accepted, false.is_accepted) == (True, False)
    assert true.score > 0.0 > false.score
    assert true.n_frames == len(speaker_frames(speech, sr=8000))


def test_answers_and_scores_follow_from_the_ratios(recognizer, rng):
    speech = [spoken(rng, **SPEAKERS["ben"], seconds=1.0)]
    ratios = recognizer.log_likelihood_ratios(speech, sr=8000)[0]
    (answer,) = recognizer.identify(speech, sr=8000)
    first, second = np.sort(np.append(ratios, 0.0))[::-1][:2]
    assert answer.margin == pytest.approx(first - second)
    assert answer.probability == pytest.approx(np.exp(first) / (np.exp(ratios).sum() + 1.0))
    others = np.delete(np.exp(ratios), 1)
    assert recognizer.score(speech, sr=8000)[0, 1] == pytest.approx(
        ratios[1] - np.log(others.mean())
    )


def test_names_beside_recordings_are_the_same_as_a_mapping(enrolled, recognizer, rng):
    flat = [one for own in enrolled.values() for one in own]
    names = [name for name, own in enrolled.items() for _ in own]
    other = SpeakerRecognizer().fit(flat, names, sr=8000)
    speech = [spoken(rng, **SPEAKERS["carl"], seconds=1.0)]
    assert other.speakers_ == NAMES
    assert_array_equal(other.score(speech, sr=8000), recognizer.score(speech, sr=8000))


def test_ready_frames_are_the_same_as_sound(enrolled, recognizer, rng):
    tables = {name: [speaker_frames(one, sr=8000) for one in own] for name, own in enrolled.items()}
    other = SpeakerRecognizer().fit(tables)
    speech = spoken(rng, **SPEAKERS["ben"], seconds=1.0)
    expected = recognizer.log_likelihood_ratios([speech], sr=8000)
    assert_array_equal(other.log_likelihood_ratios([speaker_frames(speech, sr=8000)]), expected)


@pytest.mark.parametrize("microphones", ["same", "any", "different"])
def test_file_gives_the_same_recognizer_back(enrolled, rng, tmp_path, microphones):
    recognizer = SpeakerRecognizer(microphones=microphones).fit(enrolled, sr=8000)
    recognizer.save(tmp_path / "voices.gmm")
    again = SpeakerRecognizer.load(tmp_path / "voices.gmm")
    speech = [spoken(rng, **SPEAKERS["ben"], seconds=1.0)]
    assert again.speakers_ == NAMES
    assert again.microphones == microphones
    assert_array_equal(again.score(speech, sr=8000), recognizer.score(speech, sr=8000))


def test_same_seed_gives_the_same_bytes(enrolled, tmp_path):
    for name in ("one.gmm", "other.gmm"):
        SpeakerRecognizer().fit(enrolled, sr=8000).save(tmp_path / name)
    assert (tmp_path / "one.gmm").read_bytes() == (tmp_path / "other.gmm").read_bytes()


def test_other_microphones_are_forgiven_where_they_are_expected(rng):
    gains = [20.0, -5.0, 0.0, -15.0, 10.0]  # dB, from 0 to 4000 Hz

    def elsewhere(speech):
        spectrum = np.fft.rfft(speech)
        at = np.linspace(0.0, 4.0, len(spectrum))
        return np.fft.irfft(spectrum * 10 ** (np.interp(at, range(5), gains) / 20.0), len(speech))

    enrolled = recordings(rng, seconds=10.0)
    tests = recordings(rng, n_each=4, seconds=3.0)
    hits = {}
    for microphones in ("same", "different"):
        recognizer = SpeakerRecognizer(microphones=microphones).fit(enrolled, sr=8000)
        hits[microphones] = sum(
            answer.best == name
            for name, own in tests.items()
            for answer in recognizer.identify(map(elsewhere, own), sr=8000)
        )
    assert hits["different"] > hits["same"]
    assert hits["different"] >= 10


def test_one_more_speaker_is_recognised_and_the_others_still_are(enrolled, rng):
    pair = {name: enrolled[name] for name in ("anna", "ben")}
    recognizer = SpeakerRecognizer().fit(pair, sr=8000).enroll("carl", enrolled["carl"], sr=8000)
    for name, own in recordings(rng, n_each=2, seconds=1.5).items():
        assert [answer.best for answer in recognizer.identify(own, sr=8000)] == [name] * 2
    assert recognizer.speakers_ == NAMES


def test_embeddings_take_the_place_of_sound(rng):
    recognizer = SpeakerRecognizer(features="embeddings").fit(embeddings(rng))
    for name, own in embeddings(rng).items():
        assert [answer.name for answer in recognizer.identify(own)] == [name] * 4
        # One row is an embedding of a whole recording.
        assert recognizer.identify([own[0][0]])[0].name == name


def test_embeddings_of_one_more_and_a_file(rng, tmp_path):
    all_four = embeddings(rng)
    new = all_four.pop("speaker 3")
    recognizer = SpeakerRecognizer(features="embeddings").fit(all_four)
    recognizer.enroll("speaker 3", new).save(tmp_path / "voices.gmm")
    again = SpeakerRecognizer.load(tmp_path / "voices.gmm")
    tests = embeddings(rng)["speaker 3"]
    assert again.identify(tests)[0].name == "speaker 3"
    assert_array_equal(again.score(tests), recognizer.score(tests))


def test_rows_of_the_only_recordings_take_the_place_of_several(rng):
    own = {name: [np.vstack(rows)] for name, rows in embeddings(rng, n_each=8).items()}
    recognizer = SpeakerRecognizer(features="embeddings").fit(own)
    tests = embeddings(rng, n_each=1)
    assert [recognizer.identify(one)[0].best for one in tests.values()] == list(own)


def test_a_stranger_among_embeddings_is_unknown(rng):
    recognizer = SpeakerRecognizer(features="embeddings").fit(embeddings(rng))
    stranger = 3.0 * rng.normal(size=(1, 12))
    assert recognizer.identify([stranger])[0].name == "unknown"


@pytest.mark.parametrize(
    ("options", "recordings_", "message"),
    [
        ({"features": "wave"}, {}, "features must be 'frames' or 'embeddings', got 'wave'"),
        ({"microphones": "two"}, {}, "microphones must be 'same', 'any' or 'different', got 'two'"),
        ({}, {}, "at least 2 speakers are needed, to be told apart, got 0"),
        ({}, {"anna": [np.ones((20, 40))]}, "to be told apart, got 1: 'anna'"),
        ({}, {"anna": [], "ben": []}, "speaker 'anna' has no recording"),
        (
            {},
            {"unknown": [np.ones((20, 40))], "ben": []},
            "a speaker cannot be called 'unknown'; choose another name",
        ),
        ({}, {"anna": [np.ones((5, 40))], "ben": []}, "must have at least 10 frames, got 5"),
        (
            {"features": "embeddings", "microphones": "same"},
            {},
            (
                "microphones is for features='frames', got 'same' for embeddings, which are "
                "compared as they are; leave it at 'any'"
            ),
        ),
        (
            {"features": "embeddings", "prior": "nowhere.gmm"},
            {},
            (
                "prior is for features='frames', got 'nowhere.gmm' for embeddings, which are "
                "learned from alone; leave it out"
            ),
        ),
        (
            {"features": "embeddings"},
            {"anna": [np.ones(3)], "ben": [np.zeros(3)]},
            "needs several embeddings of a speaker, got one of each",
        ),
        (
            {"features": "embeddings"},
            {"anna": [np.ones(3)], "ben": [np.zeros(4)]},
            r"all embeddings must be equally long, got \[3, 4\] features",
        ),
    ],
)
def test_what_cannot_be_enrolled_is_told(options, recordings_, message):
    with pytest.raises(InputError, match=message):
        SpeakerRecognizer(**options).fit(recordings_)


def test_names_that_do_not_fit_recordings_are_told():
    with pytest.raises(InputError, match="there are 1 recordings and 2 names; give one name"):
        SpeakerRecognizer().fit([np.ones((20, 40))], ["anna", "ben"])
    with pytest.raises(InputError, match="give a mapping of names to recordings, or recordings"):
        SpeakerRecognizer().fit([np.ones((20, 40))])


def test_a_clone_has_the_options_and_knows_nobody(enrolled):
    options = {"features": "frames", "microphones": "same", "prior": None, "random_state": 3}
    recognizer = SpeakerRecognizer(**options).fit(enrolled, sr=8000)
    copy = clone(recognizer)
    assert copy.get_params() == recognizer.get_params() == options
    with pytest.raises(NotFittedError, match="knows nobody yet; call fit first"):
        copy.identify([])


def test_misuse_of_a_recognizer_is_told(recognizer, enrolled):
    with pytest.raises(NotFittedError, match="knows nobody yet; call fit first"):
        SpeakerRecognizer().identify([])
    with pytest.raises(InputError, match="no speaker is called 'anne'; did you mean 'anna'"):
        recognizer.verify("anne", enrolled["anna"][0], sr=8000)
    with pytest.raises(InputError, match="called 'xyz'; known are anna, ben, carl"):
        recognizer.verify("xyz", enrolled["anna"][0], sr=8000)
    with pytest.raises(InputError, match="'anna' is enrolled already; choose another name"):
        recognizer.enroll("anna", enrolled["anna"], sr=8000)
    with pytest.raises(InputError, match="frames must have 40 columns, got 12"):
        recognizer.score([np.ones((20, 12))])


def test_embeddings_have_no_rate_and_one_length(rng):
    recognizer = SpeakerRecognizer(features="embeddings").fit(embeddings(rng))
    with pytest.raises(InputError, match="embeddings have no sampling rate; leave sr out"):
        recognizer.score([np.ones(12)], sr=8000)
    with pytest.raises(InputError, match="must have 12 features as the PLDA has, got 5"):
        recognizer.score([np.ones(5)])


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "it has no 'options'"),
        ({"options": {"features": "x", "microphones": "any"}}, "has options .* which cannot be"),
        ({"options": {"features": "frames", "microphones": "any"}}, "it has no 'background_wei"),
    ],
)
def test_damaged_files_are_refused(tmp_path, header, message):
    write_model(tmp_path / "x.gmm", kind="speakers", header=header, arrays={})
    with pytest.raises(ModelFileError, match=message):
        SpeakerRecognizer.load(tmp_path / "x.gmm")


def test_voices_of_the_made_conversation_are_told_apart():
    y, sr = read_audio("data/conversation.flac")
    turns = [turn for turn in read_segments("data/conversation.rttm") if turn.duration > 1.0]
    sounds = [y[int(turn.start * sr) : int(turn.end * sr)] for turn in turns]
    labels = [turn.label for turn in turns]
    recognizer = SpeakerRecognizer().fit(sounds[:4], labels[:4], sr=sr)
    answers = recognizer.identify(sounds[4:], sr=sr)
    assert [answer.best for answer in answers] == labels[4:]
    assert set(labels[4:]) == {"anna", "ben"}
