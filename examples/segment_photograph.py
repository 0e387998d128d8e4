"""Segment a photograph and put its segments beside it, as at the top of the README.

Run from the root of the repository: ``python examples/segment_photograph.py``
"""

import sys
from pathlib import Path

from gmmseg.image import read_image, segment_image, summarize_segments, write_image
from gmmseg.report import overlay_labels, side_by_side

photograph = sys.argv[1] if len(sys.argv) > 1 else "data/astronaut.jpg"
picture = Path(sys.argv[2] if len(sys.argv) > 2 else "segments.png")

image, mask = read_image(photograph)
labels = segment_image(image, n_segments=5, mask=mask)
write_image(picture, side_by_side(image, overlay_labels(image, labels)))

for segment in summarize_segments(image, labels):
    print(f"segment {segment.label}: {segment.share:6.1%} of the picture")
print(f"look at {picture}")
