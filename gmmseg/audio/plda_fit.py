"""Fitting a PLDA to labelled embeddings by EM, shrunk so that a few dozen speakers are enough."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmseg.audio.plda import PLDA, checked_embeddings, to_one_length
from gmmseg.core.covariance_base import clip_eigenvalues
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

NARROWEST = 1e-6  # spread of a direction that is kept, as a fraction of that of the widest
LEAST_VARIANCE = 1e-6  # within speakers, as a fraction of the variance in all

Array = NDArray[np.float64]


def fit_plda(
    X: ArrayLike,
    speakers: ArrayLike,
    *,
    n_components: int | None = None,
    n_dims: int | None = None,
    length_normalize: bool = False,
    prior_count: float | None = None,
    n_iter: int = 10,
) -> PLDA:
    """Fit a two-covariance PLDA by EM to embeddings of several speakers.

    Both covariances start from moments and are shrunk towards multiples of the total covariance,
    that is towards the belief that every direction tells speakers apart equally well: cosine
    scoring of whitened embeddings is what is left where there are next to no data.

    Parameters
    ----------
    X : array_like of shape (n_embeddings, n_features)
        Embeddings; some speakers must have several.
    speakers : array_like of shape (n_embeddings,)
        Who speaks in each: names or numbers.
    n_components : int, optional
        Number of principal components kept first. All that vary if None.
    n_dims : int, optional
        Number of directions kept last, those that tell speakers apart best. All if None.
    length_normalize : bool, default=False
        Whether whitened embeddings are brought to one length, for embeddings with heavy tails.
    prior_count : float, optional
        Number of speakers and of embeddings that the prior counts as; a quarter of the number of
        principal components if None.
    n_iter : int, default=10
        Number of iterations; 0 leaves the moments.

    Returns
    -------
    plda : PLDA
        The fitted model.

    Raises
    ------
    InputError
        If there are fewer than two speakers, none has two embeddings, all embeddings are equal or
        a number is out of range.

    References
    ----------
    Sizov, Lee, Kinnunen (2014), "Unifying probabilistic linear discriminant analysis variants in
    biometric authentication", algorithm 2; here with inverse-Wishart priors.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> speakers = np.arange(100).repeat(5)
    >>> X = 3.0 * rng.normal(size=(100, 2))[speakers] + rng.normal(size=(500, 2))
    >>> plda = fit_plda(X, speakers, n_dims=1)
    >>> plda.n_dims, bool(7.0 < plda.phi[0] < 13.0)
    (1, True)
    """
    X = checked_embeddings(X)
    numbers = speaker_numbers(speakers, len(X))
    check_number("n_iter", n_iter, least=0, is_whole=True)
    center = X.mean(axis=0)
    projection = whitening(X - center, n_components)
    inner = (X - center) @ projection
    if length_normalize:
        inner = to_one_length(inner)
    strength = inner.shape[1] / 4.0 if prior_count is None else prior_count
    check_number("prior_count", strength, least=0)
    covariances = _Covariances.of_moments(inner, numbers, strength)
    for _ in range(n_iter):
        covariances = covariances.better(inner, numbers)
    transform, phi = covariances.common_axes()
    if n_dims is not None:
        check_number("n_dims", n_dims, least=1, is_whole=True)
    kept = slice(n_dims)
    return PLDA(
        center, projection, covariances.mean, transform[:, kept], phi[kept], length_normalize
    )


def whitening(deviations: Array, n_components: int | None = None) -> Array:
    """Return principal axes as columns, divided by their spread, so that projections vary by 1."""
    scale = np.abs(deviations).max()
    if not scale > 0.0:
        raise InputError("all embeddings are equal; give embeddings that differ")
    _, lengths, axes = np.linalg.svd(deviations / scale, full_matrices=False)
    n_kept = int((lengths > NARROWEST * lengths[0]).sum())
    if n_components is not None:
        check_number("n_components", n_components, least=1, is_whole=True)
        n_kept = min(n_kept, n_components)
    spread = lengths[:n_kept] / np.sqrt(len(deviations))
    return axes[:n_kept].T / spread / scale


def speaker_numbers(speakers: ArrayLike, n_embeddings: int) -> NDArray[np.intp]:
    """Return speakers as 0, 1, ..., or raise InputError if nothing can be learned from them."""
    names = np.asarray(speakers)
    if names.shape != (n_embeddings,):
        raise InputError(
            f"speakers must have shape ({n_embeddings},) as there are {n_embeddings} embeddings, "
            f"got {names.shape}"
        )
    _, numbers = np.unique(names, return_inverse=True)
    n_speakers = int(numbers.max()) + 1
    if n_speakers < 2:
        raise InputError("a PLDA needs embeddings of at least 2 speakers, got 1")
    if n_speakers == n_embeddings:
        raise InputError(
            "a PLDA needs several embeddings of a speaker, got one of each; "
            "cut recordings into windows"
        )
    return numbers.reshape(-1)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Number and mean of the embeddings of each speaker."""

    numbers: NDArray[np.intp]
    counts: Array
    means: Array

    @classmethod
    def of(cls, X: Array, numbers: NDArray[np.intp]) -> "_Groups":
        counts = np.bincount(numbers).astype(np.float64)
        sums = np.zeros((len(counts), X.shape[1]))
        np.add.at(sums, numbers, X)
        return cls(numbers, counts, sums / counts[:, None])


