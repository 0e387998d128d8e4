import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core.parameters import MixtureParameters
from gmmseg.errors import InputError
from gmmseg.smoothing.coupling import estimate_coupling
from gmmseg.smoothing.field_em import field_evidence, fit_field
from gmmseg.smoothing.field_mean import mean_field
from gmmseg.smoothing.grid import contrast_field
from gmmseg.smoothing.prior_maps import log_prior_maps

TRUE_MEANS = np.array([[0.0], [1.0]])


def discs(rng, shape=(60, 70), noise=0.6):
    """Return the labels of a disc on a ground, and a noisy picture of it."""
    middle = [(length - 1) / 2 for length in shape]
    square = sum(
        (np.arange(length).reshape(-1, *[1] * (len(shape) - 1 - axis)) - middle[axis]) ** 2
        for axis, length in enumerate(shape)
    )
    labels = (square < (0.35 * min(shape)) ** 2).astype(int)
    picture = TRUE_MEANS[labels, 0] + noise * rng.normal(size=shape)
    return labels, picture.astype(np.float32)


def start(means=((0.1,), (0.8,)), variance=0.3):
    return MixtureParameters([0.5, 0.5], means, [[variance], [variance]], covariance_type="diag")


def plain_field(shape, inside=None):
    return contrast_field(np.zeros((*shape, 1)), inside=inside)


def fitted(picture, *, inside=None, coupling="auto", **options):
    inside = np.ones(picture.shape, dtype=bool) if inside is None else inside
    field = plain_field(picture.shape, inside)
    return fit_field(picture[inside][:, None], inside, field, start(), coupling=coupling, **options)


@pytest.mark.parametrize("shape", [(60, 70), (20, 22, 24)])
def test_neighbours_make_most_errors_good(rng, shape):
    labels, picture = discs(rng, shape)
    alone = fitted(picture, coupling=0.0).q.argmax(axis=0)
    together = fitted(picture, coupling=1.0).q.argmax(axis=0)
    errors = [np.mean(found != labels) for found in (alone, together)]
    assert errors[0] > 0.15
    assert errors[1] < 0.25 * errors[0]


def test_small_label_does_not_starve(rng):
    labels = np.zeros((60, 70), dtype=int)
    labels[25:32, 30:37] = 1
    picture = (labels + 0.4 * rng.normal(size=labels.shape)).astype(np.float32)
    found = fitted(picture, coupling=1.0, n_rounds=30)
    assert np.mean(found.q.argmax(axis=0)[labels == 1]) > 0.9
    assert_array_equal(found.parameters.weights, start().weights)


def test_means_come_nearer_to_the_truth_than_the_labels_alone_would_bring_them(rng):
    _, picture = discs(rng)
    assert_allclose(fitted(picture, coupling=1.0).parameters.means, TRUE_MEANS, atol=0.05)


@pytest.mark.parametrize("coupling", [0.0, 0.5, 2.0, "auto"])
def test_no_round_raises_the_free_energy(rng, coupling):
    _, picture = discs(rng)
    energies = fitted(picture, coupling=coupling, n_rounds=20).free_energies
    assert len(energies) > 2
    assert max(np.diff(energies)) <= 1e-6


def test_estimated_coupling_is_small_where_neighbours_tell_nothing(rng):
    _, picture = discs(rng)
    order = rng.permutation(picture.size)
    shuffled = picture.ravel()[order].reshape(picture.shape)
    assert fitted(shuffled).coupling < 0.1
    assert fitted(picture).coupling > 0.3


def test_coupling_is_what_the_shares_of_the_labels_do_not_explain(rng):
    _, picture = discs(rng)
    X, inside, field = (
        picture.reshape(-1, 1),
        np.ones(picture.shape, bool),
        plain_field(picture.shape),
    )
    rare = start().replaced(weights=np.array([0.95, 0.05]))
    alone = mean_field(field_evidence(X, inside, rare), field, coupling=0.0)
    found = fit_field(X, inside, field, rare, coupling="auto", n_rounds=1).coupling
    assert found == estimate_coupling(alone, field, weights=[0.95, 0.05])
    assert found != estimate_coupling(alone, field)


def test_rounds_end_when_the_free_energy_stands_still(rng):
    _, picture = discs(rng)
    energies = fitted(picture, coupling=1.0, n_rounds=1000).free_energies
    assert len(energies) < 1000
    assert abs(energies[-1] - energies[-2]) < 1e-4
    assert (np.abs(np.diff(energies[:-1])) >= 1e-4).all()


