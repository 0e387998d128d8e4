"""``gmmseg table`` from files to files."""

import csv
import io
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.core import BayesianGaussianMixture, GaussianMixture

NAMES = ["height", "weight", "age"]


@pytest.fixture
def X(rng):
    """Two groups that lie far apart, 30 rows each."""
    return np.repeat([[1.0, 2.0, 3.0], [9.0, 8.0, 7.0]], 30, axis=0) + rng.normal(size=(60, 3))


@pytest.fixture
def table(tmp_path, X):
    path = tmp_path / "people.csv"
    write(path, NAMES, X)
    return path


@pytest.fixture
def model(gmmseg, table, tmp_path):
    path = tmp_path / "people.gmm"
    assert gmmseg("table", "fit", table, "-k", 2, "-o", path)[0] == 0
    return path


def write(path, names, rows):
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(np.asarray(rows).tolist())


def read(text):
    """Return CSV as a dictionary of columns."""
    header, *rows = csv.reader(io.StringIO(text))
    return dict(zip(header, np.array(rows, dtype=float).T, strict=True))


def test_fit_writes_a_model_that_python_reads(gmmseg, table, tmp_path, X):
    out = tmp_path / "people.gmm"
    code, stdout, lines = gmmseg("table", "fit", table, "-k", 2, "-o", out)
    assert (code, stdout) == (0, "")
    assert len(lines) == 1
    assert lines[0].startswith(f"{table}: 2 Gaussians (full) over 3 columns of 60 rows in ")
    assert lines[0].endswith(f", {out}")
    mixture = GaussianMixture.load(out)
    assert_array_equal(mixture.means_, GaussianMixture(2, random_state=0).fit(X).means_)


def test_every_option_reaches_the_mixture(gmmseg, table, tmp_path):
    out = tmp_path / "people.gmm"
    options = [
        "--covariance", "diag", "--starts", 2, "--init", "random", "--max-iter", 50, "--tol", 0.01,
        "--floor", 0.001, "--seed", 7, "--columns", "age,1", "--json",
    ]  # fmt: skip
    code, stdout, _ = gmmseg("table", "fit", table, "-k", 2, "-o", out, *options)
    assert code == 0
    learned = GaussianMixture.load(out).get_params()
    assert {name: learned[name] for name in ("n_init", "init_params", "max_iter", "tol")} == {
        "n_init": 2,
        "init_params": "random",
        "max_iter": 50,
        "tol": 0.01,
    }
    assert (learned["covariance_floor"], learned["random_state"]) == (0.001, 7)
    report = json.loads(stdout)
    assert report["columns"] == ["age", "height"]
    assert (report["n_rows"], report["covariance_type"]) == (60, "diag")
    assert sum(report["weights"]) == pytest.approx(1)
    assert np.shape(report["means"]) == (2, 2)


def test_a_column_of_weights_counts_rows_and_is_no_feature(gmmseg, tmp_path, X, rng):
    times = rng.integers(0, 4, size=60)
    write(tmp_path / "once.csv", [*NAMES, "times"], np.c_[X, times])
    write(tmp_path / "often.csv", NAMES, X.repeat(times, axis=0))
    found = []
    for name, options in (("once", ("--weight", "times")), ("often", ())):
        out = tmp_path / f"{name}.gmm"
        assert (
            gmmseg("table", "fit", tmp_path / f"{name}.csv", "-k", 1, "-o", out, *options)[0] == 0
        )
        found.append(GaussianMixture.load(out).covariances_)
    assert_allclose(*found)


def test_predict_labels_from_1_and_keeps_the_rows(gmmseg, table, model, X):
    code, stdout, lines = gmmseg("table", "predict", model, table)
    assert (code, lines) == (0, [])
    mixture = GaussianMixture.load(model)
    assert stdout.splitlines()[0] == "label"
    assert_array_equal(read(stdout)["label"], mixture.predict(X) + 1)


def test_predict_writes_probabilities_and_log_density_when_asked(gmmseg, table, model, X, tmp_path):
    out = tmp_path / "labels.csv"
    options = ("-o", out, "--probabilities", "--log-density")
    code, stdout, lines = gmmseg("table", "predict", model, table, *options)
    assert (code, stdout) == (0, "")
    assert lines == [f"{table}: 60 rows labelled, {out}"]
    columns = read(out.read_text())
    assert list(columns) == ["label", "probability_1", "probability_2", "log_density"]
    mixture = GaussianMixture.load(model)
    assert_allclose(columns["probability_2"], mixture.predict_proba(X)[:, 1], rtol=1e-8)
    assert_allclose(columns["log_density"], mixture.score_samples(X), rtol=1e-8)


