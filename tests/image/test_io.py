"""Claims about broken and missing files, and about writing results."""

import contextlib
import io
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.errors import InputError
from gmmseg.image.io import read_image, write_image, write_labels, write_probabilities


def photo(rng, rows=24, cols=32):
    return rng.integers(0, 256, size=(rows, cols, 3), dtype=np.uint8)


def test_importing_the_module_loads_no_decoder():
    code = (
        "import sys, gmmseg.image.io; "
        "print([name for name in ('PIL', 'tifffile', 'skimage', 'imageio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------ reading


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"none\.png does not exist; check the name and the folder$"
    ):
        read_image(tmp_path / "none.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r" is a folder; give one image file$"):
        read_image(tmp_path)


def test_a_file_below_a_file_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(
        InputError, match=r"b\.png cannot be opened: Not a directory; check its permissions$"
    ):
        read_image(tmp_path / "a.png" / "b.png")


def test_a_file_without_permission_is_named(tmp_path, monkeypatch):
    # The superuser may read everything, so the refusal is simulated.
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(
        InputError, match=r"a\.png cannot be opened: Permission denied; check its permissions$"
    ):
        read_image(tmp_path / "a.png")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(
        InputError, match=r"empty\.png is empty \(0 bytes\); copy or save it again$"
    ):
        read_image(tmp_path / "empty.png")


@pytest.mark.parametrize("text", ["Good morning!", "Python is a snake", "GIF"])
def test_a_text_named_png_is_refused_with_what_it_begins_with(tmp_path, text):
    (tmp_path / "notes.png").write_text(text)
    with pytest.raises(
        InputError,
        match=rf"notes\.png is not an image in a known format, it starts with b'{text[:16]}'; "
        r"give a TIFF, \.npy, PNG, JPEG, WEBP, AVIF, JPEG2000, GIF, BMP, PPM or SGI file$",
    ):
        read_image(tmp_path / "notes.png")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".gif", ".npy", ".tif"])
def test_a_file_cut_short_is_refused_in_one_line(tmp_path, rng, capfd, *, suffix, share):
    path = tmp_path / f"cut{suffix}"
    image = photo(rng, 60, 80)
    if suffix == ".npy":
        np.save(path, image)
    else:
        Image.fromarray(image).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(
        InputError,
        match=rf"cut\{suffix} cannot be decoded \(.+\); it may be damaged or cut short, "
        r"copy or save it again$",
    ) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("size", [4, 8, 20])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_file_cut_in_its_header_is_refused_in_silence(tmp_path, rng, caplog, *, kind, size):
    memory = io.BytesIO()
    Image.fromarray(photo(rng)).save(memory, format=kind)
    (tmp_path / "cut").write_bytes(memory.getvalue()[:size])
    with pytest.raises(
        InputError, match=r"cut (cannot be decoded|is not an image in a known form)"
    ):
        read_image(tmp_path / "cut")
    assert not caplog.records


def test_only_the_first_line_of_a_reason_is_told(tmp_path, monkeypatch):
    def refuse(*_args):
        raise ValueError("first\nsecond")

    monkeypatch.setattr("gmmseg.image.io.decode_with_pillow", refuse)
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(InputError, match=r"a\.png cannot be decoded \(first\); it may be damaged"):
        read_image(tmp_path / "a.png")


