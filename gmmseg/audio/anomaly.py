"""AudioAnomalyDetector: how strange sounds and vibrations are, from normal ones alone."""

import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from gmmseg.anomaly.calibrated import CalibratedDetector, check_false_alarm, warn_if_few
from gmmseg.anomaly.null_scores import NullScores
from gmmseg.anomaly.outliers import Learned, Mask, is_outlier, without_outliers
from gmmseg.audio.anomaly_explanation import AudioExplanation, explanation
from gmmseg.audio.anomaly_file import read_audio_detector, write_audio_detector
from gmmseg.audio.clip_judge import ClipJudge
from gmmseg.audio.clip_model import ClipModel
from gmmseg.audio.clip_parts import combined, new_rows, normal_rows
from gmmseg.audio.clip_recipe import ClipRecipe
from gmmseg.audio.clips import Clip, clip_name, clip_signal, recipe_of
from gmmseg.core.validation import check_above
from gmmseg.errors import GmmsegWarning, InputError

Array = NDArray[np.float64]
Rows = Callable[[ClipRecipe, Array, int], Array]

LEAST_CLIPS = 8
"""Number of normal clips from which on one may be left out: of fewer, none is the odd one."""


class AudioAnomalyDetector(CalibratedDetector):
    """Detector of strange sounds, or other vibrations, learned from normal ones alone.

    A clip is described by means of its mel bands that are weighted by rank, from the loudest
    moment to the mean of all, so that short events count as well as stationary changes. Gaussians
    with a covariance shrunk as much as left-out normal clips ask for measure how far it lies from
    normal; their log-distances are averaged. Tones and beats, line by line, add to that where
    hardly a normal clip has any as strange: a shaft that turns a hundredth faster, a tone that is
    missing, a hum that throbs. Nothing is learned from a strange clip. What a score means is read
    from the scores of the normal clips, each by a model that has not heard it.

    Parameters
    ----------
    sr : float, optional
        Rate that clips are brought to, in Hz; None is the lowest of the normal clips. A clip of a
        lower rate is refused, since its highest bands are missing.
    seconds : float, optional
        Length of a typical clip; None is the median of the normal ones. A longer clip is judged
        by parts as long as that, a shorter one by what cuts of the normal clips score, down to an
        eighth; of a still shorter one nothing is known, and a warning says so.
    false_alarm : float, default=0.05
        Share of normal clips that `predict` may call strange, between 0 and 1.

    Attributes
    ----------
    recipe_ : ClipRecipe
        How clips are described.
    model_ : ClipModel
        What was learned.
    null_ : NullScores
        Scores of normal clips.
    cut_nulls_ : tuple of NullScores
        Scores of their halves, quarters and eighths, one cut of each clip.
    domains_ : list
        Names of the domains, as given; one, None, where none were.
    outliers_ : ndarray of int of shape (n_outliers,)
        Clips given as normal that were so strange that they were left out, by their number.

    References
    ----------
    Guan and others (2023), "Time-weighted frequency domain audio representation with GMM estimator
    for anomalous sound detection", DOI 10.1109/ICASSP49357.2023.10096356.

    Liu, Xie (2020), "Cauchy combination test", DOI 10.1080/01621459.2018.1554485, for clips of
    several parts.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hum = np.sin(2 * np.pi * 120 * np.arange(16000) / 8000)
    >>> normal = [(hum + rng.normal(scale=0.1, size=16000), 8000) for _ in range(40)]
    >>> detector = AudioAnomalyDetector().fit(normal)
    >>> click = normal[0][0].copy()
    >>> click[8000:8100] += 3.0
    >>> detector.predict([normal[1], (click, 8000)])
    array([False,  True])
    """

    recipe_: ClipRecipe
    model_: ClipModel
    cut_nulls_: tuple[NullScores, ...]
    domains_: list[Hashable]
    outliers_: NDArray[np.intp]

    def __init__(
        self,
        *,
        sr: float | None = None,
        seconds: float | None = None,
        false_alarm: float = 0.05,
    ) -> None:
        self.sr = sr
        self.seconds = seconds
        self.false_alarm = false_alarm

    def fit(self, clips: Iterable[Clip], domains: Sequence[Hashable] | None = None) -> Self:
        """Learn from normal clips.

        Parameters
        ----------
        clips : iterable of path-like or of (y, sr)
            At least 2 normal clips: files, or samples and their rate in Hz. Files are heard one
            by one. Strange ones among them, up to a quarter, are left out if they are far from
            the others; a faint fault that many of them have is learned as normal.
        domains : sequence, optional
            For each clip the name of its domain: section, machine, load, microphone. Each domain
            has a mean of its own, all share what deviations are like, and a clip need resemble
            only one domain.

        Returns
        -------
        self : AudioAnomalyDetector
            The fitted detector.

        Raises
        ------
        InputError
            If there are fewer than 2 clips (in each domain), or one cannot be used.
        """
        clips = list(clips)
        recipe = recipe_of(clips, sr=self.sr, seconds=self.seconds)
        self._learn(recipe, describe_all(recipe, clips), domains)
        warn_if_few(len(self.null_.scores), self.false_alarm)
        return self

    def fit_described(
        self, recipe: ClipRecipe, X: Array, domains: Sequence[Hashable] | None = None
    ) -> Self:
        """Learn from normal clips as `describe_all` describes them."""
        self._learn(recipe, X, domains)
        warn_if_few(len(self.null_.scores), self.false_alarm)
        return self

    def score_samples(self, clips: Iterable[Clip]) -> Array:
        """Return how strange clips are, (n_clips,); higher is stranger, normal ones lie about 0."""
        self._check_fitted()
        judge, names, lengths, scores = self.judge_, [], [], []
        for number, clip in enumerate(clips):
            with _named(clip, number):
                samples = self.recipe_.samples(*clip_signal(clip))
            names.append(clip_name(clip, number))
            lengths.append(len(samples))
            scores.append(judge.score(samples))
        if not scores:
            raise InputError("clips must be at least one, got none")
        judge.warn_if_short(lengths, names)
        return np.array(scores)

    @property
    def judge_(self) -> ClipJudge:
        """All that tells how strange a single clip is."""
        return ClipJudge(self.recipe_, self.model_, (self.null_, *self.cut_nulls_))

    def explain(self, y: ArrayLike, *, sr: float) -> AudioExplanation:
        """Return when, and in which band, a clip is strange.

        Parameters
        ----------
        y : array_like of shape (n_samples,) or (n_channels, n_samples)
            Samples.
        sr : float
            Their rate, in Hz.

        Returns
        -------
        explanation : AudioExplanation
            Score, p-value, and what each moment and band adds to the distance from normal.

        Raises
        ------
        InputError
            If the clip cannot be used.
        NotFittedError
            If nothing was learned yet.
        """
        self._check_fitted()
        judge, samples = self.judge_, self.recipe_.samples(y, sr)
        judge.warn_if_short([len(samples)], ["the clip"])
        return explanation(judge, samples)

    def adapt(self, clips: Iterable[Clip], *, domain: Hashable = None, weight: float = 1.0) -> Self:
        """Return a new detector that knows further normal clips, without a refit.

        Sums are added, shrinkage and scales stay. The new clips' scores, each by a detector
        adapted to the others, join those of normal clips. This detector stays as it is. Nothing is
        left out: a warning says if new clips are anomalous to this detector, more than false
        alarms explain.

        Parameters
        ----------
        clips : iterable of path-like or of (y, sr)
            New normal clips, at least as long as a typical one of `fit`.
        domain : optional
            Which domain of the fit they belong to; may be None where there is one.
        weight : float, default=1.0
            How many of the clips of `fit` each of these counts as, above 0.

        Returns
        -------
        adapted : AudioAnomalyDetector
            The new detector.

        Raises
        ------
        InputError
            If a clip cannot be used or is too short, there is none, the domain is unknown, or
            weight is not above 0.
        NotFittedError
            If nothing was learned yet.
        """
        self._check_fitted()
        clips = list(clips)
        X = describe_all(self.recipe_, clips, new_rows)
        adapted = self.adapt_described(X, domain=domain, weight=weight)
        names = [clip_name(clip, number) for number, clip in enumerate(clips)]
        if caution := self.caution(X, names):
            warnings.warn(caution, GmmsegWarning, stacklevel=2)
        return adapted

    def caution(self, X: Array, names: Sequence[object]) -> str:
        """Return what to bear in mind before adapting to described clips; empty if nothing."""
        self._check_fitted()
        p_values = self.null_.p_values(self.model_.scores(X[:, 0]))
        if combined(p_values) > self.false_alarm:
            return ""
        strange = np.flatnonzero(p_values <= self.false_alarm)
        return (
            f"anomalous to the detector so far: {len(strange)} of {len(X)} new clips, first "
            f"{names[strange[0]]}; if they are faults, it will take such for normal"
        )

    def adapt_described(self, X: Array, *, domain: Hashable = None, weight: float = 1.0) -> Self:
        """Return a detector that knows further clips, as `describe_all` describes them."""
        self._check_fitted()
        check_above("weight", weight, 0.0)
        number = self._number_of(domain)
        model, scores = self.model_.adapted(X, number, weight)
        new: Self = clone(self)
        new.recipe_, new.model_, new.domains_ = self.recipe_, model, self.domains_
        new.outliers_ = self.outliers_
        before = np.column_stack([null.scores for null in (self.null_, *self.cut_nulls_)])
        new.null_, *cut_nulls = _nulls(np.concatenate([before, scores]))
        new.cut_nulls_ = tuple(cut_nulls)
        return new

    def save(self, path: str | PathLike[str]) -> None:
        """Write the detector to a model file, without pickle."""
        self._check_fitted()
        write_audio_detector(path, self)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a detector from a model file that `save` wrote."""
        return read_audio_detector(path, cls)

    def _number_of(self, domain: Hashable) -> int:
        """Return the number of a domain; None is the only one."""
        if domain is None and len(self.domains_) == 1:
            return 0
        if domain not in self.domains_:
            known = [name for name in self.domains_ if name is not None]
            wanted = f"one of {known}" if known else "None, as the fit was given none"
            raise InputError(f"domain must be {wanted}, got {domain!r}")
        return self.domains_.index(domain)

    def _learn(self, recipe: ClipRecipe, X: Array, domains: Sequence[Hashable] | None) -> None:
        check_false_alarm(self.false_alarm)
        names, labels = _numbered(domains, len(X))
        kept, model, scores = _learned(X, labels, recipe)
        self.recipe_, self.model_, self.domains_ = recipe, model, names
        self.outliers_ = np.flatnonzero(~kept)
        self.null_, *cut_nulls = _nulls(scores)
        self.cut_nulls_ = tuple(cut_nulls)


def describe_all(recipe: ClipRecipe, clips: Iterable[Clip], rows: Rows = normal_rows) -> Array:
    """Return normal clips as `normal_rows` has them, (n_clips, n_lengths, n_features).

    An error names the clip.
    """
    tables = []
    for number, clip in enumerate(clips):
        with _named(clip, number):
            tables.append(rows(recipe, recipe.samples(*clip_signal(clip)), number))
    if not tables:
        raise InputError("clips must be at least one, got none")
    return np.stack(tables)


@contextmanager
def _named(clip: Clip, number: int) -> Iterator[None]:
    """Put the name of a clip before an error, unless it is in there."""
    try:
        yield
    except InputError as error:
        name = clip_name(clip, number)
        raise InputError(str(error) if name in str(error) else f"{name}: {error}") from None


def _nulls(scores: Array) -> list[NullScores]:
    """Return the null scores at each length, of scores (n_clips, n_lengths)."""
    return [NullScores.of(column) for column in scores.T]


def _numbered(
    domains: Sequence[Hashable] | None, n_clips: int
) -> tuple[list[Hashable], NDArray[np.intp]]:
    """Return the names of the domains, and the number of that of each clip."""
    if n_clips < 2:
        raise InputError(
            "normal clips must be at least 2, so that it can be heard how much they differ, "
            f"got {n_clips}; cut a long recording into clips"
        )
    given = [None] * n_clips if domains is None else list(domains)
    if len(given) != n_clips:
        raise InputError(f"domains must be {n_clips}, one for each clip, got {len(given)}")
    names = list(dict.fromkeys(given))
    labels = np.array([names.index(name) for name in given], dtype=np.intp)
    counts = np.bincount(labels)
    if counts.min() < 2:
        raise InputError(
            f"each domain must have at least 2 clips, {names[int(counts.argmin())]!r} has 1"
        )
    return names, labels


def _learned(
    X: Array, labels: NDArray[np.intp], recipe: ClipRecipe
) -> tuple[Mask, ClipModel, Array]:
    """Return which clips were learned from, their model, and what they score.

    Bands tell which are none. A tone a little aside is as far from all others as a fault, but of
    normal clips one in so many has it: who left it out would call the next one strange.
    """
    bands, *kinds = np.split(X, recipe.borders, axis=2)

    def learn(kept: Mask, like: ClipModel | None = None) -> Learned[tuple[ClipModel, Array]]:
        model, own = ClipModel.learn(bands[kept], labels[kept], like)
        scores = model.band_scores(bands[:, 0])
        scores[kept] = own[:, 0]
        return Learned((model, own), scores, kept)

    def screen(kept: Mask, every: Learned[tuple[ClipModel, Array]]) -> Array:
        return learn(kept, every.model[0]).scores

    if len(X) < LEAST_CLIPS:
        found = learn(np.ones(len(X), dtype=bool))
    else:
        found = without_outliers(
            learn, screen, labels, outlying=lambda scores: _outlying(scores, labels)
        )
    of_bands, scores = found.model
    model, added = of_bands.with_lines([own[found.kept] for own in kinds], labels[found.kept])
    return found.kept, model, scores + added


def _outlying(scores: Array, labels: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which normal clips are none, leaving 2 in each domain."""
    is_out = is_outlier(scores)
    for k in np.unique(labels):
        members = np.flatnonzero(labels == k)
        nearest = members[np.argsort(scores[members], kind="stable")[:2]]
        is_out[nearest] = False
    return is_out
