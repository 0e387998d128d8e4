"""Claims about the choice of the number of components and the covariance family."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris

from gmmseg.core import GaussianMixture, selection
from gmmseg.core.selection import Candidate, Selection
from gmmseg.errors import GmmsegWarning, InputError

ROOT = Path(__file__).parents[2]
HEAPS = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])


@pytest.fixture
def X(rng):
    return HEAPS[rng.integers(0, 3, 300)] + rng.normal(size=(300, 2))


def chosen(X, n_components="auto", sample_weight=None, **options):
    options = {"random_state": 0} | options
    return GaussianMixture(n_components, **options).fit(X, sample_weight=sample_weight)


def values(mixture):
    return {(c.covariance_type, c.n_components): c.value for c in mixture.selection_.candidates}


# ------------------------------------------------------------- what mclust has published


def test_iris_is_two_components_of_one_shape_as_mclust_finds():
    options = {"init_params": "hierarchical", "tol": 1e-5, "max_iter": 1000}
    mixture = chosen(load_iris().data, covariance_type="auto", **options)
    assert (mixture.covariance_type_, mixture.n_components_) == ("VEV", 2)
    assert mixture.selection_.best.n_parameters == 26
    assert mixture.selection_.best.value == pytest.approx(561.728, abs=0.01)
    assert values(mixture)["full", 2] == pytest.approx(574.018, abs=0.01)
    assert len({candidate.covariance_type for candidate in mixture.selection_.candidates}) == 14


@pytest.mark.parametrize("init_params", ["k-means++", "hierarchical"])
def test_old_faithful_is_three_equal_components_as_mclust_finds(init_params):
    eruptions = np.loadtxt(ROOT / "data" / "old_faithful.csv", delimiter=",", skiprows=1)
    assert eruptions.shape == (272, 2)
    mixture = chosen(eruptions, covariance_type="auto", init_params=init_params, tol=1e-5)
    assert (mixture.covariance_type_, mixture.n_components_) == ("tied", 3)
    assert mixture.selection_.best.n_parameters == 11
    assert mixture.selection_.best.value == pytest.approx(2314.3, abs=0.2)


# ------------------------------------------------------------------------ what is chosen


@pytest.mark.parametrize("criterion", ["bic", "icl"])
@pytest.mark.parametrize("init_params", ["k-means++", "random", "hierarchical"])
def test_three_heaps_are_three_components(X, criterion, init_params):
    mixture = chosen(X, criterion=criterion, init_params=init_params, covariance_type="spherical")
    assert mixture.n_components_ == len(mixture.weights_) == 3
    for heap in HEAPS:
        assert np.abs(mixture.means_ - heap).sum(axis=1).min() < 0.5


@pytest.mark.parametrize("criterion", ["bic", "icl"])
def test_the_value_is_the_criterion_of_the_chosen_mixture(X, criterion):
    weight = np.arange(300) % 3
    mixture = chosen(X, sample_weight=weight, criterion=criterion)
    best = mixture.selection_.best
    assert best.value == pytest.approx(getattr(mixture, criterion)(X, weight), rel=1e-12)
    assert best.n_parameters == mixture.parameters_.n_free_parameters
    assert best.log_likelihood == pytest.approx(weight.sum() * mixture.score(X, None, weight))
    assert best.value == min(values(mixture).values())


def test_held_out_samples_are_those_that_no_candidate_was_fitted_to(X, monkeypatch):
    seen = []
    fit = selection.fit_mixture

    def watched(X, weight, start, options, *, n_jobs):
        seen.append(weight)
        return fit(X, weight, start, options, n_jobs=n_jobs)

    monkeypatch.setattr(selection, "fit_mixture", watched)
    mixture = chosen(X, [1, 3], criterion="held-out")
    assert mixture.n_components_ == 3
    *candidates, last = seen
    for weight in candidates:
        assert_array_equal(weight, candidates[0])
    assert (candidates[0] == 0.0).sum() == 75
    assert last is None  # the best is fitted to all samples in the end
    assert mixture.selection_.criterion == "held-out"
    # Minus the mean log-likelihood of those 75, which that of all is not far from.
    assert mixture.selection_.best.value == pytest.approx(-mixture.score(X), abs=0.2)


def test_only_what_was_asked_for_is_tried_and_mclusts_names_are_understood(X):
    mixture = chosen(X, range(2, 4), covariance_type=["VVV", "EEE", "full", "VEI"])
    tried = [(c.covariance_type, c.n_components) for c in mixture.selection_.candidates]
    assert tried == [(name, k) for name in ("full", "tied", "VEI") for k in (2, 3)]
    alone = chosen(X, 3, covariance_type=["spherical", "EII"])
    assert {c.n_components for c in alone.selection_.candidates} == {3}
    assert alone.covariance_type_ == "EII"


def test_a_family_is_left_after_two_worse_in_a_row_and_the_record_says_so(X):
    mixture = chosen(X, covariance_type=["tied", "full"])
    for family in ("tied", "full"):
        found = [c.value for c in mixture.selection_.candidates if c.covariance_type == family]
        rises = np.diff(found) > 0.0
        assert rises[-2:].all()
        assert not (rises[:-2] & rises[1:-1]).any()
        assert len(found) < 9
    assert mixture.selection_.stopped == ("tied", "full")
    short = chosen(X, [3, 4, 5], covariance_type="tied")
    assert short.selection_.stopped == ()


def test_a_component_at_the_floor_is_not_chosen_unless_all_are(rng):
    # Ten equal samples: a component on them is as likely as the floor is low.
    X = np.r_[rng.normal(size=(100, 1)), np.full((10, 1), 7.0)]
    mixture = chosen(X, [1, 2])
    one, two = mixture.selection_.candidates
    assert two.is_degenerate
    assert not one.is_degenerate
    assert two.value < one.value
    assert mixture.n_components_ == 1
    assert chosen(X, [2, 3]).n_components_ >= 2


def test_more_data_than_a_subsample_are_fitted_to_that_first_and_then_all(X, monkeypatch):
    plain = chosen(X, [2, 3], tol=1e-8, max_iter=500)
    calls = []
    run = selection.run_em

    def counted(*arguments):
        calls.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(selection, "MUCH_DATA", 0)
    monkeypatch.setattr(selection, "run_em", counted)
    quick = chosen(X, [2, 3], tol=1e-8, max_iter=500)
    assert len(calls) == 4  # two candidates from two starts each
    assert_allclose(quick.selection_.best.value, plain.selection_.best.value, rtol=1e-6)


def test_a_weight_is_a_repetition(X):
    times = np.arange(300) % 3
    weighted = chosen(X, sample_weight=times, init_params="hierarchical")
    repeated = chosen(X.repeat(times, axis=0), init_params="hierarchical")
    assert values(weighted) == pytest.approx(values(repeated), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units_do_not_matter(X, scale):
    here, there = chosen(X, covariance_type="auto"), chosen(scale * X, covariance_type="auto")
    assert (there.covariance_type_, there.n_components_) == ("EII", 3)
    assert (here.covariance_type_, here.n_components_) == ("EII", 3)


def test_the_result_is_the_same_for_any_number_of_threads(X):
    one, two = (chosen(X, covariance_type=["full", "VEV"], n_jobs=n) for n in (1, 2))
    assert values(one) == values(two)
    assert_array_equal(one.means_, two.means_)


def test_auto_tries_what_makes_sense_for_the_number_of_features_and_samples(rng):
    def tried(X):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return values(chosen(X, covariance_type="auto", max_iter=2)).keys()

    assert {name for name, _ in tried(rng.normal(size=(50, 1)))} == {"tied", "full"}
    many = {name for name, _ in tried(rng.normal(size=(40, 21)))}
    assert len(many) == 12
    assert not many & {"EVE", "VVE"}
    assert max(k for _, k in tried(np.repeat([[0.0], [1.0], [2.0]], 5, axis=0))) <= 3
    assert set(tried(np.zeros((5, 1)))) == {("tied", 1), ("full", 1)}


@pytest.fixture
def twelve(rng):
    """Return twelve heaps in a row."""
    return 10.0 * rng.integers(0, 12, size=(600, 1)) + rng.normal(size=(600, 1))


def test_auto_says_so_where_the_most_components_it_tries_are_the_best(twelve):
    message = (
        "9 components are the most that 'auto' tries, and the best: more may be better; "
        "name the numbers to choose from, such as 9 to 20"
    )
    with pytest.warns(GmmsegWarning, match=re.escape(message)):
        mixture = chosen(twelve, covariance_type="spherical", init_params="hierarchical")
    assert mixture.selection_.is_at_limit
    assert str(mixture.selection_).endswith("\nmore components than were tried may be better")


def test_a_choice_within_the_numbers_tried_is_not_at_their_limit(twelve, X):
    found = chosen(
        twelve, range(9, 16), covariance_type="spherical", init_params="hierarchical"
    ).selection_
    assert (found.best.n_components, found.is_at_limit) == (12, False)
    assert "may be better" not in str(found)
    assert not chosen(X).selection_.is_at_limit
    assert not chosen(X, [3], covariance_type=["full", "EII"]).selection_.is_at_limit


def test_numbers_that_were_named_are_left_without_a_warning(twelve):
    found = chosen(twelve, [2, 3], covariance_type="spherical").selection_
    assert (found.best.n_components, found.is_at_limit) == (3, True)


def test_components_that_explain_nothing_are_not_kept():
    X = np.repeat([[0.0], [1.0]], 10, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mixture = chosen(X, [4], covariance_type=["full"])
    assert mixture.n_components_ == 2


# ---------------------------------------------------------------------------- the face


def test_a_chosen_mixture_is_saved_with_what_was_chosen(X, tmp_path):
    mixture = chosen(X, covariance_type=["VEI", "full"])
    mixture.save(tmp_path / "chosen.gmm")
    loaded = GaussianMixture.load(tmp_path / "chosen.gmm")
    assert loaded.n_components == loaded.n_components_ == 3
    assert loaded.covariance_type == loaded.covariance_type_ == mixture.covariance_type_
    assert_array_equal(loaded.predict(X), mixture.predict(X))
    assert not hasattr(loaded, "selection_")


def test_options_stay_as_they_were_given(X):
    mixture = chosen(X, [2, 3], covariance_type=["VVV", "VII"])
    assert mixture.get_params()["n_components"] == [2, 3]
    assert mixture.get_params()["covariance_type"] == ["VVV", "VII"]
    again = clone(mixture).fit(X)
    assert values(again) == values(mixture)


def test_a_fit_without_a_choice_has_no_selection(X):
    mixture = chosen(X, [2, 3])
    assert hasattr(mixture, "selection_")
    mixture.set_params(n_components=2).fit(X)
    assert not hasattr(mixture, "selection_")
    assert (mixture.n_components_, mixture.covariance_type_) == (2, "full")


def test_a_selection_is_printed_as_a_table():
    def candidate(n_components, family, value, *, is_degenerate=False):
        return Candidate(n_components, family, value, -1.0, 3, True, is_degenerate)  # noqa: FBT003

    found = Selection(
        "bic",
        (
            candidate(1, "EEV", 12.26),
            candidate(2, "EEV", 10.0),
            candidate(1, "full", 12.0),
            candidate(2, "full", 1.0, is_degenerate=True),
            candidate(3, "full", 11.0),
        ),
        ("EEV",),
    )
    assert str(found).splitlines() == [
        "bic (lower is better): best is EEV with 2 components",
        "                    1          2          3",
        "EEV              12.3      10.0*          -",
        "full             12.0       1.0!       11.0",
        "! a component is as narrow as the variance floor lets it be",
        "left early, as more components were worse: EEV",
    ]


NAMES = "full, tied, diag, spherical, EII, EEI, VEI, EVI, VEE, EVE, VVE, EEV, VEV, EVV"
ONE_MIXTURE = (
    "warm_start, weights_init, means_init and precisions_init belong to one mixture; with several "
    "to choose from, leave them out"
)
BAD_OPTIONS = {
    "a word": (
        {"n_components": "many"},
        "n_components must be a whole number, 'auto' or a list of whole numbers, got 'many'",
    ),
    "no number": (
        {"n_components": []},
        "n_components must name at least one number of components, got none",
    ),
    "zero": ({"n_components": [0, 1]}, "n_components must be a whole number of at least 1, got 0"),
    "half": (
        {"n_components": [1.5]},
        "n_components must be a whole number of at least 1, got 1.5",
    ),
    "no family": (
        {"covariance_type": []},
        "covariance_type must name at least one family, got none",
    ),
    "unknown family": (
        {"covariance_type": ["full", "round"]},
        f"covariance_type must be one of {NAMES}, got 'round'",
    ),
    "criterion": (
        {"n_components": "auto", "criterion": "aic"},
        "criterion must be one of bic, icl, held-out, got 'aic'",
    ),
    "warm start": (
        {"n_components": "auto", "warm_start": True},
        ONE_MIXTURE,
    ),
    "means": (
        {"covariance_type": "auto", "means_init": [[0.0, 0.0]]},
        ONE_MIXTURE,
    ),
}


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_choice_that_cannot_be_made_is_refused(X, options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        GaussianMixture(**options).fit(X)


def test_one_sample_cannot_be_held_out():
    message = (
        "criterion='held-out' needs at least two samples of positive weight, got 1; choose by 'bic'"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        chosen([[0.0], [1.0]], sample_weight=[1.0, 0.0], criterion="held-out")
