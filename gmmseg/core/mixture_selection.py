"""What a mixture's options leave open, as a plan to choose by."""

import warnings
from collections.abc import Iterable
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from gmmseg.core.covariance import FAMILIES, family_named
from gmmseg.core.selection import Criterion, Selection, SelectionPlan
from gmmseg.core.validation import check_number
from gmmseg.errors import GmmsegWarning, InputError

AUTO = "auto"
MOST_COMPONENTS = 9  # that "auto" tries, as mclust does
MOST_TURNED_FEATURES = 20  # up to which "auto" searches for axes that components share
ONE_FEATURE = ("tied", "full")  # all families there are of one feature
SEARCHED = ("EVE", "VVE")


def is_choice(n_components: object, covariance_type: object) -> bool:
    """Tell whether options leave the number of components or the family to be chosen."""
    is_one_family = isinstance(covariance_type, str) and covariance_type != AUTO
    return isinstance(n_components, Iterable) or (
        isinstance(covariance_type, Iterable) and not is_one_family
    )


def check_criterion(criterion: object) -> None:
    """Raise InputError unless this is the name of a criterion."""
    if criterion not in get_args(Criterion):
        names = ", ".join(get_args(Criterion))
        raise InputError(f"criterion must be one of {names}, got {criterion!r}")


def selection_plan(
    X: NDArray[Any],
    *,
    n_components: object,
    covariance_type: object,
    criterion: Criterion,
    method: str,
    n_init: int,
    noise: bool = False,
) -> SelectionPlan:
    """Return the candidates that the options name, or that suit the data where they say "auto"."""
    return SelectionPlan(
        n_components=_numbers(n_components, X),
        covariance_types=_families(covariance_type, X.shape[1]),
        criterion=criterion,
        method=method,
        n_init=n_init,
        noise=noise,
    )


def warn_at_limit(selection: Selection, n_components: object) -> None:
    """Warn where "auto" chose as many components as it tries."""
    most = selection.best.n_components
    is_auto = isinstance(n_components, str) and n_components == AUTO
    if is_auto and selection.is_at_limit and most == MOST_COMPONENTS:
        warnings.warn(
            f"{most} components are the most that 'auto' tries, and the best: more may be better; "
            f"name the numbers to choose from, such as {most} to {2 * most + 2}",
            GmmsegWarning,
            stacklevel=3,
        )


def _numbers(n_components: object, X: NDArray[Any]) -> tuple[int, ...]:
    if isinstance(n_components, str) or not isinstance(n_components, Iterable):
        if n_components == AUTO:
            return tuple(range(1, _n_distinct(X, MOST_COMPONENTS) + 1))
        if isinstance(n_components, str):
            raise InputError(
                f"n_components must be a whole number, 'auto' or a list of whole numbers, got "
                f"{n_components!r}"
            )
        n_components = [n_components]
    numbers = list(n_components)
    if not numbers:
        raise InputError("n_components must name at least one number of components, got none")
    for number in numbers:
        check_number("n_components", number, least=1, is_whole=True)
    return tuple(sorted({int(number) for number in numbers}))


def _families(covariance_type: Any, n_features: int) -> tuple[str, ...]:
    if isinstance(covariance_type, str):
        if covariance_type != AUTO:
            return (family_named(covariance_type).name,)
        if n_features == 1:
            return ONE_FEATURE
        is_small = n_features <= MOST_TURNED_FEATURES
        return tuple(name for name in FAMILIES if is_small or name not in SEARCHED)
    names = [family_named(name).name for name in covariance_type]
    if not names:
        raise InputError("covariance_type must name at least one family, got none")
    return tuple(dict.fromkeys(names))


def _n_distinct(X: NDArray[Any], most: int) -> int:
    """Return the number of rows that differ, or ``most`` if there are more."""
    for rows in (X[:1_000], X):  # a few are enough, most of the time
        n_distinct = len(np.unique(rows, axis=0))
        if n_distinct >= most:
            return most
    return n_distinct
