"""Claims about the model file: equal to the last bit, whole or not at all."""

import os
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy
from numpy.testing import assert_array_equal

from gmmseg.core import GaussianMixture
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture
from tests.model_files import npy_bytes, write_zip

# ------------------------------------------------------------------------------- good files


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_what_is_loaded_equals_what_was_saved_to_the_last_bit(rng, path, covariance_type):
    X = draw(rng, random_mixture(rng), 60)
    saved = GaussianMixture(
        3,
        covariance_type=covariance_type,
        random_state=1,
        tol=1e-2,
        n_jobs=1,
        covariance_floor=1e-5,
    ).fit(X)
    saved.save(path)
    loaded = GaussianMixture.load(path)
    for name in ("weights_", "means_", "covariances_"):
        assert getattr(loaded, name).tobytes() == getattr(saved, name).tobytes()
    assert loaded.record_ == saved.record_
    assert loaded.get_params() == saved.get_params()
    assert loaded.n_features_in_ == 2
    assert loaded.score_samples(X).tobytes() == saved.score_samples(X).tobytes()


def test_events_survive(path):
    X = np.repeat([[0.0], [1.0]], 5, axis=0)
    with pytest.warns(UserWarning, match="explained nothing of their own"):
        saved = GaussianMixture(4, random_state=0).fit(X)
    saved.save(path)
    assert saved.record_.events != ()
    assert GaussianMixture.load(path).record_ == saved.record_


def test_the_same_model_is_the_same_bytes_twice(mixture, tmp_path):
    for name in ("a.gmm", "b.gmm"):
        mixture.save(tmp_path / name)
    assert (tmp_path / "a.gmm").read_bytes() == (tmp_path / "b.gmm").read_bytes()


def test_no_day_is_written_into_a_model(mixture, path):
    mixture.save(path)
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_arrays_that_others_wrote_in_fortran_order_are_read(mixture, path, members):
    fortran = npy_bytes(np.asfortranarray(mixture.means_))
    assert b"'fortran_order': True" in fortran
    write_zip(path, members | {"means.npy": fortran})
    assert_array_equal(GaussianMixture.load(path).means_, mixture.means_)


def test_a_loaded_model_is_saved_as_the_same_bytes(mixture, tmp_path):
    mixture.save(tmp_path / "a.gmm")
    GaussianMixture.load(tmp_path / "a.gmm").save(tmp_path / "b.gmm")
    assert (tmp_path / "a.gmm").read_bytes() == (tmp_path / "b.gmm").read_bytes()


def test_arrays_of_every_kind_and_order_come_back(path):
    arrays = {
        "ints": np.arange(6).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "single": np.float32([1.5, -0.0]),
        "booleans": np.array([True, False]),
        "number": np.array(3.5),
        "empty": np.empty((0, 3)),
    }
    write_model(path, kind="test", header={"answer": 42}, arrays=arrays)
    header, found = read_model(path, kind="test")
    assert header["answer"] == 42
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert_array_equal(found[name], np.atleast_1d(array) if name == "number" else array)
        assert found[name].dtype == array.dtype


def test_numpy_reads_the_arrays_of_a_model_file(mixture, path):
    mixture.save(path)
    with np.load(path, allow_pickle=False) as arrays:
        assert_array_equal(arrays["means"], mixture.means_)


def test_start_arrays_and_generators_stay_behind(path):
    saved = GaussianMixture(1, means_init=[[0.0]], random_state=np.random.RandomState(0)).fit(
        [[0.0], [1.0]]
    )
    saved.save(path)
    loaded = GaussianMixture.load(path)
    assert loaded.means_init is None
    assert loaded.random_state is None


def test_options_that_are_numpy_numbers_are_saved_too(path):
    saved = GaussianMixture(np.int64(2), n_init=np.int32(3), random_state=0).fit(
        [[0.0], [1.0], [3.0]]
    )
    saved.save(path)
    loaded = GaussianMixture.load(path)
    assert (loaded.n_components, loaded.n_init) == (2, 3)


def test_an_option_changed_after_the_fit_does_not_spoil_the_file(mixture, path):
    mixture.set_params(covariance_type="diag").save(path)
    assert_array_equal(GaussianMixture.load(path).means_, mixture.means_)


def test_an_unfitted_mixture_writes_nothing(path):
    with pytest.raises(AttributeError, match="has learned nothing yet"):
        GaussianMixture().save(path)
    assert not path.exists()


# ------------------------------------------------------------------------ interrupted writing


def test_an_interrupted_write_leaves_the_old_file(mixture, path, monkeypatch):
    mixture.save(path)
    before = path.read_bytes()

    def fail_at_the_second_array(_buffer, array, **_options):
        if array.ndim == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(npy, "write_array", fail_at_the_second_array)
    with pytest.raises(InputError, match=r"^cannot write .*: No space left on device$"):
        mixture.save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_header_that_json_cannot_hold_leaves_the_old_file(path):
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_model(path, kind="test", header={"tol": float("nan")}, arrays={})
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == [path.name]
