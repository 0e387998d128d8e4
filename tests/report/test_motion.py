import sys

import numpy as np
import pytest

from gmmseg.errors import InputError, MissingExtraError
from gmmseg.report import overlay_motion, plot_motion


def test_what_moves_is_red_its_border_redder_and_shadows_blue():
    mask = np.zeros((20, 30), np.uint8)
    mask[5:15, 5:15], mask[5:15, 20:25] = 255, 127
    picture = overlay_motion(np.full((20, 30, 3), 100, np.uint8), mask).astype(int)
    assert picture[10, 10, 0] > picture[10, 10, 2] + 50
    assert picture[5, 10].tolist() == [255, 70, 40]
    assert picture[10, 22, 2] > picture[10, 22, 0] + 50
    assert picture[1, 1].tolist() == [75, 75, 75]


@pytest.mark.parametrize("n_channels", [1, 2, 5])
def test_frames_of_any_number_of_channels_are_shown(rng, n_channels):
    frame = rng.random((9, 10, n_channels))
    assert overlay_motion(frame, np.zeros((9, 10), np.uint8)).shape == (9, 10, 3)


def test_a_mask_of_another_size_is_told():
    with pytest.raises(InputError, match=r"mask has shape \(9, 9\), the frame \(9, 10\)"):
        overlay_motion(np.zeros((9, 10)), np.zeros((9, 9)))


def test_events_are_named_where_they_happened():
    figure = plot_motion([0.0, 0.1, 0.2], fps=2.0, events={1: "light changed"})
    (ax,) = figure.axes
    assert ax.texts[0].get_text() == " light changed"
    assert ax.texts[0].get_position()[0] == 0.5
    assert ax.lines[0].get_ydata().max() == 20.0


def test_no_frames_are_told():
    with pytest.raises(InputError, match=r"shares must have shape \(n_frames,\), got \(0,\)"):
        plot_motion([], fps=25.0)


def test_a_plot_without_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(MissingExtraError, match=r"a plot needs matplotlib.*gmmseg.plot"):
        plot_motion([0.0], fps=25.0)
