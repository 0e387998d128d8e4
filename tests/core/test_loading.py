"""Claims about reading whichever kind of mixture a file holds."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.core import BayesianGaussianMixture, GaussianMixture, load_mixture
from gmmseg.core.serialization import write_model
from gmmseg.errors import ModelFileError


@pytest.mark.parametrize("kind", [GaussianMixture, BayesianGaussianMixture])
def test_a_mixture_comes_back_as_what_it_was(rng, tmp_path, kind):
    mixture = kind(2, random_state=0).fit(rng.normal(size=(50, 2)))
    mixture.save(tmp_path / "m.gmm")
    loaded = load_mixture(tmp_path / "m.gmm")
    assert type(loaded) is kind
    assert_array_equal(loaded.means_, mixture.means_)


def test_a_model_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.gmm"
    write_model(path, kind="tree", header={}, arrays={"a": np.zeros(1)})
    message = (
        r"other\.gmm holds a model of kind 'tree', wanted 'gaussian-mixture' or "
        r"'bayesian-gaussian-mixture'$"
    )
    with pytest.raises(ModelFileError, match=message):
        load_mixture(path)


def test_no_model_file_is_refused(tmp_path):
    (tmp_path / "text.gmm").write_text("no zip")
    with pytest.raises(ModelFileError, match=r"text\.gmm is not a gmmseg model file, or damaged"):
        load_mixture(tmp_path / "text.gmm")
