"""Learn what normal cloth looks like, and show where three pieces of cloth are not normal.

Run from the root of the repository: ``python examples/find_defects.py``
"""

from pathlib import Path

from gmmseg.image import ImageAnomalyDetector, read_image, write_image
from gmmseg.report import contact_sheet, overlay_anomaly

detector = ImageAnomalyDetector().fit(sorted(Path("data/tiles").glob("normal_*.jpg")))
pictures, captions = [], []
for name in ("pull_thread", "stain", "hole", "normal_07"):
    image, _ = read_image(f"data/tiles/{name}.jpg")
    found = detector.inspect(image)
    print(f"{name}: score {found.score:.1f}, p-value {found.p_value:.2g}")
    for region in detector.explain(image)[:1]:
        print(f"    rows {region.rows}, columns {region.cols}, by {', '.join(region.features)}")
    threshold, marked = detector.threshold_, found.marked
    pictures += [image, overlay_anomaly(image, found.map, threshold=threshold, marked=marked)]
    captions += [name, "anomalous" if found.is_anomalous else "normal"]
write_image("defects.png", contact_sheet(pictures, captions, columns=4))
print("look at defects.png")
