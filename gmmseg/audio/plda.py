"""Two-covariance PLDA: how much likelier two sets of embeddings are from one speaker than from two.

An embedding is ``x = mean + y + e``: ``y`` is drawn once for a speaker, from a Gaussian with the
covariance across speakers, ``e`` anew for every recording, from one with the covariance within.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.core.validation import as_numbers
from gmmseg.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PLDA:
    """Hold a probabilistic linear discriminant analysis of embeddings.

    Embeddings are centred and projected, perhaps brought to one length, centred again, and mapped
    to where the covariance within speakers is the identity and that across is diagonal.

    Parameters
    ----------
    center : ndarray of shape (n_features,)
        What is subtracted first.
    projection : ndarray of shape (n_features, n_kept)
        Principal components that are kept, as columns, each divided by its spread.
    mean : ndarray of shape (n_kept,)
        What is subtracted after the projection.
    transform : ndarray of shape (n_kept, n_dims)
        Map to where the covariance within speakers is the identity.
    phi : ndarray of shape (n_dims,)
        Variances across speakers there, falling.
    is_length_normalized : bool, default=False
        Whether projected embeddings are brought to the length ``sqrt(n_kept)``.

    Raises
    ------
    InputError
        If shapes do not fit together, or a number is not finite.

    References
    ----------
    Ioffe (2006), "Probabilistic linear discriminant analysis", ECCV, section 2.
    Garcia-Romero, Espy-Wilson (2011), "Analysis of i-vector length normalization in speaker
    recognition systems", Interspeech, section 3.
    Sizov, Lee, Kinnunen (2014), "Unifying probabilistic linear discriminant analysis variants in
    biometric authentication", section 2.3.

    Examples
    --------
    Speakers differ by 2, recordings of one speaker by 1:

    >>> import numpy as np
    >>> plda = PLDA(np.zeros(1), np.eye(1), np.zeros(1), np.eye(1), np.array([4.0]))
    >>> ratios = log_likelihood_ratios([[2.0]], [[2.0], [-2.0]], plda)
    >>> ratios.round(2)
    array([[ 0.87, -2.69]])
    """

    center: Array
    projection: Array
    mean: Array
    transform: Array
    phi: Array
    is_length_normalized: bool = False

    def __post_init__(self) -> None:
        """Convert, check and freeze the arrays."""
        for name in ("center", "projection", "mean", "transform", "phi"):
            array = as_numbers(getattr(self, name), name)
            if not np.isfinite(array).all():
                raise InputError(f"{name} of a PLDA must be finite, got NaN or infinity")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "is_length_normalized", bool(self.is_length_normalized))
        wanted = (*self.center.shape, *self.mean.shape, *self.phi.shape)
        got = (self.projection.shape, self.transform.shape)
        if len(wanted) != 3 or got != (wanted[:2], wanted[1:]):
            raise InputError(
                f"the arrays of a PLDA do not fit together: center {self.center.shape}, projection "
                f"{got[0]}, mean {self.mean.shape}, transform {got[1]}, phi {self.phi.shape}"
            )
        if self.phi.size and self.phi.min() < 0.0:
            raise InputError(f"phi of a PLDA must not be negative, got {self.phi.min()}")

    @property
    def n_features(self) -> int:
        """Number of features of an embedding."""
        return len(self.center)

    @property
    def n_dims(self) -> int:
        """Number of dimensions of the space that is scored in."""
        return len(self.phi)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as plain arrays, for a model file."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "PLDA":
        """Return the PLDA of what `arrays` gave."""
        parts: dict[str, Any] = {field.name: arrays[field.name] for field in fields(cls)}
        return cls(**parts)


def project(X: ArrayLike, plda: PLDA, *, center: ArrayLike | None = None) -> Array:
    """Return embeddings where speakers vary by ``phi`` and recordings of one speaker by 1.

    Parameters
    ----------
    X : array_like of shape (n_embeddings, n_features)
        Embeddings.
    plda : PLDA
        The model.
    center : array_like of shape (n_features,), optional
        What is subtracted in place of the model's own centre: the mean of the windows of one file
        takes its microphone and room out, and something of its speakers with them.

    Returns
    -------
    projected : ndarray of shape (n_embeddings, n_dims)
        Embeddings in the space that is scored in.

    Raises
    ------
    InputError
        If X or center is not a finite table of the features that the PLDA was fitted on.

    Examples
    --------
    >>> import numpy as np
    >>> plda = PLDA(np.zeros(1), np.eye(1), np.ones(1), 2.0 * np.eye(1), np.ones(1))
    >>> project([[3.0]], plda)
    array([[4.]])
    """
    X = checked_embeddings(X, plda.n_features)
    about = plda.center
    if center is not None:
        about = checked_embeddings(np.atleast_2d(center), plda.n_features)[0]
    inner = (X - about) @ plda.projection
    if plda.is_length_normalized:
        inner = to_one_length(inner)
    return (inner - plda.mean) @ plda.transform


def log_likelihood_ratios(
    enrolled: ArrayLike,
    tested: ArrayLike,
    plda: PLDA,
    *,
    n_enrolled: ArrayLike = 1.0,
    n_tested: ArrayLike = 1.0,
) -> Array:
    """Return log p(both sets | one speaker) - log p(both sets | two speakers) for all pairs.

    A set of embeddings enters by its mean and their number; the spread about the mean is the same
    under both hypotheses.

    Parameters
    ----------
    enrolled : array_like of shape (n_models, n_dims)
        Mean of each set of `project`-ed embeddings of a known speaker.
    tested : array_like of shape (n_tests, n_dims)
        Mean of each set of an unknown one.
    plda : PLDA
        The model.
    n_enrolled, n_tested : float or array_like of shape (n_models,) or (n_tests,), default=1
        Number of independent embeddings in each set; fractions are allowed.

    Returns
    -------
    ratios : ndarray of shape (n_models, n_tests)
        Natural logarithms; above 0 speaks for one speaker.

    Raises
    ------
    InputError
        If a table has other dimensions than the PLDA, or a number is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> plda = PLDA(np.zeros(1), np.eye(1), np.zeros(1), np.eye(1), np.array([4.0]))
    >>> log_likelihood_ratios([[2.0]], [[2.0]], plda, n_enrolled=100.0).round(2)
    array([[1.2]])
    """
    enrolled = checked_embeddings(enrolled, plda.n_dims)[:, None, :]
    tested = checked_embeddings(tested, plda.n_dims)[None, :, :]
    count = _counts(n_enrolled, enrolled.shape[0])[:, None, None]
    noise = 1.0 / _counts(n_tested, tested.shape[1])[None, :, None]
    # What is known of the speaker after enrolment: y ~ N(pull * mean, phi / (1 + n phi)).
    pull = count * plda.phi / (1.0 + count * plda.phi)
    known = noise + plda.phi / (1.0 + count * plda.phi)
    unknown = noise + plda.phi
    gain = tested**2 / unknown - (tested - pull * enrolled) ** 2 / known
    return 0.5 * (gain + np.log(unknown / known)).sum(axis=2)


def to_one_length(inner: Array) -> Array:
    """Return rows of the length ``sqrt(n_kept)``, Gaussian vectors' own; zeros stay zeros."""
    length = np.linalg.norm(inner, axis=1, keepdims=True)
    return inner * (np.sqrt(inner.shape[1]) / np.where(length > 0.0, length, 1.0))


