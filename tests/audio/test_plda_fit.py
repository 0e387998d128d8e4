"""Fitting a PLDA: EM climbs, finds what made the data, and needs few speakers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio.plda import log_likelihood_ratios, project
from gmmseg.audio.plda_fit import fit_plda
from gmmseg.errors import InputError
from tests import naive
from tests.audio.test_plda import ACROSS, WITHIN, spelled_out, voices


def test_many_speakers_give_both_covariances_back(rng):
    X, speakers = voices(rng, n_speakers=20_000, n_each=3)
    mean, within, across = spelled_out(fit_plda(X, speakers))
    assert_allclose(mean, [1.0, -2.0, 3.0], atol=0.05)
    assert_allclose(within, WITHIN, atol=0.05)
    assert_allclose(across, ACROSS, atol=0.1)


def test_within_is_the_identity_and_across_diagonal_and_falling(rng):
    X, speakers = voices(rng, n_speakers=5000)
    plda = fit_plda(X, speakers)
    projected = project(X, plda)
    means = projected.reshape(5000, 4, 3).mean(axis=1)
    within = np.mean((projected.reshape(5000, 4, 3) - means[:, None]) ** 2, axis=(0, 1)) * 4 / 3
    assert_allclose(within, np.ones(3), atol=0.05)
    assert_allclose(np.cov(means.T), np.diag(plda.phi + 0.25), atol=0.5)
    assert (np.diff(plda.phi) < 0.0).all()


def test_likelihood_never_falls(rng):
    X, speakers = voices(rng, n_speakers=30)
    keep = rng.random(len(X)) < 0.6  # so that speakers have different numbers of embeddings
    X, speakers = X[keep], speakers[keep]
    bounds = [
        naive.plda_log_likelihood(
            X, speakers, *spelled_out(fit_plda(X, speakers, n_iter=n, prior_count=0))
        )
        for n in range(12)
    ]
    assert (np.diff(bounds) > -1e-8).all()
    assert bounds[-1] > bounds[0] + 1e-6


def test_order_of_embeddings_and_names_of_speakers_do_not_matter(rng):
    X, speakers = voices(rng, n_speakers=10)
    order = rng.permutation(len(X))
    plda = fit_plda(X, speakers)
    other = fit_plda(X[order], [f"speaker {9 - s}" for s in speakers[order]])
    assert_allclose(plda.phi, other.phi, rtol=1e-8)


def test_the_prior_makes_every_direction_count_alike(rng):
    X, speakers = voices(rng, n_speakers=30)
    phi = fit_plda(X, speakers, prior_count=1e9).phi
    assert_allclose(phi, phi[0], rtol=1e-5)
    free = fit_plda(X, speakers, prior_count=0).phi
    assert free[0] > 10 * free[-1]


def test_few_speakers_in_many_dimensions_still_tell_new_ones_apart(rng):
    n_features, n_speakers = 60, 20
    spread = np.sqrt(np.r_[np.full(10, 3.0), np.full(50, 0.01)])

    def draw(n):
        who = rng.normal(size=(n, n_features)) * spread
        return who[:, None] + rng.normal(size=(n, 12, n_features))

    X = draw(n_speakers)
    plda = fit_plda(X.reshape(-1, n_features), np.arange(n_speakers).repeat(12))
    new = np.array([project(x, plda) for x in draw(50)])
    ratios = log_likelihood_ratios(new[:, 0], new[:, 1], plda)
    others = ratios[~np.eye(50, dtype=bool)]
    assert (np.diag(ratios)[:, None] > others).mean() > 0.9


def test_dimensions_kept_are_those_that_tell_speakers_apart(rng):
    X, speakers = voices(rng)
    whole, best = fit_plda(X, speakers), fit_plda(X, speakers, n_dims=2)
    assert_allclose(best.phi, whole.phi[:2])
    assert_allclose(project(X, best), project(X, whole)[:, :2])


def test_principal_components_leave_out_what_varies_least(rng):
    X, speakers = voices(rng)
    wide = np.c_[X, 1e-3 * rng.normal(size=len(X))]
    plda = fit_plda(wide, speakers, n_components=3)
    assert plda.projection.shape == (4, 3)
    assert np.abs(plda.projection[3]).max() < 0.01 * np.abs(plda.projection[:3]).max()


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda X: X,
        lambda X: np.c_[X, np.full(len(X), 7.0)],
        lambda X: np.c_[X, X],
        lambda X: X + 1e8,
        lambda X: X[np.zeros(len(X), dtype=int) + (np.arange(len(X)) // 4)],
        lambda X: np.tile(X[:2], (len(X) // 2, 1)),
        lambda X: np.hstack([X] * 30)[:, :80],
    ],
    ids=["plain", "constant", "twice", "far", "copies", "two-points", "wide"],
)
def test_nothing_is_raised_and_nothing_is_nan(rng, spoil, scale):
    X, speakers = voices(rng, n_speakers=10)
    X = spoil(X) * scale
    for length_normalize in (False, True):
        plda = fit_plda(X, speakers, length_normalize=length_normalize)
        ratios = log_likelihood_ratios(project(X[:3], plda), project(X, plda), plda)
        assert np.isfinite(ratios).all()


def test_two_speakers_of_three_embeddings_are_enough(rng):
    X, _ = voices(rng, n_speakers=1)
    plda = fit_plda(X[:3], ["a", "a", "b"])
    assert np.isfinite(plda.phi).all()


@pytest.mark.parametrize(
    ("X", "speakers", "message"),
    [
        (np.eye(3), [0, 0, 0], "needs embeddings of at least 2 speakers, got 1"),
        (np.eye(3), [0, 1, 2], "needs several embeddings of a speaker, got one of each; cut"),
        (np.ones((3, 2)), [0, 0, 1], "all embeddings are equal; give embeddings that differ"),
        (np.eye(3), [0, 1], r"speakers must have shape \(3,\) as there are 3 embeddings, got"),
        (np.eye(3) * np.nan, [0, 0, 1], "must be finite, got NaN or infinity first in row 0"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(X, speakers, message):
    with pytest.raises(InputError, match=message):
        fit_plda(X, speakers)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_iter": -1}, "n_iter must be a whole number of at least 0, got -1"),
        ({"n_dims": 0}, "n_dims must be a whole number of at least 1, got 0"),
        ({"n_components": 0}, "n_components must be a whole number of at least 1, got 0"),
        ({"prior_count": -2}, "prior_count must be a number of at least 0, got -2"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        fit_plda(np.eye(3), [0, 0, 1], **options)
