"""Claims about legends: which colours they show, what they say, where they stand."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.report import legend
from gmmseg.report.figures import color_of_label, overlay_labels
from gmmseg.report.legend import add_legend


def words_of(labels, names=None):
    return [(e.words, e.share) for e in legend._entries(np.asarray(labels), names)]


def shows(picture, color):
    """Return whether a picture has a chip in the colour: at least 40 pixels exactly of it."""
    return (picture == np.array(color, np.uint8)).all(axis=2).sum() >= 40


@pytest.mark.parametrize("side", ["below", "right"])
def test_every_label_has_a_chip_in_its_colour_and_the_picture_is_left_alone(side):
    picture = np.zeros((150, 200, 3), np.uint8)
    sheet = add_legend(picture, [[0, 1, 2, 12, 25]], side=side)
    assert_array_equal(sheet[:150, :200], picture)
    beyond = sheet[150:] if side == "below" else sheet[:, 200:]
    assert all(shows(beyond, color_of_label(label)) for label in (1, 2, 12, 25))
    assert not shows(beyond, color_of_label(3))


def test_a_legend_below_keeps_the_width_and_one_at_the_right_the_height():
    picture = np.zeros((150, 200, 3), np.uint8)
    assert add_legend(picture, [[1, 2]]).shape[1] == 200
    assert add_legend(picture, [[1, 2]], side="right").shape[0] == 150


@pytest.mark.parametrize("label", [1, 2, 10, 11, 30, 31])
def test_the_colour_of_a_label_is_that_of_the_flat_overlay(label):
    flat = overlay_labels(np.zeros((1, 1, 3), np.uint8), [[label]], opacity=1)
    assert_array_equal(flat[0, 0], color_of_label(label))


def test_shares_are_those_of_what_is_not_masked_out():
    labels = np.repeat([0, 1, 2, 3], [5000, 1, 100, 1899])
    assert words_of(labels) == [("1", "<0.1 %"), ("2", "5.0 %"), ("3", "95 %")]


def test_names_are_written_beside_the_numbers():
    assert words_of([2, 2, 3], ["sky", "sea", "sand"]) == [("2 sea", "67 %"), ("3 sand", "33 %")]


def test_a_legend_of_many_labels_tells_the_largest_and_how_many_others():
    counts = np.arange(40) + 10
    entries = words_of(np.repeat(np.arange(1, 41), counts))
    assert [words for words, _ in entries] == [*map(str, range(12, 41)), "11 others"]
    assert entries[-1][1] == f"{100 * counts[:11].sum() / counts.sum():.0f} %"


def test_thirty_labels_are_all_told():
    assert len(words_of(np.arange(1, 31))) == 30


@pytest.mark.parametrize("cols", [1, 8, 40, 300])
@pytest.mark.parametrize("side", ["below", "right"])
def test_narrow_pictures_and_long_names_have_a_legend_too(cols, side):
    names = ["a name that is far longer than anybody would have expected of it"] * 9
    sheet = add_legend(np.zeros((20, cols), np.uint8), np.arange(1, 10), names=names, side=side)
    assert sheet.shape[2] == 3


def test_a_picture_without_labels_has_an_empty_legend():
    picture = np.zeros((20, 30, 3), np.uint8)
    assert_array_equal(add_legend(picture, [[0, 0]]), picture)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"picture": np.zeros((4, 4))},
            (
                "picture must be uint8 of shape (rows, cols) or (rows, cols, 3), "
                "got float64 of shape (4, 4)"
            ),
        ),
        (
            {"labels": [[1.5]]},
            "labels must be integers of at least 0, got dtype float64 and smallest 1.5",
        ),
        (
            {"labels": [-1]},
            "labels must be integers of at least 0, got dtype int64 and smallest -1",
        ),
        ({"names": ["sky"]}, "names must be those of all labels up to 2, got 1"),
        ({"side": "left"}, "side must be below or right, got 'left'"),
    ],
)
def test_what_cannot_be_a_legend_is_refused(arguments, message):
    usual = {"picture": np.zeros((4, 4), np.uint8), "labels": [[1, 2]]} | arguments
    picture, labels = usual.pop("picture"), usual.pop("labels")
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        add_legend(picture, labels, **usual)