def test_predict_tells_as_json_how_many_rows_have_each_label(gmmseg, table, model, tmp_path):
    out = tmp_path / "labels.csv"
    code, stdout, lines = gmmseg("table", "predict", model, table, "-o", out, "--json")
    assert (code, len(lines)) == (0, 1)
    report = json.loads(stdout)
    assert report.pop("seconds") >= 0
    assert report == {
        "file": str(table),
        "model": str(model),
        "labels": str(out),
        "n_rows": 60,
        "rows_of_gaussians": [30, 30],
        "rows_of_noise": 0,
    }


def test_predict_does_not_mix_json_with_labels(gmmseg, table, model):
    code, stdout, lines = gmmseg("table", "predict", model, table, "--json")
    assert (code, stdout) == (2, "")
    assert "--json and the labels would both go to stdout; give -o FILE" in " ".join(lines)


def test_predict_finds_its_columns_in_a_wider_table_in_any_order(gmmseg, table, model, tmp_path, X):
    wide = tmp_path / "wide.csv"
    rows = [["Ada", *row[::-1], 5] for row in X.tolist()]
    write(wide, ["name", *NAMES[::-1], "shoes"], np.array(rows, dtype=object))
    narrow = gmmseg("table", "predict", model, table, "--log-density")
    assert gmmseg("table", "predict", model, wide, "--log-density") == narrow


def test_predict_takes_columns_without_names_in_their_order(gmmseg, table, model, tmp_path, X):
    expected = gmmseg("table", "predict", model, table)
    np.save(tmp_path / "new.npy", X)
    np.savetxt(tmp_path / "new.csv", X, delimiter=";", fmt="%.17g")
    assert gmmseg("table", "predict", model, tmp_path / "new.npy") == expected
    assert gmmseg("table", "predict", model, tmp_path / "new.csv") == expected
    np.save(tmp_path / "wide.npy", np.c_[X[:, ::-1], X])
    options = ("--columns", "4-6")
    assert gmmseg("table", "predict", model, tmp_path / "wide.npy", *options) == expected


def test_columns_chosen_by_number_are_remembered(gmmseg, tmp_path, X):
    np.save(tmp_path / "t.npy", X)
    out = tmp_path / "t.gmm"
    assert (
        gmmseg("table", "fit", tmp_path / "t.npy", "-k", 2, "-o", out, "--columns", "3,1")[0] == 0
    )
    code, stdout, _ = gmmseg("table", "predict", out, tmp_path / "t.npy", "--log-density")
    assert code == 0
    expected = GaussianMixture.load(out).score_samples(X[:, [2, 0]])
    assert_allclose(read(stdout)["log_density"], expected, rtol=1e-8)


def test_a_pipe_runs_from_stdin_to_stdout(gmmseg, table, model, tmp_path):
    content = table.read_bytes()
    expected = gmmseg("table", "predict", model, table)
    assert gmmseg("table", "predict", model, "-", "-o", "-", stdin=content) == expected
    out = tmp_path / "piped.gmm"
    assert gmmseg("table", "fit", "-", "-k", 2, "-o", out, stdin=content)[0] == 0
    assert out.read_bytes() == model.read_bytes()
    told = gmmseg("table", "fit", "-", "-k", 2, "-o", out, stdin=b"a\nx\n")[2]
    assert told[0].startswith("gmmseg: stdin has 'x' in line 2, column 1 ('a')")


def test_a_column_without_a_name_is_left_out_and_that_is_said(gmmseg, tmp_path, X):
    path = tmp_path / "frame.csv"
    write(path, ["", *NAMES], np.c_[np.arange(60), X])  # as pandas writes its index
    code, stdout, lines = gmmseg("table", "fit", path, "-k", 1, "-o", tmp_path / "f.gmm", "--json")
    assert code == 0
    assert lines[0] == f"gmmseg: {path}: column 1 has no name and is left out"
    assert json.loads(stdout)["columns"] == NAMES