def test_probabilities_are_those_of_the_mixture_that_was_learned(rng):
    _, picture = discs(rng)
    fit = fitted(picture, coupling=1.0, n_rounds=1)
    evidence = field_evidence(picture.reshape(-1, 1), np.ones(picture.shape, bool), fit.parameters)
    again = mean_field(evidence, plain_field(picture.shape), coupling=1.0, n_sweeps=1, start=fit.q)
    assert np.mean(np.abs(again - fit.q).max(axis=0) > 0.02) < 2e-3


def test_label_without_noise_keeps_a_millionth_of_the_variance(rng):
    labels, _ = discs(rng)
    fit = fitted(labels.astype(np.float32), coupling=1.0)
    assert_allclose(fit.parameters.covariances, 1e-6 * labels.var(), rtol=1e-3)


def test_cells_outside_do_not_matter(rng):
    _, picture = discs(rng)
    inside = rng.random(picture.shape) < 0.8
    other = np.where(inside, picture, 1e6).astype(np.float32)
    found, same = (fitted(each, inside=inside) for each in (picture, other))
    assert_array_equal(found.q[:, inside], same.q[:, inside])
    assert_array_equal(found.parameters.means, same.parameters.means)


def test_evidence_lies_in_the_places_of_its_cells(rng):
    _, picture = discs(rng)
    inside = rng.random(picture.shape) < 0.8
    evidence = field_evidence(picture[inside][:, None], inside, start())
    everywhere = field_evidence(picture.reshape(-1, 1), np.ones_like(inside), start())
    assert_array_equal(evidence[:, inside], everywhere[:, inside])
    assert (evidence[:, ~inside] == 0).all()


def test_prior_decides_where_cells_look_alike(rng):
    labels, picture = discs(rng, noise=3.0)
    maps = np.where(np.arange(2)[:, None, None] == labels, 0.9, 0.1)
    found = fitted(picture, coupling=0.5, log_prior=log_prior_maps(maps))
    assert np.mean(found.q.argmax(axis=0) == labels) > 0.95


def test_prior_of_another_shape_is_named(rng):
    _, picture = discs(rng, (6, 7))
    message = r"log_prior must have shape \(2, 6, 7\), \(n_labels, ...\), got \(6, 7, 2\)"
    with pytest.raises(InputError, match=message):
        fitted(picture, log_prior=np.zeros((6, 7, 2), np.float32))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": np.zeros((6, 2))}, "X must have 1 features as the mixture has, got 2"),
        (
            {"X": np.where(np.arange(6) == 4, np.nan, 0.0)[:, None]},
            (
                "X must be numbers that float32 holds, got NaN or larger ones in 1 of 6 rows, "
                "first in row 4; leave such cells out of inside"
            ),
        ),
        (
            {"X": np.full((6, 1), 1e39)},
            (
                "X must be numbers that float32 holds, got NaN or larger ones in 6 of 6 rows, "
                "first in row 0; leave such cells out of inside"
            ),
        ),
        (
            {"inside": np.ones((3, 2), bool)},
            "inside must have the (1, 2, 3) cells of the field, got (3, 2)",
        ),
        (
            {"X": np.zeros((5, 1)), "inside": [[True, True, False], [True, True, True]]},
            "field must not couple cells that are not inside; make it with the same inside",
        ),
        ({"coupling": -1.0}, "coupling must be a number of at least 0, got -1.0"),
        ({"coupling": "much"}, "coupling must be a number of at least 0, got 'much'"),
        ({"n_rounds": 0}, "n_rounds must be a whole number of at least 1, got 0"),
    ],
)
def test_what_cannot_be_used_is_named(changes, message):
    given = {"X": np.zeros((6, 1)), "inside": np.ones((2, 3), bool), "coupling": 1.0} | changes
    X, inside = given.pop("X"), given.pop("inside")
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fit_field(X, inside, plain_field((2, 3)), start(), **given)


def test_cells_of_a_line_are_given_as_a_grid():
    message = "inside must have the (1, 1, 3) cells of the field, got (3,)"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        fit_field(np.zeros((3, 1)), np.ones(3, bool), plain_field((1, 3)), start(), coupling=1.0)


def test_lists_and_float64_are_taken(rng):
    _, picture = discs(rng, (6, 7))
    inside, field = np.ones((6, 7), bool), plain_field((6, 7))
    found, same = (
        fit_field(X, where, field, start(), coupling=1.0)
        for X, where in [
            (picture.reshape(-1, 1), inside),
            (picture.reshape(-1, 1).tolist(), inside.tolist()),
        ]
    )
    assert found.q.dtype == np.float32
    assert_array_equal(found.q, same.q)


def test_missing_rows_are_named(rng):
    _, picture = discs(rng, (6, 7))
    with pytest.raises(
        InputError, match="X must have a row for each of the 42 cells inside, got 6"
    ):
        fit_field(picture[:, :1], np.ones((6, 7), bool), plain_field((6, 7)), start(), coupling=1.0)
