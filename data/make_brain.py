"""Make brain_phantom.nii.gz and brain_phantom_labels.nii.gz: a small made head, with its truth.

Three tissues lie in nested shells with folds, as fluid, grey and white matter do in a head; fluid
also fills two chambers in the middle. Noise is added, and a slow shading as of a receiver coil.
Nobody's head was measured: everything follows from the few numbers below.
"""

import gzip
from pathlib import Path

import nibabel
import numpy as np
from scipy.ndimage import gaussian_filter

SHAPE = (48, 56, 40)  # right, anterior, superior
SPACING = (3.0, 3.0, 4.0)  # mm
LIGHT = (0.0, 45.0, 120.0, 180.0)  # outside, fluid, grey matter, white matter
NOISE = 9.0
SHADING = 0.25  # the lightest place is so much lighter than the darkest
FOLDER = Path(__file__).parent


def coordinates():
    """Return right, anterior and superior of every voxel, in mm from the middle."""
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in zip(SHAPE, SPACING, strict=True)]
    return np.meshgrid(*axes, indexing="ij")


def make_labels():
    """Return 0 outside, 1 fluid, 2 grey matter, 3 white matter."""
    x, y, z = coordinates()
    radius = np.sqrt((x / 64) ** 2 + (y / 76) ** 2 + (z / 68) ** 2)
    direction = np.arctan2(y, x)
    height = z / 68
    # Folds: ridges that run round the head, deeper in the inner surface, and the gap between
    # its halves.
    ridges = np.sin(9 * direction + 3 * np.sin(5 * height)) + np.sin(11 * height + 2 * direction)
    gap = 0.10 * np.exp(-((x / 4.0) ** 2)) * (z > -20)
    folds = 0.035 * ridges
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[radius < 1.0] = 1
    labels[radius + 0.4 * folds + gap < 0.92] = 2
    labels[radius + 1.6 * folds + gap < 0.74] = 3
    for side in (-1, 1):
        bent = ((x - side * (9 + 0.004 * y**2)) / 7) ** 2 + ((y + 2) / 30) ** 2
        labels[bent + ((z - 6) / 14) ** 2 < 1] = 1
        core = ((x - side * 24) / 9) ** 2 + ((y - 4) / 16) ** 2 + ((z + 2) / 13) ** 2
        labels[core < 1] = 2
    return labels


def make_volume(labels, rng):
    """Return the labels as a scanner would see them: blurred at borders, shaded, noisy."""
    light = gaussian_filter(np.take(LIGHT, labels), 0.45)
    x, y, z = coordinates()
    shading = 1 + 0.5 * SHADING * np.sin(x / 70 + 0.4) * np.cos(y / 90) + 0.1 * SHADING * z / 68
    noisy = light * shading + rng.normal(scale=NOISE, size=SHAPE)
    return np.where(labels > 0, np.clip(np.rint(noisy), 1, 255), 0).astype(np.uint8)


def save(name, values):
    """Write a NIfTI file of which only the content decides the bytes."""
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * step for n, step in zip(SHAPE, SPACING, strict=True)]
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    with (FOLDER / name).open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        image.to_stream(file)


if __name__ == "__main__":
    truth = make_labels()
    save("brain_phantom_labels.nii.gz", truth)
    save("brain_phantom.nii.gz", make_volume(truth, np.random.default_rng(0)))
