import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.audio.vb_hmm import cluster_by_vb_hmm
from gmmseg.errors import InputError
from tests import naive

PHI = np.array([30.0, 20.0, 10.0, 5.0, 2.0, 1.0])


def conversation(rng, n_speakers, *, n_turns=30, turn=10, phi=PHI):
    """Return windows of a made conversation, and who speaks in each."""
    voices = rng.normal(size=(n_speakers, len(phi))) * np.sqrt(phi)
    order = rng.permutation(np.resize(np.arange(n_speakers), n_turns))
    truth = np.repeat(order, turn)
    return voices[truth] + rng.normal(size=(len(truth), len(phi))), truth


def split(rng, truth, n_parts):
    """Return labels that divide every speaker among so many."""
    return truth * n_parts + rng.integers(n_parts, size=len(truth))


def is_same_partition(labels, truth):
    return len(set(zip(labels, truth, strict=True))) == len(set(labels)) == len(set(truth))


@pytest.mark.parametrize("options", [{}, {"fa": 1.0, "fb": 2.0}, {"loop_probability": 0.0}])
@pytest.mark.parametrize("n_rounds", [1, 2, 3])
def test_rounds_agree_with_equations_and_all_paths(rng, n_rounds, options):
    X, phi = rng.normal(scale=2.0, size=(6, 2)), np.array([3.0, 0.5])
    labels, weights = np.array([0, 1, 2, 0, 1, 1]), rng.random(6) + 0.5
    fa, fb = options.get("fa", 0.3), options.get("fb", 17.0)
    resp = np.exp(5.0 * np.eye(3)[labels])
    resp, priors = resp / resp.sum(axis=1, keepdims=True), np.full(3, 1 / 3)
    bounds = []
    for _ in range(n_rounds):
        resp, priors, bound = naive.vb_hmm_round(
            X, phi, resp, priors, fa * weights, options.get("loop_probability", 0.99), fb
        )
        bounds.append(bound)
    found = cluster_by_vb_hmm(
        X, phi, labels, weights=weights, max_iter=n_rounds, tol=0.0, **options
    )
    assert_allclose(found.responsibilities, resp, rtol=1e-9)
    assert_allclose(found.priors, priors, rtol=1e-9)
    assert_allclose(found.bounds, bounds, rtol=1e-12)


@pytest.mark.parametrize("loop_probability", [0.0, 0.5, 0.99])
@pytest.mark.parametrize(("fa", "fb"), [(0.3, 17.0), (1.0, 1.0), (0.1, 5.0)])
def test_bound_never_falls(rng, fa, fb, loop_probability):
    X, truth = conversation(rng, 4, phi=PHI / 10)
    labels = rng.integers(7, size=len(truth))
    found = cluster_by_vb_hmm(
        X, PHI / 10, labels, fa=fa, fb=fb, loop_probability=loop_probability, tol=0.0
    )
    bounds = np.array(found.bounds)
    assert len(bounds) > 2
    assert (np.diff(bounds) >= -1e-9 * np.abs(bounds[0])).all()
    assert bounds[-1] > bounds[0] + 1.0


def test_one_speaker_cut_in_three_becomes_one_again(rng):
    X, truth = conversation(rng, 1)
    found = cluster_by_vb_hmm(X, PHI, split(rng, truth, 3))
    assert found.n_speakers == 1
    assert np.sort(found.priors)[-2] < 1e-3


@pytest.mark.parametrize("n_speakers", [2, 4, 8])
def test_speakers_that_stand_apart_are_kept_and_found(rng, n_speakers):
    X, truth = conversation(rng, n_speakers, n_turns=60, phi=PHI * 10)
    found = cluster_by_vb_hmm(X, PHI * 10, split(rng, truth, 2))
    assert is_same_partition(found.labels, truth)


def test_responsibilities_and_priors_sum_to_one(rng):
    X, truth = conversation(rng, 3)
    found = cluster_by_vb_hmm(X, PHI, truth)
    assert_allclose(found.responsibilities.sum(axis=1), 1.0, rtol=1e-12)
    assert_allclose(found.priors.sum(), 1.0, rtol=1e-12)


def test_numbering_of_speakers_does_not_matter(rng):
    X, truth = conversation(rng, 4, phi=PHI / 5)
    order = np.array([2, 0, 3, 1])
    one = cluster_by_vb_hmm(X, PHI / 5, truth, max_iter=5)
    other = cluster_by_vb_hmm(X, PHI / 5, order[truth], max_iter=5)
    assert_allclose(other.responsibilities[:, order], one.responsibilities, atol=1e-9)
    assert_allclose(other.priors[order], one.priors, atol=1e-9)
    assert_allclose(other.bounds, one.bounds)


