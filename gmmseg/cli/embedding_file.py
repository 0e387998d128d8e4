"""Read embeddings that a model of the user's own gave, from an .npy file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

EMBEDDING_SUFFIX = ".npy"


def read_embeddings(path: Path) -> "NDArray[Any]":
    """Return the array of an .npy file as a table, an embedding a row.

    Raises
    ------
    InputError
        If there is no such file, or it holds no array.
    """
    import numpy as np

    try:
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is no array of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} is an archive of arrays; give an .npy file of one array")
    return np.atleast_2d(array)
