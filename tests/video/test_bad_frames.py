"""Frames that a camera drops, blanks or mixes up: all goes on as if they had not come."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.video import BackgroundSubtractor, lighting
from gmmseg.video.exposure import is_blank
from gmmseg.video.scene import SETTLED, Event

FIRST, N_FRAMES = 32, 60


def walking(t):
    return (20, 3 * (t - 25)) if 25 <= t < 50 else None


def bad_frame(kind, like, rng):
    if kind == "noise":
        return rng.integers(0, 256, size=like.shape).astype(np.uint8)
    if kind == "dark noise":
        return np.abs(rng.normal(scale=3.0, size=like.shape)).astype(np.uint8)
    if kind == "another scene":
        return 255 - like[::-1]
    return np.full_like(like, {"black": 0, "white": 255}[kind])


@pytest.mark.parametrize("kind", ["black", "white", "dark noise", "noise", "another scene"])
@pytest.mark.parametrize("n_bad", [1, SETTLED - 1])
@pytest.mark.parametrize("has_lighting", [True, False])
def test_after_bad_frames_all_goes_on_as_before(film, rng, kind, n_bad, has_lighting):
    frames = list(film(N_FRAMES, box=walking))
    subtractor, untroubled = (BackgroundSubtractor(lighting=has_lighting) for _ in range(2))
    for t, frame in enumerate(frames):
        if t == FIRST:
            for i in range(n_bad):
                mask = subtractor.apply(bad_frame(kind, frame, rng))
                assert not mask.any()
                assert subtractor.event_ is (Event.NOTHING if i else Event.SCENE)
        mask, wanted = subtractor.apply(frame), untroubled.apply(frame)
        assert subtractor.event_ is Event.NOTHING
        assert np.count_nonzero(mask != wanted) <= 3


@pytest.mark.parametrize("kind", ["black", "white", "another scene"])
def test_bad_frames_are_told_by_what_is_looked_at(film, rng, kind):
    look = np.zeros((60, 84), bool)
    look[16:44] = True
    frames = list(film(40, box=walking))
    subtractor, untroubled = BackgroundSubtractor(mask=look), BackgroundSubtractor(mask=look)
    for t, frame in enumerate(frames):
        if t == FIRST:
            assert not subtractor.apply(bad_frame(kind, frame, rng)).any()
            assert subtractor.event_ is Event.SCENE
        assert np.count_nonzero(subtractor.apply(frame) != untroubled.apply(frame)) <= 3


def test_a_scene_that_stays_is_learned_with_its_fifth_frame(film, rng):
    subtractor = BackgroundSubtractor()
    frames = list(film(40))
    for frame in frames[:30]:
        subtractor.apply(frame)
    other = rng.integers(0, 200, size=frames[0].shape).astype(np.uint8)
    for i in range(SETTLED + 1):
        is_known = np.abs(subtractor.background().astype(int) - other).max() <= 1
        assert is_known == (i == SETTLED)
        assert not subtractor.apply(other).any()
    thing = other.copy()
    thing[20:40, 30:50] = 255
    assert (subtractor.apply(thing)[22:38, 32:48] == 255).all()


def test_a_camera_that_begins_with_a_black_frame_sees_nothing_move(film):
    subtractor = BackgroundSubtractor()
    frames = list(film(12, box=lambda t: (20, 30) if t > 6 else None))
    subtractor.apply(np.zeros_like(frames[0]))
    masks = [subtractor.apply(frame) for frame in frames]
    assert not np.any(masks[:7])
    assert (masks[7][22:38, 32:42] == 255).all()


@pytest.mark.parametrize("cut", [1, 3])
def test_a_state_saved_among_bad_frames_goes_on_to_the_last_bit(film, tmp_path, cut):
    frames = list(film(45, box=walking))
    frames[FIRST:FIRST] = [np.zeros_like(frames[0])] * 4
    whole, first = BackgroundSubtractor(), BackgroundSubtractor()
    masks = [whole.apply(frame) for frame in frames]
    for frame in frames[: FIRST + cut]:
        first.apply(frame)
    first.save(tmp_path / "room.gmm")
    second = BackgroundSubtractor.load(tmp_path / "room.gmm")
    for frame, mask in zip(frames[FIRST + cut :], masks[FIRST + cut :], strict=True):
        assert_array_equal(second.apply(frame), mask)
    whole.save(tmp_path / "whole.gmm")
    second.save(tmp_path / "second.gmm")
    assert (tmp_path / "whole.gmm").read_bytes() == (tmp_path / "second.gmm").read_bytes()


@pytest.mark.parametrize("gain", [0.0, 0.05, 0.3, 0.6, 1.5, 4.0, 99.0])
def test_a_picture_is_blank_where_new_light_leaves_nothing_to_see(rng, gain):
    background = rng.uniform(70, 150, size=(40, 50, 3)).astype(np.float32)
    picture = np.minimum(background * np.float32(gain), 255)
    everywhere = np.ones((40, 50), bool)
    shifts = lighting.find_tone(picture, background, calm=everywhere, use=everywhere)
    assert is_blank(picture, background, shifts) == (gain in {0.0, 0.05, 4.0, 99.0})


def test_light_makes_no_scene_of_a_blank_background(rng):
    background = np.abs(rng.normal(scale=0.7, size=(40, 50, 3))).astype(np.float32)
    picture = rng.uniform(70, 150, size=(40, 50, 3)).astype(np.float32)
    assert is_blank(picture, background, np.full((3, 16), 110.0))
