import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg import GaussianMixture
from gmmseg.audio.resegmentation import resegment
from gmmseg.audio.resegmentation_blocks import resegment_in_blocks
from gmmseg.core import MixtureParameters
from gmmseg.errors import InputError

N_FEATURES = 6


def conversation(rng, *, n_speakers=3, n_turns=12, distance=1.5):
    """Return frames of speakers that differ in four sounds each, and who speaks."""
    sounds = rng.normal(scale=3.0, size=(4, N_FEATURES))
    voices = sounds + rng.normal(scale=distance, size=(n_speakers, 4, N_FEATURES))
    lengths = rng.integers(100, 300, size=n_turns)
    truth = np.repeat(np.resize(np.arange(n_speakers), n_turns), lengths)
    sound = rng.integers(4, size=len(truth))
    return voices[truth, sound] + rng.normal(size=(len(truth), N_FEATURES)), truth + 1


def shifted(labels, by):
    """Return labels whose borders all come so many frames late."""
    return np.concatenate([labels[:1].repeat(by), labels[:-by]])


@pytest.fixture
def background(rng):
    X, _ = conversation(rng, n_speakers=20, n_turns=40)
    return GaussianMixture(8, covariance_type="diag", random_state=0).fit(X).parameters_


def test_borders_that_came_late_are_put_right(rng, background):
    X, truth = conversation(rng)
    start = shifted(truth, 60)
    found = resegment(X, start, background)
    assert (start != truth).mean() > 0.15
    assert (found.labels != truth).mean() < 0.01
    assert found.lost == ()
    assert found.n_rounds >= 1


def test_numbers_of_speakers_are_kept_and_their_order_does_not_matter(rng, background):
    X, truth = conversation(rng)
    one = resegment(X, shifted(truth, 60), background)
    numbers = np.array([0, 9, 2, 40])
    other = resegment(X, numbers[shifted(truth, 60)], background)
    assert_array_equal(other.speakers, [2, 9, 40])
    assert_array_equal(other.labels, numbers[one.labels])
    assert_allclose(other.posteriors[:, [1, 0, 2]], one.posteriors, atol=1e-5)


def test_frames_without_speech_have_no_label_and_do_not_matter(rng, background):
    X, truth = conversation(rng)
    speech = np.ones(len(X), dtype=bool)
    speech[500:580] = False
    other = X.copy()
    other[~speech] = 100.0
    one, same = (resegment(table, truth, background, speech=speech) for table in (X, other))
    assert (one.labels[~speech] == 0).all()
    assert (one.posteriors[~speech] == 0).all()
    assert (one.labels[speech] > 0).all()
    assert_array_equal(one.labels, same.labels)


def test_speech_of_nobody_known_gets_a_speaker(rng, background):
    X, truth = conversation(rng)
    start = np.where(rng.random(len(X)) < 0.7, truth, 0)
    found = resegment(X, start, background, speech=np.ones(len(X), dtype=bool))
    assert (found.labels != truth).mean() < 0.01


def test_posteriors_of_speech_sum_to_one(rng, background):
    X, truth = conversation(rng)
    found = resegment(X, truth, background)
    assert found.posteriors.dtype == np.float32
    assert_allclose(found.posteriors.sum(axis=1), 1.0, rtol=1e-5)
    assert (found.speakers[found.posteriors.argmax(axis=1)] == found.labels).mean() > 0.99


def test_turns_last_as_long_as_asked_for(rng, background):
    X, truth = conversation(rng)
    start = np.where(rng.random(len(X)) < 0.7, truth, rng.permuted(truth))
    X[np.arange(len(X)) % 160 < 20] = X[0]
    found = resegment(X, start, background, least_frames=80, evidence_scale=5.0)
    borders = np.flatnonzero(np.diff(found.labels))
    assert len(borders) > 5
    assert (np.diff(borders) >= 80).all()


def test_no_speaker_is_lost_and_the_round_that_would_is_named(rng, background):
    X, truth = conversation(rng, n_speakers=1)
    start = truth.copy()
    start[300:303] = 2
    found = resegment(X, start, background)
    assert found.lost == (2,)
    assert found.n_rounds == 0
    assert_array_equal(found.labels, start)
    assert_allclose(found.posteriors.sum(axis=1), 1.0, rtol=1e-5)


