"""The command ``gmmseg model show``: what a fitted mixture has learned, for people and programs."""

import math
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import show, terminal_width
from gmmseg.cli.options import AsJson
from gmmseg.cli.outputs import print_json, refuse_to_replace
from gmmseg.cli.table_file import Columns
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from gmmseg.core import GaussianMixture, Similarity

MOST_FEATURES = 6  # that a table for people shows, if the terminal is wide enough

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def model() -> None:
    """Look into model files.

    Example: gmmseg model show measured.gmm
    """


@app.command("show")
def show_model(
    path: Annotated[Path, typer.Argument(metavar="MODEL", help="Model file.")],
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the Gaussians into this file.")
    ] = None,
    features: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B", help="Two columns to draw, by name or number; one twice: its densities."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a mixture has learned: weights, means, spread, and which Gaussians are near.

    Example: gmmseg model show measured.gmm --plot measured.png --features height weight
    """
    from gmmseg.core import load_mixture
    from gmmseg.core.mixture_file import read_feature_names

    mixture, names = load_mixture(path), list(read_feature_names(path))
    has_names, n_features = bool(names), mixture.n_features_in_
    names = names or [str(k + 1) for k in range(n_features)]
    if features is not None and plot is None:
        raise typer.BadParameter("--features says what --plot draws; give --plot FILE.png, too")
    if plot is not None:
        refuse_to_replace([path], plot, option="--plot")
        chosen = None
        if features is not None:
            there = Columns(str(path), names, has_header=has_names)
            chosen = list(dict.fromkeys(there.named([name])[0] for name in features))
        draw(mixture, plot, names, chosen)
    n_bytes = path.stat().st_size
    if as_json:
        print_json(everything_about(mixture, path, names if has_names else None))
        return
    similarity = mixture.similarity()
    show(table_of(mixture, similarity, names))
    typer.echo(f"{path}: {kind_of(mixture)}, {in_bytes(n_bytes)}")
    typer.echo(end_of_fit(mixture))
    typer.echo(advice(similarity))


def draw(
    mixture: "GaussianMixture", path: Path, names: list[str], features: list[int] | None
) -> None:
    """Draw the components into an image file."""
    from gmmseg.report.plotting import check_matplotlib

    check_matplotlib("--plot")
    from matplotlib.figure import Figure

    from gmmseg.files import replacing
    from gmmseg.report import plot_components

    figure = plot_components(mixture, features=features, names=names).figure
    assert isinstance(figure, Figure)
    with replacing(path) as temporary:
        try:
            figure.savefig(temporary)
        except ValueError as error:
            raise InputError(f"cannot write {path}: {error}") from error


def table_of(mixture: "GaussianMixture", similarity: "Similarity", names: list[str]) -> "Table":
    """Return a row per component: weight, means with standard deviations, the nearest other one."""
    import numpy as np
    from rich import box
    from rich.table import Table

    n_shown = fitting(names)
    n_more = len(names) - n_shown
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "weight", *names[:n_shown]):
        table.add_column(title, justify="right", no_wrap=True)
    if n_more:
        table.add_column(f"and {n_more} more", justify="center")
    table.add_column("nearest (overlap)", justify="right")
    spread = np.sqrt(mixture.parameters_.component_variances)
    for k, weight in enumerate(mixture.weights_):
        cells = [
            with_spread(mean, deviation)
            for mean, deviation in zip(mixture.means_[k], spread[k], strict=True)
        ][:n_shown]
        more = ["…"] if n_more else []
        table.add_row(str(k + 1), f"{weight:.3f}", *cells, *more, nearest_to(k, similarity))
    return table


def fitting(names: list[str]) -> int:
    """Return how many features a table can show in the width of the terminal, at least one."""
    left = terminal_width() - 46  # for all but the features
    widths = accumulate(max(len(name), 13) + 2 for name in names[:MOST_FEATURES])
    return max(1, sum(width <= left for width in widths))


def nearest_to(k: int, similarity: "Similarity") -> str:
    """Return the number of the component in use that overlaps most with component k."""
    import numpy as np

    weights = similarity.parameters.weights
    others = [j for j in range(len(weights)) if j != k and weights[j] > 0.0]
    if not others or not weights[k] > 0.0:
        return "-"
    nearest = others[int(np.argmin(similarity.bhattacharyya[k, others]))]
    return f"{nearest + 1} ({similarity.overlap[k, nearest]:.1%})"


def with_spread(mean: float, deviation: float) -> str:
    """Return ``mean ± deviation`` with two digits of the deviation, and as many of the mean."""
    digits = 1 - math.floor(math.log10(deviation))
    if max(abs(mean), deviation) < 1e7 and 0 <= digits <= 6:
        return f"{mean:.{digits}f} ± {deviation:.{digits}f}"
    if max(abs(mean), deviation) < 1e7 and digits < 0:
        return f"{mean:.0f} ± {deviation:.0f}"
    top = math.floor(math.log10(max(abs(mean), deviation)))
    return f"{mean:.{min(max(top + digits, 1), 15)}e} ± {deviation:.1e}"


def kind_of(mixture: "GaussianMixture") -> str:
    """Return how many Gaussians of which shape over how many features there are."""
    n_off = int((mixture.weights_ == 0.0).sum())
    off = f" ({n_off} of weight 0)" if n_off else ""
    number, noise = mixture.n_components_, mixture.parameters_.noise_weight
    off += f" and {noise:.1%} noise" if noise else ""
    return (
        f"{number} Gaussian{'s' if number > 1 else ''}{off} over {mixture.n_features_in_} "
        f"feature{'s' if mixture.n_features_in_ > 1 else ''}, "
        f"covariances {mixture.covariance_type_}"
    )


def in_bytes(n_bytes: int) -> str:
    """Return a size on disk."""
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"


def end_of_fit(mixture: "GaussianMixture") -> str:
    """Return why the fit ended, and where."""
    record = mixture.record_
    if not record.n_iter:
        return f"not fitted: {record.stop_reason}"
    of_what = "in all" if hasattr(mixture, "posterior_") else "per sample"
    return (
        f"fit: {record.stop_reason}; {record.n_iter} "
        f"iteration{'s' if record.n_iter > 1 else ''}, {mixture.lower_bound_:.6g} nats {of_what}"
    )


def advice(similarity: "Similarity") -> str:
    """Return which pair is nearest, and what merging would cost."""
    if similarity.nearest_pair is None:
        return "one Gaussian in use: nothing to merge"
    i, j = similarity.nearest_pair
    return (
        f"nearest: {i + 1} and {j + 1}, overlap {similarity.overlap[i, j]:.1%}; "
        f"merging them costs up to {similarity.merge_cost[i, j]:.3g} nats per sample"
    )


def everything_about(
    mixture: "GaussianMixture", path: Path, names: list[str] | None
) -> dict[str, Any]:
    """Return what is known of a mixture, as JSON knows it; components are counted from 1."""
    parameters, record, similarity = mixture.parameters_, mixture.record_, mixture.similarity()
    pair = similarity.nearest_pair
    nearest = None
    if pair is not None:
        nearest = {
            "components": [k + 1 for k in pair],
            "bhattacharyya": float(similarity.bhattacharyya[pair]),
            "symmetric_kl": float(similarity.symmetric_kl[pair]),
            "overlap": float(similarity.overlap[pair]),
            "merge_cost": float(similarity.merge_cost[pair]),
        }
    return {
        "model": str(path),
        "n_bytes": path.stat().st_size,
        "covariance_type": parameters.covariance_type,
        "n_components": parameters.n_components,
        "n_features": parameters.n_features,
        "feature_names": names,
        "weights": parameters.weights.tolist(),
        "means": parameters.means.tolist(),
        "standard_deviations": (parameters.component_variances**0.5).tolist(),
        "covariances": parameters.covariances.tolist(),
        "n_iter": record.n_iter,
        "score": record.lower_bounds[-1] if record.n_iter else None,
        "is_converged": record.is_converged,
        "stop_reason": record.stop_reason,
        "nearest_pair": nearest,
        "merges": [
            {
                "first": [k + 1 for k in merge.first],
                "second": [k + 1 for k in merge.second],
                "cost": merge.cost,
            }
            for merge in similarity.merges
        ],
    }
