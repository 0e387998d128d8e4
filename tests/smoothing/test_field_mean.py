import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.field_mean import free_energy, mean_field
from gmmseg.smoothing.grid import contrast_field
from tests import naive

SHAPES = [(5, 7), (1, 9), (6, 1), (3, 4, 5), (2, 3, 3)]


def random_problem(rng, shape, *, n_labels=3, connectivity=1, inside=None):
    """Return evidence in float32 and a field of random weights on a grid."""
    field = contrast_field(rng.normal(size=(*shape, 2)), connectivity=connectivity, inside=inside)
    log_joint = rng.normal(scale=2.0, size=(n_labels, *shape)).astype(np.float32)
    return log_joint, field


def posterior(log_joint):
    """Return the probabilities where every cell stands alone."""
    resp = np.exp(log_joint.astype(np.float64))
    return resp / resp.sum(axis=0)


def colour_of(cell, connectivity):
    """Return the turn of a cell: of two along axes, of eight where steps are along several."""
    plane, row, col = cell
    if connectivity == 1:
        return (plane + row + col) % 2
    return 4 * (plane % 2) + 2 * (row % 2) + col % 2


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("connectivity", [1, 2])
def test_sweep_agrees_with_its_naive_twin(rng, shape, connectivity):
    log_joint, field = random_problem(rng, shape, connectivity=connectivity)
    volume = log_joint.reshape(3, *field.shape)
    pairs = naive.neighbours(field.offsets, field.weights)
    q = posterior(volume)
    for cell in sorted(np.ndindex(field.shape), key=lambda cell: colour_of(cell, connectivity)):
        q[:, *cell] = naive.mean_field_of_cell(volume, pairs, 0.7, q, cell)
    found = mean_field(log_joint, field, coupling=0.7, n_sweeps=1)
    assert_allclose(found.reshape(volume.shape), q, atol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_free_energy_agrees_with_its_naive_twin(rng, shape):
    log_joint, field = random_problem(rng, shape)
    q = mean_field(log_joint, field, coupling=0.7, n_sweeps=2)
    pairs = naive.neighbours(field.offsets, field.weights)
    volumes = (array.reshape(3, *field.shape) for array in (log_joint, q))
    evidence, probabilities = volumes
    wanted = naive.free_energy(evidence, pairs, 0.7, probabilities)
    assert_allclose(free_energy(log_joint, q, field, coupling=0.7), wanted, rtol=1e-6)


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("shape", [(30, 41), (7, 12, 9)])
def test_no_sweep_raises_the_free_energy(rng, shape, connectivity):
    log_joint, field = random_problem(rng, shape, connectivity=connectivity)
    found = [mean_field(log_joint, field, coupling=2.0, n_sweeps=n) for n in range(8)]
    energies = np.array([free_energy(log_joint, q, field, coupling=2.0) for q in found])
    assert (np.diff(energies) <= 1e-6 * np.abs(energies[0])).all()
    assert energies[-1] < energies[0] - 1.0


def test_without_coupling_it_is_the_posterior(rng):
    log_joint, field = random_problem(rng, (20, 30), n_labels=4)
    assert_allclose(mean_field(log_joint, field, coupling=0.0), posterior(log_joint), atol=1e-6)


@pytest.mark.parametrize("shape", [(600, 5), (601, 7), (3, 1100), (40, 5, 6)])
def test_probabilities_sum_to_one_on_lines_of_any_length(rng, shape):
    log_joint, field = random_problem(rng, shape)
    assert_allclose(mean_field(log_joint, field, coupling=1.0).sum(axis=0), 1.0, atol=1e-6)


def test_number_of_threads_does_not_matter(rng):
    log_joint, field = random_problem(rng, (90, 70))
    one, many = (mean_field(log_joint, field, coupling=1.0, n_jobs=n) for n in (1, 4))
    assert_array_equal(one, many)


@pytest.mark.parametrize("shape", [(41, 64), (64, 41), (50, 50)])
def test_transposed_grid_gives_the_transposed_field_to_the_last_bit(rng, shape):
    features = rng.normal(size=(*shape, 1))
    log_joint = rng.normal(size=(5, *shape)).astype(np.float32)
    field = contrast_field(features)
    turned = contrast_field(np.swapaxes(features, 0, 1))
    found = mean_field(log_joint, field, coupling=1.0)
    assert_array_equal(
        mean_field(np.swapaxes(log_joint, 1, 2), turned, coupling=1.0), np.swapaxes(found, 1, 2)
    )


def test_volume_of_one_plane_is_a_plane(rng):
    log_joint, field = random_problem(rng, (20, 30))
    plane = mean_field(log_joint, field, coupling=1.0)
    volume = mean_field(log_joint[:, np.newaxis], field, coupling=1.0)
    assert_array_equal(volume[:, 0], plane)


def test_what_is_masked_out_does_not_matter(rng):
    inside = rng.random((20, 30)) < 0.7
    log_joint, field = random_problem(rng, (20, 30), inside=inside)
    other = np.where(inside, log_joint, rng.normal(size=log_joint.shape).astype(np.float32))
    found, same = (mean_field(evidence, field, coupling=1.0) for evidence in (log_joint, other))
    assert_array_equal(found[:, inside], same[:, inside])


def test_lonely_cell_follows_its_neighbours_and_a_sure_one_does_not():
    field = contrast_field(np.zeros((9, 9, 1)))
    log_joint = np.zeros((2, 9, 9), dtype=np.float32)
    log_joint[0] = 1.0
    log_joint[:, 4, 4] = 0.0, 1.5
    log_joint[:, 2, 2] = 0.0, 20.0
    labels = mean_field(log_joint, field, coupling=1.0).argmax(axis=0)
    assert labels[4, 4] == 0
    assert labels[2, 2] == 1


def test_label_that_is_impossible_stays_impossible(rng):
    log_joint, field = random_problem(rng, (8, 9))
    log_joint[1] = -np.inf
    log_joint[:, 3, 3] = -np.inf
    q = mean_field(log_joint, field, coupling=5.0)
    assert np.isfinite(q).all()
    assert (q[1] == 0).all()
    assert (q[:, 3, 3] == 0).all()


def test_field_goes_on_from_where_it_was(rng):
    log_joint, field = random_problem(rng, (30, 30))
    half = mean_field(log_joint, field, coupling=1.0, n_sweeps=2)
    whole = mean_field(log_joint, field, coupling=1.0, n_sweeps=4)
    before = half.copy()
    assert_array_equal(mean_field(log_joint, field, coupling=1.0, n_sweeps=2, start=half), whole)
    assert_array_equal(half, before)


def test_rounds_end_with_the_first_in_which_at_most_a_thousandth_of_the_cells_change(rng):
    log_joint, field = random_problem(rng, (60, 70))
    q = mean_field(log_joint, field, coupling=1.0, n_sweeps=0)
    shares = [1.0]
    while shares[-1] > 1e-3:
        before, q = q, mean_field(log_joint, field, coupling=1.0, n_sweeps=1, start=q)
        shares.append(np.mean(np.abs(q - before).max(axis=0) > 0.02))
    assert shares[-1] > 0
    assert 2 < len(shares) < 50
    assert_array_equal(mean_field(log_joint, field, coupling=1.0, n_sweeps=50), q)
    further = mean_field(log_joint, field, coupling=1.0, n_sweeps=50, stops_early=False)
    assert (further != q).any()


def test_lists_and_read_only_tables_are_taken(rng):
    log_joint, field = random_problem(rng, (4, 5))
    q = mean_field(log_joint, field, coupling=1.0)
    energy = free_energy(log_joint, q, field, coupling=1.0)
    assert_array_equal(mean_field(log_joint.tolist(), field, coupling=1.0), q)
    assert free_energy(log_joint.tolist(), q.tolist(), field, coupling=1.0) == energy
    q.setflags(write=False)
    log_joint.setflags(write=False)
    mean_field(log_joint, field, coupling=1.0, start=q)
    assert free_energy(log_joint, q, field, coupling=1.0) == energy


@pytest.mark.parametrize("shape", [(2, 1, 3), (2, 3, 1)])
def test_diagonal_neighbours_on_one_row_or_column_are_none(rng, shape):
    log_joint, field = random_problem(rng, shape, connectivity=3)
    pairs = naive.neighbours(field.offsets, field.weights)
    q = mean_field(log_joint, field, coupling=0.7)
    assert_allclose(
        free_energy(log_joint, q, field, coupling=0.7),
        naive.free_energy(log_joint, pairs, 0.7, q),
        rtol=1e-6,
    )


FIT = "with the (1, 4, 5) cells of the field, got"


@pytest.mark.parametrize(
    ("log_joint", "message"),
    [
        (np.zeros((3, 5, 4)), f"log_joint must have shape (n_labels, ...) {FIT} (3, 5, 4)"),
        (np.zeros((0, 4, 5)), f"log_joint must have shape (n_labels, ...) {FIT} (0, 4, 5)"),
        (np.zeros(20), f"log_joint must have shape (n_labels, ...) {FIT} (20,)"),
        (
            np.where(np.eye(4, 5) > 0, np.nan, np.zeros((2, 1, 1))),
            (
                "log_joint has NaN or +inf in 4 of 20 cells; give 0 for all labels where "
                "nothing is known"
            ),
        ),
        (
            np.full((2, 4, 5), np.inf),
            (
                "log_joint has NaN or +inf in 20 of 20 cells; give 0 for all labels where "
                "nothing is known"
            ),
        ),
        (
            "sure",
            (
                "log_joint must be an array of numbers, got something else: could not convert "
                "string to float: 'sure'"
            ),
        ),
    ],
)
def test_evidence_that_cannot_be_used_is_named(log_joint, message):
    field = contrast_field(np.zeros((4, 5, 1)))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        mean_field(log_joint, field, coupling=1.0)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        free_energy(log_joint, np.ones((1, 4, 5)), field, coupling=1.0)


@pytest.mark.parametrize(
    ("q", "message"),
    [
        (np.zeros((2, 5, 4)), f"start must have shape (n_labels, ...) {FIT} (2, 5, 4)"),
        (np.zeros((3, 4, 5)), "start must have the shape (2, 4, 5) of log_joint, got (3, 4, 5)"),
        (np.full((2, 4, 5), 2.0), "start must be probabilities from 0 to 1, got 2.0 to 2.0"),
        (np.full((2, 4, 5), np.nan), "start must be probabilities from 0 to 1, got nan to nan"),
    ],
)
def test_what_are_no_probabilities_is_named(q, message):
    field, log_joint = contrast_field(np.zeros((4, 5, 1))), np.zeros((2, 4, 5))
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        mean_field(log_joint, field, coupling=1.0, start=q)
    with pytest.raises(InputError, match=f"^{re.escape(message.replace('start', 'q'))}$"):
        free_energy(log_joint, q, field, coupling=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"coupling": -1.0}, "coupling must be a number of at least 0, got -1.0"),
        (
            {"coupling": 1.0, "n_sweeps": 0.5},
            "n_sweeps must be a whole number of at least 0, got 0.5",
        ),
    ],
)
def test_option_that_cannot_be_used_is_named(rng, options, message):
    log_joint, field = random_problem(rng, (4, 5))
    with pytest.raises(InputError, match=message):
        mean_field(log_joint, field, **options)


def test_free_energy_of_neighbours_that_repel_is_refused():
    with pytest.raises(InputError, match=r"^coupling must be a number of at least 0, got -1\.0$"):
        free_energy(np.zeros((1, 1, 1)), [[[1]]], contrast_field([[[0.0]]]), coupling=-1.0)
