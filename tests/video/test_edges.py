"""Frames of odd sizes, types and settings: what holds in the middle holds at the edges."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from gmmseg.errors import GmmsegWarning, InputError
from gmmseg.video import BackgroundSubtractor
from gmmseg.video.scene import Event

ODD = [(8, 8), (9, 20), (11, 13), (37, 53), (62, 87)]


def walls(rng, shape, n_frames):
    """Return frames of one rough wall with noise."""
    rough = 110 + 30 * gaussian_filter(rng.normal(size=shape), 1.0)
    noisy = rough + rng.normal(scale=2.0, size=(n_frames, *shape))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", ODD)
@pytest.mark.parametrize("n_channels", [1, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_thing_is_found_in_frames_of_any_size_and_type(rng, shape, n_channels, dtype):
    rows, cols = shape
    top, left = rows // 4, cols // 3
    frames = walls(rng, shape, 40)
    frames[39, top : rows - 1, left : cols - 2] = 230
    subtractor = BackgroundSubtractor(shake=4.0)
    for frame in frames:
        many = np.repeat(frame[:, :, np.newaxis], n_channels, axis=2).astype(dtype)
        mask = subtractor.apply(many * dtype(257) if dtype == np.uint16 else many)
    assert (mask[top + 1 : rows - 2, left + 1 : cols - 3] == 255).mean() > 0.9
    assert (mask[:, : max(left - 2, 1)] == 0).mean() > 0.95


@pytest.mark.parametrize("n_modes", [1, 2, 16])
def test_any_number_of_modes_finds_what_moves_and_what_stands(film, n_modes):
    subtractor = BackgroundSubtractor(n_modes=n_modes)
    for frame in film(70, box=lambda t: (20, 30) if t >= 30 else None):
        mask = subtractor.apply(frame)
    assert (mask[26:34, 34:40] == 255).all()
    assert not mask[:, :25].any()


def test_what_comes_in_the_second_frame_moves_and_is_no_shadow(film):
    subtractor = BackgroundSubtractor()
    first, second = film(2, box=lambda t: (20, 30) if t == 1 else None)
    subtractor.apply(first)
    mask = subtractor.apply(second)
    assert (mask[22:38, 32:42] == 255).all()
    assert not (mask == 127).any()


@pytest.mark.parametrize("n_jobs", [2, 5])
@pytest.mark.parametrize("shape", [(9, 20), (37, 53)])
def test_any_number_of_threads_learns_the_same_bits(rng, shape, n_jobs):
    frames = walls(rng, shape, 50)
    frames[30:, : shape[0] // 2, : shape[1] // 3] = 220
    one, many = BackgroundSubtractor(n_jobs=1), BackgroundSubtractor(n_jobs=n_jobs)
    for frame in frames:
        assert_array_equal(one.apply(frame), many.apply(frame))
    own, other = one._known(), many._known()
    for name, array in own.model._asdict().items():
        assert_array_equal(array, getattr(other.model, name))
    assert_array_equal(own.coarse.background, other.coarse.background)
    assert_array_equal(own.shifts, other.shifts)


@pytest.mark.parametrize("cols", [80, 83])
def test_a_lamp_is_no_motion_at_the_edges_of_odd_frames(rng, cols):
    frames = walls(rng, (63, cols), 40).astype(float)
    frames[35:] *= 1.0 + 0.9 * np.linspace(0, 1, cols) ** 2
    subtractor, said = BackgroundSubtractor(lighting=False), []
    for frame in np.clip(frames, 0, 255).astype(np.uint8)[:36]:
        mask = subtractor.apply(frame)
        said.append(subtractor.event_)
    assert said[35] is Event.LIGHT
    assert (mask[:, cols // 4 * 4 - 1 :] == 255).mean() < 0.05  # and where there are no blocks
    assert (mask[60:] == 255).mean() < 0.05
    weights = subtractor._known().model.modes[:, :, 0].sum(axis=1)
    assert_allclose(weights, 1.0, rtol=1e-5)


@pytest.mark.parametrize("shake", [3.0, 4.0])
def test_a_shake_at_the_limit_is_made_up_for_and_beyond_it_is_not(film, shake):
    frames = film(31, shift=lambda t: (0, 4) if t == 30 else (0, 0))
    subtractor = BackgroundSubtractor(shake=shake)
    for frame in frames:
        subtractor.apply(frame)
    assert subtractor.shift_ == ((0, 4) if shake >= 4.0 else (0, 0))


def test_no_limit_to_a_shake_is_allowed(film, rng):
    subtractor = BackgroundSubtractor(shake=float("inf"))
    for frame in film(12):
        subtractor.apply(frame)
    mask = subtractor.apply(rng.integers(0, 255, size=frame.shape).astype(np.uint8))
    assert mask.shape == frame.shape[:2]


def test_a_model_that_is_brighter_than_white_or_darker_than_black_is_read_safely(film):
    subtractor = BackgroundSubtractor()
    frames = list(film(8))
    for frame in frames[:4]:
        subtractor.apply(frame)
    state = subtractor._known()
    state.model.modes[:20, :, 2:] = 1e30
    state.model.modes[20:40, :, 2:] = -1e30
    state.refresh()
    for frame in frames[4:]:
        assert subtractor.apply(frame).shape == frame.shape[:2]


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_the_lower_bits_of_sixteen_give_the_masks_of_eight(film, bits):
    frames = list(film(40, box=lambda t: (20, 3 * (t - 25)) if t >= 25 else None))
    eight, deep = BackgroundSubtractor(), BackgroundSubtractor(bits=bits)
    for frame in frames:
        mask = deep.apply(frame.astype(np.uint16) << np.uint16(bits - 8))
        assert np.count_nonzero(mask != eight.apply(frame)) < 10
    assert (mask == 255).any()


def test_sixteen_bits_of_which_the_lower_are_used_are_told(film):
    frame = next(film(1)).astype(np.uint16)
    with pytest.warns(GmmsegWarning, match=r"uses but 12 of the 16 bits .* say so \(bits=12\), or"):
        BackgroundSubtractor().apply(frame << 4)
    with pytest.warns(GmmsegWarning, match="uses but 8 of the 16 bits"):
        BackgroundSubtractor().apply(frame >> 3)
    for options, scale in (({}, 257), ({"bits": 16}, 1), ({"bits": 12}, 1)):
        BackgroundSubtractor(**options).apply(frame * np.uint16(scale))
    BackgroundSubtractor().apply(frame / 65535)


def test_a_value_beyond_the_bits_is_told():
    subtractor = BackgroundSubtractor(bits=12)
    with pytest.raises(InputError, match="has the value 4096, beyond the 4095 that 12 bits hold"):
        subtractor.apply(np.full((9, 9), 4096, np.uint16))


def test_how_many_bits_there_are_is_saved(film, tmp_path):
    subtractor = BackgroundSubtractor(bits=12)
    frames = [frame.astype(np.uint16) << 4 for frame in film(4)]
    subtractor.apply(frames[0])
    subtractor.save(tmp_path / "deep.gmm")
    loaded = BackgroundSubtractor.load(tmp_path / "deep.gmm")
    for frame in frames[1:]:
        assert_array_equal(loaded.apply(frame), subtractor.apply(frame))
    assert_array_equal(loaded.background(), subtractor.background())
