"""Read regions of a TIFF of one page, decoding only the strips or tiles they lie in."""

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.image.decoders import Decoded, plain_tiff_colors, split_alpha
from gmmseg.image.opening import silent_log
from gmmseg.image.tiling import Slices

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

# A strip or tile of more pixels is no part of an image, but all of it or nearly.
_MOST_PIXELS = 2**24


def open_tiff_regions(path: Path, stack: contextlib.ExitStack) -> "TiffRegions | None":
    """Open a TIFF while a stack lasts; None if it must be read whole, or is not one image."""
    import tifffile

    try:
        with silent_log("tifffile"):
            tiff = stack.enter_context(tifffile.TiffFile(path))
            images = [s for s in tiff.series if s is tiff.series[0] or not s.keyframe.is_reduced]
            page = tiff.series[0].keyframe
            is_plain = (
                len(images) == 1
                and len(images[0].pages) == 1
                and page.dtype is not None
                and page.axes in ("YX", "YXS", "SYX")
                and int(page.tags.valueof(274, default=1)) == 1  # not turned
            )
    except Exception:  # noqa: BLE001 (a damaged file may raise anything; read_image tells it)
        return None
    regions = TiffRegions(tiff, page)
    return regions if is_plain and np.prod(regions.part) <= _MOST_PIXELS else None


@dataclass(frozen=True, eq=False)
class TiffRegions:
    """The one page of an open TIFF file."""

    tiff: "TiffFile"
    page: "TiffPage"
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns of the image."""
        return self.page.imagelength, self.page.imagewidth

    @property
    def part(self) -> tuple[int, int]:
        """Numbers of rows and columns of a strip or tile; an uncompressed image has no need of any.

        That one can be mapped.
        """
        if self.page.is_memmappable:
            return 1, self.page.imagewidth
        if self.page.is_tiled:
            return self.page.tilelength, self.page.tilewidth
        return min(self.page.rowsperstrip, self.page.imagelength), self.page.imagewidth

    def decode(self, region: Slices) -> Decoded:
        """Return pixels and alpha of a region of the image."""
        if self.page.is_memmappable:
            pixels = self._mapped(region)
        else:
            pixels = self._assembled(region)
        pixels, alpha = split_alpha(pixels, self.page)
        return plain_tiff_colors(pixels, self.page), alpha

    def _mapped(self, region: Slices) -> NDArray[Any]:
        """Return a copy of a region of an image that lies in the file as it would in memory."""
        dtype = np.dtype(self.page.dtype).newbyteorder(self.tiff.byteorder)
        # A map of its own each time: what was read of a map counts as used memory until it goes.
        whole = np.memmap(
            self.tiff.filehandle.path, dtype, "r", self.page.dataoffsets[0], self.page.shape
        )
        if self.page.axes == "SYX":
            whole = np.moveaxis(whole, 0, 2)
        return np.array(whole.reshape(*self.shape, -1)[region], dtype=self.page.dtype)

    def _assembled(self, region: Slices) -> NDArray[Any]:
        """Return a region put together from the parts it lies in."""
        page, (height, width) = self.page, self.part
        rows, cols = region
        n_samples = page.samplesperpixel
        shape = (rows.stop - rows.start, cols.stop - cols.start, n_samples)
        pixels = np.full(shape, page.nodata, dtype=page.dtype)
        n_down, n_across = -(-self.shape[0] // height), -(-self.shape[1] // width)
        is_apart = page.planarconfig == 2
        for sample in range(n_samples if is_apart else 1):
            out = pixels[:, :, sample : sample + 1] if is_apart else pixels
            for down in range(rows.start // height, -(-rows.stop // height)):
                for across in range(cols.start // width, -(-cols.stop // width)):
                    index = (sample * n_down + down) * n_across + across
                    part = self._part(index)
                    if part is not None:
                        corner = down * height - rows.start, across * width - cols.start
                        _paste(out, part, corner)
        return pixels

    def _part(self, index: int) -> NDArray[Any] | None:
        """Return a decoded strip or tile (rows, cols, samples); None if the file leaves it out."""
        page, n_bytes = self.page, self.page.databytecounts[index]
        if n_bytes == 0:
            return None
        with self.lock:
            self.tiff.filehandle.seek(page.dataoffsets[index])
            data = self.tiff.filehandle.read(n_bytes)
        with silent_log("tifffile"):
            decoded, _, shape = page.decode(
                data, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader
            )
        return None if decoded is None else decoded[0, : shape[1], : shape[2]]


def _paste(out: NDArray[Any], part: NDArray[Any], corner: tuple[int, int]) -> None:
    """Copy what of a part lies inside ``out``, its first pixel being at a corner there."""
    to, of = [], []
    for start, n_part, n_out in zip(corner, part.shape[:2], out.shape[:2], strict=True):
        begin, end = max(start, 0), min(start + n_part, n_out)
        to.append(slice(begin, end))
        of.append(slice(begin - start, end - start))
    out[tuple(to)] = part[tuple(of)]
