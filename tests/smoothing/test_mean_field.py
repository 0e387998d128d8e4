import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.errors import InputError
from gmmseg.smoothing.grid import contrast_field
from gmmseg.smoothing.mean_field import free_energy, mean_field
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
    assert_array_equal(
        mean_field(log_joint, field, coupling=1.0, n_sweeps=2, start=half.copy()), whole
    )


def test_evidence_that_does_not_fit_the_field_is_named(rng):
    log_joint, field = random_problem(rng, (4, 5))
    message = (
        r"log_joint must have shape \(n_labels, ...\) with the \(1, 4, 5\) cells of the field, "
        r"got \(3, 5, 4\)"
    )
    with pytest.raises(InputError, match=message):
        mean_field(np.swapaxes(log_joint, 1, 2), field, coupling=1.0)


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
