"""Decode a file that may be damaged: any trouble becomes one InputError, told in one line."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from gmmseg.errors import InputError


@contextlib.contextmanager
def damage_told_in_one_line(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into an InputError of one line."""
    try:
        yield
    except (InputError, MemoryError, ImportError):
        raise
    except Exception as error:  # decoders raise anything on a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} cannot be decoded ({reason}); it may be damaged or cut short, "
            "copy or save it again"
        ) from error


@contextlib.contextmanager
def silent_log(name: str) -> Iterator[None]:
    """Drop what a library logs about a damaged file; the error that follows says it once."""
    logger = logging.getLogger(name)

    def drop(_record: logging.LogRecord) -> bool:
        return False

    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)
