"""``gmmseg video foreground``: frames in, masks, regions and pictures out."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.video import BackgroundSubtractor

N_FRAMES = 30


@pytest.fixture
def frames(rng):
    """A box that walks over a wall with a pattern, from frame 15 on."""
    wall = 120 + 20 * np.sin(np.arange(64) / 3)[np.newaxis, :, np.newaxis] * np.ones((48, 1, 3))
    film = []
    for t in range(N_FRAMES):
        frame = wall + rng.normal(scale=2, size=wall.shape)
        if t >= 15:
            frame[14:34, 2 * t - 26 : 2 * t - 14] = (200, 40, 40)
        film.append(np.clip(frame, 0, 255).astype(np.uint8))
    return film


@pytest.fixture
def folder(frames, tmp_path):
    path = tmp_path / "in"
    path.mkdir()
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(path / f"in{i:03d}.png")
    return path


def mask_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_every_frame_gets_a_mask_of_its_name(gmmseg, folder, tmp_path):
    out = tmp_path / "out"
    code, stdout, lines = gmmseg("video", "foreground", folder, "-o", out)
    assert (code, stdout, len(lines)) == (0, "", 1)
    assert lines[0].startswith(f"{folder}: 30 frames, something moves in 15 in ")
    names = sorted(path.name for path in out.iterdir())
    assert names == [*(f"in{i:03d}.png" for i in range(N_FRAMES)), "regions.csv"]
    mask = mask_of(out / "in029.png")
    assert set(np.unique(mask)) == {0, 255}
    assert (mask[16:32, 34:42] == 255).all()
    assert not mask[:, :28].any()
    assert not mask_of(out / "in010.png").any()


def test_regions_tell_frame_time_box_and_area(gmmseg, folder, tmp_path):
    gmmseg("video", "foreground", folder, "-o", tmp_path / "out", "--fps", 10)
    header, *rows = (tmp_path / "out" / "regions.csv").read_text().splitlines()
    assert header == "frame,time,x0,y0,x1,y1,area"
    name, time, *box, area = rows[-1].split(",")
    assert (name, time) == ("in029", "2.9")
    assert np.abs(np.array(box, int) - [32, 14, 44, 34]).max() <= 2
    assert abs(int(area) - 240) < 30


def test_overlay_timeline_and_json(gmmseg, folder, tmp_path):
    out = tmp_path / "out"
    code, stdout, _ = gmmseg(
        "video", "foreground", folder, "-o", out, "--overlay", "--timeline", "--json"
    )
    report = json.loads(stdout)
    assert code == 0
    assert (report["file"], report["out"]) == (str(folder), str(out))
    assert (report["n_frames"], report["n_moving"], report["fps"]) == (30, 15, 25.0)
    with Image.open(out / "overlay.gif") as picture:
        assert picture.n_frames > 15
    with Image.open(out / "timeline.png") as picture:
        assert picture.size == (1200, 336)


def test_shadows_are_127_only_where_wanted(gmmseg, folder, frames, tmp_path):
    dark = frames[5].astype(float)
    dark[20:28, 20:28] *= 0.75
    Image.fromarray(dark.astype(np.uint8)).save(folder / "in014.png")
    for i in range(15, N_FRAMES):
        (folder / f"in{i:03d}.png").unlink()
    gmmseg("video", "foreground", folder, "-o", tmp_path / "a")
    gmmseg("video", "foreground", folder, "-o", tmp_path / "b", "--shadows")
    assert not mask_of(tmp_path / "a" / "in014.png").any()
    assert (mask_of(tmp_path / "b" / "in014.png")[22:26, 22:26] == 127).all()


def test_a_state_lets_the_second_half_go_on_as_the_whole(gmmseg, frames, tmp_path):
    np.save(tmp_path / "all.npy", np.array(frames))
    np.save(tmp_path / "a.npy", np.array(frames[:20]))
    np.save(tmp_path / "b.npy", np.array(frames[20:]))
    state = tmp_path / "wall.gmm"
    gmmseg("video", "foreground", tmp_path / "all.npy", "-o", tmp_path / "all")
    for part in "ab":
        gmmseg("video", "foreground", tmp_path / f"{part}.npy", "-o", tmp_path / part,
               "--state", state)  # fmt: skip
    for i in range(10):
        late, whole = tmp_path / "b" / f"{i + 1:06d}.png", tmp_path / "all" / f"{i + 21:06d}.png"
        assert_array_equal(mask_of(late), mask_of(whole))


@pytest.fixture
def state(gmmseg, folder, tmp_path):
    path = tmp_path / "wall.gmm"
    gmmseg("video", "foreground", folder, "-o", tmp_path / "a", "--fps", 10, "--state", path)
    return path


def test_a_state_knows_its_frames_per_second(gmmseg, folder, state, tmp_path):
    *_, stdout, _ = gmmseg(
        "video", "foreground", folder, "-o", tmp_path / "b", "--state", state, "--json"
    )
    assert json.loads(stdout)["fps"] == 10.0


def test_a_state_keeps_to_the_bits_of_its_frames(gmmseg, folder, state, tmp_path):
    code, _, lines = gmmseg(
        "video", "foreground", folder, "-o", tmp_path / "b", "--state", state, "--bits", 12
    )
    words = "has learned from frames of 16 bits, got --bits 12; leave it out, or begin a new state"
    assert (code, lines) == (1, [f"gmmseg: {state} {words}"])


def test_options_given_with_a_state_take_the_place_of_its_own(gmmseg, folder, state, tmp_path):
    look = np.zeros((48, 64), np.uint8)
    look[:24] = 255
    Image.fromarray(look).save(tmp_path / "look.png")
    options = "--fps", 5, "--patience", 3, "--threshold", 12, "--mask", tmp_path / "look.png"
    code, *_ = gmmseg(
        "video", "foreground", folder, "-o", tmp_path / "b", "--state", state, *options
    )
    assert code == 0
    learned = BackgroundSubtractor.load(state)
    names = "fps", "patience", "threshold"
    assert [learned._options[name] for name in names] == [5.0, 3.0, 12.0]
    assert_array_equal(learned._mask, look > 0)
    masks = [mask_of(path) for path in (tmp_path / "b").glob("*.png")]
    assert any(mask[:24].any() for mask in masks)
    assert not any(mask[24:].any() for mask in masks)


@pytest.mark.parametrize("name", ["fps", "patience", "threshold"])
def test_options_that_are_wrong_are_told_with_a_state_too(gmmseg, folder, state, tmp_path, name):
    before = state.read_bytes()
    arguments = "--state", state, f"--{name}", -5
    code, _, lines = gmmseg("video", "foreground", folder, "-o", tmp_path / "b", *arguments)
    assert code == 1
    assert lines == [f"gmmseg: {name} must be a number of at least 1e-06, got -5.0"]
    assert state.read_bytes() == before
    assert not (tmp_path / "b").exists()


def test_raw_frames_come_from_stdin(gmmseg, frames, tmp_path):
    data = np.array(frames).tobytes()
    code, _, lines = gmmseg(
        "video", "foreground", "-", "--size", "64x48", "-o", tmp_path / "out", stdin=data
    )
    assert code == 0
    assert lines[0].startswith("-: 30 frames, something moves in 15")


def test_only_where_the_mask_is_not_black_something_moves(gmmseg, folder, tmp_path):
    look = np.zeros((48, 64), np.uint8)
    look[:24] = 255
    Image.fromarray(look).save(tmp_path / "look.png")
    gmmseg("video", "foreground", folder, "-o", tmp_path / "o", "--mask", tmp_path / "look.png")
    mask = mask_of(tmp_path / "o" / "in029.png")
    assert mask[:24].any()
    assert not mask[24:].any()


def test_things_smaller_than_asked_for_are_left_out(gmmseg, folder, tmp_path):
    _, _, lines = gmmseg("video", "foreground", folder, "-o", tmp_path / "o", "--min-area", 300)
    assert lines[0].startswith(f"{folder}: 30 frames, something moves in 0 in ")


def test_a_cut_off_stream_keeps_its_frames_and_is_told(gmmseg, frames, tmp_path):
    data = np.array(frames).tobytes()[:-10]
    code, _, lines = gmmseg(
        "video", "foreground", "-", "--size", "64x48", "-o", tmp_path / "out", stdin=data
    )
    assert code == 1
    assert lines[0].startswith("-: 29 frames, something moves in 14")
    assert lines[1].startswith("gmmseg: -: stdin ends in the middle of frame 30: 9206 of 9216")
    assert (tmp_path / "out" / "000029.png").exists()


def test_frames_of_changing_size_are_told(gmmseg, folder, frames, tmp_path):
    Image.fromarray(frames[0][:40]).save(folder / "in020.png")
    code, _, lines = gmmseg("video", "foreground", folder, "-o", tmp_path / "out")
    assert code == 1
    assert "frame in020 has shape (40, 64, 3)" in lines[-1]


def test_one_frame_is_told(gmmseg, frames, tmp_path):
    np.save(tmp_path / "one.npy", np.array(frames[:1]))
    code, _, lines = gmmseg("video", "foreground", tmp_path / "one.npy", "-o", tmp_path / "out")
    assert code == 0
    assert lines[-1].endswith(
        "there is but one frame, so nothing can be told to move; give several"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["empty"], 1, "gmmseg: empty holds no frames; give a folder of pictures"),
        (["missing.mp4"], 1, "gmmseg: missing.mp4 does not exist"),
        (["clip.npy", "--fps", 0], 1, "fps must be a number of at least 1e-06, got 0.0"),
        (["empty", "--size", "64"], 2, "--size must be like 640x360, got '64'"),
    ],
)
def test_bad_input_is_told_in_one_line(gmmseg, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "clip.npy", np.zeros((2, 16, 16), np.uint8))
    got, stdout, lines = gmmseg("video", "foreground", *arguments, "-o", "out")
    assert (got, stdout) == (code, "")
    assert message in "\n".join(lines)
    assert not (tmp_path / "out").exists()


def test_masks_never_replace_frames(gmmseg, folder):
    code, _, lines = gmmseg("video", "foreground", folder, "-o", folder)
    assert code == 2
    assert "holds the frames, which the masks would replace" in " ".join(lines)


def test_an_overlay_never_replaces_the_video(gmmseg, frames, tmp_path):
    video = tmp_path / "overlay.gif"
    first, *others = [Image.fromarray(frame) for frame in frames[:3]]
    first.save(video, save_all=True, append_images=others)
    before = video.read_bytes()
    code, _, lines = gmmseg("video", "foreground", video, "-o", tmp_path, "--overlay")
    assert code == 2
    assert "overlay.gif is an input and would be replaced" in " ".join(lines)
    assert video.read_bytes() == before


def test_frames_of_twelve_bits_are_told_and_with_bits_found_in_and_shown(gmmseg, frames, tmp_path):
    deep = np.array(frames).astype(np.uint16) << 4
    np.save(tmp_path / "deep.npy", deep)
    out = tmp_path / "out"
    _, _, lines = gmmseg("video", "foreground", tmp_path / "deep.npy", "-o", out)
    assert lines[0].endswith(
        "deep.npy: the first frame uses but 12 of the 16 bits of uint16; if the camera has no "
        "more, say so (bits=12), or hardly anything will be seen to move"
    )
    _, _, lines = gmmseg(
        "video", "foreground", tmp_path / "deep.npy", "-o", out, "--bits", 12, "--overlay"
    )
    assert len(lines) == 1
    assert "30 frames, something moves in 15" in lines[0]
    with Image.open(out / "overlay.gif") as picture:
        assert np.asarray(picture.convert("L")).mean() > 40
