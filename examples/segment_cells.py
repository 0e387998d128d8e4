"""Segment a cell under the microscope, and show where the mixture is not sure.

Run from the root of the repository: ``python examples/segment_cells.py``
"""

from gmmseg.image import ImageSegmenter, read_image, write_image
from gmmseg.report import contact_sheet, overlay_labels, picture_uncertainty

image, mask = read_image("data/cell.png")
segmenter = ImageSegmenter(n_segments=3).fit(image, mask=mask)
overlay = overlay_labels(image, segmenter.predict(image, mask=mask))
uncertainty = picture_uncertainty(segmenter.predict_proba(image, mask=mask))
names = ["cell", "segments", "uncertainty: light is not sure"]
write_image("cells.png", contact_sheet([image, overlay, uncertainty], names, columns=3))
print("look at cells.png")
