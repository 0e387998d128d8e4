"""The ratios of a PLDA: they follow from two Gaussians, and from nothing else."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.plda import PLDA, log_likelihood_ratios, project, to_one_length
from gmmseg.audio.plda_fit import fit_plda
from gmmseg.errors import InputError
from tests import naive

WITHIN = np.array([[1.0, 0.3, 0.0], [0.3, 0.5, 0.1], [0.0, 0.1, 2.0]])
ACROSS = np.array([[4.0, -1.0, 0.5], [-1.0, 1.0, 0.0], [0.5, 0.0, 0.2]])


def voices(rng, *, n_speakers=200, n_each=4, mean=(1.0, -2.0, 3.0)):
    """Return embeddings of speakers whose two covariances are known, and who speaks."""
    speakers = np.arange(n_speakers).repeat(n_each)
    who = rng.multivariate_normal(mean, ACROSS, size=n_speakers)
    return who[speakers] + rng.multivariate_normal(
        np.zeros(3), WITHIN, size=len(speakers)
    ), speakers


def spelled_out(plda):
    """Return mean, within and across in the space of the embeddings, of a PLDA that kept all."""
    back = np.linalg.inv(plda.projection @ plda.transform)
    mean = plda.center + plda.mean @ np.linalg.inv(plda.projection)
    return mean, back.T @ back, back.T @ np.diag(plda.phi) @ back


def sets_of(rng, X, sizes):
    return [X[rng.choice(len(X), size, replace=False)] for size in sizes]


def ratios_of_sets(enrolled, tested, plda):
    """Return ratios for lists of sets of embeddings."""
    means = [np.array([project(x, plda).mean(axis=0) for x in sets]) for sets in (enrolled, tested)]
    counts = [[len(x) for x in sets] for sets in (enrolled, tested)]
    return log_likelihood_ratios(*means, plda, n_enrolled=counts[0], n_tested=counts[1])


def test_ratio_is_that_of_the_two_joint_gaussians(rng):
    X, speakers = voices(rng)
    plda = fit_plda(X, speakers)
    enrolled, tested = sets_of(rng, X, [1, 2, 5]), sets_of(rng, X, [1, 3])
    expected = [
        [naive.plda_ratio(one, other, *spelled_out(plda)) for other in tested] for one in enrolled
    ]
    assert_allclose(ratios_of_sets(enrolled, tested, plda), expected, rtol=1e-8, atol=1e-8)


def test_ratio_does_not_depend_on_who_was_enrolled(rng):
    X, speakers = voices(rng)
    plda = fit_plda(X, speakers)
    one, other = sets_of(rng, X, [1, 2, 5]), sets_of(rng, X, [4, 1])
    there = ratios_of_sets(one, other, plda)
    assert_allclose(there, ratios_of_sets(other, one, plda).T, rtol=1e-10, atol=1e-12)
    assert there.std() > 0.1


@pytest.mark.parametrize("length_normalize", [False, True])
def test_shift_and_linear_map_of_all_embeddings_change_no_ratio(rng, length_normalize):
    X, speakers = voices(rng)
    moved = X @ rng.normal(size=(3, 3)) + [10.0, 0.0, -70.0]
    plda = fit_plda(X, speakers, length_normalize=length_normalize)
    other = fit_plda(moved, speakers, length_normalize=length_normalize)
    ratios = [
        log_likelihood_ratios(project(x[:9], model), project(x[9:30], model), model)
        for x, model in ((X, plda), (moved, other))
    ]
    assert_allclose(ratios[0], ratios[1], rtol=1e-6, atol=1e-6)
    assert_allclose(plda.phi, other.phi, rtol=1e-6)


def test_evidence_speaks_for_the_truth_on_average(rng):
    X, speakers = voices(rng)
    plda = fit_plda(X, speakers)
    new, who = voices(rng)
    ratios = log_likelihood_ratios(project(new, plda), project(new, plda), plda)
    is_same = who[:, None] == who
    is_other = ~np.eye(len(who), dtype=bool)
    assert ratios[is_same & is_other].mean() > 0.5
    assert ratios[~is_same].mean() < -0.5
    # Averages of likelihood ratios under the alternative are 1, whatever the model.
    assert_allclose(np.exp(ratios[~is_same]).mean(), 1.0, atol=0.15)


def test_speakers_that_do_not_differ_give_no_evidence(rng):
    plda = PLDA(np.zeros(2), np.eye(2), np.zeros(2), np.eye(2), np.zeros(2))
    X = rng.normal(size=(5, 2))
    assert_array_equal(log_likelihood_ratios(X, X, plda, n_enrolled=7.0), np.zeros((5, 5)))


def test_more_enrolment_goes_to_the_ratio_of_a_known_voice():
    plda = PLDA(np.zeros(1), np.eye(1), np.zeros(1), np.eye(1), np.array([4.0]))
    # The voice is known to be 2: N(x; 2, 1) against N(x; 0, 5).
    x = np.array([[2.5]])
    expected = 0.5 * (np.log(5.0) + 2.5**2 / 5.0 - 0.5**2)
    assert_allclose(
        log_likelihood_ratios([[2.0]], x, plda, n_enrolled=1e9), [[expected]], rtol=1e-6
    )


def test_a_fractional_count_lies_between_its_neighbours():
    plda = PLDA(np.zeros(1), np.eye(1), np.zeros(1), np.eye(1), np.array([4.0]))
    ratios = [
        log_likelihood_ratios([[2.0]], [[2.0]], plda, n_enrolled=n)[0, 0] for n in (1, 1.5, 2)
    ]
    assert ratios == sorted(ratios)


def test_the_mean_of_a_file_can_take_the_place_of_the_centre(rng):
    X, speakers = voices(rng)
    plda = fit_plda(X, speakers)
    shifted = X + np.array([5.0, -3.0, 2.0])
    assert_allclose(
        project(shifted, plda, center=shifted.mean(axis=0)), project(X, plda), atol=1e-10
    )


def test_one_length_is_that_of_gaussian_vectors_and_zero_stays_zero():
    inner = to_one_length(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert_allclose(inner, [[0.6 * np.sqrt(2.0), 0.8 * np.sqrt(2.0)], [0.0, 0.0]])


def test_arrays_give_the_same_model_back(rng):
    X, speakers = voices(rng)
    plda = fit_plda(X, speakers, length_normalize=True, n_dims=2)
    again = PLDA.from_arrays(plda.arrays())
    assert again.is_length_normalized is True
    for name, array in plda.arrays().items():
        assert_array_equal(getattr(again, name), array)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi": [-1.0, 1.0]}, "phi of a PLDA must not be negative, got -1.0"),
        ({"mean": [np.nan, 0.0]}, "mean of a PLDA must be finite, got NaN or infinity"),
        ({"phi": [1.0]}, r"do not fit together: center \(2,\), projection \(2, 2\), mean \(2,\)"),
    ],
)
def test_arrays_that_are_no_plda_are_refused(change, message):
    arrays = PLDA(np.zeros(2), np.eye(2), np.zeros(2), np.eye(2), np.ones(2)).arrays()
    with pytest.raises(InputError, match=message):
        PLDA.from_arrays({**arrays, **change})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], [[1.0, 2.0]]), "embeddings must have 2 features as the PLDA has, got 1"),
        (([1.0, 2.0], [[1.0, 2.0]]), r"must have shape \(n_embeddings, n_features\), got \(2,\)"),
        (([[1.0, np.inf]], [[1.0, 2.0]]), "got NaN or infinity first in row 0"),
    ],
)
def test_tables_that_do_not_fit_are_refused(arguments, message):
    plda = PLDA(np.zeros(2), np.eye(2), np.zeros(2), np.eye(2), np.ones(2))
    with pytest.raises(InputError, match=message):
        log_likelihood_ratios(*arguments, plda)


def test_counts_that_do_not_fit_are_refused():
    plda = PLDA(np.zeros(1), np.eye(1), np.zeros(1), np.eye(1), np.ones(1))
    with pytest.raises(InputError, match=r"or one for each of 1 sets, got shape \(2,\)"):
        log_likelihood_ratios([[1.0]], [[1.0]], plda, n_enrolled=[1, 2])
    with pytest.raises(InputError, match="must be finite and above 0"):
        log_likelihood_ratios([[1.0]], [[1.0]], plda, n_tested=0)
