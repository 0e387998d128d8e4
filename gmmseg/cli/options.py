"""Choices that several commands offer."""

from enum import StrEnum


class Init(StrEnum):
    """Ways to find a start."""

    kmeans = "k-means++"
    random = "random"


class Covariance(StrEnum):
    """Shapes of a component."""

    full = "full"
    diag = "diag"
    tied = "tied"
    spherical = "spherical"
