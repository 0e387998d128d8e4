"""Claims against scikit-learn: from the same start, step for step."""

import warnings

import numpy as np
import pytest
import sklearn.mixture
from numpy.testing import assert_allclose

from gmmseg.core import GaussianMixture
from tests.mixtures import SKLEARN_TYPES, draw, random_mixture


@pytest.mark.parametrize("n_features", [1, 2])
@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("covariance_type", SKLEARN_TYPES)
def test_twenty_iterations_end_where_those_of_scikit_learn_do(
    rng, covariance_type, is_weighted, n_features
):
    truth = random_mixture(rng, "full", n_features=n_features, spread=3.0)
    X, start = draw(rng, truth, 400), random_mixture(rng, covariance_type, n_features=n_features)
    times = rng.integers(0, 4, size=400) if is_weighted else np.ones(400, dtype=int)
    same = {
        "n_components": 3,
        "covariance_type": covariance_type,
        "tol": 0.0,
        "max_iter": 20,
        "weights_init": start.weights,
        "means_init": start.means,
        "precisions_init": start.precisions,
    }
    ours = GaussianMixture(**same, covariance_floor=0.0, accelerate=False)
    ours.fit(X, sample_weight=times if is_weighted else None)
    repeated = X.repeat(times, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        theirs = sklearn.mixture.GaussianMixture(**same, reg_covar=0.0).fit(repeated)
    assert ours.n_iter_ == theirs.n_iter_ == 20
    assert ours.score(repeated) == pytest.approx(theirs.score(repeated), rel=1e-6)
    assert ours.lower_bound_ == pytest.approx(theirs.lower_bound_, rel=1e-6)
    assert_allclose(ours.means_, theirs.means_, rtol=1e-6, atol=1e-6)
    assert_allclose(ours.weights_, theirs.weights_, atol=1e-6)
    assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-6, atol=1e-6)
