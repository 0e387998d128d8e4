"""Claims about model files of BayesianGaussianMixture: equal to the last bit, or refused."""

import json
import zipfile

import numpy as np
import pytest

from gmmseg.core import BayesianGaussianMixture, GaussianMixture
from gmmseg.errors import ModelFileError
from tests.mixtures import draw, random_mixture
from tests.model_files import npy_bytes, write_zip

LEARNED = (
    "weights_",
    "means_",
    "covariances_",
    "weight_concentration_",
    "mean_precision_",
    "degrees_of_freedom_",
    "mean_prior_",
    "covariance_prior_",
)


@pytest.fixture
def mixture(rng):
    X = draw(rng, random_mixture(rng, spread=5.0), 60)
    return BayesianGaussianMixture(2, random_state=0, max_iter=1_000).fit(X)


@pytest.fixture
def members(mixture, path):
    mixture.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refusal(path):
    """Return the words with which a file is refused: one line that names the file."""
    with pytest.raises(ModelFileError) as caught:
        BayesianGaussianMixture.load(path)
    words = str(caught.value)
    assert words.startswith(f"{path} ")
    assert "\n" not in words
    return words.removeprefix(f"{path} ")


@pytest.mark.parametrize("weight_type", ["dirichlet_process", "dirichlet_distribution"])
@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_what_is_loaded_equals_what_was_saved_to_the_last_bit(
    rng, path, covariance_type, weight_type
):
    X = draw(rng, random_mixture(rng), 60)
    saved = BayesianGaussianMixture(
        3,
        covariance_type=covariance_type,
        weight_concentration_prior_type=weight_type,
        mean_precision_prior=np.float64(2.0),
        random_state=1,
        tol=0.1,
        n_jobs=1,
    ).fit(X)
    saved.save(path)
    loaded = BayesianGaussianMixture.load(path)
    for name in LEARNED:
        wanted = np.asarray(getattr(saved, name))
        assert np.asarray(getattr(loaded, name)).tobytes() == wanted.tobytes()
        assert np.shape(getattr(loaded, name)) == wanted.shape
    assert loaded.record_ == saved.record_
    assert loaded.get_params() == saved.get_params()
    assert loaded.predict_proba(X).tobytes() == saved.predict_proba(X).tobytes()
    assert loaded.score_samples(X).tobytes() == saved.score_samples(X).tobytes()


def test_a_loaded_model_is_saved_as_the_same_bytes(mixture, tmp_path):
    mixture.save(tmp_path / "a.gmm")
    BayesianGaussianMixture.load(tmp_path / "a.gmm").save(tmp_path / "b.gmm")
    assert (tmp_path / "a.gmm").read_bytes() == (tmp_path / "b.gmm").read_bytes()


def test_a_loaded_model_goes_on_where_the_saved_one_ended(rng, path):
    X = draw(rng, random_mixture(rng), 60)
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "warm_start": True}
    saved = BayesianGaussianMixture(**options, max_iter=3).fit(X)
    saved.save(path)
    loaded = BayesianGaussianMixture.load(path)
    assert loaded.fit(X).means_.tobytes() == saved.fit(X).means_.tobytes()


def test_an_unfitted_mixture_writes_nothing(path):
    with pytest.raises(AttributeError, match="has learned nothing yet"):
        BayesianGaussianMixture().save(path)
    assert not path.exists()


def test_neither_mixture_reads_the_file_of_the_other(mixture, path):
    mixture.save(path)
    with pytest.raises(ModelFileError, match="kind 'bayesian-gaussian-mixture', wanted 'gauss"):
        GaussianMixture.load(path)
    GaussianMixture().fit([[0.0], [1.0]]).save(path)
    assert refusal(path) == (
        "holds a model of kind 'gaussian-mixture', wanted 'bayesian-gaussian-mixture'"
    )


def test_a_file_cut_anywhere_is_refused(path, members):
    write_zip(path, members)
    whole = path.read_bytes()
    for length in range(0, len(whole), 100):
        path.write_bytes(whole[:length])
        assert "model file" in refusal(path)


def test_every_member_is_needed(path, members):
    for name in members:
        write_zip(path, {other: content for other, content in members.items() if other != name})
        assert refusal(path)


