"""Claims about sound as arrays: scaled once, refused in one clear line."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.audio.signals import checked_signal
from gmmseg.errors import InputError


def test_integers_of_every_size_are_scaled_to_full_scale():
    wanted = [-1.0, -0.5, 0.0, 0.5]
    for dtype in (np.int8, np.int16, np.int32):
        full = -int(np.iinfo(dtype).min)
        y = np.array([-full, -full // 2, 0, full // 2], dtype=dtype)
        assert_array_equal(checked_signal(y, sr=8000), np.array(wanted, dtype=np.float32))
    unsigned = np.array([0, 64, 128, 192], dtype=np.uint8)
    assert_array_equal(checked_signal(unsigned, sr=8000), np.array(wanted, dtype=np.float32))


def test_floating_sound_is_taken_as_it_is_and_not_changed():
    y = np.array([0.25, -3.0])
    assert_array_equal(checked_signal(y, sr=8000), [0.25, -3.0])
    assert y.dtype == np.float64


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([], r"^y has no samples, its shape is \(0,\)$"),
        (np.zeros((2, 0)), r"^y has no samples, its shape is \(2, 0\)$"),
        (3.0, r"^y must have shape \(n_samples,\) or \(n_channels, n_samples\), got \(\)$"),
        (np.zeros((1, 2, 3)), r"^y must have shape .*, got \(1, 2, 3\)$"),
        (np.zeros((10, 2)), r"^y has 10 channels of 2 samples; channels come first, use y\.T$"),
        (["a"], r"^y must be integer or floating sound, got dtype <U1$"),
        ([1 + 1j], r"^y must be integer or floating sound, got dtype complex128$"),
        ([True, False], r"^y must be integer or floating sound, got dtype bool$"),
        ([[1, 2], [3]], r"^y must be an array of equally long channels: .+$"),
    ],
)
def test_what_is_no_sound_is_refused(y, message):
    with pytest.raises(InputError, match=message):
        checked_signal(y, sr=8000)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.nan, "NaN"),
        (np.inf, "infinity or sound that was never scaled"),
        (-np.inf, "infinity or sound that was never scaled"),
        (1e300, "infinity or sound that was never scaled"),
        (-1e16, "infinity or sound that was never scaled"),
    ],
)
@pytest.mark.parametrize("n_channels", [None, 2])
def test_a_sample_that_is_no_sound_is_refused_with_its_place(value, told, n_channels):
    y = np.zeros(8000 if n_channels is None else (n_channels, 8000))
    y[..., 4000] = value
    y[..., 6000] = value
    with pytest.raises(
        InputError,
        match=rf"^y holds {told}, first at sample 4000 \(0\.500 s\); repair or replace those",
    ):
        checked_signal(y, sr=8000)


@pytest.mark.parametrize("sr", [0, -8000, 999, np.nan, np.inf])
def test_a_rate_too_low_is_refused(sr):
    with pytest.raises(InputError, match=rf"^sr must be at least 1000 Hz, got {sr}$"):
        checked_signal([0.0], sr=sr)


@pytest.mark.parametrize("sr", ["16000", None, True])
def test_a_rate_that_is_no_number_is_refused(sr):
    with pytest.raises(
        InputError, match=rf"^sr must be a sampling rate in Hz, for example 16000, got {sr!r}$"
    ):
        checked_signal([0.0], sr=sr)
