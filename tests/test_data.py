"""Claims about the made data: that their scripts make them, and that they can be told apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

from gmmseg.image.io import read_image
from gmmseg.image.volumes import read_volume

DATA = Path(__file__).parents[1] / "data"


def test_every_file_has_its_source_told():
    sources = (DATA / "SOURCES.md").read_text()
    for path in DATA.iterdir():
        assert path.suffix in (".md", ".py") or f"`{path.name}`" in sources


def test_the_made_head_is_what_its_script_makes(tmp_path):
    script = tmp_path / "make_brain.py"
    script.write_text((DATA / "make_brain.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    for name in ("brain_phantom.nii.gz", "brain_phantom_labels.nii.gz"):
        assert_array_equal(read_volume(tmp_path / name).values, read_volume(DATA / name).values)


def test_the_made_field_is_what_its_script_makes(tmp_path):
    script = tmp_path / "make_field.py"
    script.write_text((DATA / "make_field.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    made, _ = read_image(tmp_path / "field.jpg")
    kept, _ = read_image(DATA / "field.jpg")
    # JPEG encoders round differently.
    assert np.abs(made.astype(int) - kept).mean() < 2
    labels = [read_image(folder / "field_labels.png")[0] for folder in (tmp_path, DATA)]
    assert_array_equal(*labels)


def test_the_made_tiles_are_what_their_script_makes(tmp_path):
    script = tmp_path / "make_tiles.py"
    script.write_text((DATA / "make_tiles.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    names = sorted(path.name for path in (DATA / "tiles").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "tiles").iterdir())
    for name in names:
        made, kept = (read_image(folder / "tiles" / name)[0] for folder in (tmp_path, DATA))
        assert np.abs(made.astype(int) - kept).mean() < 2  # JPEG encoders round differently


def test_the_tissues_of_the_made_head_differ_by_more_than_the_noise():
    values = read_volume(DATA / "brain_phantom.nii.gz").values.astype(float)
    labels = read_volume(DATA / "brain_phantom_labels.nii.gz").values
    means = [values[labels == label].mean() for label in range(4)]
    spreads = [values[labels == label].std() for label in range(1, 4)]
    assert (np.diff(means) > 2 * max(spreads)).all()
