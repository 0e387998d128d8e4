"""Laws of streams: how samples arrive does not matter to a fit, and a stream comes to the fit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import GaussianMixture, blocks
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture

NAN = float("nan")
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture
def X(rng):
    return draw(rng, random_mixture(rng, spread=4.0), 1_000)


def fitted(X, weight=None, y=None, **options):
    options = {"n_components": 3, "random_state": 0, "tol": 0.0, "max_iter": 8} | options
    return GaussianMixture(**options).fit(X, y, sample_weight=weight)


def assert_same_fit(one, other, tolerance=1e-9):
    deviation = np.sqrt(other.parameters_.component_variances)
    assert_allclose(one.weights_, other.weights_, atol=tolerance)
    assert_allclose(one.means_ / deviation, other.means_ / deviation, atol=tolerance)
    scale = np.abs(other.covariances_).max()
    assert_allclose(one.covariances_ / scale, other.covariances_ / scale, atol=tolerance)
    assert one.record_.weight_sum == pytest.approx(other.record_.weight_sum, rel=1e-12)


def all_ways(path, X, weight=None):
    """Return X as it may come, each with what goes beside it for weights."""
    n = len(X)
    np.save(path / "whole.npy", X)
    files = []
    for i, rows in enumerate([slice(0, n // 7), slice(n // 7, n // 7 + 1), slice(n // 7 + 1, n)]):
        np.save(path / f"{i}.npy", X[rows])
        files.append(np.load(path / f"{i}.npy", mmap_mode="r"))
    cut = range(0, n, n // 9)

    def pieces():
        for first in cut:
            piece = X[first : first + n // 9]
            yield piece if weight is None else (piece, weight[first : first + n // 9])

    mapped = np.load(path / "whole.npy", mmap_mode="r")
    return {
        "memory map": (mapped, weight),
        "list": ([X[: n // 3], X[n // 3 :]], weight),
        "files": (files, weight),
        "function": (pieces, None),
    }


WAYS = ("memory map", "list", "files", "function")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_fit_does_not_depend_on_how_samples_arrive(tmp_path, X, covariance_type, way):
    source, _ = all_ways(tmp_path, X)[way]
    options = {"covariance_type": covariance_type}
    assert_same_fit(fitted(source, **options), fitted(X, **options))


@pytest.mark.parametrize("way", WAYS)
def test_single_precision_differs_by_its_rounding(tmp_path, monkeypatch, rng, way):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 20_000)
    single = blobs(rng, 20_000).astype(np.float32)
    source, _ = all_ways(tmp_path, single)[way]
    # Few iterations: at the limit of its precision one of the two may stop before the other.
    assert_same_fit(fitted(source, max_iter=4), fitted(single, max_iter=4), 1e-6)


def spoiled(rng, X):
    """Return X with single entries and whole rows missing."""
    X = X.copy()
    X[rng.random(X.shape) < 0.1] = NAN
    X[::50] = NAN
    return X


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_nor_do_weights_missing_entries_and_noise(tmp_path, rng, X, is_weighted, way):
    X, weight = spoiled(rng, X), rng.uniform(size=1_000) if is_weighted else None
    source, its_weight = all_ways(tmp_path, X, weight)[way]
    one, other = fitted(source, its_weight, noise=True), fitted(X, weight, noise=True)
    assert_same_fit(one, other)
    noise, wanted = one.parameters_.noise, other.parameters_.noise
    assert noise.weight == pytest.approx(wanted.weight, abs=1e-9)
    assert_array_equal(noise.low, wanted.low)


@pytest.mark.parametrize("factor", [1e-50, 1e50])
@pytest.mark.parametrize("way", WAYS)
def test_nor_do_weights_that_single_precision_cannot_hold(tmp_path, X, factor, way):
    single = X.astype(np.float32)
    weight = factor * np.linspace(1.0, 2.0, 1_000)
    source, its_weight = all_ways(tmp_path, single, weight)[way]
    assert_same_fit(fitted(source, its_weight), fitted(single, weight), 1e-5)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", ["beside", "between"])
def test_a_feature_that_no_block_has_is_left_out_as_of_a_table(tmp_path, X, where, way):
    nothing = np.full((1_000, 1), NAN)
    columns = [X, nothing] if where == "beside" else [X[:, :1], nothing, X[:, 1:]]
    source, _ = all_ways(tmp_path, np.hstack(columns))[way]
    one, other = fitted(source), fitted(np.hstack(columns))
    assert_same_fit(one, other)
    seen = [0, 1] if where == "beside" else [0, 2]
    assert_allclose(one.means_[:, seen], fitted(X).means_, atol=1e-9)
    assert one.n_features_in_ == 3


@pytest.mark.parametrize("way", WAYS[:3])
def test_known_labels_hold_in_blocks_too(tmp_path, rng, X, way):
    y = np.where(rng.random(1_000) < 0.1, X[:, 0] > X[:, 0].mean(), -1).astype(int)
    source, _ = all_ways(tmp_path, X)[way]
    assert_same_fit(fitted(source, None, y), fitted(X, None, y))


@pytest.mark.parametrize("way", WAYS)
def test_the_choice_of_number_and_family_is_that_of_the_table(tmp_path, X, way):
    source, _ = all_ways(tmp_path, X)[way]
    options = {"n_components": [1, 2, 3, 4], "covariance_type": ["full", "diag"], "tol": 1e-6}
    one, other = (fitted(x, max_iter=500, **options) for x in (source, X))
    assert one.n_components_ == other.n_components_
    assert one.covariance_type_ == other.covariance_type_
    assert_allclose(one.lower_bound_, other.lower_bound_, atol=1e-5)


def test_repeated_rows_count_in_the_choice_as_often_as_they_are_there(rng):
    X = np.round(np.concatenate([rng.normal(size=(2_000, 1)), rng.normal(size=(2_000, 1)) + 9.0]))
    one = fitted([X], n_components=[1, 2], tol=1e-3, max_iter=100)
    other = fitted(X, n_components=[1, 2], tol=1e-3, max_iter=100)
    assert_allclose(
        [candidate.value for candidate in one.selection_.candidates],
        [candidate.value for candidate in other.selection_.candidates],
        rtol=1e-9,
    )


@given(
    seed=SEEDS,
    cuts=st.lists(st.integers(0, 500), max_size=4),
    covariance_type=st.sampled_from(COVARIANCE_TYPES),
)
@settings(max_examples=20)
def test_any_cut_into_blocks_gives_the_same_fit(seed, cuts, covariance_type):
    rng = np.random.default_rng(seed)
    start = random_mixture(rng, covariance_type)
    X = draw(rng, start, 500)
    options = {"covariance_type": covariance_type, "means_init": start.means, "max_iter": 4}
    options |= {"precisions_init": start.precisions, "weights_init": start.weights}
    parts = np.split(X, sorted(cuts))
    assert_same_fit(fitted(parts, **options), fitted(X, **options), 1e-8)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_weighted", [False, True])
def test_of_very_many_samples_a_start_is_searched_on_the_same(tmp_path, rng, is_weighted, way):
    X = draw(rng, random_mixture(rng, spread=2.0), 50_000)
    weight = rng.uniform(size=50_000) if is_weighted else None
    source, its_weight = all_ways(tmp_path, X, weight)[way]
    options = {"max_iter": 2, "init_params": "random"}
    assert_same_fit(fitted(source, its_weight, **options), fitted(X, weight, **options))


def test_threads_do_not_show_in_any_bit_of_a_fit_to_blocks(X):
    X = np.tile(X, (20, 1))
    one, other = (fitted([X[:9_000], X[9_000:]], n_jobs=n_jobs) for n_jobs in (1, 2))
    assert one.covariances_.tobytes() == other.covariances_.tobytes()


# ------------------------------------------------------------------------------- partial_fit


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@given(seed=SEEDS, cuts=st.lists(st.integers(5, 195), max_size=4))
@settings(max_examples=10)
def test_one_component_that_forgets_nothing_is_the_fit_of_all(covariance_type, seed, cuts):
    rng = np.random.default_rng(seed)
    X, weight = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 2)), rng.uniform(0.1, 2.0, 200)
    options = {"covariance_type": covariance_type, "covariance_floor": 0.0, "forgetting_rate": 1.0}
    stream = GaussianMixture(**options)
    edges = [0, *sorted({cut for cut in cuts if cut % 5 == 0}), 200]
    for first, last in pairwise(edges):
        stream.partial_fit(X[first:last], sample_weight=weight[first:last])
    whole = GaussianMixture(**options).fit(X, sample_weight=weight)
    assert_allclose(stream.means_, whole.means_, atol=1e-10)
    assert_allclose(stream.covariances_, whole.covariances_, rtol=1e-8, atol=1e-12)
    assert stream.record_.weight_sum == pytest.approx(weight.sum())


def blobs(rng, n_samples, *, shift=0.0):
    """Return samples of three blobs of standard deviation 1, whose centres are 5 apart."""
    labels = rng.choice(3, n_samples, p=[0.2, 0.3, 0.5])
    centres = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]]) + shift
    return centres[labels] + rng.normal(size=(n_samples, 2))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rate", [0.7, 1.0])
def test_a_stream_of_blocks_comes_to_the_fit_of_all(rate, seed):
    rng = np.random.default_rng(seed)
    X = blobs(rng, 30_000)
    stream = GaussianMixture(3, random_state=0, forgetting_rate=rate)
    for first in range(0, 30_000, 500):
        stream.partial_fit(X[first : first + 500])
    whole = GaussianMixture(3, random_state=0, tol=1e-8, max_iter=500).fit(X)
    order, wanted = (np.argsort(mixture.means_ @ [1.0, 2.0]) for mixture in (stream, whole))
    # What old blocks weigh at rate 0.7 is that of some tens of them.
    n_effective = 30_000 if rate == 1.0 else 5_000
    error = 1.0 / np.sqrt(n_effective * whole.weights_[wanted])
    shift = np.abs(stream.means_[order] - whole.means_[wanted]).max(axis=1)
    assert (shift < 3.0 * error).all()
    assert_allclose(stream.weights_[order], whole.weights_[wanted], atol=0.03)


def test_what_drifts_is_followed_faster_at_a_lower_rate(rng):
    streams = [GaussianMixture(3, random_state=0, forgetting_rate=r) for r in (0.6, 0.8, 1.0)]
    for t in range(40):
        block = blobs(rng, 500, shift=0.1 * t)
        for stream in streams:
            stream.partial_fit(block)
    wanted = blobs(rng, 20_000, shift=3.9).mean(axis=0)
    behind = [np.linalg.norm(s.weights_ @ s.means_ - wanted) for s in streams]
    assert behind[0] < 0.7 * behind[1]
    assert behind[1] < 0.7 * behind[2]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"noise": True},
        {"covariance_type": "VEV"},
        {"fixed": ("means",), "means_init": [[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]]},
        {"fixed": "weights", "weights_init": [0.2, 0.3, 0.5]},
    ],
    ids=lambda options: next(iter(options), "plain"),
)
def test_saved_loaded_and_gone_on_gives_the_same_bits(tmp_path, rng, options):
    X = blobs(rng, 900)
    kept = GaussianMixture(3, random_state=0, **options).partial_fit(X[:300])
    kept.partial_fit(X[300:600])
    kept.save(tmp_path / "stream.gmm")
    loaded = GaussianMixture.load(tmp_path / "stream.gmm")
    assert loaded.record_ == kept.record_
    for stream in (kept, loaded):
        stream.partial_fit(X[600:])
    for name in ("weights_", "means_", "covariances_"):
        assert getattr(loaded, name).tobytes() == getattr(kept, name).tobytes()


def test_nan_in_a_stream_keeps_it_near_the_fit_of_all(rng):
    X = blobs(rng, 6_000)
    X[rng.random(X.shape) < 0.15] = NAN
    stream = GaussianMixture(3, random_state=0)
    for first in range(0, 6_000, 1_000):
        stream.partial_fit(X[first : first + 1_000])
    whole = GaussianMixture(3, random_state=0).fit(X)
    order, wanted = (np.argsort(mixture.means_ @ [1.0, 2.0]) for mixture in (stream, whole))
    assert_allclose(stream.means_[order], whole.means_[wanted], atol=0.2)