@given(data=st.data())
def test_no_damaged_byte_raises_anything_but_an_input_error(tmp_path_factory, data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "TIFF", "GIF", "BMP", "PPM"]))
    memory = io.BytesIO()
    Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3)).save(memory, format=kind)
    content = bytearray(memory.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        image, mask = read_image(path, max_pixels=10_000)
        assert image.ndim in (2, 3)
        assert mask is None or mask.shape == image.shape[:2]


# ------------------------------------------------------------------------------------ writing


@given(
    labels=arrays(
        st.sampled_from([np.uint8, np.uint16, np.int64]),
        st.tuples(st.integers(1, 6), st.integers(1, 6)),
        elements=st.integers(0, 255),
    ),
    suffix=st.sampled_from([".png", ".tif", ".tiff", ".PNG"]),
)
def test_labels_are_read_back_as_they_were_written(tmp_path_factory, labels, suffix):
    path = tmp_path_factory.getbasetemp() / f"labels{suffix}"
    write_labels(path, labels)
    read, mask = read_image(path)
    assert read.dtype == np.uint8
    assert_array_equal(read, labels)
    assert mask is None


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("largest", "dtype"), [(255, "uint8"), (256, "uint16"), (65535, "uint16")])
def test_labels_above_255_take_16_bits(tmp_path, suffix, largest, dtype):
    labels = np.array([[0, 1, largest]])
    write_labels(tmp_path / f"labels{suffix}", labels)
    read, _ = read_image(tmp_path / f"labels{suffix}")
    assert read.dtype == dtype
    assert_array_equal(read, labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((2, 2, 2), int), r"^labels must have shape \(rows, cols\), got \(2, 2, 2\)$"),
        (np.zeros((0, 2), int), r"^labels must have shape \(rows, cols\), got \(0, 2\)$"),
        (
            np.zeros((2, 2)),
            r"^labels must be integers, got dtype float64; use labels\.astype\(np\.int32\)$",
        ),
        (
            np.array([[3, -1]]),
            (
                r"^labels must lie in 0…65535, got -1; "
                r"number the segments 1…n and give masked-out pixels 0$"
            ),
        ),
        (
            np.array([[3, 65536]]),
            (
                r"^labels must lie in 0…65535, got 65536; "
                r"number the segments 1…n and give masked-out pixels 0$"
            ),
        ),
    ],
)
def test_what_are_no_labels_is_refused(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        write_labels(tmp_path / "labels.png", labels)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.jpg", r"a\.jpg: its name must end in \.png or \.tif or \.tiff, got '\.jpg'$"),
        ("a", r"a: its name must end in \.png or \.tif or \.tiff, got 'no suffix'$"),
    ],
)
def test_labels_are_not_written_in_another_format(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        write_labels(tmp_path / name, np.ones((2, 2), int))


def test_labels_into_a_missing_folder_are_refused(tmp_path):
    with pytest.raises(
        InputError,
        match=r"^cannot write .*labels\.png: No such file or directory; "
        r"create the folder .* first$",
    ):
        write_labels(tmp_path / "none" / "labels.png", np.ones((2, 2), int))


def test_an_interrupted_write_leaves_the_old_labels(tmp_path, monkeypatch):
    old = np.array([[1, 2]])
    write_labels(tmp_path / "labels.png", old)

    def stop_halfway(_picture, path, **_options):
        path.write_bytes(b"\x89PNG")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", stop_halfway)
    with pytest.raises(InputError, match=r"^cannot write .*labels\.png: No space left on device$"):
        write_labels(tmp_path / "labels.png", np.array([[3, 4]]))
    assert_array_equal(read_image(tmp_path / "labels.png")[0], old)
    assert os.listdir(tmp_path) == ["labels.png"]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_a_picture_is_read_back_as_it_was_written(tmp_path, rng, shape):
    image = rng.integers(0, 256, size=shape, dtype=np.uint8)
    write_image(tmp_path / "picture.png", image)
    assert_array_equal(read_image(tmp_path / "picture.png")[0], image)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            np.zeros((2, 2)),
            (
                r"^image must be uint8 of shape \(rows, cols\) or \(rows, cols, 3\), "
                r"got float64 of shape \(2, 2\)$"
            ),
        ),
        (
            np.zeros((2, 2, 4), np.uint8),
            (
                r"^image must be uint8 of shape \(rows, cols\) or \(rows, cols, 3\), "
                r"got uint8 of shape \(2, 2, 4\)$"
            ),
        ),
        (np.zeros((0, 2), np.uint8), r"^image has no pixels, its shape is \(0, 2\)$"),
    ],
)
def test_what_is_no_picture_is_not_written(tmp_path, image, message):
    with pytest.raises(InputError, match=message):
        write_image(tmp_path / "picture.png", image)


@pytest.mark.parametrize("n_segments", [1, 2, 3, 4, 6])
def test_probabilities_are_one_page_per_segment_and_read_back(tmp_path, rng, n_segments):
    probabilities = rng.dirichlet(np.ones(n_segments), size=(5, 6)).astype(np.float32)
    write_probabilities(tmp_path / "p.tif", probabilities)
    with tifffile.TiffFile(tmp_path / "p.tif") as tiff:
        assert len(tiff.pages) == n_segments
        assert_array_equal(tiff.pages[n_segments - 1].asarray(), probabilities[..., -1])
    assert_array_equal(read_image(tmp_path / "p.tif")[0], probabilities.squeeze())


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (
            np.zeros((2, 2)),
            r"^probabilities must have shape \(rows, cols, n_segments\), got \(2, 2\)$",
        ),
        (np.zeros((2, 2, 2), int), r"^probabilities must be floating, got dtype int64$"),
    ],
)
def test_what_are_no_probabilities_is_refused(tmp_path, probabilities, message):
    with pytest.raises(InputError, match=message):
        write_probabilities(tmp_path / "p.tif", probabilities)
