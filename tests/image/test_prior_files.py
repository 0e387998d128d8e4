"""Prior maps are read from whatever file holds them, a map per segment along the last axis."""

import re

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError
from gmmseg.image.io import write_probabilities
from gmmseg.image.prior_files import read_prior
from gmmseg.image.volume_decoders import Volume
from gmmseg.image.volumes import write_volume_probabilities


@pytest.fixture
def maps(rng):
    """Return a function that gives maps of a grid: (*grid, n_maps)."""

    def of(*shape):
        return rng.uniform(size=shape).astype(np.float32)

    return of


@pytest.mark.parametrize("n_maps", [2, 3, 4, 5])
def test_the_pages_of_a_tiff_are_maps(maps, tmp_path, n_maps):
    values, path = maps(8, 11, n_maps), tmp_path / "maps.tif"
    tifffile.imwrite(path, np.moveaxis(values, -1, 0), photometric="minisblack")
    assert_array_equal(read_prior(path).values, values)


@pytest.mark.parametrize("n_maps", [3, 4])
@pytest.mark.parametrize("layout", ["separate", "contig"])
def test_colours_and_opacity_are_maps_as_well(maps, tmp_path, n_maps, layout):
    # Where it is not told better, tifffile writes three or four maps as such.
    values, path = maps(8, 11, n_maps), tmp_path / "maps.tif"
    stored = np.moveaxis(values, -1, 0) if layout == "separate" else values
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=layout)
    assert_array_equal(read_prior(path).values, values)


def test_probabilities_that_we_wrote_are_maps(maps, tmp_path):
    values, path = maps(8, 11, 3), tmp_path / "probabilities.tif"
    write_probabilities(path, values)
    assert_array_equal(read_prior(path).values, values)


@pytest.mark.parametrize(("n_maps", "axes"), [(2, "ZCYX"), (4, "ZCYX"), (3, "CZYX")])
def test_the_channels_of_a_stack_are_maps_of_a_volume(maps, tmp_path, n_maps, axes):
    values, path = maps(5, 8, 11, n_maps), tmp_path / "maps.tif"
    order = ["ZYXC".index(axis) for axis in axes]
    tifffile.imwrite(path, values.transpose(order), imagej=axes == "ZCYX", metadata={"axes": axes})
    assert_array_equal(read_prior(path).values, values)


def test_numpy_files_have_the_maps_along_the_last_axis(maps, tmp_path):
    for values in (maps(8, 11, 3), maps(5, 8, 11, 3)):
        np.save(tmp_path / "maps.npy", values)
        np.savez_compressed(tmp_path / "maps.npz", maps=values, names=["a", "b", "c"])
        assert_array_equal(read_prior(tmp_path / "maps.npy").values, values)
        assert_array_equal(read_prior(tmp_path / "maps.npz").values, values)


def test_nifti_files_have_them_along_the_fourth_and_know_where_they_lie(maps, tmp_path):
    values, path = maps(5, 8, 11, 3), tmp_path / "maps.nii.gz"
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(values.swapaxes(0, 2), affine), path)
    prior = read_prior(path)
    assert_array_equal(prior.values, values)
    assert_array_equal(prior.volume.affine, affine)
    assert prior.n_maps == 3


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_map_that_is_negative_or_not_finite_is_named_with_the_first_place(maps, tmp_path, value):
    values, path = maps(8, 11, 3), tmp_path / "maps.npy"
    values[4, 7:9, 1] = value
    np.save(path, values)
    message = (
        f"{path}: map 2 of 3 is negative, NaN or infinite at 2 of 88 places, first {value} at "
        "row 4, column 7; replace what is by 0"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_prior(path)


def test_what_is_no_set_of_maps_is_refused(maps, tmp_path):
    path = tmp_path / "maps.nii"
    nibabel.save(nibabel.Nifti1Image(maps(5, 8, 11), np.eye(4)), path)
    with pytest.raises(InputError, match=r"maps.nii holds one map, and every segment needs one;"):
        read_prior(path)
    path = tmp_path / "maps.tif"
    for values, axes in ((maps(8, 11), "YX"), (maps(2, 5, 8, 11), "TZYX")):
        tifffile.imwrite(path, values, metadata={"axes": axes})
        with pytest.raises(InputError, match=r"maps.tif must have a page per map, of a volume a"):
            read_prior(path)
    path = tmp_path / "maps.npy"
    np.save(path, np.zeros((8, 11, 3)))
    with pytest.raises(InputError, match=r"all 3 maps are 0 everywhere; leave the prior out$"):
        read_prior(path)
    with pytest.raises(InputError, match="more than the limit of 100"):
        read_prior(path, max_voxels=100)
    with pytest.raises(InputError, match=r"nowhere.tif does not exist"):
        read_prior(tmp_path / "nowhere.tif")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".tif", ".npy", ".npz"])
def test_the_probabilities_of_a_volume_are_prior_maps_of_another(tmp_path, rng, suffix):
    chances = rng.dirichlet(np.ones(3), size=(4, 5, 6)).astype(np.float32)
    path = tmp_path / f"chances{suffix}"
    write_volume_probabilities(path, chances, like=Volume(np.zeros((4, 5, 6))))
    assert_array_equal(read_prior(path).values, chances)


@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 7, 3)])
def test_probabilities_of_another_shape_are_refused(tmp_path, shape):
    with pytest.raises(InputError, match=r"probabilities must be floating of the volume's shape"):
        write_volume_probabilities(
            tmp_path / "p.npy", np.ones(shape, np.float32), like=Volume(np.zeros((4, 5, 6)))
        )
    assert not list(tmp_path.iterdir())


def test_maps_may_be_written_page_by_page(tmp_path, rng):
    maps = rng.random((9, 7, 3))
    with tifffile.TiffWriter(tmp_path / "maps.tif") as file:
        for number in range(3):
            file.write(maps[..., number], contiguous=False)
    assert_array_equal(read_prior(tmp_path / "maps.tif").values, maps)


def test_what_holds_no_maps_is_refused_with_what_does(tmp_path):
    (tmp_path / "maps.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(
        InputError,
        match=r"maps\.png holds no prior maps in a known format, it starts with b.+; give a TIFF "
        r"with a page per map, an \.npy or \.npz file with the maps along its last axis, or a "
        r"NIfTI file with them along its fourth$",
    ):
        read_prior(tmp_path / "maps.png")
