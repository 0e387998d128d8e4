"""Claims about words in pictures."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.report.lettering import (
    letter_size,
    paste,
    sheet_of_paper,
    shortened,
    text_line,
    text_width,
)


@pytest.mark.parametrize("size", [11, 20, 48])
def test_a_line_of_text_is_dark_on_white_and_as_long_as_its_words(size):
    line = text_line("Wg 42 %", size)
    assert line.shape == (round(1.5 * size), text_width("Wg 42 %", size) + 1, 3)
    assert line.min() < 100
    assert (line[0] == 255).all()
    assert (line[-1] == 255).all()


def test_text_that_is_too_wide_loses_its_middle():
    text = "a_very_long_name_of_a_photograph.jpg"
    short = shortened(text, 13, 120)
    assert text_width(short, 13) <= 120
    begin, end = short.split("…")
    assert text.startswith(begin)
    assert text.endswith(end)
    assert min(len(begin), len(end)) > 3


@pytest.mark.parametrize("width", [0, 3])
def test_where_nothing_fits_nothing_is_written(width):
    assert shortened("photograph", 13, width) == ""


def test_text_that_fits_is_left_alone():
    assert shortened("photograph", 13, 500) == "photograph"


def test_what_reaches_beyond_the_paper_is_cut():
    paper = sheet_of_paper(4, 5)
    paste(paper, np.zeros((9, 9, 3), np.uint8), 2, 3)
    expected = np.full((4, 5), 255)
    expected[2:, 3:] = 0
    assert_array_equal(paper[..., 0], expected)


def test_letters_grow_with_the_picture_within_limits():
    sizes = [letter_size(width) for width in (10, 1000, 2000, 100_000)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (13, 48)