def checked_embeddings(X: ArrayLike, n_features: int | None = None) -> Array:
    """Return embeddings as float64, (n_embeddings, n_features), or raise InputError."""
    X = as_numbers(X, "embeddings")
    if X.ndim != 2 or 0 in X.shape:
        raise InputError(
            f"embeddings must have shape (n_embeddings, n_features), got {X.shape}; "
            "for one embedding use x[None, :]"
        )
    if n_features is not None and X.shape[1] != n_features:
        raise InputError(
            f"embeddings must have {n_features} features as the PLDA has, got {X.shape[1]}"
        )
    if not np.isfinite(X).all():
        row = int(np.argwhere(~np.isfinite(X))[0, 0])
        raise InputError(f"embeddings must be finite, got NaN or infinity first in row {row}")
    return X


def _counts(values: ArrayLike, n_sets: int) -> Array:
    counts = as_numbers(values, "the numbers of embeddings in sets")
    if counts.shape not in {(), (n_sets,)}:
        raise InputError(
            f"give one number of embeddings or one for each of {n_sets} sets, got shape "
            f"{counts.shape}"
        )
    counts = np.broadcast_to(counts, n_sets)
    if not (np.isfinite(counts) & (counts > 0.0)).all():
        raise InputError("the numbers of embeddings in sets must be finite and above 0")
    return counts
