"""Claims about volumes on disk: what each kind becomes, how labels are written, what is refused."""

import contextlib
import gzip
import io
import os
import re
import struct
import sys
import zipfile

import nibabel
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from gmmseg.errors import InputError, MissingExtraError
from gmmseg.image.io import read_image
from gmmseg.image.volume_decoders import Volume
from gmmseg.image.volumes import read_volume, write_volume

# Right, anterior and superior in mm of the axes i, j, k: turned, sheared and far from the origin.
AFFINE = np.array([[0, -2.0, 0.1, 90], [1.5, 0, 0, -126], [0, 0.2, 3.0, 12], [0, 0, 0, 1]])


def nifti_bytes(values, affine=AFFINE, *, slope=None, inter=None, kind=nibabel.Nifti1Image):
    """Return a NIfTI file of ``values[i, j, k]``, with a scaling as scanners write it."""
    content = bytearray(kind(values, affine).to_bytes())
    if slope is not None:
        struct.pack_into("<ff", content, 112, slope, inter)
    return bytes(content)


def stored(rng, shape=(5, 4, 3), dtype=np.int16):
    return rng.integers(0, 100, size=shape).astype(dtype)


# ------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.dat"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, ">i2"])
def test_axes_of_a_nifti_file_become_cols_rows_planes(tmp_path, rng, name, kind, dtype):
    values = stored(rng, dtype=dtype)
    content = nifti_bytes(values, kind=kind)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    volume = read_volume(tmp_path / name)
    assert_array_equal(volume.values, values.transpose(2, 1, 0))
    assert volume.values.dtype == np.dtype(dtype).newbyteorder("=")
    assert volume.values.flags.c_contiguous
    assert volume.grid == (3, 4, 5)
    assert_allclose(volume.affine, AFFINE)


def test_a_compressed_file_is_known_by_its_content(tmp_path, rng):
    (tmp_path / "head.nii").write_bytes(gzip.compress(nifti_bytes(stored(rng))))
    assert read_volume(tmp_path / "head.nii").grid == (3, 4, 5)


def test_spacing_is_that_of_planes_rows_and_columns(tmp_path, rng):
    (tmp_path / "a.nii").write_bytes(nifti_bytes(stored(rng), np.diag([0.5, 2.0, 3.0, 1.0])))
    assert read_volume(tmp_path / "a.nii").spacing == (3.0, 2.0, 0.5)


@pytest.mark.parametrize(("unit", "millimetres"), [("meter", 1e3), ("mm", 1.0), ("micron", 1e-3)])
def test_spacing_is_in_millimetres_whatever_the_unit(tmp_path, rng, unit, millimetres):
    image = nibabel.Nifti1Image(stored(rng), np.diag([1.0, 2.0, 3.0, 1.0]))
    image.header.set_xyzt_units(unit)
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    spacing = read_volume(tmp_path / "a.nii").spacing
    assert_allclose(spacing, np.multiply([3.0, 2.0, 1.0], millimetres))


def test_stored_values_are_scaled_as_the_header_says(tmp_path):
    values = np.arange(8, dtype=np.int16).reshape(2, 2, 2)
    (tmp_path / "a.nii").write_bytes(nifti_bytes(values, slope=0.5, inter=-1.0))
    volume = read_volume(tmp_path / "a.nii")
    assert volume.values.dtype == np.float32
    assert_array_equal(volume.values.ravel(), [-1, 1, 0, 2, -0.5, 1.5, 0.5, 2.5])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 4, 3, 2), (3, 4, 5, 2)),
        ((5, 4, 3, 1), (3, 4, 5)),
        ((5, 4, 3, 1, 2), (3, 4, 5, 2)),
        ((5, 4, 1), (1, 4, 5)),
    ],
)
def test_what_follows_the_three_axes_are_channels(tmp_path, rng, shape, expected):
    values = stored(rng, shape)
    (tmp_path / "a.nii").write_bytes(nifti_bytes(values))
    volume = read_volume(tmp_path / "a.nii")
    assert volume.values.shape == expected
    assert_array_equal(volume.values[0, 1, 2].ravel(), values[2, 1, 0].ravel())


