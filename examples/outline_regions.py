"""Split a photograph into connected regions, as a person would outline them.

Run from the root of the repository: ``python examples/outline_regions.py``
"""

from gmmseg.image import read_image, segment_regions, write_image
from gmmseg.report import overlay_labels, side_by_side

image, mask = read_image("data/coffee.png")
labels = segment_regions(image, mask=mask)
write_image("regions.png", side_by_side(image, overlay_labels(image, labels, opacity=0.3)))
print(f"{labels.max()} regions; look at regions.png")
