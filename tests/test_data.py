"""Claims about the made data: that their scripts make them, and that they can be told apart."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

from gmmseg.audio import frame_features, read_audio
from gmmseg.image.io import read_image
from gmmseg.image.volumes import read_volume
from gmmseg.video import open_video

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


def test_the_made_conversation_is_what_its_script_makes(tmp_path):
    script = tmp_path / "make_conversation.py"
    script.write_text((DATA / "make_conversation.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    made, kept = [read_audio(folder / "conversation.flac")[0] for folder in (tmp_path, DATA)]
    assert np.abs(made - kept).max() < 1e-3
    truths = [(folder / "conversation.rttm").read_text() for folder in (tmp_path, DATA)]
    assert truths[0] == truths[1]


def phrases():
    """Return who speaks from which frame to which, ten milliseconds each."""
    lines = (DATA / "conversation.rttm").read_text().splitlines()
    fields = [line.split() for line in lines]
    return [
        (row[7], round(100 * float(row[3])), round(100 * (float(row[3]) + float(row[4]))))
        for row in fields
    ]


def test_the_made_voices_are_harmonic_at_their_own_pitch_and_the_room_is_not():
    y, sr = read_audio(DATA / "conversation.flac")
    harmonicity, pitch = frame_features(y, sr=sr, kind="voice")[:, [42, 43]].T
    is_speech = np.zeros(len(pitch), dtype=bool)
    for name, start, stop in phrases():
        is_speech[start:stop] = True
        low, high = {"anna": (160, 260), "ben": (80, 150)}[name]
        assert low < np.median(pitch[start:stop]) < high
    assert np.median(harmonicity[is_speech]) > 0.8
    assert np.median(harmonicity[~is_speech]) < 0.4


def test_the_made_voices_sound_more_like_themselves_than_like_each_other():
    y, sr = read_audio(DATA / "conversation.flac")
    cepstra = frame_features(y, sr=sr, kind="mfcc", cmvn="file")[:, 1:]
    means = {"anna": [], "ben": []}
    for name, start, stop in phrases():
        means[name].append(cepstra[start:stop].mean(axis=0))
    voices = {name: np.mean(rows, axis=0) for name, rows in means.items()}
    for name, other in (("anna", "ben"), ("ben", "anna")):
        for row in means[name]:
            assert np.sum((row - voices[name]) ** 2) < np.sum((row - voices[other]) ** 2)


def test_the_made_pump_is_what_its_script_makes(tmp_path):
    script = tmp_path / "make_pump.py"
    script.write_text((DATA / "make_pump.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    names = sorted(path.name for path in (DATA / "pump").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "pump").iterdir())
    for name in names:
        made, kept = (read_audio(folder / "pump" / name)[0] for folder in (tmp_path, DATA))
        assert np.abs(made - kept).max() < 1e-3


def test_the_made_scene_is_what_its_script_makes(tmp_path):
    script = tmp_path / "make_scene.py"
    script.write_text((DATA / "make_scene.py").read_text())
    subprocess.run([sys.executable, script], check=True)
    scenes, truths = (
        [
            np.array([frame for _, frame in open_video(folder / name).frames], dtype=float)
            for folder in (tmp_path, DATA)
        ]
        for name in ("scene.webp", "scene_truth.tif")
    )
    assert np.abs(scenes[0] - scenes[1]).mean() < 2  # WebP encoders round differently
    assert_array_equal(*truths)
    assert len(scenes[0]) == len(truths[0]) == 150