def test_colour_voxels_become_three_channels(tmp_path, rng):
    colors = rng.integers(0, 256, size=(5, 4, 3, 3), dtype=np.uint8)
    packed = colors.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    (tmp_path / "a.nii").write_bytes(nifti_bytes(packed))
    assert_array_equal(read_volume(tmp_path / "a.nii").values, colors.transpose(2, 1, 0, 3))


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("axes", ["ZYX", "TYX", "QYX", "CYX"])
def test_pages_of_a_tiff_are_planes_whatever_they_are_called(tmp_path, rng, axes, compression):
    values = stored(rng)
    options = {"photometric": "minisblack", "compression": compression, "metadata": {"axes": axes}}
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    volume = read_volume(tmp_path / "a.tif")
    assert_array_equal(volume.values, values)
    assert volume.spacing == (1.0, 1.0, 1.0)
    assert volume.affine is None


def test_colours_and_channels_of_a_stack_come_last(tmp_path, rng):
    colors = rng.integers(0, 256, size=(4, 6, 5, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", colors, photometric="rgb")
    assert_array_equal(read_volume(tmp_path / "rgb.tif").values, colors)
    channels = rng.integers(0, 999, size=(4, 2, 6, 5), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "zc.tif", channels, imagej=True, metadata={"axes": "ZCYX"})
    assert_array_equal(read_volume(tmp_path / "zc.tif").values, channels.transpose(0, 2, 3, 1))


def test_an_alpha_channel_of_a_stack_is_left_out(tmp_path, rng):
    colors = rng.integers(0, 256, size=(4, 6, 5, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", colors, photometric="rgb", extrasamples=["unassalpha"])
    assert_array_equal(read_volume(tmp_path / "a.tif").values, colors[..., :3])


@pytest.mark.parametrize("unit", ["mm", "micron"])
def test_spacing_of_an_imagej_stack_is_known(tmp_path, unit):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((4, 6, 5), np.uint8),
        imagej=True,
        resolution=(4.0, 2.0),  # pixels per unit along a row, along a column
        metadata={"axes": "ZYX", "spacing": 3.0, "unit": unit},
    )
    scale = {"mm": 1.0, "micron": 1e-3}[unit]
    assert_allclose(read_volume(tmp_path / "a.tif").spacing, [3 * scale, 0.5 * scale, 0.25 * scale])


def test_spacing_of_an_ome_stack_is_known(tmp_path):
    sizes = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 3.0}
    metadata = {"axes": "ZYX"} | sizes  # in µm, the default
    tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((4, 6, 5), np.uint8), metadata=metadata)
    assert_allclose(read_volume(tmp_path / "a.ome.tif").spacing, [3e-3, 5e-4, 2.5e-4])


@pytest.mark.parametrize("remarks", [{"spacing": 0.0}, {"unit": "furlong"}, {"spacing": "wide"}])
def test_a_spacing_that_makes_no_sense_counts_as_none(tmp_path, remarks):
    metadata = {"axes": "ZYX", "spacing": 3.0, "unit": "mm"} | remarks
    values = np.zeros((4, 6, 5), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", values, imagej=True, resolution=(4, 4), metadata=metadata)
    assert read_volume(tmp_path / "a.tif").spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 2)])
def test_numpy_files_are_read_as_they_are(tmp_path, rng, shape, order):
    values = np.asarray(stored(rng, shape, ">f4"), order=order)
    np.save(tmp_path / "a.npy", values)
    volume = read_volume(tmp_path / "a.npy")
    assert_array_equal(volume.values, values)
    assert volume.values.dtype == np.float32
    assert volume.values.flags.c_contiguous


def test_the_one_volume_of_an_archive_is_found_and_any_may_be_named(tmp_path, rng):
    head, other = stored(rng), stored(rng, (2, 2, 2))
    np.savez(tmp_path / "one.npz", plane=np.zeros((4, 4)), head=head)
    assert_array_equal(read_volume(tmp_path / "one.npz").values, head)
    np.savez_compressed(tmp_path / "two.npz", head=head, other=other)
    assert_array_equal(read_volume(tmp_path / "two.npz", key="other").values, other)


