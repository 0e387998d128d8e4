"""Bright things on a dark ground, as in fluorescence: the logarithm of what rises above the ground.

Such things differ among themselves by factors, the ground by a few counts of noise. Above the
ground the inverse hyperbolic sine is a logarithm, near it a straight line, so that both have about
the same spread: Huber et al. (2002), "Variance stabilization applied to microarray data calibration
and to the quantification of differential expression", eq. 5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Of the range from the 1st to the 99th percentile, the median of a dark field lies in this part.
_DARK = 0.2
# Noise of the ground, in units of the distance from its 1st percentile to its median.
_NOISE = 0.6
# Least distance, in units of the whole range: a ground without any noise has a distance of 0.
_LEAST = 0.02


@dataclass(frozen=True, eq=False)
class DarkField:
    """Ground and noise of every channel; channels whose noise is 0 stay as they are.

    Parameters
    ----------
    ground : ndarray of float32 of shape (n_channels,)
        Level of the ground.
    noise : ndarray of float32 of shape (n_channels,)
        Spread of the ground, above 0; 0 for a channel that is no dark field.
    """

    ground: NDArray[np.float32]
    noise: NDArray[np.float32]

    @classmethod
    def fitting(cls, values: NDArray[np.float32], *, always: bool) -> "DarkField":
        """Learn from pixels (n, n_channels) which channels are dark fields, or take all for one."""
        low, middle, high = np.percentile(values, [1, 50, 99], axis=0).astype(np.float32)
        distance = np.maximum(middle - low, np.float32(_LEAST) * (high - low))
        if always:  # a ground without a range: any noise above 0 keeps it flat
            noise = np.where(high > low, np.float32(_NOISE) * distance, np.float32(1))
        else:
            is_dark = (middle - low < _DARK * (high - low)) & (high > low)
            noise = np.where(is_dark, np.float32(_NOISE) * distance, np.float32(0))
        return cls(low, noise)

    def raised(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``asinh((values - ground) / (2 noise))`` in dark channels, a new array."""
        dark = self.noise > 0
        result = values.copy()
        unit = 2 * self.noise[dark]
        result[..., dark] = np.arcsinh((values[..., dark] - self.ground[dark]) / unit)
        return result
