"""Pool the frames of a clip by rank: between each band's loudest moment and its mean."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

Array = NDArray[np.float64]


def ranked_means(
    table: ArrayLike, ratios: Sequence[float], *, n_typical: int | None = None
) -> Array:
    """Return means of a clip's frames that are weighted by rank, band by band.

    Each band is sorted by itself, loudest first, and frame ``j`` of it counts ``ratio ** j``: with
    1 that is the mean, with 0 the loudest frame, between them something that short events move
    as well as what lasts. Ranks are those in a clip of ``n_typical`` frames: a clip twice as long
    has every rank twice, and repeating a clip changes nothing. Means of clips of different lengths
    are still not alike where frames vary: those of more frames vary less.

    Parameters
    ----------
    table : array_like of shape (n_frames, n_bands)
        Bands of every frame, as of :func:`frame_features` with ``kind="log-mel"``.
    ratios : sequence of float
        How much less each frame counts than the next louder one, from 0 to 1.
    n_typical : int, optional
        Frames of the clips that this one is compared with; None for its own.

    Returns
    -------
    means : ndarray of shape (n_ratios, n_bands)
        ``means[i, b] = sum_j weights[j] * sorted(table[:, b])[j]``, the loudest first;
        ``weights[j]`` are as ``ratios[i] ** j``, and sum to 1.

    Raises
    ------
    InputError
        If the table has no frame, or a ratio lies outside 0…1.

    References
    ----------
    Kolesnikov, Lampert (2016), "Seed, expand and constrain", for the weights; Guan and others
    (2023), "Time-weighted frequency domain audio representation with GMM estimator for anomalous
    sound detection", DOI 10.1109/ICASSP49357.2023.10096356.

    Examples
    --------
    >>> ranked_means([[1.0], [4.0], [2.0]], [0.0, 0.5, 1.0]).ravel().round(2)
    array([4.  , 3.  , 2.33])
    """
    frames = _checked(table)
    ordered = -np.sort(-frames, axis=0)
    return rank_weights(len(frames), ratios, n_typical=n_typical) @ ordered


def rank_weights(n_frames: int, ratios: Sequence[float], *, n_typical: int | None = None) -> Array:
    """Return what frames count by rank, (n_ratios, n_frames); each row sums to 1.

    Rank ``u`` in 0…1 of a typical clip counts ``ratio ** (u * n_typical)``; a frame counts what
    this has between its own rank and the next, ``share((j + 1) / n) - share(j / n)``.
    """
    check_number("n_frames", n_frames, least=1, is_whole=True)
    typical = n_frames if n_typical is None else n_typical
    check_number("n_typical", typical, least=1, is_whole=True)
    borders = np.arange(n_frames + 1, dtype=np.float64) * (typical / n_frames)
    return np.stack([np.diff(_share_above(borders, ratio, typical)) for ratio in ratios])


def rank_shares(
    table: ArrayLike, ratios: Sequence[float], *, n_typical: int | None = None
) -> Array:
    """Return what each frame counts in :func:`ranked_means`, (n_ratios, n_frames, n_bands)."""
    frames = _checked(table)
    order = np.argsort(-frames, axis=0, kind="stable")
    weights = rank_weights(len(frames), ratios, n_typical=n_typical)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(frames))[:, np.newaxis], axis=0)
    return weights[:, ranks]


def _share_above(rank: NDArray[np.floating], ratio: float, n_typical: int) -> Array:
    """Return the share of all weight that lies above a rank, in frames of a typical clip."""
    if not 0.0 <= ratio <= 1.0:
        raise InputError(f"ratios must lie from 0 to 1, got {ratio}")
    if ratio == 0.0:
        return np.minimum(rank, 1.0)
    if ratio == 1.0:
        return rank / n_typical
    log_ratio = np.log(ratio)
    share: Array = np.expm1(rank * log_ratio) / np.expm1(n_typical * log_ratio)
    return share


def _checked(table: ArrayLike) -> Array:
    frames = np.asarray(table, dtype=np.float64)
    if frames.ndim != 2 or 0 in frames.shape:
        raise InputError(
            f"table must have shape (n_frames, n_bands), at least one of each, got {frames.shape}"
        )
    return frames
