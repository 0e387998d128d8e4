"""What a model file remembers of a mixture besides its numbers: the names of the features."""

import json
import re
import zipfile

import numpy as np
import pytest

from gmmseg.core import GaussianMixture
from gmmseg.core.mixture_file import read_feature_names
from gmmseg.core.serialization import HEADER_NAME
from gmmseg.errors import ModelFileError
from tests.model_files import npy_bytes, write_zip


def test_names_of_features_are_remembered_and_the_model_loads_as_ever(mixture, path):
    mixture.feature_names_in_ = np.array(["größe", "a,b"], dtype=object)  # as scikit-learn has it
    mixture.save(path)
    assert read_feature_names(path) == ("größe", "a,b")
    assert np.array_equal(GaussianMixture.load(path).means_, mixture.means_)


def test_a_model_without_names_says_so(mixture, path):
    mixture.save(path)
    assert read_feature_names(path) == ()


def test_names_that_would_fill_the_header_are_left_out(mixture, path):
    mixture.feature_names_in_ = ["a" * 1_000_000, "b"]
    mixture.save(path)
    assert read_feature_names(path) == ()
    GaussianMixture.load(path)


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"], ["a", 7], "ab", {"a": 1, "b": 2}, 7])
def test_names_that_do_not_fit_are_damage(members, path, names):
    header = {**json.loads(members[HEADER_NAME]), "feature_names": names}
    write_zip(path, {**members, HEADER_NAME: json.dumps(header)})
    message = f"{path} is damaged: feature_names do not fit the means"
    with pytest.raises(ModelFileError, match=f"^{re.escape(message)}$"):
        read_feature_names(path)


# -------------------------------------------------------------------------------------- noise


@pytest.fixture
def noisy(rng):
    X = np.r_[rng.normal(size=(60, 2)), rng.uniform(-20.0, 20.0, size=(20, 2))]
    return GaussianMixture(2, noise=True, random_state=0, max_iter=500).fit(X)


def test_noise_is_loaded_to_the_last_bit(noisy, path):
    noisy.save(path)
    loaded = GaussianMixture.load(path)
    saved, back = noisy.parameters_.noise, loaded.parameters_.noise
    assert loaded.noise is True
    assert back.weight == saved.weight
    assert np.array_equal(back.low, saved.low)
    assert np.array_equal(back.high, saved.high)
    X = np.array([[0.0, 0.0], [15.0, -15.0]])
    assert np.array_equal(loaded.predict_proba(X), noisy.predict_proba(X))
    assert np.array_equal(loaded.score_samples(X), noisy.score_samples(X))


HOSTILE = {
    "text": ({"noise_weight": "0.1"}, {}, "wanted int | float in the header, got str"),
    "truth": ({"noise_weight": True}, {}, "wanted int | float in the header, got bool"),
    "negative": (
        {"noise_weight": -0.1},
        {},
        "the weight of the noise must be from 0 to 1, got -0.1",
    ),
    "no number": (
        {"noise_weight": float("nan")},
        {},
        "the weight of the noise must be from 0 to 1, got nan",
    ),
    "other weights": ({"noise_weight": 0.9}, {}, "weights must sum to 0"),
    "no box": ({}, {"noise_low": None}, "it has no 'noise_low'"),
    "flat box": ({}, {"noise_low": "noise_high"}, "the box of the noise must be finite with low"),
    "endless box": (
        {},
        {"noise_high": npy_bytes(np.array([np.inf, 9.0]))},
        "the box of the noise must be finite with low < high in every feature, got low",
    ),
    "boundless box": (
        {},
        {
            "noise_low": npy_bytes(np.full(2, -1.7e308)),
            "noise_high": npy_bytes(np.full(2, 1.7e308)),
        },
        "the box of the noise must be finite with low < high in every feature, got low -1.7e+308",
    ),
    "other features": (
        {},
        {"noise_low": npy_bytes(np.zeros(300)), "noise_high": npy_bytes(np.ones(300))},
        "the box of the noise must have 2 features as the means have, got 300",
    ),
    "flat in one of many": (
        {},
        {"noise_low": npy_bytes(np.zeros(300)), "noise_high": npy_bytes(np.zeros(300))},
        (
            "the box of the noise must be finite with low < high in every feature, got low 0.0 and "
            "high 0.0 in feature 0"
        ),
    ),
    "table": (
        {},
        {"noise_low": npy_bytes(np.zeros((2, 2)))},
        "low and high must have shape (n_features,), got (2, 2) and (2,)",
    ),
}


@pytest.mark.parametrize(("header", "arrays", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_noise_is_damage(noisy, path, header, arrays, words):
    noisy.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[HEADER_NAME] = json.dumps({**json.loads(members[HEADER_NAME]), **header})
    for name, content in arrays.items():
        copied = members[f"{content}.npy"] if isinstance(content, str) else content
        members[f"{name}.npy"] = copied
    write_zip(path, {name: content for name, content in members.items() if content is not None})
    with pytest.raises(
        ModelFileError, match=f"^{re.escape(f'{path} is damaged: {words}')}"
    ) as error:
        GaussianMixture.load(path)
    assert "\n" not in str(error.value)


def test_what_is_fixed_is_still_fixed_after_loading(rng, path):
    X = rng.normal(size=(60, 1))
    GaussianMixture(2, fixed="means", means_init=[[-1.0], [1.0]]).fit(X).save(path)
    loaded = GaussianMixture.load(path)
    assert loaded.fixed == "means"
    assert np.array_equal(loaded.means_, [[-1.0], [1.0]])
