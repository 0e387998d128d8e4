"""Draw the components of a mixture over one or two features, for people to look at."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core import MixtureParameters
from gmmseg.core.estep import predicted_labels
from gmmseg.core.validation import as_numbers
from gmmseg.errors import InputError
from gmmseg.report.figures import PALETTE
from gmmseg.report.plotting import INK, draw_in_ink, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gmmseg.core import GaussianMixture

Array = NDArray[np.float64]

MOST_POINTS = 4000  # that are drawn: more would hide one another
MOST_NUMBERS = 40  # of components, the heaviest, that are written: more would hide the picture
LABEL_DISTANCE = 15.0  # between the middles of two numbers, in points


class Marginal(NamedTuple):
    """The components in use, over the features that are drawn, heaviest first."""

    numbers: NDArray[np.intp]
    weights: Array
    means: Array
    covariances: Array


def plot_components(
    mixture: "GaussianMixture | MixtureParameters",
    X: ArrayLike | None = None,
    *,
    features: Sequence[int] | None = None,
    ax: "Axes | None" = None,
    names: Sequence[str] | None = None,
) -> "Axes":
    """Draw the components of a mixture: ellipses over two features, densities over one.

    Ellipses lie one and two standard deviations around the mean of a component; the more it weighs,
    the bolder they are. Components are numbered from 1, so number 1 is component 0 of `predict`;
    those of weight 0 are left out, and of more than 40 the lightest bear no number. Colours stay
    apart with every common colour blindness, and repeat from number 11.

    Parameters
    ----------
    mixture : GaussianMixture or MixtureParameters
        A fitted mixture.
    X : array_like of shape (n_samples, n_features), optional
        Samples to draw behind the components, each in the colour of its label: every one up to
        4,000, of more as many at even distances. Rows with NaN are left out.
    features : sequence of int, optional
        One or two features to look at, counted from 0. The first two, or the only one, if None.
    ax : matplotlib Axes, optional
        Where to draw; axes in a new figure if None.
    names : sequence of str, optional
        Names of all features, for the axes.

    Returns
    -------
    ax : matplotlib Axes
        The axes; ``ax.figure.savefig("components.png")`` writes them.

    Raises
    ------
    InputError
        If features, names or X do not fit the mixture.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> pair = MixtureParameters(
    ...     [0.3, 0.7], [[0.0, 0.0], [4.0, 1.0]], [1.0, 2.0], covariance_type="spherical"
    ... )
    >>> ax = plot_components(pair, names=["height", "weight"])
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('height', 'weight')
    """
    parameters = getattr(mixture, "parameters_", mixture)
    if not isinstance(parameters, MixtureParameters):
        raise InputError(
            f"mixture must be fitted, or MixtureParameters, got {type(mixture).__name__}; "
            "call fit first"
        )
    chosen = _checked_features(features, parameters.n_features)
    names = _checked_names(names, parameters.n_features)
    points, labels = _sample(X, parameters)
    if ax is None:
        ax = new_figure((7.2, 5.4), dpi=150).add_subplot()
        draw_in_ink(ax)
    marginal = _marginal(parameters, chosen)
    if len(chosen) == 1:
        _draw_densities(ax, marginal, points[:, chosen[0]])
        ax.set_ylabel("density")
    else:
        _draw_points(ax, points[:, chosen], labels)
        _draw_ellipses(ax, marginal)
        ax.set_ylabel(names[chosen[1]])
    ax.set_xlabel(names[chosen[0]])
    return ax


def color_of(number: int) -> str:
    """Return the colour of a component, counted from 0."""
    return f"#{PALETTE[number % len(PALETTE)]}"


def _checked_features(features: Sequence[int] | None, n_features: int) -> list[int]:
    if features is None:
        return list(range(min(2, n_features)))
    chosen = list(features)
    if len(chosen) not in (1, 2) or len(set(chosen)) != len(chosen):
        raise InputError(f"features must be one or two different numbers, got {chosen}")
    for feature in chosen:
        if not 0 <= feature < n_features:
            raise InputError(
                f"features must lie in 0…{n_features - 1} as the mixture has {n_features}, "
                f"got {feature}"
            )
    return chosen


def _checked_names(names: Sequence[str] | None, n_features: int) -> list[str]:
    if names is None:
        return [f"X[:, {feature}]" for feature in range(n_features)]
    if len(names) != n_features:
        raise InputError(f"names must be those of all {n_features} features, got {len(names)}")
    return list(names)


def _sample(X: ArrayLike | None, parameters: MixtureParameters) -> tuple[Array, NDArray[np.intp]]:
    """Return a readable number of samples, and their labels."""
    if X is None:
        return np.empty((0, parameters.n_features)), np.empty(0, dtype=np.intp)
    points = as_numbers(X, "X")
    if points.ndim != 2 or points.shape[1] != parameters.n_features:
        raise InputError(
            f"X must have shape (n_samples, {parameters.n_features}), got {points.shape}"
        )
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) > MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, MOST_POINTS).astype(np.intp)]
    labels = predicted_labels(points, parameters, 1) if len(points) else np.empty(0, dtype=np.intp)
    return points, labels


def _marginal(parameters: MixtureParameters, features: list[int]) -> Marginal:
    order = np.argsort(-parameters.weights, kind="stable")
    numbers = order[parameters.weights[order] > 0.0]
    covariances = parameters.component_covariances[numbers]
    if covariances.ndim == 2:
        covariances = covariances[:, features, None] * np.eye(len(features))
    else:
        covariances = covariances[:, features][:, :, features]
    means = parameters.means[numbers][:, features]
    return Marginal(numbers, parameters.weights[numbers], means, covariances)


def _boldness(weights: Array) -> Array:
    """Return 0…1: 1 for the heaviest component, so that weights can be told by eye."""
    return np.sqrt(weights / weights.max())


def _draw_points(ax: "Axes", points: Array, labels: NDArray[np.intp]) -> None:
    if len(points):
        colors = [color_of(int(label)) for label in labels]
        size = float(np.clip(3e4 / len(points), 4.0, 16.0))
        ax.scatter(points[:, 0], points[:, 1], s=size, c=colors, alpha=0.45, linewidths=0, zorder=1)


def _draw_ellipses(ax: "Axes", marginal: Marginal) -> None:
    from matplotlib.patheffects import withStroke

    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    halo = [withStroke(linewidth=4.0, foreground="white", alpha=0.7)]
    bold = _boldness(marginal.weights)
    for k, number in enumerate(marginal.numbers):
        outline = _root(marginal.covariances[k]) @ circle
        for radius, strength in ((2.0, 0.55), (1.0, 1.0)):
            x, y = marginal.means[k][:, None] + radius * outline
            ax.fill(x, y, color=color_of(int(number)), alpha=0.06 + 0.14 * bold[k], lw=0, zorder=2)
            width = strength * (0.8 + 2.0 * bold[k])
            ax.plot(x, y, color=color_of(int(number)), lw=width, zorder=3, path_effects=halo)
    ax.margins(0.04)
    _draw_numbers(ax, marginal.numbers, marginal.means)


def _root(covariance: Array) -> Array:
    """Return a matrix L with ``covariance = L @ L.T``, (2, 2), whatever the units."""
    scale = np.sqrt(np.diag(covariance))
    correlation = np.clip(covariance[0, 1] / scale[0] / scale[1], -1.0, 1.0)
    return scale[:, None] * np.array([[1.0, 0.0], [correlation, np.sqrt(1.0 - correlation**2)]])


def _draw_numbers(ax: "Axes", numbers: NDArray[np.intp], anchors: Array) -> None:
    """Write the numbers where they belong, or beside it where another one stands."""
    from matplotlib.patheffects import withStroke

    ax.autoscale_view()
    numbers, anchors = numbers[:MOST_NUMBERS], anchors[:MOST_NUMBERS]
    figure = ax.figure
    points_per_pixel = 72.0 / figure.dpi
    wanted = ax.transData.transform(anchors) * points_per_pixel
    shifts = _apart(wanted) - wanted
    for number, anchor, shift in zip(numbers, anchors, shifts, strict=True):
        is_moved = np.hypot(*shift) > 6.0
        ax.annotate(
            str(number + 1),
            anchor,
            xytext=tuple(shift),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            color=INK,
            zorder=5,
            path_effects=[withStroke(linewidth=3.0, foreground="white")],
            arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.7} if is_moved else None,
        )


def _apart(places: Array) -> Array:
    """Return the places, (n, 2) in points, moved as little as makes every two of them readable."""
    moved = places.copy()
    # A tiny turn of the golden angle each, so that places that agree know where to go.
    turn = 2.399963 * np.arange(len(places))
    moved += 1e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for _ in range(60):
        gap = moved[:, None] - moved[None]
        distance = np.hypot(gap[..., 0], gap[..., 1]) + np.eye(len(places)) * LABEL_DISTANCE
        short = np.clip(LABEL_DISTANCE - distance, 0.0, None)
        if not short.any():
            break
        moved += 0.5 * (gap * (short / distance)[..., None]).sum(axis=1)
    return moved


def _draw_densities(ax: "Axes", marginal: Marginal, points: Array) -> None:
    spread = np.sqrt(marginal.covariances[:, 0, 0])
    steps = np.linspace(-4.0, 4.0, 161)
    grid = np.unique(marginal.means[:, 0] + steps[:, None] * spread)
    dev = (grid - marginal.means) / spread[:, None]
    norm = marginal.weights / np.sqrt(2.0 * np.pi) / spread
    densities = norm[:, None] * np.exp(-0.5 * dev**2)
    if len(points):
        ax.hist(
            points,
            bins=int(np.clip(2.0 * len(points) ** 0.5, 10, 80)),
            density=True,
            color="#e3e3e6",
            zorder=1,
        )
    ax.plot(grid, densities.sum(axis=0), color=INK, lw=1.2, zorder=2)
    for k, number in enumerate(marginal.numbers):
        color, near = color_of(int(number)), np.abs(dev[k]) <= 4.0
        ax.fill_between(grid[near], densities[k, near], color=color, alpha=0.25, lw=0, zorder=3)
        ax.plot(grid[near], densities[k, near], color=color, lw=1.8, zorder=4)
    ax.set_ylim(bottom=0.0)
    ax.margins(x=0.02, y=0.08)
    peaks = np.stack([marginal.means[:, 0], 0.55 * densities.max(axis=1)], axis=1)
    _draw_numbers(ax, marginal.numbers, peaks)