HEADERS = {
    "another prior": (
        {"weight_concentration_prior_type": "uniform"},
        (
            "is damaged: weight_concentration_prior_type must be one of dirichlet_process, "
            "dirichlet_distribution, got 'uniform'"
        ),
    ),
    "the other prior": (
        {"weight_concentration_prior_type": "dirichlet_distribution"},
        "is damaged: weight_concentration must be float64 of shape (2,), got float64 (2, 2)",
    ),
    "bad option": (
        {"options": {"mean_precision_prior": -1}},
        "is damaged: mean_precision_prior must be a number above 0, got -1",
    ),
    "bad iteration": (
        {"options": {"max_iter": 0}},
        "is damaged: max_iter must be a whole number of at least 1, got 0",
    ),
    "unknown option": (
        {"options": {"speed": 9}},
        "is damaged: BayesianGaussianMixture.__init__() got an unexpected keyword argument 'speed'",
    ),
    "options as a list": ({"options": [1]}, "is damaged: 'list' object is not a mapping"),
}


@pytest.mark.parametrize(("changes", "words"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_says_something_else_is_refused(path, members, changes, words):
    header = json.loads(members["header.json"]) | changes
    write_zip(path, members | {"header.json": json.dumps(header)})
    assert refusal(path) == words


ARRAYS = {
    "mean_precision too few": (
        ("mean_precision", [1.0]),
        "is damaged: mean_precision must be float64 of shape (2,), got float64 (1,)",
    ),
    "whole numbers": (
        ("mean_precision", [1, 2]),
        "is damaged: mean_precision must be float64 of shape (2,), got int64 (2,)",
    ),
    "negative precision": (
        ("mean_precision", [1.0, -1.0]),
        "is damaged: mean_precision must lie between 1e-300 and 1e+300",
    ),
    "NaN precision": (
        ("mean_precision", [1.0, np.nan]),
        "is damaged: mean_precision must be finite, got NaN or infinity",
    ),
    "few degrees of freedom": (
        ("degrees_of_freedom", [1.0, 5.0]),
        "is damaged: degrees of freedom must lie above n_features - 1 = 1",
    ),
    "no prior": (
        ("prior_numbers", [0.0, 1.0, 2.0]),
        "is damaged: prior_numbers must lie between 1e-300 and 1e+300",
    ),
    "prior mean": (
        ("prior_mean", [0.0]),
        "is damaged: prior_mean must be float64 of shape (2,), got float64 (1,)",
    ),
    "prior covariance": (
        ("prior_covariance", -np.eye(2)[None]),
        "is damaged: prior_covariance must be positive definite; matrix 0 is not",
    ),
    "covariances": (
        ("covariances", -np.stack([np.eye(2)] * 2)),
        "is damaged: covariances must be positive definite; matrix 0 is not",
    ),
    "no means": (
        ("means", np.empty((0, 2))),
        "is damaged: means must have shape (n_components, n_features), got (0, 2)",
    ),
    "a number for means": (
        ("means", np.array(1.0)),
        "is damaged: means must have shape (n_components, n_features), got ()",
    ),
    "bounds": (
        ("lower_bounds", [[1.0]]),
        "is damaged: lower_bounds must be a list of numbers",
    ),
}


@pytest.mark.parametrize(("array", "words"), ARRAYS.values(), ids=ARRAYS)
def test_an_array_that_is_another_is_refused(path, members, array, words):
    name, values = array
    write_zip(path, members | {f"{name}.npy": npy_bytes(np.asarray(values))})
    assert refusal(path) == words


EXTREMES = [
    (name, number)
    for name in ("mean_precision", "degrees_of_freedom", "weight_concentration")
    for number in (1e-300, 1e300)
]


@pytest.mark.parametrize(("name", "number"), EXTREMES)
def test_the_extreme_numbers_that_are_read_can_be_used(path, members, name, number):
    mixture = BayesianGaussianMixture.load(path)
    shape = np.shape(getattr(mixture, f"{name}_"))
    values = np.full(shape, max(number, 1.0 + 1e-9 if name == "degrees_of_freedom" else 0.0))
    write_zip(path, members | {f"{name}.npy": npy_bytes(values)})
    loaded = BayesianGaussianMixture.load(path)
    assert np.isfinite(loaded.predict_proba([[0.0, 0.0]])).all()
    assert np.isfinite(loaded.weights_).all()
