"""``gmmseg model show``: what a person and a program are told of a mixture."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from gmmseg.cli.model import in_bytes, with_spread
from gmmseg.core import GaussianMixture


@pytest.fixture
def model(gmmseg, tmp_path, rng):
    """Three Gaussians over the columns a, b and c, the first two of them near each other."""
    centers = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [30.0, 30.0, 30.0]])
    X = centers.repeat(50, axis=0) + rng.normal(size=(150, 3))
    np.savetxt(tmp_path / "t.csv", X, delimiter=",", header="a,b,c", comments="")
    path = tmp_path / "m.gmm"
    assert gmmseg("table", "fit", tmp_path / "t.csv", "-k", 3, "-o", path, "--tol", 1e-6)[0] == 0
    return path


def row_of(line):
    """Return the numbers in one row of the table."""
    return [float(word.strip("()%")) for word in line.replace("±", " ").split()]


def test_a_person_sees_weights_means_spread_the_nearest_pair_and_the_fit(gmmseg, model):
    code, stdout, lines = gmmseg("model", "show", model)
    assert (code, lines) == (0, [])
    mixture = GaussianMixture.load(model)
    shown = [line for line in stdout.splitlines() if line.strip()]
    assert shown[0].split() == ["weight", "a", "b", "c", "nearest", "(overlap)"]
    for k in range(3):
        number, weight, *means_and_spread, nearest, overlap = row_of(shown[2 + k])
        assert number == k + 1
        assert weight == pytest.approx(mixture.weights_[k], abs=6e-4)
        assert means_and_spread[0::2] == pytest.approx(mixture.means_[k], abs=0.06)
        spread = np.sqrt(mixture.parameters_.component_variances[k])
        assert means_and_spread[1::2] == pytest.approx(spread, abs=0.06)
        others = np.delete(mixture.similarity().overlap[k], k)
        assert overlap == pytest.approx(100 * others.max(), abs=0.06)
        assert nearest == {0: [2, 3], 1: [1, 3], 2: [1, 2]}[k][others.argmax()]
    pair = mixture.similarity().nearest_pair
    size = f"{model.stat().st_size / 1000:.1f} kB"
    assert shown[5] == f"{model}: 3 Gaussians over 3 features, covariances full, {size}"
    assert shown[6].startswith("fit: the mean log-likelihood changed by less than tol=1e-06; ")
    assert shown[7].startswith(f"nearest: {pair[0] + 1} and {pair[1] + 1}, overlap ")
    cost = mixture.similarity().merge_cost[pair]
    assert shown[7].endswith(f"merging them costs up to {cost:.3g} nats per sample")


def test_a_program_gets_the_same_as_json(gmmseg, model):
    code, stdout, _ = gmmseg("model", "show", model, "--json")
    assert code == 0
    told, mixture = json.loads(stdout), GaussianMixture.load(model)
    assert told["feature_names"] == ["a", "b", "c"]
    assert told["weights"] == mixture.weights_.tolist()
    assert told["covariances"] == mixture.covariances_.tolist()
    assert told["n_bytes"] == model.stat().st_size
    assert told["is_converged"] is True
    assert told["score"] == mixture.lower_bound_
    pair = tuple(k - 1 for k in told["nearest_pair"]["components"])
    assert pair == mixture.similarity().nearest_pair
    assert told["nearest_pair"]["merge_cost"] == mixture.similarity().merge_cost[pair]
    assert len(told["merges"]) == 2
    last = told["merges"][-1]
    assert sorted(last["first"] + last["second"]) == [1, 2, 3]


def test_a_mixture_of_many_features_shows_the_first_and_counts_the_rest(gmmseg, tmp_path, rng):
    GaussianMixture(1).fit(rng.normal(size=(50, 20))).save(tmp_path / "m.gmm")
    _, stdout, _ = gmmseg("model", "show", tmp_path / "m.gmm")
    assert "and 14 more" in stdout
    assert "one Gaussian in use: nothing to merge" in stdout


def test_a_mixture_made_by_hand_says_so_and_what_is_switched_off(gmmseg, tmp_path):
    mixture = GaussianMixture.from_parameters(
        [1.0, 0.0], [[1e8], [2.0]], [1e-6, 1.0], covariance_type="spherical"
    )
    mixture.save(tmp_path / "m.gmm")
    _, stdout, _ = gmmseg("model", "show", tmp_path / "m.gmm")
    assert "2 Gaussians (1 of weight 0) over 1 feature, covariances spherical" in stdout
    assert "not fitted: made from parameters" in stdout
    assert "1.000000000000e+08 ± 1.0e-03" in stdout
    told = json.loads(gmmseg("model", "show", tmp_path / "m.gmm", "--json")[1])
    assert (told["score"], told["nearest_pair"], told["feature_names"]) == (None, None, None)


@pytest.mark.parametrize("features", [(), ("--features", "c", "1"), ("--features", "b", "b")])
def test_a_plot_is_written(gmmseg, model, tmp_path, features):
    path = tmp_path / "m.png"
    code, _, lines = gmmseg("model", "show", model, "--plot", path, *features)
    assert (code, lines) == (0, [])
    picture = np.asarray(Image.open(path).convert("RGB"))
    assert min(picture.shape[:2]) > 500
    assert 0.3 < (picture == 255).all(axis=2).mean() < 0.99


def test_without_matplotlib_the_error_says_what_to_install(gmmseg, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, stdout, lines = gmmseg("model", "show", model, "--plot", tmp_path / "m.png")
    assert (code, stdout, len(lines)) == (1, "", 1)
    assert "--plot needs matplotlib, which is not installed; pip install" in lines[0]
    assert not (tmp_path / "m.png").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--features", "a", "b"), 2, "--features says what --plot draws; give --plot FILE.png"),
        (("--plot", "m.png", "--features", "a", "x"), 1, "m.gmm has no column 'x'; it has a, b, c"),
        (("--plot", "m.doc"), 1, "cannot write m.doc: Format 'doc' is not supported"),
        (("--plot", "nowhere/m.png"), 1, "cannot write nowhere/m.png: No such file or directory; "),
        (
            ("--plot", "m.gmm"),
            2,
            "m.gmm is an input and would be replaced; choose another with --plot",
        ),
    ],
)
def test_what_cannot_be_shown_is_told(gmmseg, model, monkeypatch, arguments, code, told):
    monkeypatch.chdir(model.parent)
    before = model.read_bytes()
    found, _, lines = gmmseg("model", "show", "m.gmm", *arguments)
    assert found == code
    assert told in " ".join(lines)
    assert model.read_bytes() == before


def test_a_file_that_is_no_model_is_told_in_one_line(gmmseg, tmp_path):
    (tmp_path / "m.gmm").write_text("no model")
    code, stdout, lines = gmmseg("model", "show", tmp_path / "m.gmm")
    assert (code, stdout, len(lines)) == (1, "", 1)
    assert "is not a gmmseg model file" in lines[0]


@pytest.mark.parametrize(
    ("mean", "deviation", "shown"),
    [
        (5.006, 0.3489, "5.01 ± 0.35"),
        (0.0, 1.0, "0.0 ± 1.0"),
        (1234.5, 250.0, "1234 ± 250"),
        (1e8, 1e-3, "1.000000000000e+08 ± 1.0e-03"),
        (3e-12, 2e-12, "3.0e-12 ± 2.0e-12"),
        (0.0, 4e20, "0.0e+00 ± 4.0e+20"),
    ],
)
def test_a_mean_has_as_many_digits_as_its_deviation_allows(mean, deviation, shown):
    assert with_spread(mean, deviation) == shown


@pytest.mark.parametrize(
    ("n_bytes", "shown"), [(17, "17 bytes"), (2273, "2.3 kB"), (5_400_000, "5.4 MB")]
)
def test_sizes_are_told_in_units_for_people(n_bytes, shown):
    assert in_bytes(n_bytes) == shown
