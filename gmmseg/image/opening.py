"""Open a file that may be missing, empty or damaged: any trouble becomes one InputError."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from gmmseg.errors import InputError


def first_bytes(path: Path, n_bytes: int = 16) -> bytes:
    """Return the first bytes of a file that exists, may be read and is not empty."""
    try:
        with path.open("rb") as file:
            prefix = file.read(n_bytes)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; check the name and the folder") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder; give one image file") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be opened: {reason}; check its permissions") from error
    if not prefix:
        raise InputError(f"{path} is empty (0 bytes); copy or save it again")
    return prefix


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
