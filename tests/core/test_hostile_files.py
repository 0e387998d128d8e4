"""Claims about hostile and damaged model files: one clear line each, never another error."""

import json
import re
import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.core import GaussianMixture
from gmmseg.errors import ModelFileError
from tests.model_files import npy_bytes, npy_claiming, write_zip


def refusal(path):
    """Return the words with which a file is refused: one line that names the file."""
    with pytest.raises(ModelFileError) as caught:
        GaussianMixture.load(path)
    words = str(caught.value)
    assert words.startswith(f"{path} ")
    assert "\n" not in words
    return words.removeprefix(f"{path} ")


def test_a_missing_file_is_said_to_be_missing(path):
    assert refusal(path) == "does not exist"


def test_a_folder_cannot_be_read(tmp_path):
    assert refusal(tmp_path).startswith("cannot be read: ")


@pytest.mark.parametrize("content", [b"", b"weights,means\n1,2\n", b"\x80\x04N.", bytes(5_000)])
def test_a_file_that_is_no_zip_is_no_model_file(path, content):
    path.write_bytes(content)
    assert refusal(path) == "is not a gmmseg model file, or damaged: File is not a zip file"


def test_a_file_cut_anywhere_is_refused(mixture, path):
    mixture.save(path)
    whole = path.read_bytes()
    assert len(whole) > 1_000
    for length in range(0, len(whole), 100):
        path.write_bytes(whole[:length])
        assert "model file" in refusal(path)


def test_a_flipped_bit_is_refused_or_harmless(mixture, path):
    mixture.save(path)
    whole = path.read_bytes()
    n_refused = 0
    for position in range(0, len(whole), 7):
        spoilt = bytearray(whole)
        spoilt[position] ^= 0x10
        path.write_bytes(spoilt)
        try:
            loaded = GaussianMixture.load(path)
        except ModelFileError as error:
            assert "\n" not in str(error)  # noqa: PT017 (both outcomes are legal)
            n_refused += 1
        else:
            assert_array_equal(loaded.means_, mixture.means_)
    assert n_refused > len(whole) // 7 // 2


def test_a_zip_without_header_is_no_model_file(path, members):
    del members["header.json"]
    write_zip(path, members)
    assert refusal(path) == "is not a gmmseg model file: it has no header.json"


@pytest.mark.parametrize(
    "text",
    [b"{", b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5_000],
    ids=["half", "binary", "deep", "long"],
)
def test_a_header_that_is_not_json_is_damage(path, members, text):
    write_zip(path, members | {"header.json": text})
    assert refusal(path) == "is damaged: its header.json is not JSON"


@pytest.mark.parametrize("text", ["[1, 2]", "null", '"gmmseg model"', "{}", '{"format": "other"}'])
def test_a_header_that_does_not_say_so_is_no_model_file(path, members, text):
    write_zip(path, members | {"header.json": text})
    assert refusal(path) == "is not a gmmseg model file: its header.json does not say so"


HEADERS = {
    "newer version": (
        {"format_version": 2},
        "has format_version 2, this gmmseg reads up to 1; upgrade gmmseg",
    ),
    "version zero": ({"format_version": 0}, "is damaged: format_version is 0"),
    "version as text": ({"format_version": "1"}, "is damaged: format_version is '1'"),
    "no version": ({"format_version": None}, "is damaged: format_version is None"),
    "another kind": (
        {"kind": "speaker"},
        "holds a model of kind 'speaker', wanted 'gaussian-mixture'",
    ),
    "options as a list": ({"options": [1]}, "is damaged: 'list' object is not a mapping"),
    "bad option": (
        {"options": {"max_iter": 0}},
        "is damaged: max_iter must be a whole number of at least 1, got 0",
    ),
    "unknown family": (
        {"covariance_type": "round"},
        (
            "is damaged: covariance_type must be one of full, tied, diag, spherical, EII, EEI, "
            "VEI, EVI, VEE, EVE, VVE, EEV, VEV, EVV, got 'round'"
        ),
    ),
    "unknown option": (
        {"options": {"speed": 9}},
        "is damaged: GaussianMixture.__init__() got an unexpected keyword argument 'speed'",
    ),
    "short event": (
        {"events": [[1, 2]]},
        ("is damaged: not enough values to unpack (expected 4, got 2)"),
    ),
    "events as a number": ({"events": 5}, "is damaged: wanted list in the header, got int"),
}


