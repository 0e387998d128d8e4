"""Claims about files of detectors: nothing in a spoilt file is believed."""

import re

import numpy as np
import pytest

from gmmseg.anomaly import AnomalyDetector
from gmmseg.anomaly.moment_arrays import checked_scale, prefixed, unprefixed
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError, ModelFileError
from tests.model_files import spoilt_copies


@pytest.fixture
def path(rng, tmp_path):
    file = tmp_path / "normal.gmm"
    AnomalyDetector().fit(rng.normal(size=(40, 3))).save(file)
    return file


def test_a_spoilt_array_is_found(path, tmp_path):
    believed = []
    for copy in spoilt_copies(path, tmp_path):
        try:
            AnomalyDetector.load(copy)
        except ModelFileError:
            continue
        believed.append(copy.name)
    # A list of scores or of outliers is one whatever its length.
    assert sorted(believed) == ["null_scores_cut.gmm", "outliers_cut.gmm"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"false_alarm": 2.0}, "false_alarm must lie between 0 and 1"),
        ({"detector": "Other"}, "it holds a Other, wanted AnomalyDetector"),
        ({"views": []}, "it has no view"),
        ({"views": [{"name": "X", "backends": [["magic", 0.0, 1.0]]}]}, "unknown back-end 'magic'"),
        ({"views": [{"name": "X", "backends": [["gaussian", 0.0, 0.0]]}]}, "the spread above 0"),
        ({"views": [{"name": "X", "backends": []}]}, "back-ends of a view"),
    ],
)
def test_a_spoilt_header_is_found(path, change, message):
    header, arrays = read_model(path, kind="anomaly-detector")
    keep = {key: header[key] for key in ("detector", "false_alarm", "views")}
    write_model(path, kind="anomaly-detector", header=keep | change, arrays=arrays)
    with pytest.raises(ModelFileError, match=message):
        AnomalyDetector.load(path)


@pytest.mark.parametrize(
    ("center", "spread"),
    [(0.0, 0.0), (0.0, np.inf), (np.nan, 1.0), (-np.inf, 1.0), (0.0, np.nan), ("0", 1.0), (0.0, 1)],
)
def test_a_scale_is_finite_numbers(center, spread):
    words = f"a scale must be numbers, the spread above 0, got {center}, {spread}"
    with pytest.raises(InputError, match=f"^{re.escape(words)}$"):
        checked_scale(center, spread)
    assert checked_scale(-3.0, 0.5) == (-3.0, 0.5)


def test_a_scatter_that_is_none_is_found(path):
    header, arrays = read_model(path, kind="anomaly-detector")
    keep = {key: header[key] for key in ("detector", "false_alarm", "views")}
    arrays["0_gaussian_scatter"] = -np.eye(3)
    write_model(path, kind="anomaly-detector", header=keep, arrays=arrays)
    with pytest.raises(ModelFileError, match="the scatter is no covariance"):
        AnomalyDetector.load(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"0_neighbors_kept": np.ones((9, 2))}, "kept must have 3 features, got 2"),
        (
            {"0_neighbors_kept": np.ones(9)},
            "kept must be finite numbers of 2 axes, got (9,)",
        ),
        (
            {"0_mixture_means": np.ones((1, 2)), "0_mixture_covariances": np.ones((1, 2))},
            "the mixture must have 3 features, got 2",
        ),
        (
            {"0_gaussian_shrinkage": np.array([2.0])},
            "shrinkage must be a number from 1e-09 to 1.0, got 2.0",
        ),
    ],
)
def test_arrays_that_are_no_backend_are_refused(path, changes, words):
    header, arrays = read_model(path, kind="anomaly-detector")
    keep = {key: header[key] for key in ("detector", "false_alarm", "views")}
    write_model(path, kind="anomaly-detector", header=keep, arrays=arrays | changes)
    with pytest.raises(ModelFileError, match=f"is damaged: {re.escape(words)}$"):
        AnomalyDetector.load(path)


def test_parts_of_a_file_do_not_mix_up_their_arrays():
    parts = {f"{k}": {"mean": np.full(2, k), "1_mean": np.zeros(k + 1)} for k in range(12)}
    arrays = {}
    for prefix, own in parts.items():
        arrays |= prefixed(prefix, own)
    assert len(arrays) == 24
    for prefix, own in parts.items():
        read = unprefixed(prefix, arrays)
        assert {name: array.tolist() for name, array in read.items()} == {
            name: array.tolist() for name, array in own.items()
        }