def test_dearer_speakers_are_fewer(rng):
    X, truth = conversation(rng, 6, phi=PHI / 4)
    labels = split(rng, truth, 2)
    counts = [cluster_by_vb_hmm(X, PHI / 4, labels, fb=fb).n_speakers for fb in (0.5, 20.0, 500.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_chain_carries_a_doubtful_window_along(rng):
    X, truth = conversation(rng, 2, n_turns=6, phi=PHI * 10)
    X[25] = (X[truth == 0].mean(axis=0) + X[truth == 1].mean(axis=0)) / 2
    found = cluster_by_vb_hmm(X, PHI * 10, truth)
    assert_array_equal(found.labels, truth)


def test_weight_of_all_windows_is_the_same_as_fa(rng):
    X, truth = conversation(rng, 3, phi=PHI / 5)
    one = cluster_by_vb_hmm(X, PHI / 5, truth, fa=0.6)
    other = cluster_by_vb_hmm(X, PHI / 5, truth, fa=0.3, weights=np.full(len(X), 2.0))
    assert_allclose(other.responsibilities, one.responsibilities, atol=1e-9)


def test_window_of_no_weight_says_nothing(rng):
    X, truth = conversation(rng, 2)
    weights = np.ones(len(X))
    weights[40:45] = 0.0
    other = X.copy()
    other[40:45] = 50.0
    one, same = (cluster_by_vb_hmm(table, PHI, truth, weights=weights) for table in (X, other))
    assert_array_equal(one.responsibilities, same.responsibilities)


def test_single_window_has_a_speaker():
    found = cluster_by_vb_hmm([[1.0, 2.0]], [1.0, 1.0], [1])
    assert_array_equal(found.labels, [1])
    assert found.n_speakers == 1


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e12])
def test_embeddings_of_any_size_give_an_answer(rng, scale):
    X, truth = conversation(rng, 3)
    found = cluster_by_vb_hmm(scale * X, PHI, truth)
    assert np.isfinite(found.responsibilities).all()
    assert np.isfinite(found.bounds).all()


def test_rounds_end_when_the_bound_stands_still(rng):
    X, truth = conversation(rng, 3, phi=PHI * 10)
    found = cluster_by_vb_hmm(X, PHI * 10, truth, max_iter=200)
    assert found.is_converged
    assert len(found.bounds) < 200
    assert not cluster_by_vb_hmm(X, PHI * 10, truth, max_iter=1).is_converged


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"embeddings": [1.0, 2.0]}, r"embeddings must have shape \(n_windows, n_dims\), got \(2,"),
        (
            {"embeddings": [[0.0, 1.0], [np.nan, 1.0]]},
            "embeddings must be finite, got NaN, infinity or a number beyond 1e100 in window 1",
        ),
        (
            {"phi": [1.0]},
            r"phi must be finite numbers of at least 0, one for each of 2 dimensions, got \[1.0\]",
        ),
        ({"phi": [1.0, -1.0]}, "phi must be finite numbers of at least 0"),
        (
            {"initial_labels": [0, -1]},
            r"initial_labels must be whole numbers from 0, .* of shape \(2,\), down to -1",
        ),
        ({"initial_labels": [0]}, r"for each of 2 windows, got int64 of shape \(1,\)"),
        ({"initial_labels": [0.0, 1.0]}, r"for each of 2 windows, got float64 of shape \(2,\)"),
        ({"fa": 0.0}, "fa must be a number above 0.0, got 0.0"),
        ({"fb": -1.0}, "fb must be a number above 0.0, got -1.0"),
        ({"loop_probability": 1.5}, "loop_probability must be at most 1, got 1.5"),
        ({"max_iter": 0}, "max_iter must be a whole number of at least 1, got 0"),
        ({"tol": -1.0}, "tol must be a number of at least 0, got -1.0"),
        ({"weights": [1.0]}, r"sample_weight must have shape \(2,\)"),
    ],
)
def test_what_cannot_be_used_is_named(changes, message):
    arguments = {
        "embeddings": [[0.0, 1.0], [2.0, 3.0]],
        "phi": [1.0, 1.0],
        "initial_labels": [0, 1],
        **changes,
    }
    options = {k: v for k, v in arguments.items() if k not in {"embeddings", "phi"}}
    labels = options.pop("initial_labels")
    with pytest.raises(InputError, match=message):
        cluster_by_vb_hmm(arguments["embeddings"], arguments["phi"], labels, **options)
