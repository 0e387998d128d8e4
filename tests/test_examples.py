"""Every example runs from the root of the repository and leaves one picture."""

import subprocess
import sys
from pathlib import Path

import pytest

from gmmseg.image import read_image

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_leaves_one_picture(example, tmp_path):
    (tmp_path / "data").symlink_to(ROOT / "data")
    subprocess.run([sys.executable, example], cwd=tmp_path, check=True, capture_output=True)
    (picture,) = tmp_path.glob("*.png")
    image, _ = read_image(picture)
    assert image.std() > 10


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_short(example):
    assert len(example.read_text().splitlines()) < 80
