import io
import sys
import types

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal
from PIL import Image

from gmmseg.errors import InputError, MissingExtraError
from gmmseg.video import open_video
from gmmseg.video.streams import raw_frames, y4m_video


@pytest.fixture
def clip(rng):
    return rng.integers(0, 255, size=(12, 16, 20, 3)).astype(np.uint8)


def frames_of(path, **options):
    return list(open_video(path, **options).frames)


def write_folder(folder, clip, name="frame{}.png"):
    folder.mkdir()
    for i, frame in enumerate(clip):
        Image.fromarray(frame).save(folder / name.format(i))
    return folder


def test_a_folder_is_read_in_the_order_of_its_numbers(clip, tmp_path):
    frames = frames_of(write_folder(tmp_path / "in", clip))
    assert [name for name, _ in frames] == [f"frame{i}" for i in range(12)]
    assert_array_equal(np.array([frame for _, frame in frames]), clip)


def test_stacks_and_arrays_are_read_page_by_page(clip, tmp_path):
    np.save(tmp_path / "clip.npy", clip)
    tifffile.imwrite(tmp_path / "clip.tif", clip, photometric="rgb")
    for name in ("clip.npy", "clip.tif"):
        video = open_video(tmp_path / name)
        assert video.n_frames == 12
        frames = list(video.frames)
        assert frames[0][0] == "000001"
        assert_array_equal(np.array([frame for _, frame in frames]), clip)


def test_a_gif_tells_its_frames_per_second(clip, tmp_path):
    first, *others = (Image.fromarray(frame[:, :, 0]) for frame in clip)
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=40)
    video = open_video(tmp_path / "a.gif")
    assert video.fps == 25.0
    assert_array_equal(np.array([frame for _, frame in video.frames])[..., 0], clip[..., 0])


def y4m(planes, header="W4 H2 F30:1 Ip A1:1 C444"):
    return f"YUV4MPEG2 {header}\n".encode() + b"".join(b"FRAME\n" + bytes(p) for p in planes)


def test_y4m_grey_levels_are_by_hand():
    # Studio range: 16 is black, 235 white, and chroma 128 has no colour.
    black, white = [16] * 8 + [128] * 16, [235] * 8 + [128] * 16
    frames, fps = y4m_video(io.BytesIO(y4m([black, white])), "x")
    first, second = frames
    assert fps == 30.0
    assert_array_equal(first, np.zeros((2, 4, 3)))
    assert_array_equal(second, np.full((2, 4, 3), 255))


def test_y4m_of_quarter_chroma_and_of_none():
    half = [81] * 15 + [90] * 6 + [240] * 6  # 5 x 3 pixels of red, 3 x 2 of chroma
    frames, _ = y4m_video(io.BytesIO(y4m([half], "W5 H3 F25:1 C420jpeg")), "x")
    red = next(frames)
    assert red.shape == (3, 5, 3)
    assert np.abs(red[1, 2].astype(int) - [254, 0, 0]).max() <= 2
    frames, fps = y4m_video(io.BytesIO(y4m([range(8)], "W4 H2 F0:1 Cmono")), "x")
    assert fps is None
    assert_array_equal(next(frames), np.arange(8).reshape(2, 4))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"RIFF....\n", "x is no Y4M stream; make one with ffmpeg"),
        (b"YUV4MPEG2 W4", "x is no Y4M stream, or cut off: it has a line without an end"),
        (b"YUV4MPEG2 Wa H2\n", "x has a damaged Y4M header: YUV4MPEG2 Wa H2"),
        (b"YUV4MPEG2 W0 H2\n", "x: frames of 0 x 2 pixels cannot be"),
        (b"YUV4MPEG2 W4 H2 C420p10\n", "x has colours 420p10; convert it to 8 bit"),
        (b"YUV4MPEG2 W4 H2 Cmono\n", "x has a Y4M header and no frames"),
        (b"YUV4MPEG2 W4 H2 Cmono\nBILD\n", "frame 1 does not begin with FRAME"),
        (b"YUV4MPEG2 W4 H2 Cmono\nFRAME\n123", "ends in the middle of frame 1: 3 of 8 bytes"),
        (b"YUV4MPEG2 W4 H2 Cmono\nFRAME\n", "ends in the middle of frame 1: 0 of 8 bytes"),
    ],
)
def test_damaged_y4m_is_told(data, message):
    with pytest.raises(InputError, match=message):
        list(y4m_video(io.BytesIO(data), "x")[0])


def test_raw_frames_follow_each_other_bare(clip):
    frames = list(raw_frames(io.BytesIO(clip.tobytes()), "x", (20, 16)))
    assert_array_equal(np.array(frames), clip)


def test_a_truncated_stream_gives_its_whole_frames_and_is_told(clip):
    stream, seen = io.BytesIO(clip.tobytes()[:-5]), []
    with pytest.raises(InputError, match="x ends in the middle of frame 12: 955 of 960 bytes; the"):
        seen.extend(raw_frames(stream, "x", (20, 16)))
    assert len(seen) == 11
    with pytest.raises(InputError, match="x is empty"):
        list(raw_frames(io.BytesIO(b""), "x", (20, 16)))