def test_the_model_lies_beside_us_under_the_name_of_the_table(gmmseg, table, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert gmmseg("table", "fit", table, "-k", 1)[0] == 0
    assert (tmp_path / "here" / "people.gmm").is_file()


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (
            ["height", "mass", "age"],
            (),
            (
                "new.csv has no column 'weight', which the model was fitted to; it has height, "
                "mass, age; name the 3 to use, in the order height,weight,age, with --columns"
            ),
        ),
        (
            NAMES,
            ("--columns", "1-2"),
            "new.csv: the model wants 3 columns, got 2; choose them with --columns",
        ),
        (NAMES, ("--columns", "size"), "new.csv has no column 'size'; it has height, weight, age"),
    ],
)
def test_columns_that_do_not_fit_the_model_are_told(
    gmmseg, model, tmp_path, names, options, message
):
    write(tmp_path / "new.csv", names, [[1, 2, 3]])
    code, stdout, lines = gmmseg("table", "predict", model, tmp_path / "new.csv", *options)
    assert (code, stdout) == (1, "")
    assert lines == [f"gmmseg: {tmp_path}/{message}"]


def test_a_model_without_names_wants_as_many_columns_as_it_has(gmmseg, table, tmp_path, X):
    path = tmp_path / "python.gmm"
    GaussianMixture(2, random_state=0).fit(X).save(path)
    assert gmmseg("table", "predict", path, table)[0] == 0
    GaussianMixture(2, random_state=0).fit(X[:, :2]).save(path)
    code, _, lines = gmmseg("table", "predict", path, table)
    assert code == 1
    told = f"gmmseg: {table}: the model wants 2 columns, got 3; choose them with --columns"
    assert lines == [told]


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"a,b\n1,2\n3,x\n", (), " has 'x' in line 3, column 2 ('b'), which is not a number; "),
        (b"a,b\n1,inf\n3,4\n", (), ": Input X contains infinity"),
        (b"a,b\n1,-1\n3,4\n", ("--weight", "b"), ": sample_weight must be finite and not negat"),
        (
            b"a,b\n1,2\n",
            ("--weight", "b", "--columns", "a,b"),
            "column 'b' has the weights or labels; leave",
        ),
        (b"a\n1\n", ("--weight", "a"), " has no column left to fit; it has a"),
    ],
)
def test_tables_that_cannot_be_fitted_are_told_in_one_line(
    gmmseg, tmp_path, content, options, told
):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    code, stdout, lines = gmmseg("table", "fit", path, "-k", 1, "-o", tmp_path / "m.gmm", *options)
    assert (code, stdout, len(lines)) == (1, "", 1)
    assert told in lines[0]
    assert not (tmp_path / "m.gmm").exists()


