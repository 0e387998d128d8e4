"""Image files as the commands see them: pixels, a picture to show, a place for results."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.cli.console import about, warn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image.lazy import LazyImage
    from gmmseg.image.pixels import Pixels
    from gmmseg.image.volume_decoders import Volume

VOLUME_SUFFIXES = (".nii", ".nii.gz", ".npz")
STACK_SUFFIXES = (".tif", ".tiff", ".npy")  # of pictures, or of volumes
IN_MEMORY = 2**25  # pixels up to which an image is read whole
SHOWN = 2**24  # pixels, about, that a picture to look at has at most


@dataclass(frozen=True, eq=False)
class Source:
    """An image file that is open.

    Parameters
    ----------
    path : Path
        The file.
    pixels : Pixels
        What is to be segmented.
    image : ndarray or None
        The image, if it is a plane and in memory.
    mask : ndarray of bool or None
        Where it is used, if it is in memory; None is everywhere.
    volume : Volume or None
        The volume, if it is one.
    log_prior : ndarray or None
        What is known of where the segments are, as `SegmentOptions` takes it.
    """

    path: Path
    pixels: "Pixels"
    image: "NDArray[Any] | None" = None
    mask: "NDArray[Any] | None" = None
    volume: "Volume | None" = None
    log_prior: "NDArray[Any] | None" = None

    def shown(self, labels: "NDArray[Any]") -> "tuple[NDArray[Any], NDArray[Any]]":
        """Return picture and labels of a plane, of a very large one only every so many pixels."""
        import numpy as np

        step = int(np.ceil(np.sqrt(max(labels.size / SHOWN, 1))))
        if self.image is not None:
            return self.image[::step, ::step], labels[::step, ::step]
        rows = []
        for region, _ in self.pixels.strips():
            first = -(region[1].start // -step) * step - region[1].start
            rows.append(self.pixels.read(region)[0][0, first::step, ::step])
        return np.concatenate(rows), labels[::step, ::step]


@contextlib.contextmanager
def open_source(path: Path, mask: "NDArray[Any] | None", *, is_volume: bool) -> Iterator[Source]:
    """Open an image or a volume; a very large image is read in parts where its format allows."""
    from gmmseg.image.pixels import pixels_of

    if is_volume or suffix_of(path) in VOLUME_SUFFIXES:
        from gmmseg.image.volumes import read_volume

        volume = read_volume(path)
        axis = -1 if volume.values.ndim == 4 else None
        with about(path):
            pixels = pixels_of(volume.values, mask=mask, channel_axis=axis)
        yield Source(path, pixels, mask=mask, volume=volume)
        return
    from gmmseg.image.lazy import open_image

    with open_image(path) as lazy:
        rows, cols = lazy.shape[:2]
        if rows * cols > IN_MEMORY:
            with about(path):
                pixels = lazy_pixels(lazy, mask)
            yield Source(path, pixels)
            return
        image, opaque = lazy.read((slice(0, rows), slice(0, cols)))
        use = both(mask, opaque)
        with about(path):
            pixels = pixels_of(image, mask=use)
        yield Source(path, pixels, image=image, mask=use)


def lazy_pixels(lazy: "LazyImage", mask: "NDArray[Any] | None") -> "Pixels":
    """Return the pixels of an image on disk."""
    import numpy as np

    from gmmseg.image.arrays import with_channels
    from gmmseg.image.pixels import Pixels, Region, checked_mask

    rows, cols = lazy.shape[:2]
    use = None if mask is None else checked_mask(mask, (rows, cols))

    def read(region: Region) -> "tuple[NDArray[Any], NDArray[np.bool_]]":
        values, opaque = lazy.read(region[1:])
        inside = np.ones(values.shape[:2], dtype=bool) if use is None else use[region[1:]]
        if opaque is not None:
            inside = inside & opaque
        return with_channels(values, -1)[np.newaxis], inside[np.newaxis]

    n_channels = lazy.shape[2] if len(lazy.shape) == 3 else 1
    n_inside = rows * cols if use is None else int(use.sum())
    return Pixels((1, rows, cols), n_channels, 2, n_inside, read)


def suffix_of(path: Path) -> str:
    """Return the suffix, ".nii.gz" being one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def stem_of(path: Path) -> str:
    """Return the name without its suffix."""
    return path.name[: len(path.name) - len(suffix_of(path))] if suffix_of(path) else path.name


def result_suffix(path: Path, *, is_volume: bool) -> str:
    """Return the suffix of labels or a mask: those of a volume are of the volume's kind."""
    if not is_volume:
        return ".png"
    suffix = suffix_of(path)
    return ".npy" if suffix == ".npz" else suffix


def warn_of_another_place(path: Path, part: "Volume", whole: "Volume") -> None:
    """Warn where a file that is laid over a volume lies elsewhere in the world by its affine."""
    import numpy as np

    if part.affine is None or whole.affine is None or part.grid != whole.grid:
        return
    ends = np.array(np.meshgrid(*((0, n - 1) for n in whole.grid[::-1]))).reshape(3, -1)
    apart = np.linalg.norm((part.affine - whole.affine)[:3] @ np.vstack([ends, np.ones(8)]), axis=0)
    if apart.max() > min(whole.spacing) / 2:
        warn(
            f"{path} lies up to {apart.max():.3g} mm away from the volume, by its affine; the two "
            "are laid over each other voxel by voxel: resample it, if that is wrong"
        )


def read_mask(path: Path, *, is_volume: bool = False) -> "NDArray[Any]":
    """Return where a mask is not 0 in any channel and not transparent."""
    if is_volume or suffix_of(path) in VOLUME_SUFFIXES:
        from gmmseg.image.volumes import read_volume

        values = read_volume(path).values
        marked: NDArray[Any] = values != 0 if values.ndim == 3 else (values != 0).any(axis=3)
        return marked
    from gmmseg.image.io import read_image

    pixels, opaque = read_image(path)
    marked = pixels != 0 if pixels.ndim == 2 else (pixels != 0).any(axis=2)
    return marked if opaque is None else marked & opaque


def both(mask: "NDArray[Any] | None", opaque: "NDArray[Any] | None") -> "NDArray[Any] | None":
    """Return where both masks are True; None is True everywhere."""
    if mask is None or opaque is None:
        return opaque if mask is None else mask
    if mask.shape != opaque.shape:
        return mask  # whose shape is refused where it meets the image
    return mask & opaque