def test_some_voxels_may_be_nan(tmp_path):
    values = np.zeros((2, 3, 4), np.float32)
    values[0] = np.nan
    np.save(tmp_path / "a.npy", values)
    assert_array_equal(read_volume(tmp_path / "a.npy").values, values)


# ------------------------------------------------------------------------------------ refusing


def saved(tmp_path, kind, shape, dtype=np.uint8):
    """Write zeros of one shape in one format, and return the path."""
    path = tmp_path / f"a{kind}"
    if kind == ".nii":
        path.write_bytes(nifti_bytes(np.zeros(shape[::-1], dtype), np.eye(4)))
    elif kind == ".npy":
        np.save(path, np.zeros(shape, dtype))
    elif kind == ".npz":
        np.savez(path, a=np.zeros(shape, dtype))
    else:
        tifffile.imwrite(path, np.zeros(shape, dtype), photometric="minisblack")
    return path


@pytest.mark.parametrize(
    ("kind", "shape", "message"),
    [
        (
            kind,
            shape,
            (
                r"must have shape \(planes, rows, cols\) or \(planes, rows, cols, channels\), "
                rf"got {re.escape(str(shape))}{advice}$"
            ),
        )
        for kind in (".nii", ".npy")
        for shape, advice in [
            ((4, 5), r"; it is one plane, read it as an image \(read_image\)"),
            ((2, 3, 2, 4, 5), "; save one volume of it as a file of its own"),
        ]
        if (kind, len(shape)) != (".nii", 5)
    ],
)
def test_planes_and_too_many_axes_are_refused(tmp_path, kind, shape, message):
    with pytest.raises(InputError, match=message):
        read_volume(saved(tmp_path, kind, shape))


def test_a_nifti_file_of_five_axes_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"got \(4, 3, 2, 3, 2\); save one volume of it as a file of its own$"
    ):
        read_volume(saved(tmp_path, ".nii", (2, 3, 4, 3, 2)))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (4, 5),
            r"got axes YX and shape \(4, 5\); it is one plane, read it as an image \(read_image\)$",
        ),
        (
            (2, 3, 4, 5),
            (
                r"got axes QQYX and shape \(2, 3, 4, 5\); "
                r"save one volume of it as a file of its own$"
            ),
        ),
    ],
)
def test_a_tiff_that_is_no_volume_is_refused(tmp_path, shape, message):
    with pytest.raises(
        InputError,
        match=r"a\.tif must have planes, rows, columns and at most one axis of channels, "
        + message,
    ):
        read_volume(saved(tmp_path, ".tif", shape))


@pytest.mark.parametrize("kind", [".nii", ".npy", ".npz", ".tif"])
def test_more_values_than_the_limit_are_refused_by_the_header(tmp_path, kind):
    path = saved(tmp_path, kind, (10, 20, 30))
    assert read_volume(path, max_voxels=6000).grid == (10, 20, 30)
    with pytest.raises(
        InputError,
        match=r" has 10 x 20 x 30 values, more than the limit of 5999; it may be a decompression "
        r"bomb \(max_voxels of read_volume raises the limit\)$",
    ):
        read_volume(path, max_voxels=5999)


def test_a_small_file_that_claims_to_be_huge_takes_no_memory(tmp_path, rng):
    content = bytearray(nifti_bytes(stored(rng)))
    struct.pack_into("<4h", content, 40, 3, 32767, 32767, 32767)
    (tmp_path / "bomb.nii.gz").write_bytes(gzip.compress(content))
    with pytest.raises(
        InputError, match=r"bomb\.nii\.gz has 32767 x 32767 x 32767 values, more than the limit of"
    ):
        read_volume(tmp_path / "bomb.nii.gz")


@pytest.mark.parametrize("share", [0.03, 0.3, 0.9])
@pytest.mark.parametrize("kind", [".nii", ".nii.gz", ".tif", ".npy", ".npz"])
def test_a_file_cut_short_is_refused_in_one_line(tmp_path, rng, capfd, *, kind, share):
    values = rng.integers(0, 256, size=(8, 30, 31), dtype=np.uint8)
    path = tmp_path / f"cut{kind}"
    if kind == ".nii.gz":
        path.write_bytes(gzip.compress(nifti_bytes(values)))
    elif kind == ".nii":
        path.write_bytes(nifti_bytes(values))
    else:
        write_volume(path, values, like=Volume(values))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(InputError, match=re.escape(path.name)) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@given(data=st.data())
