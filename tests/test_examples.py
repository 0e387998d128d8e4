"""Every example runs from the root of the repository and leaves one picture."""

import ast
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


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_takes_public_names_from_where_they_are_public(example):
    rooms = {
        node.module
        for node in ast.walk(ast.parse(example.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("gmmseg")
    }
    assert rooms
    assert all((ROOT / room.replace(".", "/") / "__init__.pyi").exists() for room in rooms), rooms
