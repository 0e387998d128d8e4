"""Choose the number and the shape of Gaussians for the eruptions of a geyser, and draw them.

Run from the root of the repository: ``python examples/choose_mixture.py``
"""

import numpy as np

from gmmseg import GaussianMixture
from gmmseg.image.io import write_image

eruptions = np.loadtxt("data/old_faithful.csv", delimiter=",", skiprows=1)
mixture = GaussianMixture("auto", covariance_type="auto", random_state=0, tol=1e-5).fit(eruptions)
print(mixture.selection_)
for weight, (duration, pause) in zip(mixture.weights_, mixture.means_, strict=True):
    print(f"{weight:.0%} of eruptions: {duration:.1f} min long, the next after {pause:.0f} min")

# Long eruptions to the right, long pauses up; the darker, the denser, in a colour per Gaussian.
durations, pauses = np.linspace(1.0, 5.6, 460), np.linspace(100.0, 38.0, 460)
grid = np.stack(np.meshgrid(durations, pauses), axis=-1).reshape(-1, 2)
ink = np.array([[230, 120, 0], [0, 130, 180], [150, 60, 160], [60, 150, 60]])
ink = ink[np.arange(mixture.n_components_) % len(ink)]
density = np.exp(mixture.score_samples(grid))[:, None]
depth = np.sqrt(density / density.max())
picture = 255 - depth * (255 - mixture.predict_proba(grid) @ ink)
picture = picture.reshape(460, 460, 3).round().astype(np.uint8)
columns = np.searchsorted(durations, eruptions[:, 0])
rows = np.searchsorted(-pauses, -eruptions[:, 1])
for down in (0, 1):
    for right in (0, 1):
        picture[rows + down, columns + right] = 40
write_image("eruptions.png", picture)
print("look at eruptions.png")
