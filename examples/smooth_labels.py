"""Let neighbours speak where a mixture that sees each pixel alone is lost in noise.

Run from the root of the repository: ``python examples/smooth_labels.py``
"""

import numpy as np

from gmmseg import GaussianMixture
from gmmseg.image import pixel_features, read_image, write_image
from gmmseg.report import contact_sheet, overlay_labels
from gmmseg.smoothing import contrast_field, expand_labels, mean_field, potts_energy

image, _ = read_image("data/field.jpg")
noise = np.random.default_rng(0).normal(scale=30.0, size=image.shape)
noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
features = pixel_features(noisy)
table = features.reshape(-1, features.shape[-1])
mixture = GaussianMixture(n_components=2, random_state=0).fit(table)
proba = mixture.predict_proba(table).reshape(*image.shape[:2], -1)
log_proba = np.log(np.maximum(np.moveaxis(proba, -1, 0), 1e-9))
costs = -log_proba[:, np.newaxis]  # a picture is a volume of one plane

# In noise all neighbours count alike; elsewhere give the features, and edges are spared.
field = contrast_field(np.zeros_like(features), connectivity=2)
labels = {
    "each pixel alone": log_proba.argmax(axis=0),
    "mean field": mean_field(log_proba, field, coupling=1.0).argmax(axis=0),
    "expansion moves": expand_labels(costs, field)[0],
}
for name, each in labels.items():
    print(f"{name}: energy {potts_energy(costs, field, each[np.newaxis]):.0f}")
pictures = [noisy, *(overlay_labels(noisy, each + 1) for each in labels.values())]
write_image("smooth.png", contact_sheet(pictures, ["noisy field", *labels], columns=2))
print("look at smooth.png")
