"""Figures of matplotlib that no window and no global state knows of, all in the same ink."""

from typing import TYPE_CHECKING

from gmmseg.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT_INK = "#333344", "#999999"
CURVE = "#3B5BA5"


def check_matplotlib(what: str = "a plot") -> None:
    """Refuse what needs matplotlib, in these words, where it is not installed."""
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401 (whether they are there is the question)
    except ImportError as error:
        raise MissingExtraError(
            f"{what} needs matplotlib, which is not installed; pip install 'gmmseg[plot]'"
        ) from error


def new_figure(size: tuple[float, float], *, dpi: int) -> "Figure":
    """Return a white figure of so many inches, across and down, whose axes make room for words."""
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def draw_in_ink(ax: "Axes") -> None:
    """Leave axes their left and lower border, faint, and their words in ink."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(FAINT_INK)
    ax.tick_params(color=FAINT_INK, labelcolor=INK)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
