"""The commands ``gmmseg table``: fit a mixture to a table of numbers, and label its rows."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import about, announce_compilation, say, warn
from gmmseg.cli.options import STDIN, STDOUT, AsJson, Criterion, Init, families_of, numbers_of
from gmmseg.cli.outputs import print_json, refuse_to_replace, text_to
from gmmseg.cli.table_file import (
    Columns,
    Table,
    read_table,
    shell_list,
    split_names,
    title_of,
)
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from gmmseg.core import GaussianMixture

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV or NPY file; - reads CSV from stdin.")
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        metavar="A,B,C", help="Columns to use: names, numbers from 1, or ranges such as 2-5."
    ),
]
HeaderOption = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header", help="Whether the first line holds names.  [default: look]"
    ),
]


@app.callback()
def table() -> None:
    """Fit mixtures to tables of numbers, and label their rows.

    Example: gmmseg table fit measured.csv -k 3 -o measured.gmm
    """


@app.command()
def fit(
    file: FileArgument,
    n_components: Annotated[
        str,
        typer.Option(
            "-k", "--components", help="Number of Gaussians; 2-6, 2,4,8 or auto to choose one."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Model file.  [default: <stem>.gmm]")
    ] = None,
    covariance: Annotated[
        str,
        typer.Option(
            help="Shape of a Gaussian: full, diag, tied, spherical or a name of mclust such as VEV;"
            " several, separated by commas, or auto to choose one."
        ),
    ] = "full",
    criterion: Annotated[Criterion, typer.Option(help="What chooses.")] = Criterion.bic,
    columns: ColumnsOption = None,
    weight: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of how often each row counts.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column of the Gaussian that a row is known to belong to, 1 to K; empty or 0 if"
            " none is known.",
        ),
    ] = None,
    noise: Annotated[
        bool, typer.Option("--noise", help="Allow for rows that belong to no Gaussian (label 0).")
    ] = False,
    prior: Annotated[
        float, typer.Option(min=0.0, help="Rows that a prior over the covariances counts as.")
    ] = 0.0,
    header: HeaderOption = None,
    starts: Annotated[int, typer.Option(min=1, help="Starts, of which the best is kept.")] = 1,
    init: Annotated[Init, typer.Option(help="How a start is found.")] = Init.kmeans,
    max_iter: Annotated[int, typer.Option(min=1, help="Largest number of iterations.")] = 100,
    tol: Annotated[
        float, typer.Option(min=0.0, help="Stop when the score changes by less.")
    ] = 1e-3,
    floor: Annotated[
        float, typer.Option(min=0.0, help="Smallest variance, as a share of that of the column.")
    ] = 1e-6,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same mixture.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Fit a mixture of Gaussians to the columns of a table.

    Commas, semicolons or tabs separate the cells, with or without a line of names. Empty cells are
    missing values, taken at their expectation. The model file remembers the names of the columns.

    Example: gmmseg table fit measured.csv -k auto --columns height,weight -o measured.gmm
    """
    from gmmseg.core import GaussianMixture

    start = time.perf_counter()
    out, numbers = model_path(file, out), numbers_of(n_components)
    asides = [name for name in (weight, labels) if name is not None]
    data = read_table(file, fit_columns(columns, asides), header=header)
    n_fitted = len(data.names) - len(asides)
    X, names = data.values[:, :n_fitted], data.names[:n_fitted]
    sample_weight = None if weight is None else data.values[:, n_fitted]
    known = None if labels is None else known_of(data.values[:, -1], labels)
    mixture = GaussianMixture(
        numbers,
        covariance_type=families_of(covariance),
        criterion=criterion.value,
        noise=noise,
        covariance_prior=prior or None,
        n_init=starts,
        init_params=init.value,
        max_iter=max_iter,
        tol=tol,
        covariance_floor=floor,
        random_state=seed,
    )
    with about(title_of(file)), announce_compilation():
        fit_to(mixture, X, known, sample_weight)
        bic = mixture.bic(X, sample_weight)
    mixture.feature_names_in_ = names
    mixture.save(out)
    seconds = time.perf_counter() - start
    if as_json:
        report = {"file": str(file), "model": str(out), "n_rows": len(X), "bic": bic}
        print_json({**report, **summary_of(mixture, names), "seconds": round(seconds, 3)})
    found = mixture.n_components_
    gaussians = f"{found} Gaussian{'s' if found > 1 else ''} ({mixture.covariance_type_})"
    many = "1 column" if len(names) == 1 else f"{len(names)} columns"
    learned = f"{gaussians} over {many} of {len(X)} rows"
    say(f"{title_of(file)}: {learned} in {seconds:.1f} s, BIC {bic:.6g}, {out}")


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model file of gmmseg table fit.")],
    file: FileArgument,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="CSV file for the labels; - is stdout.")
    ] = Path(STDOUT),
    columns: ColumnsOption = None,
    header: HeaderOption = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write how likely every label is, too.")
    ] = False,
    log_density: Annotated[
        bool, typer.Option("--log-density", help="Write the log-density of every row, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Label every row of a table by the Gaussian that explains it best.

    Writes CSV with a row for every row of the table: label (from 1 to K, as gmmseg model show
    numbers them; 0 is noise), with --probabilities probability_1 to probability_K, with
    --log-density log_density. Columns are found by the names they had when the model was fitted.

    Example: gmmseg table predict measured.gmm new.csv -o labels.csv --probabilities
    """
    from gmmseg.core import load_mixture
    from gmmseg.core.mixture_file import read_feature_names

    refuse_to_replace([model, file], out)
    if as_json and str(out) == STDOUT:
        raise typer.BadParameter("--json and the labels would both go to stdout; give -o FILE")
    start = time.perf_counter()
    mixture, names = load_mixture(model), read_feature_names(model)
    pick = predict_columns(columns, names, mixture.n_features_in_)
    X = read_table(file, pick, header=header).values
    with about(title_of(file)), announce_compilation():
        labelled = labels_of(mixture, X, probabilities=probabilities, log_density=log_density)
    write_csv(out, labelled)
    if as_json:
        report = {"file": str(file), "model": str(model), "labels": str(out), "n_rows": len(X)}
        counts = counts_of(mixture, labelled)
        print_json(report | counts | {"seconds": round(time.perf_counter() - start, 3)})
    if str(out) != STDOUT:
        say(f"{title_of(file)}: {len(X)} rows labelled, {out}")


def known_of(values: Any, name: str) -> Any:
    """Return labels from 0, and -1 where none is known, of a column that counts from 1."""
    import numpy as np

    labels = np.where(np.isnan(values), 0.0, values)
    if (labels != np.round(labels)).any() or labels.min() < 0:
        raise InputError(
            f"column {name!r} must hold the numbers of Gaussians from 1, or nothing where none is "
            f"known, got {labels[((labels != np.round(labels)) | (labels < 0)).argmax()]:g}"
        )
    if labels.all():
        raise InputError(
            f"column {name!r} knows the Gaussian of every row, so there is nothing to find; "
            "leave --labels out, or empty the cells that are to be found"
        )
    return labels.astype(int) - 1


def fit_to(mixture: "GaussianMixture", X: Any, known: Any, sample_weight: Any) -> None:
    """Fit, and tell what is wrong with the table in one line."""
    try:
        mixture.fit(X, known, sample_weight=sample_weight)
    except InputError:
        raise
    except ValueError as error:  # scikit-learn's, about what is in X, with advice below
        raise InputError(str(error).splitlines()[0]) from error


def labels_of(
    mixture: "GaussianMixture", X: Any, *, probabilities: bool, log_density: bool
) -> Table:
    """Return the columns that `predict` writes."""
    import numpy as np

    names, values = ["label"], [mixture.predict(X)[:, None] + 1.0]
    if probabilities:
        values.append(mixture.predict_proba(X))
        names += [f"probability_{k + 1}" for k in range(mixture.n_components_)]
        names += ["probability_noise"] * (mixture.parameters_.noise is not None)
    if log_density:
        values.append(mixture.score_samples(X)[:, None])
        names.append("log_density")
    return Table(np.concatenate(values, axis=1), names)


def counts_of(mixture: "GaussianMixture", labelled: Table) -> dict[str, Any]:
    """Return how many rows have each label: from 1 to K, and none but noise."""
    import numpy as np

    noise, *counts = np.bincount(
        labelled.values[:, 0].astype(int), minlength=mixture.n_components_ + 1
    ).tolist()
    return {"rows_of_gaussians": counts, "rows_of_noise": noise}


def write_csv(path: Path, labelled: Table) -> None:
    """Write labels, whole numbers, and what goes with them, as CSV."""
    import numpy as np

    formats = ["%d"] + ["%.9g"] * (len(labelled.names) - 1)
    with text_to(path) as target:
        np.savetxt(
            target,
            labelled.values,
            fmt=formats,
            delimiter=",",
            header=",".join(labelled.names),
            comments="",
        )


def summary_of(mixture: "GaussianMixture", names: list[str]) -> dict[str, Any]:
    """Return what was learned, as JSON knows it."""
    selection = getattr(mixture, "selection_", None)  # where there was a choice
    return {
        "columns": names,
        "covariance_type": mixture.covariance_type_,
        "n_components": mixture.n_components_,
        "more_may_be_better": selection is not None and selection.is_at_limit,
        "noise_weight": mixture.parameters_.noise_weight,
        "weights": mixture.weights_.tolist(),
        "means": mixture.means_.tolist(),
        "score": mixture.lower_bound_,
        "n_iter": mixture.n_iter_,
        "is_converged": mixture.converged_,
        "stop_reason": mixture.record_.stop_reason,
    }


def fit_columns(columns: str | None, asides: list[str]) -> Any:
    """Return what picks the columns to fit, and after them those with another meaning."""

    def pick(there: Columns) -> list[int]:
        extra = there.named(asides) if asides else []
        if columns is not None:
            chosen = there.named(split_names(columns))
        else:
            chosen = [k for k, name in enumerate(there.names) if name and k not in extra]
            if left_out := [str(k + 1) for k, name in enumerate(there.names) if not name]:
                warn(f"{there.file}: column {', '.join(left_out)} has no name and is left out")
        if both := [name for name, k in zip(asides, extra, strict=True) if k in chosen]:
            raise InputError(
                f"column {both[0]!r} has the weights or labels; leave it out of --columns"
            )
        if not chosen:
            raise InputError(f"{there.file} has no column left to fit; it has {there.listed()}")
        return chosen + extra

    return pick


def predict_columns(columns: str | None, names: tuple[str, ...], n_features: int) -> Any:
    """Return what picks the columns that the model was fitted to, in its order."""

    def pick(there: Columns) -> list[int]:
        everything = list(range(len(there.names)))
        if columns is not None:
            everything = there.named(split_names(columns))
        elif names and set(names) <= set(there.names) and list(names) != there.names:
            return there.named(list(names))
        elif there.has_header and names and list(names) != there.names:
            missing = next(name for name in names if name not in there.names)
            raise InputError(
                f"{there.file} has no column {missing!r}, which the model was fitted to; it has "
                f"{there.listed()}; name the {n_features} to use, in the order "
                f"{shell_list(list(names))}, with --columns"
            )
        if len(everything) != n_features:
            raise InputError(
                f"{there.file}: the model wants {n_features} columns, got {len(everything)}; "
                "choose them with --columns"
            )
        return everything

    return pick


def model_path(file: Path, out: Path | None) -> Path:
    """Return where the model goes; stop, as misuse, where that is nowhere or an input."""
    if out is None:
        if str(file) == STDIN:
            raise typer.BadParameter("a table from stdin has no name; name the model file with -o")
        out = Path(f"{file.stem}.gmm")
    refuse_to_replace([file], out)
    return out
