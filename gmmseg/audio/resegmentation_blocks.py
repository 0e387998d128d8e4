"""Resegmentation of recordings of any length: block by block, each with the speakers in it."""

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.resegmentation import resegment
from gmmseg.core.parameters import MixtureParameters

FRAMES_IN_BLOCK = 60_000  # 10 min
RELEVANCE = 200.0  # frames that the background counts as, in each component of a voice
LEAST_FRAMES = 25  # of a turn
MEAN_FRAMES = 200.0
EVIDENCE_SCALE = 0.2


def resegment_in_blocks(
    features: NDArray[np.float32],
    labels: NDArray[np.intp],
    background: MixtureParameters,
    *,
    n_in_block: int = FRAMES_IN_BLOCK,
) -> NDArray[np.intp]:
    """Return whose each frame is, 0 for nobody's, given whose it is about.

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        Frames in order of time.
    labels : ndarray of int of shape (n_frames,)
        Speaker of each frame to start from, numbered from 1; 0 where nobody speaks.
    background : MixtureParameters
        Mixture of the frames of many speakers.
    n_in_block : int
        Largest number of frames of a block.

    Returns
    -------
    labels : ndarray of int of shape (n_frames,)
        Speakers under the same numbers.
    """
    n_blocks = max(1, -(-len(labels) // n_in_block))
    result = labels.copy()
    for block in np.array_split(np.arange(len(labels)), n_blocks):
        before = labels[block]
        if len(np.unique(before[before > 0])) > 1:
            found = resegment(
                features[block],
                before,
                background,
                n_rounds=1,
                relevance_factor=RELEVANCE,
                evidence_scale=EVIDENCE_SCALE,
                least_frames=LEAST_FRAMES,
                mean_frames=MEAN_FRAMES,
            )
            result[block] = found.labels
    return result
