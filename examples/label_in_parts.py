"""Segment a picture part by part, as one that does not fit into memory.

Colours are learned from blocks spread over the picture, and labels go to a file on disk. Of a TIFF
or a NumPy file only what is asked for is read.

Run from the root of the repository: ``python examples/label_in_parts.py``
"""

import numpy as np

from gmmseg.image import (
    ImageSegmenter,
    label_file,
    label_in_tiles,
    open_image,
    read_image,
    sample_pixels,
    write_image,
)
from gmmseg.report import overlay_labels, side_by_side

HALO = 24  # pixels: how far the label of one depends on others


def labels_of(part):
    """Return the labels of a part of the picture, whose transparent pixels are masked out."""
    pixels, mask = part
    return segmenter.predict(pixels, mask=mask)


with open_image("data/coffee.png") as image:
    sample, mask = sample_pixels(image, 60_000, np.random.default_rng(0))
    segmenter = ImageSegmenter(n_segments=4).fit(sample, mask=mask)
    rows, cols = image.shape[:2]
    with label_file("coffee_labels.tif", (rows, cols)) as labels:
        label_in_tiles(image.read, labels_of, labels, size=(100, cols), halo=HALO)

image, _ = read_image("data/coffee.png")
labels, _ = read_image("coffee_labels.tif")
write_image("coffee_in_parts.png", side_by_side(image, overlay_labels(image, labels)))
print("look at coffee_in_parts.png")
