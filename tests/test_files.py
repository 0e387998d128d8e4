"""Claims about files: what is no file is named, and what is written is never seen half."""

import os

import pytest

from gmmseg.errors import InputError
from gmmseg.files import first_bytes, replacing


def test_first_bytes_are_as_many_as_asked_for_or_all_there_are(tmp_path):
    path = tmp_path / "answer.txt"
    path.write_bytes(b"forty-two")
    assert first_bytes(path, 5) == b"forty"
    assert first_bytes(path) == b"forty-two"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.wav", r"none\.wav does not exist; check the name and the folder$"),
        ("empty.wav", r"empty\.wav is empty \(0 bytes\); copy or save it again$"),
        ("", r" is a folder; give one sound file$"),
        (
            "empty.wav/below.wav",
            r"below\.wav cannot be opened: Not a directory; check its permissions$",
        ),
    ],
)
def test_what_is_no_file_that_can_be_read_is_named(tmp_path, name, message):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(InputError, match=message):
        first_bytes(tmp_path / name, kind="sound")


def test_the_new_content_takes_the_place_of_the_old(tmp_path):
    path = tmp_path / "answer.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["answer.txt"]


def test_the_temporary_file_has_the_folder_and_the_suffix_of_the_target(tmp_path):
    with replacing(tmp_path / "picture.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, interruption):
    path = tmp_path / "answer.txt"
    path.write_text("old")

    def write_half():
        with replacing(path) as temporary:
            temporary.write_text("ne")
            raise interruption

    with pytest.raises(interruption):
        write_half()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["answer.txt"]


def test_a_symbolic_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_new_file_may_be_read_by_whom_the_umask_allows(tmp_path):
    (tmp_path / "plain.txt").write_text("")
    with replacing(tmp_path / "replaced.txt"):
        pass
    modes = {name: (tmp_path / name).stat().st_mode for name in ("plain.txt", "replaced.txt")}
    assert modes["replaced.txt"] == modes["plain.txt"]


def test_a_full_disk_is_reported_in_one_line_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(InputError, match=r"^cannot write .*a\.txt: No space left on device$"),
        replacing(tmp_path / "a.txt"),
    ):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(
            InputError,
            match=r"^cannot write out/a\.txt: No such file or directory; "
            r"create the folder .*/out first$",
        ),
        replacing("out/a.txt"),
    ):
        pass


def test_a_folder_without_permission_is_named_with_the_remedy(tmp_path, monkeypatch):
    # The superuser may write everywhere, so the refusal is simulated.
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with (
        pytest.raises(
            InputError,
            match=r"^cannot write .*/a\.txt: Permission denied; "
            r"choose a folder you may write to instead of .*$",
        ),
        replacing(tmp_path / "a.txt"),
    ):
        pass


def test_a_folder_is_not_replaced_by_a_file(tmp_path):
    with (
        pytest.raises(InputError, match=r"^cannot write .*: it is a folder; give the name of a fi"),
        replacing(tmp_path),
    ):
        pass


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    # A pipe stands for every device: were the check to fail, /dev/null would be gone for all.
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(
            InputError,
            match=r"^cannot write .*/pipe: it is a device or a pipe; give the name of a file$",
        ),
        replacing(tmp_path / "pipe"),
    ):
        pass
    assert (tmp_path / "pipe").is_fifo()
