"""Find the plants in a picture of a field, and how much of the ground they cover.

Run from the root of the repository: ``python examples/segment_field.py``
"""

from gmmseg.image import (
    merge_small_regions,
    read_image,
    segment_image,
    summarize_segments,
    write_image,
)
from gmmseg.report import add_legend, overlay_labels, side_by_side

image, mask = read_image("data/field.jpg")
labels = merge_small_regions(segment_image(image, n_segments=2, mask=mask), min_area=20)
segments = summarize_segments(image, labels)
plants = max(segments, key=lambda segment: segment.mean_color[1] - segment.mean_color[0])
names = ["plants" if s.label == plants.label else "soil" for s in segments]
picture = side_by_side(image, overlay_labels(image, labels))
write_image("field.png", add_legend(picture, labels, names=names))
print(f"plants cover {plants.share:.0%} of the ground; look at field.png")
