"""Claims about files of background subtractors: nothing in a damaged file is believed."""

import re

import numpy as np
import pytest

from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import ModelFileError
from gmmseg.video import BackgroundSubtractor
from gmmseg.video.state_file import KIND
from tests.model_files import spoilt_copies

HEADER = ("options", "light_gap", "noise", "n_strange", "n_frames", "n_seen", "frame_type")
OPTIONS = (
    "fps, patience, learning_rate, threshold, min_area, n_modes, shadows, lighting, shake, bits"
)
INSIDE = np.ones((60, 84), bool)


@pytest.fixture
def saved(film, tmp_path):
    subtractor = BackgroundSubtractor(mask=INSIDE)
    for frame in film(3):
        subtractor.apply(frame)
    path = tmp_path / "room.gmm"
    subtractor.save(path)
    return path


def assert_refused(path, words, *, header=(), options=(), arrays=()):
    """See that a file with these parts instead of its own is refused with these words."""
    good, parts = read_model(path, kind=KIND)
    changed = {name: good[name] for name in HEADER} | dict(header)
    changed["options"] = {**changed["options"], **dict(options)}
    write_model(path, kind=KIND, header=changed, arrays={**parts, **dict(arrays)})
    with pytest.raises(ModelFileError, match=f"^{re.escape(f'{path} is damaged: {words}')}$"):
        BackgroundSubtractor.load(path)


def test_a_spoilt_array_is_found(saved, tmp_path):
    believed = []
    for copy in spoilt_copies(saved, tmp_path):
        try:
            BackgroundSubtractor.load(copy)
        except ModelFileError:
            continue
        believed.append(copy.name)
    assert believed == ["mask_missing.gmm"]  # without a mask it looks everywhere


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"n_seen": 0}, "n_seen must be whole and at least 1, got 0"),
        ({"n_frames": 2.5}, "n_frames must be whole and at least 1, got 2.5"),
        ({"n_strange": -1}, "n_strange must be whole and at least 0, got -1"),
        ({"noise": -1.0}, "noise must be a finite number of at least 0, got -1.0"),
        ({"light_gap": "wide"}, "light_gap must be a finite number of at least 0, got 'wide'"),
        ({"frame_type": "int8"}, "frame_type must be uint8 or uint16, got 'int8'"),
    ],
)
def test_a_header_that_no_subtractor_writes_is_refused(saved, header, words):
    assert_refused(saved, words, header=header)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"magic": 1}, f"options must be {OPTIONS}, got {OPTIONS}, magic"),
        ({"shadows": 1}, "shadows must be bool, got 1"),
        ({"min_area": 2.5}, "min_area must be int or null, got 2.5"),
        ({"patience": -1.0}, "patience must be a number of at least 1e-06, got -1.0"),
        ({"n_modes": 17}, "n_modes must be at most 16, got 17"),
    ],
)
def test_options_that_no_subtractor_has_are_refused(saved, options, words):
    assert_refused(saved, words, options=options)


def test_options_that_are_a_list_are_refused(saved):
    good, parts = read_model(saved, kind=KIND)
    header = {name: good[name] for name in HEADER} | {"options": ["fps"]}
    write_model(saved, kind=KIND, header=header, arrays=parts)
    with pytest.raises(ModelFileError, match=r"is damaged: options must be named, got list$"):
        BackgroundSubtractor.load(saved)


def test_arrays_that_do_not_fit_each_other_are_refused(saved):
    arrays = read_model(saved, kind=KIND)[1]
    modes = arrays["modes"]
    n_modes = modes.shape[1]
    for changed, words in [
        (
            {"modes": modes[:, 1:]},
            f"modes must have shape (rows, {n_modes}, more than 2, cols), got {modes[:, 1:].shape}",
        ),
        (
            {"modes": modes.astype(np.float64)},
            f"modes must be float32 of shape {modes.shape}, got float64 of shape {modes.shape}",
        ),
        (
            {"kept": arrays["kept"][1:]},
            "kept must be uint8 of shape (60, 84), got uint8 of shape (59, 84)",
        ),
        ({"feedback": arrays["feedback"] * np.nan}, "feedback has NaN or infinity"),
        ({"depth": arrays["depth"] + 40}, f"depth must be from 1 to {n_modes} in every row"),
        ({"mask": INSIDE[1:]}, "mask must have the shape of a frame, (60, 84), got (59, 84)"),
        ({"mask": ~INSIDE}, "mask leaves nothing to look at: it is False everywhere"),
    ]:
        assert_refused(saved, words, arrays={**arrays, **changed})


def test_an_array_that_is_missing_is_named(saved):
    good, arrays = read_model(saved, kind=KIND)
    del arrays["moving"]
    write_model(saved, kind=KIND, header={name: good[name] for name in HEADER}, arrays=arrays)
    with pytest.raises(ModelFileError, match=r"room\.gmm is damaged: it has no 'moving'$"):
        BackgroundSubtractor.load(saved)