def with_header(members, changes):
    header = json.loads(members["header.json"]) | changes
    return members | {"header.json": json.dumps(header)}


@pytest.mark.parametrize(("changes", "words"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_says_something_else_is_refused(path, members, changes, words):
    write_zip(path, with_header(members, changes))
    assert refusal(path) == words


@pytest.mark.parametrize("weight_sum", [-1.0, float("nan"), float("inf"), 10**400, "all", None])
def test_a_weight_of_samples_that_cannot_be_is_refused(path, members, weight_sum):
    write_zip(path, with_header(members, {"weight_sum": weight_sum}))
    assert refusal(path).startswith("is damaged: wanted ")


@pytest.mark.parametrize("fixed", [5, [["means"]], ["colour"], {"means": 1, "colour": 2}])
def test_what_is_fixed_must_be_parts_of_a_mixture(path, members, fixed):
    write_zip(path, with_header(members, {"options": {"fixed": fixed}}))
    assert refusal(path).startswith("is damaged: ")


def test_a_number_beyond_all_floats_is_refused(path, members):
    write_zip(path, with_header(members, {"options": {"tol": 10**400}}))
    assert refusal(path) == "is damaged: int too large to convert to float"


@pytest.mark.parametrize("events", [["abcd"], [["one", [], {}, None]]])
def test_events_of_other_types_are_refused(path, members, events):
    write_zip(path, with_header(members, {"events": events}))
    assert refusal(path).startswith("is damaged: ")


@pytest.mark.parametrize("n_components", ["two", 7, None])
def test_the_number_of_components_is_that_of_the_arrays_whatever_the_options_say(
    path, members, n_components
):
    write_zip(path, with_header(members, {"options": {"n_components": n_components}}))
    assert GaussianMixture.load(path).n_components == 2


ARRAYS = {
    "pickled objects": (
        npy_bytes(np.array([1, None], object), allow_pickle=True),
        r"is damaged: weights.npy claims shape \(2,\) of object, and holds \d+ bytes",
    ),
    "text": (
        npy_bytes(["a", "b"]),
        r"is damaged: weights.npy claims shape \(2,\) of <U1, and holds 8 bytes",
    ),
    "complex": (
        npy_bytes([0.5, 0.5j]),
        r"is damaged: weights.npy claims shape \(2,\) of complex128, and holds 32 bytes",
    ),
    "a huge shape": (
        npy_claiming(f"({2**60},)"),
        (
            r"is damaged: weights.npy claims shape \(1152921504606846976,\) of float64, "
            "and holds 16 bytes"
        ),
    ),
    "a short body": (
        npy_claiming("(2,)", body=bytes(15)),
        r"is damaged: weights.npy claims shape \(2,\) of float64, and holds 15 bytes",
    ),
    "one weight too few": (
        npy_bytes([1.0]),
        r"is damaged: weights must have shape \(2,\) as there are 2 means, got \(1,\)",
    ),
    "NaN": (
        npy_bytes([0.5, np.nan]),
        r"is damaged: weights must be finite, got NaN or infinity at index \(1,\)",
    ),
    "negative": (
        npy_bytes([1.5, -0.5]),
        r"is damaged: weights must not be negative, got -0.5 for component 1",
    ),
    "nothing": (b"", r"is damaged: weights.npy is not an array \(.*\)"),
    "no magic": (bytes(64), r"is damaged: weights.npy is not an array \(.*\)"),
    "unknown dtype": (
        npy_claiming("(2,)", descr="'rubbish'"),
        r"is damaged: weights.npy is not an array \(.*\)",
    ),
    "code as shape": (
        npy_claiming("(__import__('os').getpid(),)"),
        r"is damaged: weights.npy is not an array \(.*\)",
    ),
}


@pytest.mark.parametrize(("content", "words"), ARRAYS.values(), ids=ARRAYS)
def test_an_array_that_is_none_or_another_is_refused(path, members, content, words):
    write_zip(path, members | {"weights.npy": content})
    assert re.fullmatch(words, refusal(path))


@pytest.mark.parametrize(
    "shape",
    ["(-1, -2)", f"(0, {2**70})", "(2, True)", str((1,) * 69 + (2,)), "-" * 9_000 + "2"],
    ids=["negative", "empty and huge", "boolean", "70 dimensions", "deeply nested"],
)
def test_an_array_that_claims_an_impossible_shape_is_refused(path, members, shape):
    body = bytes(0 if shape.startswith("(0") else 16)
    write_zip(path, members | {"weights.npy": npy_claiming(shape, body=body)})
    assert refusal(path).startswith("is damaged: ")


@pytest.mark.parametrize("bounds", [np.zeros((2, 3)), np.array([np.nan]), np.array([True])])
def test_lower_bounds_that_are_no_list_of_numbers_are_refused(path, members, bounds):
    write_zip(path, members | {"lower_bounds.npy": npy_bytes(bounds)})
    assert refusal(path).startswith("is damaged: ")


def test_a_missing_array_is_named(path, members):
    del members["means.npy"]
    write_zip(path, members)
    assert refusal(path) == "is damaged: it has no 'means'"


def test_a_bomb_is_refused_before_it_is_unpacked(path, members):
    header = json.loads(members["header.json"])
    write_zip(path, {"header.json": json.dumps(header)})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.npy", bytes(10**7))
    assert path.stat().st_size < 20_000
    assert refusal(path) == (
        "is damaged or hostile: weights.npy is compressed; models are stored plainly"
    )


def test_a_compressed_header_is_refused(path, members):
    write_zip(path, members, zipfile.ZIP_DEFLATED)
    assert refusal(path).startswith("is damaged or hostile: header.json is compressed")


def test_a_header_longer_than_any_is_refused(path, members):
    write_zip(path, members | {"header.json": b" " * (2**20 + 1)})
    assert refusal(path) == "is damaged or hostile: header.json claims 1048577 bytes"


def test_arrays_that_claim_more_than_the_limit_are_refused_before_they_are_read(
    path, members, monkeypatch
):
    write_zip(path, members)
    n_bytes = sum(len(content) for name, content in members.items() if name != "header.json")
    monkeypatch.setattr("gmmseg.core.serialization.LARGEST_MODEL", n_bytes - 1)
    words = f"claims {n_bytes} bytes of arrays, more than the limit of {n_bytes - 1}"
    assert refusal(path) == words


def test_sizes_that_only_the_directory_claims_are_refused(path, members):
    write_zip(path, members)
    whole = bytearray(path.read_bytes())
    # In the central directory the sizes of a member lie 22 bytes before its name.
    at = whole.rindex(b"means.npy") - 46 + 20
    whole[at : at + 8] = (2**31 - 1).to_bytes(4, "little") * 2
    path.write_bytes(whole)
    assert refusal(path)


def test_two_members_of_one_name_are_refused(path, members):
    write_zip(path, [*members.items(), ("means.npy", members["means.npy"])])
    assert refusal(path) == "is damaged: it holds two members of one name"


@pytest.mark.parametrize(
    ("name", "source"), [("means", "means.npy"), ("header.json", "header.json")]
)
def test_two_members_that_mean_the_same_are_refused(path, members, name, source):
    write_zip(path, [*members.items(), (name, members[source])])
    assert refusal(path).startswith("is damaged: ")


def test_names_that_are_no_text_are_refused(path, members):
    write_zip(path, members)
    whole = path.read_bytes().replace(b"means.npy", b"me\xff\xfens.npy")
    # Bit 11 of the flags says that the name is UTF-8, which it is not.
    spoilt = bytearray(whole)
    at = spoilt.rindex(b"me\xff\xfens.npy") - 46 + 8
    spoilt[at + 1] |= 0x08
    path.write_bytes(spoilt)
    assert refusal(path)
