"""Which labels are held to which truth: files of the same name, of one or several annotators."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.console import about
from gmmseg.cli.image_files import VOLUME_SUFFIXES, stem_of, suffix_of, warn_of_another_place
from gmmseg.cli.inputs import named_files
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image.volume_decoders import Volume

# Those that keep labels as they are: none of JPEG.
SUFFIXES = (".png", ".tif", ".tiff", ".npy", ".npz", ".nii", ".gz", ".bmp", ".gif", ".pgm")
ENDING = re.compile(r"(.+)_(labels|seg|gt|truth|mask|map)_?\d*")
NO_ENDING = ""


@dataclass(frozen=True, eq=False)
class Plane:
    """What is in a file: a value for every pixel, or voxel."""

    path: Path
    values: "NDArray[Any]"
    volume: "Volume | None"


@dataclass(frozen=True, eq=False)
class Pair:
    """An image: its name, what is held to the truth, and the truth of every annotator."""

    name: str
    held: Plane
    truths: list[Plane]


class Truths:
    """Where the truth of every image is.

    Parameters
    ----------
    paths : list of Path
        Files, each of which is the truth of all images, and folders, in which files bear the names
        of the images, with an ending such as "_seg" or none, and a number for every annotator.
    held : list of Path
        Files that are held to the truth, and are none.
    endings : tuple of str
        Which endings are taken first, where a folder has files of one name with several.
    """

    def __init__(self, paths: list[Path], held: list[Path], endings: tuple[str, ...]) -> None:
        self.paths = paths
        self.files = [path for path in paths if not path.is_dir()]
        self.named: dict[str, list[Path]] = {}
        known = {path.resolve() for path in held}
        for folder in (path for path in paths if path.is_dir()):
            for name, files in _by_name(folder, known, endings).items():
                self.named.setdefault(name, []).extend(files)

    def of(self, name: str) -> list[Path]:
        """Return the truth of every annotator of an image."""
        found = [*self.files, *self.named.get(name, [])]
        if not found:
            raise InputError(f"{', '.join(map(str, self.paths))} has nothing on {name}")
        return found


def _by_name(folder: Path, known: set[Path], endings: tuple[str, ...]) -> dict[str, list[Path]]:
    """Return the truths of a folder by the names of images, of the first ending that is there."""
    found: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(folder.iterdir()):
        is_wanted = path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        if is_wanted and path.is_file() and path.resolve() not in known:
            name, ending = name_and_ending(path)
            found.setdefault(name, {}).setdefault(ending, []).append(path)
    order = [*endings, NO_ENDING]
    return {
        name: next(kinds[ending] for ending in order if ending in kinds)
        for name, kinds in found.items()
    }


def name_and_ending(path: Path) -> tuple[str, str]:
    """Return the name of the image that a file is about, and what follows it."""
    match = ENDING.fullmatch(stem_of(path))
    return (match[1], match[2]) if match else (stem_of(path), NO_ENDING)


def files_held(arguments: list[str], ending: str) -> list[Path]:
    """Return the files that are named; of a folder those with the ending, if there are any."""
    files = named_files(arguments, SUFFIXES)
    for folder in {Path(argument) for argument in arguments if Path(argument).is_dir()}:
        inside = [file for file in files if file.parent == folder]
        if any(name_and_ending(file)[1] == ending for file in inside):
            others = {file for file in inside if name_and_ending(file)[1] != ending}
            files = [file for file in files if file not in others]
    return files


def read_pair(path: Path, truths: Truths, *, is_volume: bool, is_map: bool) -> Pair:
    """Read a file and its truths, which must have its shape."""
    name = name_and_ending(path)[0]
    held = read_plane(path, is_volume=is_volume)
    held = map_in(held) if is_map else labels_in(held)
    planes = [labels_in(read_plane(file, is_volume=is_volume)) for file in truths.of(name)]
    for plane in planes:
        if plane.values.shape != held.values.shape:
            raise InputError(
                f"{path} must have the shape of its truth {plane.path}, {plane.values.shape}, got "
                f"{held.values.shape}"
            )
        if plane.volume is not None and held.volume is not None:
            warn_of_another_place(plane.path, plane.volume, held.volume)
    return Pair(name, held, planes)


def read_plane(path: Path, *, is_volume: bool) -> Plane:
    """Read one value for every pixel of an image, 0 where it is transparent, or of a volume."""
    if is_volume or suffix_of(path) in VOLUME_SUFFIXES:
        from gmmseg.image.volumes import read_volume

        volume = read_volume(path)
        return Plane(path, _one_channel(path, volume.values, n_axes=3), volume)
    from gmmseg.image.io import read_image

    pixels, opaque = read_image(path)
    values = _one_channel(path, pixels, n_axes=2)
    return Plane(path, values if opaque is None else values * opaque, None)


def _one_channel(path: Path, values: "NDArray[Any]", *, n_axes: int) -> "NDArray[Any]":
    """Return what all channels say, if they say the same."""
    if values.ndim == n_axes:
        return values
    if not (values == values[..., :1]).all():
        more = " (planes of a TIFF stack or .npy are read with --volume)" if n_axes == 2 else ""
        raise InputError(
            f"{path} must have one value for every pixel, got shape {values.shape}; give labels, "
            f"not a picture{more}"
        )
    return values[..., 0]


def labels_in(plane: Plane) -> Plane:
    """Return labels as integers, as which not all formats keep them."""
    import numpy as np

    values = plane.values
    if values.dtype.kind != "f":
        return plane
    is_label = np.isfinite(values) & (values == np.rint(values)) & (np.abs(values) < 2.0**31)
    if not is_label.all():
        with about(plane.path):
            raise InputError(
                f"labels must be whole numbers, got {values[~is_label][0]:g}; "
                "give labels, not probabilities or a map"
            )
    return Plane(plane.path, values.astype(np.int64), plane.volume)


def map_in(plane: Plane) -> Plane:
    """Return a map, every pixel of which must have a number."""
    import numpy as np

    n_nan = int(np.isnan(plane.values).sum())
    if n_nan:
        raise InputError(f"{plane.path} has NaN in {n_nan} of {plane.values.size} pixels")
    return plane
