"""Claims about streams: any cut into blocks gives the frames of the whole sound."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gmmseg.audio import FrameStream, audio_blocks, frame_features, read_audio
from gmmseg.errors import InputError

OPTIONS = [
    {"kind": "log-mel"},
    {"kind": "mfcc", "deltas": 2},
    {"kind": "mfcc", "deltas": 1, "cmvn": "sliding"},
    {"kind": "voice"},
    {"kind": "voice", "deltas": 1},
]


def streamed(blocks, **options):
    stream = FrameStream(**options)
    return np.concatenate([*[stream.push(block) for block in blocks], stream.finish()])


@pytest.mark.parametrize("options", OPTIONS)
@settings(max_examples=15)
@given(
    sr=st.sampled_from([8000, 11025, 16000]),
    n_samples=st.integers(1, 30000),
    cuts=st.lists(st.integers(0, 30000), max_size=6),
)
def test_any_cut_into_blocks_gives_the_frames_of_the_whole(options, sr, n_samples, cuts):
    y = np.random.default_rng(n_samples).normal(size=n_samples) * 0.1
    edges = [0, *sorted(min(cut, n_samples) for cut in cuts), n_samples]
    blocks = [y[a:b] for a, b in itertools.pairwise(edges)]
    whole = frame_features(y, sr=sr, **options)
    # A tie between two peaks of noise may fall either way: the pitch is compared where it is sure.
    parts = streamed(blocks, sr=sr, **options)
    assert parts.shape == whole.shape
    assert_allclose(parts, whole, atol=1e-3)


def test_hops_longer_than_frames_lose_nothing_between_blocks(rng):
    y = rng.normal(size=9000)
    options = {"sr": 8000, "kind": "log-mel", "n_mels": 10, "hop_length": 1500, "n_fft": 256}
    blocks = np.split(y, [100, 1000, 1400, 5000])
    assert_allclose(streamed(blocks, **options), frame_features(y, **options), atol=1e-4)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_frame_is_given_no_later_than_its_lookahead(rng, options):
    sr, n_done = 8000, 0
    stream = FrameStream(sr=sr, **options)
    for n_pushed in range(100, 30000, 100):
        n_done += len(stream.push(0.1 * rng.normal(size=100)))
        # The first frame of deltas waits for nine.
        if n_pushed > 2 * sr * stream.lookahead:
            assert (n_done - 1) * 0.01 >= n_pushed / sr - stream.lookahead - 0.01 - 1 / sr


def test_a_file_streamed_in_blocks_has_the_frames_of_the_file():
    path = "data/conversation.flac"
    y, _ = read_audio(path, sr=8000)
    blocks = audio_blocks(path, sr=8000, seconds=1.7)
    whole = frame_features(y, sr=8000, kind="voice")
    assert_allclose(streamed(blocks, sr=8000, kind="voice"), whole, atol=1e-3)


def test_a_stream_that_needs_the_whole_file_is_refused():
    with pytest.raises(InputError, match=r"^cmvn='file' needs the whole sound; a stream takes "):
        FrameStream(sr=8000, cmvn="file")


def test_a_stream_takes_one_channel():
    with pytest.raises(InputError, match=r"^a stream takes one channel, got y of shape \(2, 9\)$"):
        FrameStream(sr=8000).push(np.zeros((2, 9)))


def test_a_stream_without_samples_cannot_finish():
    with pytest.raises(InputError, match=r"^the stream has no samples; push some before it "):
        FrameStream(sr=8000).finish()


@pytest.mark.parametrize("call", ["push", "finish"])
def test_a_finished_stream_takes_no_more(call):
    stream = FrameStream(sr=8000)
    stream.push(np.zeros(10))
    stream.finish()
    arguments = [np.zeros(10)] if call == "push" else []
    with pytest.raises(InputError, match=r"^this stream has finished; start another for another "):
        getattr(stream, call)(*arguments)


def test_nan_is_refused_with_its_place_in_the_whole_stream():
    stream = FrameStream(sr=8000)
    stream.push(np.zeros(4000))
    with pytest.raises(InputError, match=r"^y holds NaN, first at sample 4001 \(0\.500 s\); "):
        stream.push([0.0, np.nan])