def test_a_model_file_that_is_none_is_told_in_one_line(gmmseg, table):
    code, _, lines = gmmseg("table", "predict", table, table)
    assert (code, len(lines)) == (1, 1)
    assert "is not a gmmseg model file" in lines[0]


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "t.csv"),
        ("fit", "t.csv", "-k", "0"),
        ("fit", "t.csv", "-k", "2", "--covariance", "round"),
        ("fit", "t.csv", "-k", "2", "-o", "t.csv"),
        ("fit", "-", "-k", "2"),
        ("predict", "m.gmm", "t.csv", "-o", "t.csv"),
        ("predict", "m.gmm", "t.csv", "-o", "m.gmm"),
        ("predict", "m.gmm"),
    ],
    ids=" ".join,
)
def test_misuse_exits_with_2_and_replaces_nothing(gmmseg, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    for name in ("t.csv", "m.gmm"):
        (tmp_path / name).write_text("1\n")
    assert gmmseg("table", *arguments)[0] == 2
    assert (tmp_path / "t.csv").read_text() == (tmp_path / "m.gmm").read_text() == "1\n"


@pytest.mark.parametrize("asked", ["auto", "1-4", "1,2,3"])
def test_the_number_of_gaussians_and_their_family_are_chosen(gmmseg, table, tmp_path, asked):
    out = tmp_path / "chosen.gmm"
    options = ["-k", asked, "--covariance", "EII,full", "--criterion", "bic", "--json"]
    code, stdout, lines = gmmseg("table", "fit", table, "-o", out, *options)
    assert code == 0
    report = json.loads(stdout)
    assert (report["n_components"], report["covariance_type"]) == (2, "EII")
    assert "2 Gaussians (EII)" in lines[0]


def test_a_choice_that_ends_at_its_limit_says_so_in_one_line(gmmseg, tmp_path, rng):
    path, out = tmp_path / "twelve.csv", tmp_path / "twelve.gmm"
    heaps = 10.0 * rng.integers(0, 12, size=(600, 1)) + rng.normal(size=(600, 1))
    np.savetxt(path, heaps, delimiter=",")
    options = ["--covariance", "spherical", "--init", "hierarchical", "-o", out, "--json"]
    code, stdout, lines = gmmseg("table", "fit", path, "-k", "auto", *options)
    assert (code, len(lines)) == (0, 2)
    assert "more may be better" in lines[0]
    assert "such as 9 to 20" in lines[0]
    assert json.loads(stdout)["more_may_be_better"]
    code, stdout, lines = gmmseg("table", "fit", path, "-k", "9-20", *options)
    report = json.loads(stdout)
    assert (code, len(lines), report["n_components"]) == (0, 1, 12)
    assert not report["more_may_be_better"]


@pytest.mark.parametrize("asked", ["none", "2-", "-3", "0", "1.5"])
def test_a_number_of_gaussians_that_is_none_is_misuse(gmmseg, table, asked):
    code, _, lines = gmmseg("table", "fit", table, f"-k{asked}")
    assert code == 2
    assert any("the number of Gaussians must be" in line or "at least 1" in line for line in lines)


def test_rows_of_known_gaussian_say_which_is_which(gmmseg, tmp_path, X):
    path, out = tmp_path / "some.csv", tmp_path / "some.gmm"
    lines = [f"{row[0]},{row[1]}," for row in X]
    lines[0], lines[-1] = lines[0] + "2", lines[-1] + "1"
    path.write_text("a,b,group\n" + "\n".join(lines) + "\n")
    assert gmmseg("table", "fit", path, "-k", 2, "--labels", "group", "-o", out)[0] == 0
    means = GaussianMixture.load(out).means_
    assert_allclose(means, [[9.0, 8.0], [1.0, 2.0]], atol=0.8)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("1.5", "must hold the numbers of Gaussians"), ("1", "knows the Gaussian of every row")],
)
def test_labels_that_are_none_are_refused_in_one_line(gmmseg, tmp_path, cell, reason):
    path = tmp_path / "labelled.csv"
    path.write_text("a,group\n" + f"1,{cell}\n2,{cell}\n")
    code, _, lines = gmmseg("table", "fit", path, "-k", 1, "--labels", "group")
    assert (code, len(lines)) == (1, 1)
    assert reason in lines[0]


def test_noise_is_label_0_and_has_a_probability(gmmseg, tmp_path, X):
    path, out = tmp_path / "noisy.csv", tmp_path / "noisy.gmm"
    outliers = 35.0 * np.vstack([np.eye(3), -np.eye(3)])
    write(path, NAMES, np.vstack([X, outliers]))
    assert gmmseg("table", "fit", path, "-k", 2, "--noise", "-o", out)[0] == 0
    _, stdout, _ = gmmseg("table", "predict", out, path, "--probabilities")
    columns = read(stdout)
    assert list(columns) == ["label", "probability_1", "probability_2", "probability_noise"]
    assert (columns["label"][-6:] == 0).all()
    assert set(columns["label"][:-6]) == {1, 2}


def test_empty_cells_are_missing_values(gmmseg, tmp_path, X):
    path, out = tmp_path / "holes.csv", tmp_path / "holes.gmm"
    rows = [[f"{value}" for value in row] for row in X]
    rows[3][1] = rows[40][0] = ""
    path.write_text("a,b,c\n" + "\n".join(",".join(row) for row in rows) + "\n")
    assert gmmseg("table", "fit", path, "-k", 2, "-o", out)[0] == 0
    holes = X.copy()
    holes[3, 1] = holes[40, 0] = np.nan
    assert_array_equal(
        GaussianMixture.load(out).means_, GaussianMixture(2, random_state=0).fit(holes).means_
    )


def test_the_prior_reaches_the_mixture(gmmseg, table, tmp_path):
    out = tmp_path / "prior.gmm"
    assert gmmseg("table", "fit", table, "-k", 2, "--prior", 5, "-o", out)[0] == 0
    assert GaussianMixture.load(out).covariance_prior == 5.0


def test_a_bayesian_mixture_is_shown_and_labels_rows(gmmseg, table, tmp_path, X):
    out = tmp_path / "bayes.gmm"
    mixture = BayesianGaussianMixture(2, random_state=0).fit(X)
    mixture.save(out)
    code, stdout, _ = gmmseg("model", "show", out)
    assert code == 0
    assert "nats in all" in stdout
    _, stdout, _ = gmmseg("table", "predict", out, table)
    assert_array_equal(read(stdout)["label"], mixture.predict(X) + 1)
