"""Choose the number and the shape of Gaussians for the eruptions of a geyser, and draw them.

Run from the root of the repository: ``python examples/choose_mixture.py``
It needs the extra ``plot``.
"""

import numpy as np

from gmmseg import GaussianMixture
from gmmseg.report import plot_components

eruptions = np.loadtxt("data/old_faithful.csv", delimiter=",", skiprows=1)
mixture = GaussianMixture("auto", covariance_type="auto", random_state=0, tol=1e-5).fit(eruptions)
print(mixture.selection_)
for weight, (duration, pause) in zip(mixture.weights_, mixture.means_, strict=True):
    print(f"{weight:.0%} of eruptions: {duration:.1f} min long, the next after {pause:.0f} min")

axes = plot_components(mixture, eruptions, names=["eruption, minutes", "pause, minutes"])
axes.figure.savefig("eruptions.png", dpi=100)
print("look at eruptions.png")
