import numpy as np
import pytest

from gmmseg.errors import InputError
from gmmseg.video import MovingRegion, moving_regions, write_regions


def test_regions_are_told_from_the_largest_on():
    mask = np.zeros((12, 20), np.uint8)
    mask[1:3, 1:3] = 255
    mask[3, 3] = 255  # touches by a corner
    mask[5:10, 8:18] = 255
    mask[0, 19] = 127
    assert moving_regions(mask, frame="a", time=1.5) == [
        MovingRegion("a", 1.5, 8, 5, 18, 10, 50),
        MovingRegion("a", 1.5, 1, 1, 4, 4, 5),
    ]


def test_an_empty_mask_has_no_regions():
    assert moving_regions(np.zeros((4, 5), np.uint8)) == []


def test_a_mask_of_three_dimensions_is_told():
    with pytest.raises(InputError, match=r"mask must have shape \(rows, cols\), got \(4, 5, 3\)"):
        moving_regions(np.zeros((4, 5, 3)))


def test_a_table_of_no_regions_has_its_header(tmp_path):
    write_regions(tmp_path / "r.csv", [])
    assert (tmp_path / "r.csv").read_text() == "frame,time,x0,y0,x1,y1,area\n"
