"""Claims about files of segmenters: the same to the last bit, and nothing spoilt is believed."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.core import load_mixture
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError, ModelFileError, NotFittedError
from gmmseg.image import ImageSegmenter
from tests.model_files import spoilt_copies

KIND = "image-segmenter"


@pytest.fixture
def photograph(rng):
    """A picture of three stuffs in patches."""
    stuff = rng.integers(0, 3, (6, 8)).repeat(5, axis=0).repeat(4, axis=1)
    colors = np.array([[0.1, 0.2, 0.3], [0.5, 0.4, 0.2], [0.7, 0.9, 0.8]])
    return (colors[stuff] + rng.normal(scale=0.02, size=(30, 32, 3))).clip(0, 1)


@pytest.fixture
def glowing(rng):
    """Cells that glow on a dark ground, in each of two channels."""
    image = rng.normal(100, 4, size=(40, 44, 2))
    image[5:15, 5:15, 0] += 3000
    image[20:28, 22:34, 1] += 900
    return image


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"covariance_type": "tied", "random_state": None},
        {"covariance_type": "VVE", "features": "rgb", "smoothness": "auto"},
        {"covariance_type": "spherical", "features": "gray", "smoothness": 0},
        {"texture": True, "position": np.float32(0.3), "n_segments": np.int64(2)},
        {"bias_field": True, "features": "none", "spacing": (2, 1.5)},
        {"n_segments": "auto", "features": "log", "covariance_type": "diag"},
    ],
    ids=lambda options: " ".join(options) or "usual",
)
def test_what_is_loaded_labels_to_the_last_bit_as_what_was_saved(photograph, tmp_path, options):
    segmenter = ImageSegmenter(**{"n_segments": 3, **options}).fit(photograph)
    segmenter.save(tmp_path / "stuffs.gmm")
    loaded = ImageSegmenter.load(tmp_path / "stuffs.gmm")
    other = photograph[::-1, ::2]
    for image in (photograph, other):
        assert_array_equal(loaded.predict_proba(image), segmenter.predict_proba(image))
        assert_array_equal(loaded.predict(image), segmenter.predict(image))
    assert loaded.get_params() == segmenter.get_params()
    assert loaded.model_.bic == segmenter.model_.bic
    assert loaded.model_.record == segmenter.model_.record
    loaded.save(tmp_path / "again.gmm")
    assert (tmp_path / "again.gmm").read_bytes() == (tmp_path / "stuffs.gmm").read_bytes()


def test_dark_fields_and_uneven_volumes_are_kept_too(glowing, tmp_path):
    volume = np.stack([glowing, glowing[::-1], glowing]).astype(np.uint16)
    segmenter = ImageSegmenter(3, spacing=(4.0, 1.0, 1.0), position=0.1).fit(volume)
    assert segmenter.model_.recipe.dark_field is not None
    segmenter.save(tmp_path / "cells.gmm")
    loaded = ImageSegmenter.load(tmp_path / "cells.gmm")
    assert_array_equal(loaded.predict_proba(volume[:2]), segmenter.predict_proba(volume[:2]))
    assert loaded.model_.bilateral.spacing == loaded.model_.spacing == loaded.spacing == (4, 1, 1)
    message = r"^spacing must be 2 lengths above 0|the place of a pixel has 2 coordinates"
    with pytest.raises(InputError, match=message):
        loaded.predict(glowing)


def test_what_cannot_be_saved_is_refused_and_leaves_no_file(photograph, tmp_path):
    with pytest.raises(NotFittedError, match=r"^this ImageSegmenter has learned nothing yet"):
        ImageSegmenter().save(tmp_path / "empty.gmm")
    message = (
        "^features must be a name to be saved, got a function or an array, which a model file "
        "cannot hold; make an image of such features and fit with features='none'$"
    )
    for features in (np.negative, photograph[..., :2]):
        segmenter = ImageSegmenter(2, features=features).fit(photograph)
        with pytest.raises(InputError, match=message):
            segmenter.save(tmp_path / "own.gmm")
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_kind_says_what_it_is(photograph, tmp_path):
    path = tmp_path / "stuffs.gmm"
    ImageSegmenter(2).fit(photograph).save(path)
    message = re.escape(f"{path} holds a model of kind 'image-segmenter', wanted 'gaussian-mixt")
    with pytest.raises(ModelFileError, match=f"^{message}"):
        load_mixture(path)
    write_model(path, kind="gaussian-mixture", header={}, arrays={})
    message = re.escape(
        f"{path} holds a model of kind 'gaussian-mixture', wanted 'image-segmenter'"
    )
    with pytest.raises(ModelFileError, match=f"^{message}$"):
        ImageSegmenter.load(path)
    with pytest.raises(ModelFileError, match=r"nothing\.gmm does not exist$"):
        ImageSegmenter.load(tmp_path / "nothing.gmm")


def test_a_spoilt_array_is_found(glowing, tmp_path):
    ImageSegmenter(3, position=0.1).fit(glowing).save(tmp_path / "parts.gmm")
    believed = []
    for copy in spoilt_copies(tmp_path / "parts.gmm", tmp_path):
        try:
            ImageSegmenter.load(copy)
        except ModelFileError:
            continue
        believed.append(copy.name)
    assert believed == ["lower_bounds_cut.gmm"]  # a list, whatever its length


OPTIONS = ImageSegmenter(3).get_params() | {"random_state": 0}
OPTIONS.pop("n_jobs")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": []}, "list indices must be integers"),
        ({"options": {}}, "it has no 'features'"),
        ({"options": OPTIONS | {"features": "magic"}}, "features must be one of auto, lab, rgb"),
        ({"options": OPTIONS | {"n_segments": 0}}, "n_segments must be a whole number of at least"),
        ({"options": OPTIONS | {"bias_field": 1}}, "bias_field must be true or false, got 1"),
        ({"options": OPTIONS | {"random_state": "x"}}, "random_state must be None or a whole"),
        ({"options": OPTIONS | {"magic": 1}}, "magic"),
        ({"options": OPTIONS | {"spacing": [1.0]}}, "spacing must be 2 or 3 lengths, got 1"),
        ({"n_channels": 0}, "n_channels must be a whole number of at least 1, got 0"),
        ({"n_channels": 2}, 'color="lab" needs three channels, got 2'),
        ({"n_channels": 3.0}, r"n_channels must be a whole number of at least 1, got 3\.0"),
        ({"n_pixels": -1}, "n_pixels must be a whole number of at least 1, got -1"),
        ({"bic": "low"}, "bic must be a finite number, got 'low'"),
        ({"smoothness": 10**400}, "int too large to convert to float"),
        ({"smoothness": -1.0}, "smoothness must be a number of at least 0, got -1.0"),
        ({"spacing": [0.0, 1.0]}, "spacing must be 2 lengths above 0"),
        ({"spacing": 7}, "len"),
        ({"tolerance": -1}, "tolerance must be a number of at least 0, got -1"),
        ({"color": "magic"}, "color must be one of auto, lab, rgb"),
        ({"color": "gray"}, "its means must have 3 features, got 5"),
        ({"color": "auto"}, "color and texture must be a space and whether, got auto, False"),
        ({"texture": "yes"}, "color and texture must be a space and whether, got lab, yes"),
        ({"texture": True}, "its means must have 7 features, got 5"),
        ({"place": None}, "its means must have 3 features, got 5"),
        ({"place": [0.0, 1.0, 2.0]}, "not enough values to unpack"),
        ({"place": [0.0, -1.0, 2.0, 1.0]}, "the middle of place must be a number of at least 0"),
        ({"place": [0.0, 1.0, 2.0, 0.0]}, "the unit of place must be a number above 0, got 0.0"),
        ({"place": [0.0, 1.0, 2.0, 1e36]}, "the unit of place weighs beyond what numbers can hold"),
        ({"has_dark_field": True}, "it has no 'ground'"),
        ({"covariance_types": ["full"]}, "shorter|zip"),
        ({"covariance_types": ["full", "diag"]}, "covariances must have shape"),
        ({"is_converged": 1}, "wanted bool in the header, got int"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_spoilt_header_is_found(photograph, tmp_path, change, message):
    path = tmp_path / "parts.gmm"
    ImageSegmenter(3, position=0.2).fit(photograph).save(path)
    header, arrays = read_model(path, kind=KIND)
    keep = {k: v for k, v in header.items() if k not in ("format", "format_version", "kind")}
    write_model(path, kind=KIND, header=keep | change, arrays=arrays)
    with pytest.raises(ModelFileError, match=f"^{re.escape(str(path))} is damaged: .*({message})"):
        ImageSegmenter.load(path)


def test_mixtures_of_different_shapes_are_refused(photograph, tmp_path):
    path = tmp_path / "parts.gmm"
    ImageSegmenter(3, covariance_type="spherical").fit(photograph).save(path)
    header, arrays = read_model(path, kind=KIND)
    keep = {k: v for k, v in header.items() if k not in ("format", "format_version", "kind")}
    for part in ("weights", "means", "covariances"):
        arrays[f"averages_{part}"] = arrays[f"averages_{part}"][:1]
    arrays["averages_weights"] = np.ones(1)
    write_model(path, kind=KIND, header=keep, arrays=arrays)
    with pytest.raises(ModelFileError, match=r"damaged: its two mixtures have different shapes$"):
        ImageSegmenter.load(path)