@dataclass(frozen=True, eq=False)
class _Covariances:
    """The state of the EM: mean, both covariances, and what they are shrunk towards."""

    mean: Array
    within: Array
    across: Array
    prior_count: float
    prior_within: float  # both priors are multiples of the identity: data are whitened
    prior_across: float

    @classmethod
    def of_moments(cls, X: Array, numbers: NDArray[np.intp], strength: float) -> "_Covariances":
        """Return the covariances whose expected scatters are those that were seen."""
        groups = _Groups.of(X, numbers)
        mean = X.mean(axis=0)
        apart = X - groups.means[numbers]
        within = apart.T @ apart / (len(X) - len(groups.counts))
        about = groups.means - mean
        # Means of n embeddings vary by across + within / n.
        seen = about.T @ about / (len(about) - 1)
        across = clip_eigenvalues(seen - within * (1.0 / groups.counts).mean(), 0.0)
        levels = [max(np.trace(part) / X.shape[1], LEAST_VARIANCE) for part in (within, across)]
        start = cls(mean, within, across, strength, levels[0], levels[1])
        return start._shrunk(mean, within, across, counts=(len(X), len(about)))

    def better(self, X: Array, numbers: NDArray[np.intp]) -> "_Covariances":
        """Return the covariances after one iteration of EM."""
        groups = _Groups.of(X - self.mean, numbers)
        transform, phi = self.common_axes()
        back = np.linalg.inv(transform)
        pull = groups.counts[:, None] * phi
        voices = (pull / (1.0 + pull)) * (groups.means @ transform)
        doubt = phi / (1.0 + pull)  # variances of the voices given the data
        across = voices.T @ voices + np.diag(doubt.sum(axis=0))
        rest = (X - self.mean) @ transform - voices[numbers]
        within = rest.T @ rest + np.diag(groups.counts @ doubt)
        n, n_speakers = len(X), len(groups.counts)
        return self._shrunk(
            self.mean + rest.mean(axis=0) @ back,
            back.T @ (within / n - np.outer(rest.mean(axis=0), rest.mean(axis=0))) @ back,
            back.T @ (across / n_speakers) @ back,
            counts=(n, n_speakers),
        )

    def common_axes(self) -> tuple[Array, Array]:
        """Return the map to where `within` is the identity and `across` diagonal, and that."""
        variances, axes = np.linalg.eigh(clip_eigenvalues(self.within, LEAST_VARIANCE))
        whiten = axes / np.sqrt(variances)
        phi, turn = np.linalg.eigh(whiten.T @ self.across @ whiten)
        transform = (whiten @ turn)[:, ::-1]
        # The largest entry of every column is positive: the same data give the same signs.
        largest = np.take_along_axis(transform, np.abs(transform).argmax(axis=0)[None], axis=0)
        return transform * np.where(largest < 0.0, -1.0, 1.0), np.maximum(phi[::-1], 0.0)

    def _shrunk(
        self, mean: Array, within: Array, across: Array, *, counts: tuple[int, int]
    ) -> "_Covariances":
        """Return these covariances, mixed with the priors by their counts."""
        one, strength = np.eye(len(mean)), self.prior_count
        n, n_speakers = counts
        within = (n * within + strength * self.prior_within * one) / (n + strength)
        across = (n_speakers * across + strength * self.prior_across * one) / (
            n_speakers + strength
        )
        return _Covariances(
            mean,
            clip_eigenvalues(within, LEAST_VARIANCE),
            across,
            strength,
            self.prior_within,
            self.prior_across,
        )
