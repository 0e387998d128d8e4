"""ImageSource: images that are read one at a time, as often as they are needed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray

from gmmseg.errors import InputError
from gmmseg.image.arrays import as_array

Images = Sequence[Any] | Callable[[], Iterable[Any]] | NDArray[Any]


class ImageSource:
    """Read images from arrays, from files or from a function, one at a time.

    Parameters
    ----------
    images : sequence of array_like or path, or callable
        Images or names of image files; or a function that returns a new iterator over such.
    """

    def __init__(self, images: Images) -> None:
        if isinstance(images, str | PathLike) or not (
            callable(images) or hasattr(images, "__len__")
        ):
            raise InputError(
                "images must be a list of images or of file names, or a function that returns an "
                f"iterator over such, got {type(images).__name__}; they are read more than once"
            )
        self._images = images

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield the images."""
        for number, image in enumerate(self._entries()):
            yield self._read(image, number)

    def chosen(self, numbers: set[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield some of the images, each with its number."""
        for number, image in enumerate(self._entries()):
            if number in numbers:
                yield number, self._read(image, number)

    def _entries(self) -> Iterable[Any]:
        return self._images() if callable(self._images) else self._images

    @staticmethod
    def _read(image: ArrayLike | str | PathLike[str], number: int) -> NDArray[Any]:
        if isinstance(image, str | PathLike):
            from gmmseg.image.io import read_image

            return read_image(Path(image))[0]
        return as_array(image, f"image {number}")
