"""What all tests share: one seeded generator and the settings of hypothesis."""

import os

import numpy as np
import pytest
from hypothesis import settings

# No deadline: the first call of a kernel compiles it. In CI the same examples every time.
settings.register_profile("gmmseg", deadline=None)
settings.register_profile("gmmseg-ci", deadline=None, derandomize=True)
settings.load_profile("gmmseg-ci" if os.environ.get("CI") else "gmmseg")


@pytest.fixture
def rng():
    return np.random.default_rng(0)