def test_no_damaged_byte_raises_anything_but_an_input_error(tmp_path_factory, data):
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    kind = data.draw(st.sampled_from([".nii", ".tif", ".npy", ".npz"]))
    path = tmp_path_factory.getbasetemp() / f"damaged{kind}"
    write_volume(path, values, like=Volume(values))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Most of what can go wrong is in the header.
        position = data.draw(st.integers(0, min(len(content) - 1, 400)))
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        assert read_volume(path, max_voxels=10_000).values.ndim in (3, 4)


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n", b"Good morning!" * 40, gzip.compress(b"x" * 999)]
)
def test_what_is_no_volume_is_told_by_what_it_begins_with(tmp_path, content):
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(
        InputError,
        match=r"a\.nii\.gz is not a volume in a known format, it starts with b.+; "
        r"give a NIfTI \(\.nii, \.nii\.gz\), TIFF stack, \.npy or \.npz file$",
    ):
        read_volume(tmp_path / "a.nii.gz")


def test_a_missing_and_an_empty_file_are_named(tmp_path):
    with pytest.raises(
        InputError, match=r"none\.nii does not exist; check the name and the folder$"
    ):
        read_volume(tmp_path / "none.nii")
    (tmp_path / "empty.nii").touch()
    with pytest.raises(
        InputError, match=r"empty\.nii is empty \(0 bytes\); copy or save it again$"
    ):
        read_volume(tmp_path / "empty.nii")


