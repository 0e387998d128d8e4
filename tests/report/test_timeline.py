"""Claims about the picture of sound: what lies where, in which colour, and what is told."""

import re
import sys
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gmmseg.audio import Segment
from gmmseg.errors import InputError, MissingExtraError
from gmmseg.report import plot_timeline
from gmmseg.report.figures import color_of_label
from gmmseg.report.timeline import MOST_COLUMNS, _minutes

SR = 8000
TRUTH = [Segment(0.5, 1.0, "Ann"), Segment(1.25, 1.75, "Ben")]


@pytest.fixture
def noise(rng):
    """Two seconds."""
    return 0.1 * rng.normal(size=2 * SR)


def bars_of(ax):
    """Return (start, end, row, label number) of every bar."""
    names = {tuple(np.round(np.array(color_of_label(k)) / 255, 6)): k for k in range(1, 31)}
    found = []
    for collection in ax.collections:
        color = tuple(np.round(collection.get_facecolor()[0][:3], 6))
        for path in collection.get_paths():
            (start, low), (end, high) = path.vertices.min(axis=0), path.vertices.max(axis=0)
            found.append((round(start, 6), round(end, 6), (low + high) / 2, names[color]))
    return sorted(found)


def test_all_parts_share_the_time_of_the_recording(noise):
    figure = plot_timeline(
        noise, sr=SR, tracks={"truth": TRUTH}, probabilities=np.full(201, 0.5), threshold=0.4
    )
    assert [ax.get_ylabel() for ax in figure.axes] == ["waveform", "frequency", "probability", ""]
    assert {ax.get_xlim() for ax in figure.axes} == {(0.0, 2.0)}


def test_bars_lie_where_the_segments_are_and_labels_keep_their_colour_in_all_tracks(noise):
    found = [Segment(0.0, 0.5, "Ben"), Segment(0.5, 1.5, "Ann"), Segment(1.0, 2.0, "Cem")]
    figure = plot_timeline(noise, sr=SR, tracks={"truth": TRUTH, "found": found})
    *_, ax = figure.axes
    assert bars_of(ax) == [
        (0.0, 0.5, 1, 2), (0.5, 1.0, 0, 1), (0.5, 1.5, 1, 1), (1.0, 2.0, 2, 3), (1.25, 1.75, 0, 2),
    ]  # fmt: skip
    assert [label.get_text() for label in ax.get_yticklabels()] == ["truth", "found"]
    assert_allclose(ax.get_yticks(), [0, 1.5])
    tints = [bar[:2] for bar in bars_of_waveform(figure)]
    assert tints == [(0.5, 1.0), (1.25, 1.75)]


def bars_of_waveform(figure):
    """Return (start, end) of the tints behind the waveform."""
    paths = [path for one in figure.axes[0].collections[:-1] for path in one.get_paths()]
    return [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in paths]


def test_the_legend_tells_labels_and_how_long_each_is_on(noise):
    twice = [*TRUTH, Segment(0.75, 1.25, "Ann")]
    figure = plot_timeline(noise, sr=SR, tracks={"a": twice, "b": [Segment(0, 1, "Ann")]})
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Ann  0.8 s", "Ben  0.5 s"]


def test_of_many_labels_the_legend_tells_how_many_more(noise):
    segments = [Segment(k / 20, (k + 1) / 20, f"s{k}") for k in range(35)]
    (legend,) = plot_timeline(noise, sr=SR, tracks={"found": segments}).legends
    assert len(legend.get_texts()) == 31
    assert legend.get_texts()[-1].get_text() == "and 5 more"


def test_a_tone_is_brightest_at_its_mark_and_while_it_lasts():
    time = np.arange(2 * 16000) / 16000
    tone = np.sin(2 * np.pi * 2000 * time) * (time > 1)
    ax = plot_timeline(tone, sr=16000).axes[1]
    (image,) = ax.images
    picture = image.get_array()
    names = [label.get_text() for label in ax.get_yticklabels()]
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert abs(ax.get_yticks()[names.index("2 kHz")] - row) <= 1
    left, right, *_ = image.get_extent()
    assert left + (column + 0.5) * (right - left) / picture.shape[1] > 1
    assert picture[:, : picture.shape[1] // 2 - 5].max() < picture.max() - 60


def test_a_click_lies_in_the_column_of_its_time():
    click = np.zeros(2 * 16000)
    click[16000] = 1.0
    (image,) = plot_timeline(click, sr=16000).axes[1].images
    is_heard = image.get_array().max(axis=0) > image.get_array().max() - 60
    left, right, *_ = image.get_extent()
    middles = left + (np.arange(len(is_heard)) + 0.5) * (right - left) / len(is_heard)
    assert_allclose(middles[is_heard].mean(), 1.0, atol=1e-6)


def test_the_waveform_reaches_its_loudest_sample(rng):
    y = 0.01 * rng.normal(size=100 * SR)
    y[333_333] = -0.9
    wave = plot_timeline(y, sr=SR).axes[0].collections[-1].get_paths()[0].vertices
    assert_allclose(wave[:, 1].min(), -1)
    assert_allclose(wave[wave[:, 1].argmin(), 0], 333_333 / SR, atol=2 * 100 / MOST_COLUMNS)


def test_long_recordings_have_no_more_columns_than_can_be_seen(rng):
    y, curve = rng.normal(size=SR * 200).astype(np.float32), np.repeat([0.0, 1.0], 10_000)
    figure = plot_timeline(y, sr=SR, probabilities=curve)
    assert figure.axes[1].images[0].get_array().shape[1] <= MOST_COLUMNS
    (line,) = figure.axes[2].lines
    times, values = line.get_data()
    assert len(times) <= MOST_COLUMNS
    assert_allclose(values, times >= 100)
    assert figure.axes[-1].get_xlabel() == "time, min:s"
    assert _minutes(125.0, None) == "2:05"


@pytest.mark.parametrize("sr", [1000, 8000, 44100, 96000])
@pytest.mark.parametrize("n_samples", [1, 100, 30_000])
def test_any_rate_and_length_can_be_drawn(sr, n_samples):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plot_timeline(np.zeros((2, max(n_samples, 2))), sr=sr, tracks={"found": []})
        figure.canvas.draw()
    assert figure.legends == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probabilities": [[0.1]]}, r"probabilities must have shape \(n_frames,\), got \(1, 1\)"),
        ({"probabilities": [0.5, 1.5]}, "probabilities must lie in 0…1"),
        ({"probabilities": [0.5, np.nan]}, "probabilities must lie in 0…1"),
        ({"probabilities": ["a"]}, "probabilities must be numbers: "),
        ({"probabilities": [0.5], "hop": 0.0}, r"hop must be above 0 seconds, got 0\.0"),
    ],
)
def test_what_are_no_probabilities_is_refused(options, message, noise):
    with pytest.raises(InputError, match=message):
        plot_timeline(noise, sr=SR, **options)


def test_without_matplotlib_the_error_says_what_to_install(noise, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    message = "a plot needs matplotlib, which is not installed; pip install 'gmmseg[plot]'"
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}$"):
        plot_timeline(noise, sr=SR)


def test_bars_as_narrow_as_their_edges_have_none(noise):
    segments = [Segment(0.1, 0.9, "Ann"), Segment(1.0, 1.002, "Ann")]
    (bars,) = plot_timeline(noise, sr=SR, tracks={"found": segments}).axes[-1].collections
    assert [width > 0.0 for width in bars.get_linewidths()] == [True, False]
