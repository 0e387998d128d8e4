"""Total variability: EM climbs, i-vectors are what Gaussians say they are, and come out normal."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.ivectors import TotalVariability, fit_total_variability, ivectors
from gmmseg.core import MixtureParameters, SufficientStatistics, expectation
from gmmseg.errors import InputError
from tests import naive
from tests.mixtures import random_mixture


def moved_recordings(rng, *, n_recordings=40, n_dims=2, n_frames=(20, 60)):
    """Return the background, the loadings, and statistics of recordings that really move so."""
    background = random_mixture(rng, "diag", n_components=3, n_features=4, spread=6.0)
    loadings = 0.5 * rng.normal(size=(3, 4, n_dims))
    statistics = []
    for _ in range(n_recordings):
        means = background.means + loadings @ rng.normal(size=n_dims)
        labels = rng.choice(3, size=rng.integers(*n_frames), p=background.weights)
        spread = np.sqrt(background.covariances[labels])
        frames = means[labels] + spread * rng.normal(size=spread.shape)
        statistics.append(expectation(frames, background))
    return background, loadings, statistics


def test_posterior_mean_is_that_of_the_joint_gaussian(rng):
    background, loadings, statistics = moved_recordings(rng, n_recordings=5)
    spread = np.sqrt(background.covariances)
    model = TotalVariability(spread, 0.3 * rng.normal(size=spread.shape), loadings)
    expected = [naive.ivector(one, spread, model.shift, loadings)[0] for one in statistics]
    assert_allclose(ivectors(statistics, model), expected, rtol=1e-9)


def test_likelihood_never_falls(rng):
    background, _, statistics = moved_recordings(rng)
    spread = np.sqrt(background.covariances)
    models = [fit_total_variability(statistics, spread, n_iter=n) for n in range(8)]
    gains = [
        sum(naive.ivector(one, spread, model.shift, model.loadings)[1] for one in statistics)
        for model in models
    ]
    assert (np.diff(gains) > -1e-7 * np.abs(gains[0])).all()
    assert gains[-1] > gains[0] + 1.0


def test_ivectors_of_what_was_learned_from_are_centred(rng):
    background, _, statistics = moved_recordings(rng, n_frames=(500, 600))
    spread = np.sqrt(background.covariances)
    vectors = ivectors(statistics, fit_total_variability(statistics, spread, n_dims=2, n_iter=20))
    assert_allclose(vectors.mean(axis=0), 0.0, atol=0.02)
    assert_allclose(np.cov(vectors.T), np.eye(2), atol=0.1)


def test_directions_that_made_the_data_are_found(rng):
    background, loadings, statistics = moved_recordings(rng, n_recordings=300, n_frames=(300, 400))
    spread = np.sqrt(background.covariances)
    model = fit_total_variability(statistics, spread, n_dims=2, n_iter=20)
    found, true = model.loadings.reshape(-1, 2), loadings.reshape(-1, 2)
    assert_allclose(found @ found.T, true @ true.T, atol=0.25)


def test_no_frames_give_the_origin_and_endless_frames_the_truth():
    one = MixtureParameters([1.0], [[0.0, 0.0]], [[1.0, 4.0]], covariance_type="diag")
    model = TotalVariability([[1.0, 2.0]], np.zeros((1, 2)), np.array([[[1.0], [3.0]]]))
    nothing = SufficientStatistics.zero(one)
    many = expectation([[2.0, 6.0]], one).scale(1e9)  # 2 steps along (1, 3)
    assert_allclose(ivectors([nothing, many], model), [[0.0], [2.0]], atol=1e-6)


def test_units_of_the_features_do_not_matter(rng):
    background, _, statistics = moved_recordings(rng)
    spread = np.sqrt(background.covariances)
    units = np.array([1e-6, 1.0, 1e3, 1e9])
    scaled = [
        SufficientStatistics(
            one.means * units, one.resp_sum, one.dev_sum * units, one.dev2_sum, one.log_likelihood
        )
        for one in statistics
    ]
    vectors = [
        ivectors(data, fit_total_variability(data, width, n_dims=2))
        for data, width in ((statistics, spread), (scaled, spread * units))
    ]
    assert_allclose(vectors[0], vectors[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("n_recordings", [1, 2])
def test_few_recordings_and_unused_components_give_no_nan(rng, n_recordings):
    background, _, statistics = moved_recordings(rng, n_recordings=n_recordings)
    counts = np.array([0.0, 1.0, 1.0])
    statistics = [
        SufficientStatistics(
            one.means, one.resp_sum * counts, one.dev_sum * counts[:, None], one.dev2_sum, 0.0
        )
        for one in statistics
    ]
    model = fit_total_variability(statistics, np.sqrt(background.covariances), n_dims=5)
    assert model.n_dims == n_recordings
    assert np.isfinite(model.loadings).all()
    assert np.isfinite(ivectors(statistics, model)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], [[0.0]], [[1.0]]), "spread, shift and loadings do not fit together"),
        (([[0.0]], [[0.0]], [[[1.0]]]), "spread must be above 0, got 0.0"),
        (([[1.0]], [[np.nan]], [[[1.0]]]), "shift must be finite, got NaN or infinity"),
    ],
)
def test_arrays_that_are_no_model_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        TotalVariability(*arguments)


def test_statistics_of_another_mixture_are_refused(rng):
    background, _, statistics = moved_recordings(rng, n_recordings=2)
    with pytest.raises(InputError, match="must be of 1 components and 2 features, got shapes"):
        fit_total_variability(statistics, np.ones((1, 2)))
    with pytest.raises(InputError, match="at least one recording are needed, got none"):
        fit_total_variability([], np.sqrt(background.covariances))
    with pytest.raises(InputError, match="n_dims must be a whole number of at least 1, got 0"):
        fit_total_variability(statistics, np.sqrt(background.covariances), n_dims=0)