def test_stdin_is_read(clip, monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(clip.tobytes())))
    assert len(frames_of("-", size=(20, 16))) == 12


def test_nothing_to_read_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no frames; give a folder of pictures"):
        open_video(tmp_path)
    with pytest.raises(InputError, match="does not exist; give a folder of frames or a video"):
        open_video(tmp_path / "no")
    (tmp_path / "x.npy").touch()
    with pytest.raises(InputError, match=r"x.npy is empty"):
        open_video(tmp_path / "x.npy")


def test_frames_of_changing_size_are_told(clip, tmp_path):
    folder = write_folder(tmp_path / "in", clip[:3])
    Image.fromarray(clip[3, :10]).save(folder / "frame3.png")
    with pytest.raises(InputError, match=r"frame frame3 has shape \(10, 20, 3\) of uint8, those"):
        frames_of(folder)


def test_two_frames_of_one_name_are_told(clip, tmp_path):
    folder = write_folder(tmp_path / "in", clip[:2])
    Image.fromarray(clip[0]).save(folder / "frame1.jpg")
    with pytest.raises(InputError, match="have one name, so their masks would too"):
        open_video(folder)


def test_damaged_files_are_told(clip, tmp_path):
    folder = write_folder(tmp_path / "in", clip[:2])
    (folder / "frame1.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(InputError, match=r"frame1.png cannot be read"):
        frames_of(folder)
    np.save(tmp_path / "flat.npy", clip[0, :, :, 0])
    with pytest.raises(InputError, match=r"flat.npy has shape \(16, 20\); frames are"):
        open_video(tmp_path / "flat.npy")
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01")
    with pytest.raises(InputError, match=r"cut.npy cannot be read"):
        open_video(tmp_path / "cut.npy")
    (tmp_path / "cut.tif").write_bytes(b"II*\x00")
    with pytest.raises(InputError, match=r"cut.tif cannot be read"):
        open_video(tmp_path / "cut.tif")


def test_a_video_file_without_pyav_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "x.mp4").write_bytes(b"....ftyp")
    with pytest.raises(MissingExtraError, match=r"needs PyAV, which is not installed; pip install"):
        open_video(tmp_path / "x.mp4")


def write_film(path, frames, **options):
    """Write frames as MPEG-4, with what is needed to read it at the beginning of the file."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", options={"movflags": "faststart", **options}) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def passing(n_frames):
    frames = np.full((n_frames, 48, 64, 3), 100, np.uint8)
    for i, frame in enumerate(frames):
        frame[10:30, i : i + 16] = (200, 50, 50)
    return frames


def test_a_video_file_is_read(tmp_path):
    frames = passing(30)
    write_film(tmp_path / "x.mp4", frames)
    video = open_video(tmp_path / "x.mp4")
    assert (video.fps, video.n_frames) == (10.0, 30)
    names, seen = zip(*video.frames, strict=True)
    assert names == tuple(f"{i:06d}" for i in range(1, 31))
    assert np.abs(np.array(seen, int) - frames).mean() < 4


def test_a_video_that_is_cut_off_gives_its_frames_and_then_says_so(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (30, 48, 64, 3), np.uint8)
    write_film(tmp_path / "x.mp4", noise)
    whole = (tmp_path / "x.mp4").read_bytes()
    (tmp_path / "x.mp4").write_bytes(whole[: len(whole) // 2])
    seen = []
    with pytest.raises(InputError, match=r"x.mp4(, frame \d+, cannot be read| is cut off)"):
        seen.extend(name for name, _ in open_video(tmp_path / "x.mp4").frames)
    assert 5 < len(seen) < 28


def test_a_damaged_video_gives_the_frames_before(tmp_path):
    write_film(tmp_path / "x.mp4", passing(30))
    data = bytearray((tmp_path / "x.mp4").read_bytes())
    data[len(data) * 2 // 3 : len(data) * 2 // 3 + 300] = bytes(300)
    (tmp_path / "x.mp4").write_bytes(data)
    seen = []
    with pytest.raises(InputError, match=r"x.mp4, frame \d+, cannot be read"):
        seen.extend(name for name, _ in open_video(tmp_path / "x.mp4").frames)
    assert seen


def test_sound_alone_is_no_video(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "x.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        hush = np.zeros((1, 8000), np.float32)
        frame = av.AudioFrame.from_ndarray(hush, format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputError, match=r"x.mp4 has no pictures in it"):
        open_video(tmp_path / "x.mp4")


def test_text_is_no_video(tmp_path):
    pytest.importorskip("av")
    (tmp_path / "x.mp4").write_text("not a film")
    with pytest.raises(InputError, match=r"x.mp4 cannot be read"):
        open_video(tmp_path / "x.mp4")
