"""Which parts of a mixture a fit leaves as they are given."""

from collections.abc import Iterable, Mapping

from gmmseg.errors import InputError

# Each part, and the option that gives it.
PARTS = {"weights": "weights_init", "means": "means_init", "covariances": "precisions_init"}


def named_parts(fixed: object) -> frozenset[str]:
    """Return the names of the parts, or raise InputError where one is none."""
    names = fixed if isinstance(fixed, Iterable) and not isinstance(fixed, str) else (fixed,)
    for name in names:
        if name not in tuple(PARTS):
            raise InputError(f"fixed must name some of {', '.join(PARTS)}, got {name!r}")
    return frozenset(names)


def check_given(parts: frozenset[str], options: Mapping[str, object]) -> None:
    """Raise InputError unless the options say what the parts are that stay."""
    for name in sorted(parts):
        if options[PARTS[name]] is None:
            raise InputError(
                f"fixed holds {name!r}, so {PARTS[name]} must say what they are, got None"
            )
