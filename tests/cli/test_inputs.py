"""Claims about names of files: folders, patterns and lists stand for what is in them."""

import pytest

from gmmseg.cli.inputs import named_files
from gmmseg.errors import InputError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.jpg", "c.csv"):
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_stands_for_the_files_of_these_kinds_in_order(folder):
    assert named_files([str(folder)], {".png", ".jpg"}) == [folder / "a.jpg", folder / "b.png"]


def test_of_a_folder_what_is_hidden_or_a_folder_itself_is_left_out(folder):
    (folder / "._a.jpg").touch()
    (folder / "d.jpg").mkdir()
    assert named_files([str(folder)], {".jpg"}) == [folder / "a.jpg"]


def test_a_suffix_of_two_parts_is_one(folder):
    for name in ("head.nii.gz", "other.gz", "HEAD2.NII.GZ"):
        (folder / name).touch()
    found = named_files([str(folder)], {".nii.gz"})
    assert found == [folder / "HEAD2.NII.GZ", folder / "head.nii.gz"]


def test_a_pattern_stands_for_what_it_matches(folder):
    assert named_files([f"{folder}/*.png"], {".png"}) == [folder / "b.png"]


def test_a_list_names_files_from_its_own_folder_on(folder):
    (folder / "list.txt").write_text("b.png\n\n a.jpg \n")
    expected = [folder / "b.png", folder / "a.jpg"]
    assert named_files([str(folder / "list.txt")], {".png"}) == expected


def test_each_file_is_named_once(folder):
    names = [str(folder / "b.png"), str(folder), f"{folder}/b*"]
    assert named_files(names, {".png"}) == [folder / "b.png"]


def test_a_name_that_is_not_there_is_kept_for_the_reader_to_complain():
    assert named_files(["nowhere.png"], {".png"})[0].name == "nowhere.png"


def test_an_empty_folder_and_a_pattern_without_match_are_refused(folder):
    with pytest.raises(InputError, match=r"holds no file ending in \.bmp"):
        named_files([str(folder)], {".bmp"})
    with pytest.raises(InputError, match=r"nothing matches .*x\*\.png"):
        named_files([f"{folder}/x*.png"], {".png"})


def test_a_list_that_is_no_text_is_refused(folder):
    (folder / "list.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(InputError, match="cannot be read as a list of files"):
        named_files([str(folder / "list.txt")], {".png"})
