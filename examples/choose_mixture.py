"""Choose the number of components and their shape: the eruptions of a geyser.

Run it from the root of the repository: python examples/choose_mixture.py
"""

import numpy as np

from gmmseg import GaussianMixture

eruptions = np.loadtxt("data/old_faithful.csv", delimiter=",", skiprows=1)
mixture = GaussianMixture("auto", covariance_type="auto", random_state=0, tol=1e-5).fit(eruptions)
print(mixture.selection_)
for weight, (duration, pause) in zip(mixture.weights_, mixture.means_, strict=True):
    print(
        f"{weight:.0%} of eruptions take {duration:.1f} min; the next comes after {pause:.0f} min"
    )
