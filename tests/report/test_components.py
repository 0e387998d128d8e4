"""Claims about the picture of components: what is drawn, where, and that it can be read."""

import re
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

from gmmseg.core import GaussianMixture, MixtureParameters
from gmmseg.errors import InputError, MissingExtraError
from gmmseg.report import plot_components
from gmmseg.report.components import LABEL_DISTANCE, color_of
from tests.mixtures import COVARIANCE_TYPES, draw, random_mixture


def pixels(ax):
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())


def numbers_on(ax):
    return sorted(int(text.get_text()) for text in ax.texts)


def places_of_numbers(ax):
    """Return where the numbers stand, in points."""
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    return np.array([(box.x0 + box.x1, box.y0 + box.y1) for box in boxes]) * 36 / ax.figure.dpi


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_ellipses_lie_one_and_two_standard_deviations_around_the_means(rng, covariance_type):
    parameters = random_mixture(rng, covariance_type, n_features=3)
    ax = plot_components(parameters, features=(2, 0))
    distances = []
    for line in ax.lines:
        k = [color_of(k) for k in range(3)].index(line.get_color())
        one = MixtureParameters(
            [1.0],
            parameters.means[[k]],
            parameters.family.subset(parameters.covariances, np.array([k])),
            covariance_type=covariance_type,
        )
        spread = one.component_covariances[0]
        spread = (np.diag(spread) if spread.ndim == 1 else spread)[np.ix_([2, 0], [2, 0])]
        dev = np.stack(line.get_data(), axis=1) - one.means[0, [2, 0]]
        squares = (dev @ np.linalg.inv(spread) * dev).sum(axis=1)
        assert_allclose(squares, squares.mean())
        distances.append(np.sqrt(squares.mean()))
    assert_allclose(sorted(distances), [1, 1, 1, 2, 2, 2])


def test_heavier_components_are_bolder_and_those_of_weight_0_are_left_out():
    parameters = MixtureParameters(
        [0.1, 0.0, 0.9],
        [[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]],
        np.ones(3),
        covariance_type="spherical",
    )
    ax = plot_components(parameters)
    assert numbers_on(ax) == [1, 3]
    assert ax.get_xlim()[1] < 12
    width = {line.get_color(): line.get_linewidth() for line in ax.lines}
    assert width[color_of(2)] > 1.5 * width[color_of(0)]


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_numbers_can_be_read_where_components_lie_on_one_another(scale, offset):
    means = scale * np.array([[0, 0]] * 4 + [[0.01, 0], [9, 9]]) + offset * scale
    parameters = MixtureParameters(
        np.full(6, 1 / 6), means, np.full(6, scale**2), covariance_type="spherical"
    )
    ax = plot_components(parameters)
    assert numbers_on(ax) == [1, 2, 3, 4, 5, 6]
    places = places_of_numbers(ax)
    gaps = np.linalg.norm(places[:, None] - places, axis=2) + 99 * np.eye(6)
    assert gaps.min() > 0.8 * LABEL_DISTANCE
    assert gaps[:5].min(axis=1).max() < 3 * LABEL_DISTANCE


def test_a_crowd_of_components_has_numbers_for_the_heaviest_only(rng):
    parameters = random_mixture(rng, n_components=50)
    heaviest = np.argsort(parameters.weights)[-40:] + 1
    assert numbers_on(plot_components(parameters)) == sorted(heaviest)


def test_samples_have_the_colour_of_their_label_and_incomplete_ones_are_left_out(rng):
    parameters = MixtureParameters(
        [0.5, 0.5], [[-9.0, 0.0], [9.0, 0.0]], np.ones(2), covariance_type="spherical"
    )
    X = draw(rng, parameters, 9000)
    X[::2, 1] = np.nan
    (points,) = plot_components(parameters, X).collections[:1]
    assert len(points.get_offsets()) == 4000
    blue = points.get_facecolor()[:, 2] > 0.5
    assert 0 < blue.sum() < 4000
    np.testing.assert_array_equal(blue, points.get_offsets()[:, 0] < 0)


def test_one_feature_is_drawn_as_densities_that_add_up_to_one(rng):
    mixture = GaussianMixture(2, random_state=0).fit(rng.normal(size=(300, 1)) ** 2)
    ax = plot_components(mixture, rng.normal(size=(300, 1)) ** 2, names=["age"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "density")
    assert numbers_on(ax) == [1, 2]
    x, total = ax.lines[0].get_data()
    assert_allclose(np.trapezoid(total, x), 1, atol=1e-3)
    assert_allclose(total, np.exp(mixture.score_samples(x[:, None])), rtol=1e-9)
    assert_allclose(sum(bar.get_width() * bar.get_height() for bar in ax.patches), 1)


def test_given_axes_are_drawn_on_and_names_and_default_names_are_written(rng):
    parameters = random_mixture(rng, n_features=3)
    ax = plot_components(parameters)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("X[:, 0]", "X[:, 1]")
    again = plot_components(parameters, features=[2, 1], ax=ax, names=["a", "b", "c"])
    assert again is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("c", "b")


def test_the_picture_is_coloured_ink_on_white_and_no_window_knows_of_it(rng):
    picture = pixels(plot_components(random_mixture(rng)))
    assert (picture[0] == 255).all()
    assert 0.3 < (picture[..., :3] == 255).all(axis=2).mean() < 0.95
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": (0, 3)}, "features must lie in 0…1 as the mixture has 2, got 3"),
        ({"features": (1, 1)}, "features must be one or two different numbers, got [1, 1]"),
        ({"features": ()}, "features must be one or two different numbers, got []"),
        ({"names": ["a"]}, "names must be those of all 2 features, got 1"),
        ({"X": np.zeros((4, 3))}, "X must have shape (n_samples, 2), got (4, 3)"),
    ],
)
def test_what_does_not_fit_the_mixture_is_refused(rng, options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        plot_components(random_mixture(rng), **options)


def test_a_mixture_that_has_learned_nothing_is_refused():
    message = "mixture must be fitted, or MixtureParameters, got GaussianMixture; call fit first"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        plot_components(GaussianMixture())


def test_without_matplotlib_the_error_says_what_to_install(rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    message = "a plot needs matplotlib, which is not installed; pip install 'gmmseg[plot]'"
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}$"):
        plot_components(random_mixture(rng))
