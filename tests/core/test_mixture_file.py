"""What a model file remembers of a mixture besides its numbers: the names of the features."""

import json
import re

import numpy as np
import pytest

from gmmseg.core import GaussianMixture
from gmmseg.core.mixture_file import read_feature_names
from gmmseg.core.serialization import HEADER_NAME
from gmmseg.errors import ModelFileError
from tests.model_files import write_zip


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
