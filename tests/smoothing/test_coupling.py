import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.errors import InputError
from gmmseg.smoothing.coupling import MOST_COUPLING, estimate_coupling
from gmmseg.smoothing.grid import contrast_field
from tests import naive


def potts_sample(rng, shape, n_labels, coupling, log_weights=0.0, n_sweeps=50):
    """Return labels drawn from a Potts prior in a plane, by Gibbs sampling of a chequerboard."""
    one_hot = np.eye(n_labels)
    labels = rng.integers(0, n_labels, shape)
    colour = np.indices(shape).sum(axis=0) % 2
    for turn in range(2 * n_sweeps):
        padded = np.pad(one_hot[labels], ((1, 1), (1, 1), (0, 0)))
        around = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2]
        prior = np.exp(coupling * around + log_weights)
        cumulated = np.cumsum(prior / prior.sum(axis=2, keepdims=True), axis=2)
        drawn = (rng.random((*shape, 1)) > cumulated).sum(axis=2).clip(max=n_labels - 1)
        labels = np.where(colour == turn % 2, drawn, labels)
    return labels


def sure(labels, n_labels):
    """Return probabilities of 0 and 1, (n_labels, rows, cols)."""
    return (labels == np.arange(n_labels)[:, None, None]).astype(np.float32)


@pytest.mark.parametrize(("n_labels", "coupling"), [(2, 0.3), (2, 0.6), (3, 0.5), (3, 0.9)])
def test_coupling_of_a_drawn_field_is_found(rng, n_labels, coupling):
    q = sure(potts_sample(rng, (120, 110), n_labels, coupling), n_labels)
    found = estimate_coupling(q, contrast_field(np.zeros((120, 110, 1))))
    assert_allclose(found, coupling, atol=0.05)


def test_what_the_shares_explain_is_not_coupling(rng):
    log_weights = np.log([0.8, 0.2])
    q = sure(potts_sample(rng, (120, 110), 2, 0.0, log_weights), 2)
    field = contrast_field(np.zeros((120, 110, 1)))
    assert estimate_coupling(q, field, weights=[0.8, 0.2]) < 0.05
    assert estimate_coupling(q, field) > 0.3


def test_estimate_is_where_the_naive_pseudo_likelihood_is_largest(rng):
    field = contrast_field(rng.normal(size=(2, 5, 6, 1)))
    q = rng.dirichlet([0.2, 0.3, 0.4], size=(2, 5, 6)).astype(np.float32)
    q[:, :, :4] = q[:, :, :1]  # alike along rows, so that there is some coupling
    q = np.moveaxis(q, 3, 0).copy()
    pairs = naive.neighbours(field.offsets, field.weights)
    found = estimate_coupling(q, field, weights=[0.5, 0.3, 0.2])
    assert 0.05 < found < MOST_COUPLING - 0.05
    best, less, more = (
        naive.pseudo_likelihood(q, pairs, coupling, np.log([0.5, 0.3, 0.2]))
        for coupling in (found, found - 0.02, found + 0.02)
    )
    assert best > less
    assert best > more


def test_uniform_labels_are_coupled_as_much_as_can_be():
    q = sure(np.zeros((20, 20), dtype=int), 2)
    assert estimate_coupling(q, contrast_field(np.zeros((20, 20, 1)))) == MOST_COUPLING


def test_what_is_uncoupled_by_the_grid_is_uncoupled():
    stripes = np.repeat([[0, 1, 0, 1]], 4, axis=0)
    assert estimate_coupling(sure(stripes, 2), contrast_field(np.zeros((4, 4, 1)))) == 0.0


@pytest.mark.parametrize(
    ("q", "weights", "message"),
    [
        (
            np.zeros((2, 3)),
            None,
            "q must have shape (n_labels, ...) with the (1, 2, 3) cells of the field, got (2, 3)",
        ),
        (np.full((2, 2, 3), -1.0), None, "q must be probabilities from 0 to 1, got -1.0 to -1.0"),
        (
            np.full((2, 2, 3), 0.5),
            [1.0],
            "weights must be 2 finite numbers of at least 0, one for each label, got [1.0]",
        ),
        (
            np.full((2, 2, 3), 0.5),
            [2.0, -1.0],
            "weights must be 2 finite numbers of at least 0, one for each label, got [2.0, -1.0]",
        ),
    ],
)
def test_what_cannot_be_used_is_named(q, weights, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        estimate_coupling(q, contrast_field(np.zeros((2, 3, 1))), weights=weights)


def test_large_grid_is_judged_by_some_of_its_cells(rng, monkeypatch):
    q = sure(potts_sample(rng, (120, 110), 2, 0.5), 2)
    field = contrast_field(np.zeros((120, 110, 1)))
    whole = estimate_coupling(q, field)
    monkeypatch.setattr("gmmseg.smoothing.coupling.MOST_CELLS", 3000)
    some = estimate_coupling(q, field)
    assert some != whole
    assert_allclose(some, whole, atol=0.1)
