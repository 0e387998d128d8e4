"""``gmmseg image score`` from files to figures."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from gmmseg.image import Volume, write_labels, write_volume
from gmmseg.image.io import write_map
from tests.test_house import heavy_libraries_loaded_by

TRUTH = np.array([[1, 1, 1, 1], [2, 2, 2, 2]])
HALF_RIGHT = np.array([[7, 7, 7, 7], [7, 7, 4, 4]])  # IoU of 1: 4/6, of 2: 2/4


def png(path, values):
    path.parent.mkdir(exist_ok=True)
    write_labels(path, values)
    return path


@pytest.fixture
def folders(tmp_path):
    """Labels of images a and b, of which b is right, and the truth."""
    png(tmp_path / "out" / "a_labels.png", HALF_RIGHT)
    png(tmp_path / "out" / "b_labels.png", TRUTH + 4)
    png(tmp_path / "truth" / "a_seg.png", TRUTH)
    png(tmp_path / "truth" / "b_seg.png", TRUTH)
    return tmp_path / "out", tmp_path / "truth"


def table_of(stdout):
    """Return the rows of a table: {first cell: [other cells]}."""
    rows = [line.split() for line in stdout.splitlines() if line.strip() and "─" not in line]
    return {row[0]: row[1:] for row in rows}


def test_classes_of_two_files(gmmseg, folders):
    out, truth = folders
    code, stdout, lines = gmmseg("image", "score", out / "a_labels.png", "--truth", truth)
    assert (code, lines) == (0, [])
    rows = table_of(stdout)
    assert rows["a"] == ["0.583", "0.733", "0.750", "2", "2", "1.000"]
    assert list(rows) == ["file", "a"]


def test_of_several_files_the_mean_is_told(gmmseg, folders):
    out, truth = folders
    code, stdout, lines = gmmseg("image", "score", out, "--truth", truth)
    rows = table_of(stdout)
    assert (code, lines) == (0, [])
    assert rows["b"] == ["1.000", "1.000", "1.000", "2", "2", "1.000"]
    assert rows["mean"] == ["0.792", "0.867", "0.875", "-", "-", "1.000"]


def test_classes_as_json_tell_the_match_and_every_class(gmmseg, folders):
    out, truth = folders
    code, stdout, _ = gmmseg("image", "score", out, "--truth", truth, "--json")
    report = json.loads(stdout)
    assert code == 0
    assert (report["mode"], report["match"], report["ignored"]) == ("classes", "one-to-one", 0)
    (annotator,) = report["files"][0]["annotators"]
    assert annotator["truth"] == str(truth / "a_seg.png")
    assert annotator["match"] == {"4": 2, "7": 1}
    assert annotator["classes"]["2"] == {"iou": 0.5, "dice": pytest.approx(2 / 3)}
    assert report["mean"]["mean_iou"] == pytest.approx((7 / 12 + 1) / 2)


def test_a_table_of_all_files_is_written(gmmseg, folders, tmp_path):
    out, truth = folders
    code, stdout, _ = gmmseg("image", "score", out, "--truth", truth, "-o", tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert code == 0
    assert "mean" in table_of(stdout)
    assert [row["file"] for row in rows] == ["a", "b"]
    assert float(rows[0]["mean_iou"]) == pytest.approx(7 / 12)
    assert list(rows[0]) == [
        "file", "mean_iou", "mean_dice", "accuracy", "n_classes", "n_labels", "scored",
    ]  # fmt: skip


def test_more_labels_than_classes_are_matched_by_majority_where_that_is_asked(gmmseg, tmp_path):
    held = png(tmp_path / "a.png", [[1, 1, 2, 2], [3, 3, 3, 3]])
    truth = png(tmp_path / "truth.png", TRUTH)
    one = table_of(gmmseg("image", "score", held, "--truth", truth)[1])["a"]
    many = table_of(gmmseg("image", "score", held, "--truth", truth, "--match", "majority")[1])["a"]
    same = table_of(gmmseg("image", "score", held, "--truth", truth, "--match", "same")[1])["a"]
    assert (one[0], many[0], same[0]) == ("0.750", "1.000", "0.250")


def test_0_is_masked_out_or_a_class_as_is_asked(gmmseg, tmp_path):
    held = png(tmp_path / "a.png", [[1, 1, 2, 2], [2, 2, 2, 2]])
    truth = png(tmp_path / "truth.png", [[0, 0, 0, 0], [1, 1, 1, 1]])
    masked = table_of(gmmseg("image", "score", held, "--truth", truth)[1])["a"]
    assert (masked[0], masked[3], masked[5]) == ("1.000", "1", "0.500")
    code, stdout, _ = gmmseg("image", "score", held, "--truth", truth, "--ignore", "none")
    rows = table_of(stdout)
    assert (code, rows["a"][0], rows["a"][3], rows["a"][5]) == (0, "0.583", "2", "1.000")
    by_name = gmmseg("image", "score", held, "--truth", truth, "--ignore", "1")[1]
    assert table_of(by_name)["a"][3:] == ["1", "1", "0.500"]


def test_numbered_cells_are_one_class_where_that_is_asked(gmmseg, tmp_path):
    held = png(tmp_path / "a.png", [[1, 1, 1, 2, 2, 2]])
    truth = png(tmp_path / "truth.png", [[0, 0, 0, 1, 2, 9]])
    files = ("image", "score", held, "--truth", truth, "--foreground")
    code, stdout, lines = gmmseg(*files)
    assert (code, lines) == (0, [])
    assert table_of(stdout)["a"] == ["1.000", "1.000", "1.000", "2", "2", "1.000"]
    without_9 = table_of(gmmseg(*files, "--ignore", 9)[1])["a"]
    assert (without_9[0], without_9[-1]) == ("1.000", "0.833")
    without_0 = table_of(gmmseg(*files, "--ignore", 0)[1])["a"]
    assert (without_0[0], without_0[3], without_0[-1]) == ("1.000", "1", "0.500")


def test_regions_of_several_annotators_in_a_folder(gmmseg, tmp_path):
    held = png(tmp_path / "a.png", [[1, 1, 2, 2]] * 2)
    png(tmp_path / "people" / "a_seg0.png", [[1, 1, 2, 2]] * 2)
    png(tmp_path / "people" / "a_seg1.png", [[1, 1, 1, 1]] * 2)
    png(tmp_path / "people" / "a.png", [[9, 9, 9, 1]] * 2)  # the picture beside its labels
    options = ("--mode", "regions", "--tolerance", 0)
    code, stdout, lines = gmmseg("image", "score", held, "--truth", tmp_path / "people", *options)
    assert (code, lines) == (0, [])
    # Beside itself 1, 1, 0 bits; beside one region 1/2, 12 of 28 pairs, 1 bit.
    assert table_of(stdout)["a"] == [
        "0.750", "0.714", "0.500", "1.000", "1.000", "1.000", "2", "2", "1.000",
    ]  # fmt: skip


def test_regions_of_several_annotators_in_files_and_folders_of_their_own(gmmseg, tmp_path):
    held = png(tmp_path / "a_labels.png", [[1, 1, 2, 2]])
    ann = png(tmp_path / "ann" / "a.png", [[1, 1, 2, 2]])
    ben = png(tmp_path / "ben" / "a.png", [[1, 1, 1, 1]])
    files = gmmseg("image", "score", held, "--truth", ann, "--truth", ben, "--mode", "regions")
    rooms = ("--truth", ann.parent, "--truth", ben.parent)
    assert files == gmmseg("image", "score", held, *rooms, "--mode", "regions")
    assert table_of(files[1])["a"][:3] == ["0.750", "0.667", "0.500"]


def test_masks_with_pixels_that_are_not_scored(gmmseg, tmp_path):
    png(tmp_path / "out" / "a_mask.png", [[255, 255, 0, 0, 255]])
    png(tmp_path / "out" / "a_labels.png", [[1, 1, 1, 1, 1]])  # is no mask
    png(tmp_path / "truth" / "a_mask.png", [[255, 0, 255, 0, 128]])
    truth = ("--truth", tmp_path / "truth", "--mode", "mask")
    code, stdout, lines = gmmseg("image", "score", tmp_path / "out", *truth, "--ignore", 128)
    assert (code, lines) == (0, [])
    assert table_of(stdout)["a"] == ["0.333", "0.500", "0.500", "0.500", "0.500", "0.800"]
    whole = table_of(gmmseg("image", "score", tmp_path / "out", *truth)[1])["a"]
    assert (whole[0], whole[-1]) == ("0.500", "1.000")


def test_maps_are_scored_by_file_and_all_together(gmmseg, tmp_path):
    for name, values, mask in (
        ("a", [[3.0, 1.0, 2.0, 0.0]], [[255, 255, 0, 0]]),
        ("good", [[0.5, 0.5, 0.5, 0.5]], [[0, 0, 0, 0]]),
    ):
        png(tmp_path / "truth" / f"{name}_mask.png", mask)
        (tmp_path / "found").mkdir(exist_ok=True)
        write_map(tmp_path / "found" / f"{name}_map.tif", np.array(values))
    (tmp_path / "found" / "a_overlay.png").write_bytes(b"not looked at")
    options = ("--truth", tmp_path / "truth", "--mode", "map", "--limit", 1)
    code, stdout, lines = gmmseg("image", "score", tmp_path / "found", *options)
    rows = table_of(stdout)
    assert (code, lines) == (0, [])
    assert rows["a"] == ["0.750", "0.750", "0.500"]
    assert rows["good"] == ["-", "-", "0.000"]
    # 3 finds half; 2 is one of six false; then 1 finds all, and the rest is false.
    assert rows["total"] == ["0.917", "0.917", "0.250"]
    report = json.loads(gmmseg("image", "score", tmp_path / "found", *options, "--json")[1])
    assert report["total"]["aupro"] == pytest.approx(11 / 12)


@pytest.mark.parametrize("suffix", [".nii.gz", ".npz", ".npy", ".tif"])
def test_volumes_are_scored_in_all_formats(suffix, gmmseg, tmp_path):
    truth = np.ones((2, 3, 4), dtype=np.uint8)
    truth[1] = 2
    held = truth.copy()
    held[1, 0] = 1
    for name, values in (("a_labels", held), ("a_truth", truth)):
        write_volume(tmp_path / f"{name}{suffix}", values, like=Volume(truth))
    files = tmp_path / f"a_labels{suffix}", "--truth", tmp_path / f"a_truth{suffix}"
    code, stdout, lines = gmmseg("image", "score", *files, "--volume")
    assert (code, lines) == (0, [])
    assert table_of(stdout)["a"][0] == "0.708"  # (12/16 + 8/12) / 2


def test_labels_that_a_format_keeps_as_other_numbers_are_labels(gmmseg, tmp_path):
    truth = png(tmp_path / "truth.png", TRUTH)
    np.save(tmp_path / "a.npy", HALF_RIGHT.astype(np.float64))
    gray = np.repeat(HALF_RIGHT[:, :, None].astype(np.uint8), 3, axis=2)
    Image.fromarray(gray).save(tmp_path / "b.png")
    clear = np.dstack([HALF_RIGHT, [[255] * 4, [0, 0, 255, 255]]]).astype(np.uint8)
    Image.fromarray(clear, mode="LA").save(tmp_path / "c.png")
    files = [tmp_path / name for name in ("a.npy", "b.png", "c.png")]
    rows = table_of(gmmseg("image", "score", *files, "--truth", truth)[1])
    assert rows["a"] == rows["b"] == ["0.583", "0.733", "0.750", "2", "2", "1.000"]
    assert rows["c"][0] == "0.750"  # what is transparent is masked out: missed of 2, no more in 1


def test_a_bad_file_is_told_and_the_rest_goes_on(gmmseg, folders):
    out, truth = folders
    (out / "a_labels.png").write_bytes(b"")
    png(out / "c_labels.png", TRUTH)
    code, stdout, lines = gmmseg("image", "score", out, "--truth", truth)
    assert code == 1
    assert list(table_of(stdout)) == ["file", "b"]
    assert lines == [
        f"gmmseg: {out / 'a_labels.png'} is empty (0 bytes); copy or save it again",
        f"gmmseg: {truth} has nothing on c",
        "2 of 3 could not be scored",
    ]


def test_files_that_are_not_there_are_told(gmmseg, folders, tmp_path):
    out, truth = folders
    nowhere = tmp_path / "nowhere.png"
    for files in ((nowhere, "--truth", truth), (out / "a_labels.png", "--truth", nowhere)):
        code, stdout, lines = gmmseg("image", "score", *files)
        told = f"gmmseg: {nowhere} does not exist; check the name and the folder"
        assert (code, stdout, lines) == (1, "", [told])


def test_truths_that_nothing_is_held_to_are_told(gmmseg, folders):
    out, truth = folders
    png(truth / "c_seg.png", TRUTH)
    png(truth / "d_seg.png", TRUTH)
    code, _, lines = gmmseg("image", "score", out, "--truth", truth)
    assert (code, lines) == (0, ["nothing was held to the truth on c and 1 more"])
    code, _, lines = gmmseg("image", "score", out / "a_labels.png", "--truth", truth)
    assert (code, lines) == (0, [])


def test_labels_are_not_held_to_themselves(gmmseg, folders):
    out, _ = folders
    code, stdout, lines = gmmseg("image", "score", out / "a_labels.png", "--truth", out)
    assert (code, stdout, lines) == (1, "", [f"gmmseg: {out} has nothing on a"])


def test_two_files_on_one_image_are_told_by_their_paths(gmmseg, folders, tmp_path):
    out, truth = folders
    other = png(tmp_path / "other" / "a_labels.png", TRUTH)
    files = out / "a_labels.png", other
    rows = table_of(gmmseg("image", "score", *files, "--truth", truth / "a_seg.png")[1])
    assert [rows[str(path)][0] for path in files] == ["0.583", "1.000"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [[0.5, 1.0]],
            "{}: labels must be whole numbers, got 0.5; give labels, not probabilities or a map",
        ),
        (
            [[np.nan, 1.0]],
            "{}: labels must be whole numbers, got nan; give labels, not probabilities or a map",
        ),
        (
            [[[0, 1, 2], [0, 1, 2]]],
            (
                "{} must have one value for every pixel, got shape (1, 2, 3); give labels, not a "
                "picture (planes of a TIFF stack or .npy are read with --volume)"
            ),
        ),
        (
            [[1, 2, 3]],
            "a.png must have the shape of its truth {}, (1, 3), got (1, 2)",
        ),
        (
            [[0, 0]],
            (
                "{} has no pixel that is scored: all are 0; "
                "--ignore none makes that a label like the others"
            ),
        ),
    ],
)
def test_what_is_no_truth_of_the_labels_is_told(values, message, gmmseg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_labels("a.png", [[1, 2]])
    np.save("truth.npy", values)
    code, stdout, lines = gmmseg("image", "score", "a.png", "--truth", "truth.npy")
    assert (code, stdout, lines) == (1, "", [f"gmmseg: {message.format('truth.npy')}"])


def test_a_stack_that_is_read_as_a_picture_is_told_what_to_do(gmmseg, tmp_path):
    stack = np.ones((2, 3, 4), dtype=np.uint8)
    write_volume(tmp_path / "a.tif", stack, like=Volume(stack))
    code, _, lines = gmmseg("image", "score", tmp_path / "a.tif", "--truth", tmp_path / "a.tif")
    assert (code, len(lines)) == (1, 1)
    assert "a.tif is a stack with axes" in lines[0]
    assert "--volume" in lines[0]


def test_a_truth_that_lies_elsewhere_in_the_world_is_told(gmmseg, tmp_path):
    labels = np.ones((2, 3, 4), dtype=np.uint8)
    for name, shift in (("a", 0.0), ("truth", 7.0)):
        affine = np.eye(4)
        affine[0, 3] = shift
        write_volume(tmp_path / f"{name}.nii", labels, like=Volume(labels, affine=affine))
    code, _, lines = gmmseg("image", "score", tmp_path / "a.nii", "--truth", tmp_path / "truth.nii")
    assert code == 0
    told = (
        f"gmmseg: {tmp_path / 'truth.nii'} lies up to 7 mm away from the volume, by its affine; "
        "the two are laid over each other voxel by voxel: resample it, if that is wrong"
    )
    assert lines == [told]


def test_maps_with_gaps_or_several_truths_are_told(gmmseg, tmp_path):
    truth = png(tmp_path / "truth.png", [[0, 1]])
    np.save(tmp_path / "a.npy", [[np.nan, 1.0]])
    code, _, lines = gmmseg("image", "score", tmp_path / "a.npy", "--truth", truth, "--mode", "map")
    assert (code, lines) == (1, [f"gmmseg: {tmp_path / 'a.npy'} has NaN in 1 of 2 pixels"])
    np.save(tmp_path / "a.npy", [[0.0, 1.0]])
    twice = ("--truth", truth, "--truth", truth)
    code, _, lines = gmmseg("image", "score", tmp_path / "a.npy", *twice, "--mode", "map")
    assert (code, lines) == (1, [f"gmmseg: {tmp_path / 'a.npy'}: a map must have one truth, got 2"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ignore", "some"], "--ignore must be a whole number, or none, got 'some'"),
        (["--mode", "regions", "--match", "majority"], "--match is for --mode classes"),
        (["--mode", "mask", "--foreground"], "--foreground is for --mode classes"),
        (["--tolerance", "2"], "--tolerance is for --mode regions"),
        (["--mode", "map", "--ignore", "0"], "--ignore is not for --mode map"),
        (["--limit", "0"], "--limit must lie above 0 and up to 1, got 0.0"),
        (["-o", "a_labels.png"], "is an input and would be replaced"),
    ],
)
def test_options_that_mean_nothing_are_misuse(options, message, gmmseg, folders, monkeypatch):
    out, truth = folders
    monkeypatch.chdir(out)
    code, stdout, lines = gmmseg("image", "score", "a_labels.png", "--truth", truth, *options)
    assert (code, stdout) == (2, "")
    assert message in " ".join(" ".join(lines).replace("│", " ").split())


def test_labels_without_a_truth_are_misuse(gmmseg, folders):
    code, _, lines = gmmseg("image", "score", folders[0])
    assert code == 2
    assert "Missing option '--truth'" in " ".join(lines)


def test_the_command_is_there_before_any_heavy_library():
    assert heavy_libraries_loaded_by("import gmmseg.cli.image_score") == set()