def test_a_header_without_its_voxels_is_refused(tmp_path, rng):
    image = nibabel.Nifti1Pair(stored(rng), np.eye(4))
    image.to_filename(tmp_path / "a.hdr")
    with pytest.raises(
        InputError,
        match=r"a\.hdr is the header of a NIfTI pair \(\.hdr and \.img\); "
        r"save the volume as one \.nii or \.nii\.gz file$",
    ):
        read_volume(tmp_path / "a.hdr")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_volume_without_a_finite_voxel_is_refused(tmp_path, value):
    np.save(tmp_path / "a.npy", np.full((2, 2, 2), value))
    with pytest.raises(InputError, match=r"has no finite voxel: all are NaN or infinite$"):
        read_volume(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_pages_that_a_program_wrote_one_by_one_are_a_stack(tmp_path, rng, shape):
    values = rng.integers(0, 256, size=(4, *shape), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in values:
            color = "rgb" if len(shape) == 3 else "minisblack"
            file.write(page, contiguous=False, photometric=color)
    assert_array_equal(read_volume(tmp_path / "a.tif").values, values)


def test_pages_that_differ_are_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for rows in (6, 7):
            file.write(np.zeros((rows, 5), np.uint8), contiguous=False)
    message = r"a\.tif holds 2 images; save one of them as a file of its own$"
    with pytest.raises(InputError, match=message):
        read_volume(tmp_path / "a.tif")


def test_an_archive_without_a_volume_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", p=np.zeros((2, 2)), q=np.zeros(3))
    with pytest.raises(
        InputError,
        match=r"a\.npz has no array of three or four axes among p, q; if one is a picture, save it "
        r"by itself, as \.npy$",
    ):
        read_volume(tmp_path / "a.npz")


def test_an_archive_from_which_none_can_be_chosen_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", p=np.zeros((2, 2, 2)), q=np.zeros((2, 2, 2)))
    with pytest.raises(
        InputError,
        match=r"has 2 arrays of three or four axes among p, q; say which one "
        r"\(key of read_volume\)$",
    ):
        read_volume(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"has no array 'r'; it has p, q$"):
        read_volume(tmp_path / "a.npz", key="r")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("letter.txt", "Good morning!")
    with pytest.raises(
        InputError,
        match=r"is a zip archive without NumPy arrays; give an \.npz file, or unpack it$",
    ):
        read_volume(tmp_path / "b.npz")


def test_a_key_for_a_file_without_names_is_refused(tmp_path):
    path = saved(tmp_path, ".npy", (2, 2, 2))
    with pytest.raises(
        InputError, match=r"is no \.npz file and has no named arrays; leave out key='head'$"
    ):
        read_volume(path, key="head")


@pytest.mark.parametrize("kind", [".npy", ".npz"])
def test_python_objects_are_refused_unread(tmp_path, kind):
    values = np.array([[[print]]])
    path = tmp_path / f"a{kind}"
    (np.save if kind == ".npy" else np.savez)(path, values, allow_pickle=True)
    with pytest.raises(InputError, match="holds Python objects; save numbers, for example volume"):
        read_volume(path, **({"key": "arr_0"} if kind == ".npz" else {}))


@pytest.mark.parametrize("kind", [".npy", ".nii"])
def test_complex_voxels_are_refused(tmp_path, kind):
    with pytest.raises(
        InputError, match=r"has dtype complex64; a volume must be boolean, integer or floating$"
    ):
        read_volume(saved(tmp_path, kind, (2, 2, 2), np.complex64))


def test_without_nibabel_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = saved(tmp_path, ".nii", (2, 2, 2))
    monkeypatch.setitem(sys.modules, "nibabel", None)
    message = "a NIfTI file needs nibabel, which is not installed; pip install 'gmmseg[volume]'"
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}$"):
        read_volume(path)
    labels = np.ones((2, 2, 2), int)
    with pytest.raises(MissingExtraError, match=f"^{re.escape(message)}$"):
        write_volume(tmp_path / "labels.nii.gz", labels, like=Volume(labels))
    assert os.listdir(tmp_path) == ["a.nii"]


# ------------------------------------------------------------------------------------ writing


@pytest.mark.parametrize("name", ["l.nii", "l.nii.gz", "l.tif", "l.TIFF", "l.npy", "l.npz"])
@pytest.mark.parametrize(("largest", "dtype"), [(255, np.uint8), (256, np.uint16)])
def test_labels_are_read_back_as_they_were_written(tmp_path, rng, name, largest, dtype):
    labels = rng.integers(0, largest + 1, size=(3, 4, 5))
    labels[0, 0, 0] = largest
    like = Volume(np.zeros((3, 4, 5, 2)), (3.0, 2.0, 0.5))
    write_volume(tmp_path / name, labels, like=like)
    read = read_volume(tmp_path / name)
    assert_array_equal(read.values, labels)
    assert read.values.dtype == dtype
    if not name.startswith("l.np"):
        assert_allclose(read.spacing, like.spacing)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("shape", [(5, 4, 3), (5, 4, 3, 2)])
def test_labels_lie_where_their_volume_lies(tmp_path, rng, shape, kind):
    image = kind(stored(rng, shape), AFFINE)
    image.header.set_qform(AFFINE, code="scanner")
    image.header.set_sform(AFFINE, code="mni")
    image.header["descrip"] = b"scanned on a Monday"
    image.header["cal_max"] = 900
    (tmp_path / "a.nii").write_bytes(image.to_bytes())
    volume = read_volume(tmp_path / "a.nii")
    labels = rng.integers(1, 4, size=(3, 4, 5))
    write_volume(tmp_path / "l.nii.gz", labels, like=volume)
    written = nibabel.load(tmp_path / "l.nii.gz")
    assert isinstance(written, kind)
    assert_array_equal(np.asanyarray(written.dataobj), labels.transpose(2, 1, 0))
    assert_allclose(written.affine, AFFINE, rtol=1e-6)
    assert written.header["sform_code"] == 4
    assert written.header["qform_code"] == 1
    assert bytes(written.header["descrip"].item()).startswith(b"scanned on a Monday")
    assert written.header["cal_max"] == 0
    assert written.header.get_intent()[0] == "label"
    assert_allclose(written.header.get_zooms(), image.header.get_zooms()[:3])


def test_the_scaling_of_the_volume_is_not_that_of_the_labels(tmp_path):
    values = np.arange(8, dtype=np.int16).reshape(2, 2, 2)
    (tmp_path / "a.nii").write_bytes(nifti_bytes(values, slope=0.5, inter=-1.0))
    labels = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    write_volume(tmp_path / "l.nii", labels, like=read_volume(tmp_path / "a.nii"))
    read = read_volume(tmp_path / "l.nii").values
    assert read.dtype == np.uint8
    assert_array_equal(read, labels)


def test_the_header_that_was_read_is_left_alone(tmp_path, rng):
    (tmp_path / "a.nii").write_bytes(nifti_bytes(stored(rng)))
    volume = read_volume(tmp_path / "a.nii")
    before = bytes(volume.header.binaryblock)
    write_volume(tmp_path / "l.nii", np.ones((3, 4, 5), int), like=volume)
    assert bytes(volume.header.binaryblock) == before


@pytest.mark.parametrize("kind", [".nii.gz", ".nii", ".tif", ".npy"])
def test_the_same_labels_are_the_same_bytes_at_any_time(tmp_path, rng, monkeypatch, kind):
    labels = rng.integers(0, 4, size=(3, 4, 5))
    for name, second in (("one", 1e9), ("two", 2e9)):
        monkeypatch.setattr("time.time", lambda second=second: second)
        write_volume(tmp_path / f"{name}{kind}", labels, like=Volume(labels))
    one, two = ((tmp_path / f"{name}{kind}").read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.ones((2, 2, 3), int), "labels must have the volume's shape (2, 2, 2), got (2, 2, 3)"),
        (
            np.ones((2, 2, 2)),
            "labels must be integers, got dtype float64; use labels.astype(np.int32)",
        ),
        (
            np.full((2, 2, 2), -1),
            (
                "labels must lie in 0…4294967295, got -1; "
                "number the segments 1…n and give masked-out voxels 0"
            ),
        ),
        (
            np.full((2, 2, 2), 2**32),
            (
                "labels must lie in 0…4294967295, got 4294967296; "
                "number the segments 1…n and give masked-out voxels 0"
            ),
        ),
    ],
)
def test_what_are_no_labels_is_refused(tmp_path, labels, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        write_volume(tmp_path / "l.npy", labels, like=Volume(np.zeros((2, 2, 2))))
    assert os.listdir(tmp_path) == []


def test_more_labels_than_a_tiff_holds_are_refused(tmp_path):
    labels = np.full((2, 2, 2), 65536)
    with pytest.raises(
        InputError,
        match=r"^labels in a TIFF file must lie in 0…65535, got 65536; "
        r"write \.nii\.gz, \.npy or \.npz$",
    ):
        write_volume(tmp_path / "l.tif", labels, like=Volume(labels))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("name", "suffix"), [("l.png", "'.png'"), ("l", "'no suffix'")])
