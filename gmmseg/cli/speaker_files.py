"""Folders of speakers and files of recordings, as the commands see them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmmseg.audio.suffixes import SOUNDS
from gmmseg.cli.console import about
from gmmseg.cli.embedding_file import EMBEDDING_SUFFIX, read_embeddings
from gmmseg.cli.inputs import files_in, named_files
from gmmseg.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def speaker_folders(folder: Path) -> dict[str, list[Path]]:
    """Return the recordings of each speaker, whose name is that of the folder they are in.

    Raises
    ------
    InputError
        If there is no such folder, nobody in it, somebody without a recording, or sound and
        embeddings side by side.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}; give a folder with one folder per speaker")
    found = {
        home.name: files_in(home, (*SOUNDS, EMBEDDING_SUFFIX))
        for home in sorted(folder.iterdir())
        if home.is_dir() and not home.name.startswith(".")
    }
    if not found:
        raise InputError(
            f"{folder} has no folders in it; put the recordings of each speaker into {folder}/NAME/"
        )
    for name, paths in found.items():
        if not paths:
            raise InputError(
                f"{folder / name} has no recordings in it; "
                f"they end in {', '.join(SOUNDS[:3])} or, embeddings, in .npy"
            )
    embedded = {
        path.suffix.lower() == EMBEDDING_SUFFIX for paths in found.values() for path in paths
    }
    if len(embedded) == 2:
        raise InputError(f"{folder} has sound and embeddings (.npy) in it; use one or the other")
    return found


def named_recordings(names: list[str], *, is_embedded: bool) -> list[Path]:
    """Return the sound files, or the files of embeddings, that names and folders stand for."""
    return named_files(names, (EMBEDDING_SUFFIX,) if is_embedded else SOUNDS)


def read_recording(path: Path, *, is_embedded: bool) -> "NDArray[Any]":
    """Return the frames of a sound file, or the embeddings of an .npy file, one per row."""
    if is_embedded:
        return _read_embeddings(path)
    if path.suffix.lower() == EMBEDDING_SUFFIX:
        raise InputError(f"{path} holds embeddings, and the speakers are known by sound")
    from gmmseg.audio.speech_frames import speaker_frames_of_file

    with about(path):
        return speaker_frames_of_file(path)


def _read_embeddings(path: Path) -> "NDArray[Any]":
    from gmmseg.audio.plda import checked_embeddings

    if path.suffix.lower() != EMBEDDING_SUFFIX:
        raise InputError(f"{path} is no .npy file, and the speakers are known by embeddings")
    array = read_embeddings(path)
    with about(path):
        return checked_embeddings(array)