def test_single_speaker_has_all_speech(rng, background):
    X, truth = conversation(rng, n_speakers=1)
    speech = np.arange(len(X)) % 100 < 70
    found = resegment(X, truth, background, speech=speech)
    assert_array_equal(found.labels, speech)


def test_second_speaker_of_two_at_once_is_the_second_likeliest(rng, background):
    X, truth = conversation(rng)
    both = np.flatnonzero(truth == 1)[20:80]
    X[both[::2]] = X[np.flatnonzero(truth == 2)[: len(both[::2])]]
    found = resegment(X, truth, background)
    assert_array_equal(found.posteriors[both].mean(axis=0).argsort()[::-1][:2], [0, 1])


@pytest.mark.parametrize("n_frames", [1, 2, 30])
def test_recording_shorter_than_a_turn_has_an_answer(rng, background, n_frames):
    X = rng.normal(size=(n_frames, N_FEATURES))
    found = resegment(X, np.ones(n_frames, dtype=int), background)
    assert_array_equal(found.labels, np.ones(n_frames))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels": [0, 1]},
            "labels must be whole numbers of at least 0, one for each of 3 frames, got int64 of",
        ),
        ({"labels": [0.0, 1.0, 1.0]}, "for each of 3 frames, got float64 of shape"),
        ({"labels": [0, 0, 0]}, "labels name no speaker in any frame of speech; give at least one"),
        (
            {"speech": [1, 1, 0]},
            "speech must be True or False for each of 3 frames, got int64 of shape",
        ),
        (
            {"labels": [1, 2, 1], "speech": [True, False, True]},
            "speaker 2 has no frame of speech to start from; leave such a speaker out",
        ),
        ({"n_rounds": 0}, "n_rounds must be a whole number of at least 1, got 0"),
        ({"least_frames": 0}, "least_frames must be a whole number of at least 1, got 0"),
        ({"mean_frames": 50}, "mean_frames must be a number above least_frames = 50, got 50"),
        ({"evidence_scale": 0.0}, "evidence_scale must be a number above 0.0, got 0.0"),
        ({"relevance_factor": -1.0}, "relevance_factor must be a number of at least 0, got -1.0"),
        ({"features": [[0.0, 1.0]] * 3}, "X must have 1 features as the mixture has, got 2"),
    ],
)
def test_what_cannot_be_used_is_named(changes, message):
    options = {"features": [[0.0], [1.0], [2.0]], "labels": [1, 1, 2], **changes}
    features, labels = options.pop("features"), options.pop("labels")
    one = MixtureParameters([1.0], [[0.0]], [[1.0]], covariance_type="diag")
    with pytest.raises(InputError, match=message):
        resegment(features, labels, one, **options)


# ------------------------------------------------------------------------------- block by block


def test_borders_that_came_late_are_put_right_in_every_block(rng, background):
    X, truth = conversation(rng, n_turns=40, distance=3.0)
    start = shifted(truth, 40)
    before = start.copy()
    found = resegment_in_blocks(X, start, background, n_in_block=2500)
    for block in np.array_split(np.arange(len(X)), -(-len(X) // 2500)):
        assert (start[block] != truth[block]).mean() > 0.1
        assert (found[block] != truth[block]).mean() < 0.01
    assert_array_equal(start, before)


def test_a_block_is_told_apart_as_if_it_were_alone(rng, background):
    X, truth = conversation(rng, n_turns=24)
    X, start = X[:3000], shifted(truth, 60)[:3000]
    found = resegment_in_blocks(X, start, background, n_in_block=1000)
    alone = [
        resegment_in_blocks(X[block], start[block], background)
        for block in (slice(0, 1000), slice(1000, 2000), slice(2000, 3000))
    ]
    assert_array_equal(found, np.concatenate(alone))


def test_a_block_of_one_speaker_or_nobody_stays_as_it_is(rng, background):
    X, truth = conversation(rng)
    start = np.zeros(len(X), dtype=np.intp)
    start[50:400] = 2
    start[1000:1200] = 1
    assert len(np.unique(truth[50:400])) > 1
    found = resegment_in_blocks(X, start, background, n_in_block=500)
    assert_array_equal(found, start)