def test_labels_are_not_written_in_another_format(tmp_path, name, suffix):
    message = f"{name}: its name must end in .nii, .nii.gz, .tif, .tiff, .npy or .npz, got {suffix}"
    with pytest.raises(InputError, match=f"{re.escape(message)}$"):
        write_volume(tmp_path / name, np.ones((1, 1, 1), int), like=Volume(np.zeros((1, 1, 1))))


def test_a_stack_is_refused_as_an_image_and_an_image_as_a_stack(tmp_path):
    with pytest.raises(InputError, match=r"read it as a volume \(--volume, or read_volume\)"):
        read_image(saved(tmp_path, ".tif", (7, 5, 6)))
    memory = io.BytesIO()
    Image.new("L", (5, 4)).save(memory, "TIFF")
    (tmp_path / "plane.tif").write_bytes(memory.getvalue())
    with pytest.raises(InputError, match=r"it is one plane, read it as an image \(read_image\)$"):
        read_volume(tmp_path / "plane.tif")


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_nifti_file_is_refused_as_an_image(tmp_path, rng, kind, pack):
    (tmp_path / "a.nii").write_bytes(pack(nifti_bytes(stored(rng), kind=kind)))
    with pytest.raises(
        InputError,
        match=r"a\.nii is no image; if it is a NIfTI volume, read it as one "
        r"\(--volume, or read_volume\)$",
    ):
        read_image(tmp_path / "a.nii")
