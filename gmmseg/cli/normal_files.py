"""Files of normal images: read again and again, with the channels that most of them have."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gmmseg.cli.anomaly import counted, told_of
from gmmseg.cli.console import say, track, warn
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gmmseg.image import ImageAnomalyDetector


class NormalFiles:
    """Read image files again and again, and tell once of each that cannot be used.

    Parameters
    ----------
    paths : list of Path
        The files.
    are_pictures : bool
        Whether grey is the same as equal red, green and blue; of feature maps it is not.
    n_channels : int, optional
        Number of channels they must have; None until they `agree`.
    """

    def __init__(
        self, paths: list[Path], *, are_pictures: bool, n_channels: int | None = None
    ) -> None:
        self.paths = paths
        self.are_pictures = are_pictures
        self.n_channels = n_channels
        self._bad: set[Path] = set()
        self._good: set[Path] = set()

    @property
    def n_good(self) -> int:
        """Number of files that could be used."""
        return len(self._good)

    def agree(self) -> None:
        """Settle on the number of channels that most files have; of equally many, the first's.

        Raises
        ------
        InputError
            If most files cannot be used.
        """
        counts = Counter(channels_of(image) for image in self._readable("looking at images"))
        if counts:
            self.n_channels = counts.most_common(1)[0][0]
        self.refuse_if_most_are_bad()

    def read(self) -> Iterator["NDArray[Any]"]:
        """Yield the images that can be used."""
        return self._readable("reading normal images")

    def refuse_if_most_are_bad(self) -> None:
        """Stop, before a model is written, if it would be one of a few that are left."""
        if len(self._bad) > len(self._good):
            raise InputError(
                f"{len(self._bad)} of {len(self.paths)} normal images could not be used, so no "
                "model was written; take away what does not belong to them"
            )

    def told_of(self, detector: "ImageAnomalyDetector", model: Path) -> dict[str, Any]:
        """Return what is told as JSON of a detector that has learned from these files."""
        return told_of(detector, model, n_normal=len(self._good), n_bad=len(self._bad))

    def stop_if_bad(self) -> None:
        """Stop, with the exit code of what could not be done, if files were passed over."""
        if self._bad:
            say(f"{len(self._bad)} of {len(self.paths)} images could not be used")
            raise typer.Exit(1)

    def _readable(self, description: str) -> Iterator["NDArray[Any]"]:
        for path in track([p for p in self.paths if p not in self._bad], description):
            try:
                image = self._read(path)
            except InputError as error:
                warn(str(error))
                self._bad.add(path)
                self._good.discard(path)
                continue
            self._good.add(path)
            yield image

    def _read(self, path: Path) -> "NDArray[Any]":
        import numpy as np

        from gmmseg.image.defect_features import as_channels
        from gmmseg.image.io import read_image

        image, _ = read_image(path)
        n_channels = channels_of(image)
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise InputError(f"{path}: it has NaN or infinity; fill in what is missing")
        if self.n_channels in (None, n_channels):
            return image
        if self.are_pictures and {n_channels, self.n_channels} == {1, 3}:
            try:
                return as_channels(image, self.n_channels)
            except InputError as error:
                raise InputError(f"{path}: {error}") from None
        ours = counted(n_channels, "channels")
        raise InputError(f"{path}: it has {ours}, most others have {self.n_channels}")


def channels_of(image: "NDArray[Any]") -> int:
    """Return the number of channels of an image."""
    from gmmseg.image.arrays import with_channels

    return with_channels(image).shape[-1]
