"""Begin to read what may be no file, and write so that a reader never sees half of one."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from gmmseg.errors import InputError


def first_bytes(path: Path, n_bytes: int = 16, *, kind: str = "image") -> bytes:
    """Return the first bytes of a file that exists, may be read and is not empty.

    Parameters
    ----------
    path : pathlib.Path
        File to read.
    n_bytes : int
        Number of bytes, at least 1; fewer are returned where the file ends before.
    kind : str
        What the file should be, such as "image" or "sound", for whoever gave a folder.

    Returns
    -------
    prefix : bytes
        The bytes.

    Raises
    ------
    InputError
        If there is no such file, it is a folder, may not be read or is empty.

    Examples
    --------
    >>> first_bytes(Path("data/SOURCES.md"), 1)
    b'#'
    """
    try:
        with path.open("rb") as file:
            prefix = file.read(n_bytes)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; check the name and the folder") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder; give one {kind} file") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be opened: {reason}; check its permissions") from error
    if not prefix:
        raise InputError(f"{path} is empty (0 bytes); copy or save it again")
    return prefix


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path that takes the place of `path` once the block has ended well.

    The temporary file lies in the same folder, because only a rename inside one file system
    happens at once. If the block raises, the temporary file is removed and whatever was at
    `path` before is untouched.

    Parameters
    ----------
    path : path-like
        File to write or to replace. A symbolic link is followed, so that it stays a link.

    Yields
    ------
    temporary : pathlib.Path
        Path of an empty file with the suffix of `path`, to be written inside the block.

    Raises
    ------
    InputError
        If `path` is a folder or a device, or if the block raises an OSError: no such folder,
        no permission, no space left.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name, "answer.txt")
    >>> with replacing(path) as temporary:
    ...     _ = temporary.write_text("42")
    >>> path.read_text()
    '42'
    >>> folder.cleanup()
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file")
    if target.exists() and not target.is_file():
        raise InputError(f"cannot write {path}: it is a device or a pipe; give the name of a file")
    temporary = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        temporary.open("xb").close()
        yield temporary
        temporary.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot write {path}: {reason}{_advice(error, target)}") from error
    finally:
        # After a successful rename there is nothing left to remove.
        with contextlib.suppress(OSError):
            temporary.unlink()


def _advice(error: OSError, target: Path) -> str:
    """Say what to do about the commonest reasons."""
    if not target.parent.is_dir():
        return f"; create the folder {target.parent} first"
    if isinstance(error, PermissionError):
        return f"; choose a folder you may write to instead of {target.parent}"
    return ""
