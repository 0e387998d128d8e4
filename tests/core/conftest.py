"""A small mixture and its model file, for the tests that read, write and spoil such files."""

import zipfile

import numpy as np
import pytest

from gmmseg.core import GaussianMixture


@pytest.fixture
def mixture(rng):
    """A fitted mixture of two narrow components."""
    X = np.repeat([[0.0, 1.0], [3.0, 3.5]], 5, axis=0) + 1e-3 * rng.normal(size=(10, 2))
    return GaussianMixture(2, random_state=0).fit(X)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.gmm"


@pytest.fixture
def members(mixture, path):
    """The names and bytes of a good model file; tests spoil one of them."""
    mixture.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
