"""The distances between voxels as microscopes note them in a TIFF stack."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tifffile import TiffFile

# Millimetres in the units of OME and ImageJ; the micrometre is spelled in many ways.
_MILLIMETRES = {
    "nm": 1e-6, "nanometer": 1e-6, "µm": 1e-3, "um": 1e-3, "μm": 1e-3, "micron": 1e-3,
    "microns": 1e-3, "\\u00B5m": 1e-3, "micrometer": 1e-3, "mm": 1.0, "millimeter": 1.0,
    "cm": 10.0, "centimeter": 10.0, "m": 1e3, "meter": 1e3, "inch": 25.4,
}  # fmt: skip


def tiff_spacing(tiff: "TiffFile") -> tuple[float, float, float]:
    """Return the distance of planes, rows and columns in mm, or 1, 1, 1 if they are not told.

    OME-TIFF tells them in its XML; ImageJ in its remarks and in the resolution of the pages.
    """
    if tiff.is_ome and tiff.ome_metadata:
        return _usable(*_ome_spacing(tiff.ome_metadata))
    if tiff.is_imagej and tiff.imagej_metadata:
        return _usable(*_imagej_spacing(tiff, tiff.imagej_metadata))
    return 1.0, 1.0, 1.0


def _usable(planes: float, rows: float, cols: float) -> tuple[float, float, float]:
    """Return the distances if all three make sense: one alone could only mislead."""
    if all(0 < length < float("inf") for length in (planes, rows, cols)):
        return planes, rows, cols
    return 1.0, 1.0, 1.0


def _ome_spacing(xml: str) -> tuple[float, ...]:
    from tifffile import xml2dict

    image = xml2dict(xml)["OME"]["Image"]
    pixels = (image[0] if isinstance(image, list) else image)["Pixels"]
    return tuple(
        float(pixels.get(f"PhysicalSize{axis}", 0))
        * _MILLIMETRES[pixels.get(f"PhysicalSize{axis}Unit", "µm")]
        for axis in "ZYX"
    )


def _imagej_spacing(tiff: "TiffFile", remarks: dict[str, Any]) -> tuple[float, ...]:
    unit = _MILLIMETRES[str(remarks.get("unit", ""))]
    tags = tiff.pages.first.tags
    lengths = [float(remarks.get("spacing", 0))]
    for name in ("YResolution", "XResolution"):
        pixels, units = tags.valueof(name)
        lengths.append(units / pixels)
    return tuple(length * unit for length in lengths)
