import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gmmseg.errors import InputError, NotFittedError
from gmmseg.video import BackgroundSubtractor, lighting
from gmmseg.video.scene import Event


def masks_of(frames, **options):
    subtractor = BackgroundSubtractor(**options)
    return np.array([subtractor.apply(frame) for frame in frames])


def walking(t):
    return (20, 3 * (t - 25)) if 25 <= t < 50 else None


def test_a_constant_scene_is_empty_after_learning(film):
    assert not masks_of(film(40))[10:].any()


def test_a_box_that_moves_is_found_and_nothing_else(film):
    mask = masks_of(film(40, box=walking))[39]
    truth = np.zeros(mask.shape, bool)
    truth[20:40, 42:56] = True
    assert (mask[truth] == 255).mean() > 0.95  # the clean-up rounds corners
    assert not mask[:17].any()
    assert not mask[:, :38].any()
    assert not mask[:, 60:].any()


@pytest.mark.parametrize("gain", [0.7, 1.25])
def test_a_gain_of_all_channels_changes_no_mask(film, gain):
    frames = list(film(40, box=walking, light=lambda t: gain if t >= 30 else 1.0))
    masks = masks_of(frames)
    assert (masks[36] == 255).sum() < 1.4 * 20 * 14


def test_without_lighting_a_gain_of_all_channels_is_seen(film):
    frames = list(film(31, light=lambda t: 1.25 if t >= 30 else 1.0))
    with_light, without = masks_of(frames)[30], masks_of(frames, lighting=False)[30]
    assert with_light.mean() < without.mean() or not without.any()


def test_a_lamp_on_one_side_is_no_motion_after_25_frames(film):
    lamp = np.linspace(0.0, 1.0, 92)[np.newaxis, :, np.newaxis] ** 2
    subtractor, said = BackgroundSubtractor(), []
    for frame in film(66, light=lambda t: 1.0 + 0.8 * lamp * (t >= 40)):
        mask = subtractor.apply(frame)
        said.append(subtractor.event_)
    assert said[40] is Event.LIGHT
    assert (mask == 255).mean() < 0.05


def test_a_shake_of_two_pixels_is_found_to_the_pixel(film, rng):
    shifts = [(0, 0)] * 20 + [tuple(rng.integers(-2, 3, size=2).tolist()) for _ in range(20)]
    subtractor = BackgroundSubtractor()
    for frame, shift in zip(film(40, shift=shifts.__getitem__), shifts, strict=True):
        mask = subtractor.apply(frame)
        assert subtractor.shift_ == shift
    assert (mask == 255).mean() < 0.002


def test_a_mask_lies_where_the_thing_is_in_a_shaken_frame(film):
    def shift(t):
        return (2, -2) if t == 39 else (0, 0)

    still = masks_of(film(40, box=walking))[39]
    moved = masks_of(film(40, box=walking, shift=shift))[39]
    differ = moved[2:, :-2] != still[:-2, 2:]
    assert differ.mean() < 0.01


def test_a_new_scene_is_said_and_not_masked(film, rng):
    subtractor = BackgroundSubtractor()
    for frame in film(30):
        subtractor.apply(frame)
    other = rng.integers(0, 255, size=frame.shape).astype(np.uint8)
    mask = subtractor.apply(other)
    assert subtractor.event_ is Event.SCENE
    assert not mask.any()
    assert not (subtractor.apply(other) == 255).any()


def test_what_stands_still_moves_for_as_long_as_patience_says(film):
    def stands(t):
        return (20, 30) if t >= 30 else None

    frames = list(film(190, box=stands))
    impatient, patient = (masks_of(frames, fps=1.0, patience=p) for p in (100.0, 400.0))
    assert (patient[189][25:35, 34:40] == 255).all()
    assert (impatient[100][25:35, 34:40] == 255).all()
    assert (impatient[189][25:35, 34:40] == 0).all()


def test_a_darker_patch_of_the_same_colour_is_a_shadow(film):
    frames = list(film(30))
    frames[29][20:34, 30:42] = (frames[29][20:34, 30:42] * 0.72).astype(np.uint8)
    told, untold = masks_of(frames)[29], masks_of(frames, shadows=False)[29]
    assert (told[23:31, 33:39] == 127).mean() > 0.9
    assert not (told == 255).any()
    assert (untold[23:31, 33:39] == 255).all()


def test_what_is_far_darker_is_no_shadow(film):
    frames = list(film(30))
    frames[29][20:34, 30:42] = (frames[29][20:34, 30:42] * 0.4).astype(np.uint8)
    assert (masks_of(frames)[29][23:31, 33:39] == 255).all()


def test_a_lamp_is_not_masked_in_its_own_frame_and_the_dark_is_remembered(film):
    lamp = np.linspace(0.0, 1.0, 92)[np.newaxis, :, np.newaxis] ** 2
    subtractor = BackgroundSubtractor(lighting=False)
    frames = film(60, light=lambda t: 1.0 + 0.8 * lamp * (40 <= t < 50))
    for t, frame in enumerate(frames):
        mask = subtractor.apply(frame)
        if t in (40, 50, 51):
            assert (mask == 255).mean() < 0.05
        if t == 40:
            weights = subtractor._known().model.modes[:, :, 0]
            assert np.abs(weights.sum(axis=1) - 1.0).max() < 1e-5


def test_grey_is_rgb_of_equal_channels(film):
    frames = [frame[:, :, 0] for frame in film(40, box=walking)]
    assert_array_equal(masks_of(frames), masks_of([np.dstack([f, f, f]) for f in frames]))


def test_channels_permuted_change_nothing(film):
    frames = list(film(40, box=walking))
    turned = masks_of([frame[:, :, [2, 0, 1]] for frame in frames])
    assert_array_equal(turned, masks_of(frames))


def test_any_number_of_threads_gives_the_same_masks(film):
    frames = list(film(40, box=walking))
    one = masks_of(frames, n_jobs=1)
    assert one.any()
    assert_array_equal(one, masks_of(frames, n_jobs=3))


def test_sixteen_bit_and_floating_frames_give_nearly_the_masks_of_eight_bit(film):
    frames = list(film(40, box=walking))
    eight = masks_of(frames)
    sixteen = masks_of([frame.astype(np.uint16) * 257 for frame in frames])
    floating = masks_of([frame / 255 for frame in frames])
    assert (sixteen != eight).mean() < 0.001
    assert_array_equal(sixteen, floating)


def test_a_frame_is_not_changed(film):
    for frame in film(5):
        before = frame.copy()
        masks_of([frame, frame])
        assert_array_equal(frame, before)


def test_nothing_moves_outside_the_mask(film):
    look = np.zeros((60, 84), bool)
    look[:, :48] = True
    frames = list(film(40, box=walking))
    inside, everywhere = masks_of(frames, mask=look), masks_of(frames)
    assert not inside[:, :, 48:].any()
    assert_array_equal(inside[35][:, :40], everywhere[35][:, :40])


@pytest.mark.parametrize("cut", [1, 22, 33])
def test_a_saved_state_goes_on_to_the_last_bit(film, tmp_path, cut):
    frames = list(film(45, box=walking, light=lambda t: 1.0 + 0.004 * t))
    whole, first = BackgroundSubtractor(), BackgroundSubtractor()
    masks = [whole.apply(frame) for frame in frames]
    for frame in frames[:cut]:
        first.apply(frame)
    first.save(tmp_path / "room.gmm")
    second = BackgroundSubtractor.load(tmp_path / "room.gmm")
    for frame, mask in zip(frames[cut:], masks[cut:], strict=True):
        assert_array_equal(second.apply(frame), mask)
    whole.save(tmp_path / "whole.gmm")
    second.save(tmp_path / "second.gmm")
    assert (tmp_path / "whole.gmm").read_bytes() == (tmp_path / "second.gmm").read_bytes()


def test_what_knows_no_limit_is_saved_too(film, tmp_path):
    subtractor = BackgroundSubtractor(patience=float("inf"), shake=float("inf"))
    for frame in film(3):
        subtractor.apply(frame)
    subtractor.save(tmp_path / "room.gmm")
    assert BackgroundSubtractor.load(tmp_path / "room.gmm")._options == subtractor._options


def test_the_mask_is_saved_too(film, tmp_path):
    look = np.zeros((60, 84), bool)
    look[:30] = True
    subtractor = BackgroundSubtractor(mask=look, patience=3.0)
    for frame in film(3):
        subtractor.apply(frame)
    subtractor.save(tmp_path / "room.gmm")
    loaded = BackgroundSubtractor.load(tmp_path / "room.gmm")
    assert_array_equal(loaded._mask, look)
    assert loaded._options == subtractor._options
    assert loaded.n_frames_ == 3


def test_what_is_given_anew_takes_the_place_of_what_was_saved(film, tmp_path):
    look = np.zeros((60, 84), bool)
    look[:, :42] = True
    subtractor = BackgroundSubtractor(fps=10.0, shadows=False)
    *frames, last = film(31)
    last[20:28, 20:28] += np.uint8(8)  # faint
    last[20:28, 60:68] += np.uint8(8)
    for frame in frames:
        subtractor.apply(frame)
    path = tmp_path / "room.gmm"
    subtractor.save(path)
    changes = {"fps": 30.0, "patience": 2.0, "threshold": 2.0}
    as_saved = BackgroundSubtractor.load(path)
    changed = BackgroundSubtractor.load(path, **changes, mask=look)
    assert (as_saved.fps, changed.fps) == (10.0, 30.0)
    assert changed._options == {**as_saved._options, **changes}
    assert not as_saved.apply(last).any()
    mask = changed.apply(last)
    assert (mask[22:26, 22:26] == 255).all()
    assert not mask[:, 42:].any()


def test_what_is_given_anew_is_checked_too(film, tmp_path):
    subtractor = BackgroundSubtractor()
    subtractor.apply(next(film(1)))
    path = tmp_path / "room.gmm"
    subtractor.save(path)
    with pytest.raises(InputError, match="threshold must be a number of at least 1e-06, got -5"):
        BackgroundSubtractor.load(path, threshold=-5)
    with pytest.raises(InputError, match=r"the shape of a frame, \(60, 84\), got \(9, 9\)"):
        BackgroundSubtractor.load(path, mask=np.ones((9, 9), bool))


def test_the_background_is_the_room(film):
    subtractor = BackgroundSubtractor()
    frames = list(film(40, box=walking))
    for frame in frames:
        subtractor.apply(frame)
    difference = subtractor.background().astype(float) - frames[0]
    assert np.abs(difference).mean() < 4.0


def test_extreme_frames_raise_nothing(rng):
    frames = [np.zeros((9, 9)), np.ones((9, 9)), np.zeros((9, 9))] * 4
    assert masks_of(frames).shape == (12, 9, 9)
    assert masks_of(rng.integers(0, 2, (12, 8, 8, 7)).astype(bool)).shape == (12, 8, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0.0}, "fps must be a number of at least 1e-06, got 0.0"),
        ({"fps": float("inf")}, "fps must be a number of at least 1e-06, got inf"),
        ({"patience": -1.0}, "patience must be a number of at least 1e-06, got -1.0"),
        ({"learning_rate": 0.0}, "learning_rate must be a number of at least 1e-09, got 0.0"),
        ({"learning_rate": 2.0}, "learning_rate must be at most 1, got 2.0"),
        ({"threshold": float("nan")}, "threshold must be a number of at least 1e-06, got nan"),
        ({"min_area": 0}, "min_area must be a whole number of at least 1, got 0"),
        ({"n_modes": 0}, "n_modes must be a whole number of at least 1, got 0"),
        ({"n_modes": 17}, "n_modes must be at most 16, got 17"),
        ({"n_modes": 2.9}, "n_modes must be a whole number of at least 1, got 2.9"),
        ({"n_modes": True}, "n_modes must be a whole number of at least 1, got True"),
        ({"shake": "much"}, "shake must be a number of at least 0, got 'much'"),
        ({"shake": True}, "shake must be a number of at least 0, got True"),
        ({"bits": 7}, "bits must be a whole number of at least 8, got 7"),
        ({"bits": 17}, "bits must be at most 16, got 17"),
        ({"n_jobs": 0}, "n_jobs must be a whole number other than 0"),
        ({"mask": np.ones((4, 4))}, "mask must be bool of shape .rows, cols., got float64"),
        ({"mask": np.zeros((4, 4), bool)}, "mask leaves nothing to look at"),
    ],
)
def test_bad_options_are_told(options, message):
    with pytest.raises(InputError, match=message):
        BackgroundSubtractor(**options)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros(9), r"a frame must have shape \(rows, cols\) or .*, got \(9,\)"),
        (np.zeros((4, 9)), r"at least 8 x 8 pixels of 1 to 64 channels, got shape \(4, 9\)"),
        (np.zeros((9, 9, 0)), r"got shape \(9, 9, 0\)"),
        (
            np.zeros((9, 9), int),
            "a frame must be uint8, uint16, bool or floating in 0…1, got int64",
        ),
        (np.full((9, 9), 2.0), "a floating frame must lie in 0…1, got 2 to 2"),
        (np.full((9, 9), np.nan), "a floating frame must lie in 0…1, got nan to nan"),
    ],
)
def test_bad_frames_are_told(frame, message):
    with pytest.raises(InputError, match=message):
        BackgroundSubtractor().apply(frame)


def test_frames_that_change_are_told():
    subtractor = BackgroundSubtractor()
    subtractor.apply(np.zeros((9, 9), np.uint8))
    with pytest.raises(InputError, match=r"frame 2 has shape \(9, 10, 1\) .*, those before"):
        subtractor.apply(np.zeros((9, 10), np.uint8))
    with pytest.raises(InputError, match="frame 2 is uint16, those before uint8"):
        subtractor.apply(np.zeros((9, 9), np.uint16))


def test_a_mask_of_another_size_is_told():
    subtractor = BackgroundSubtractor(mask=np.ones((9, 8), bool))
    with pytest.raises(InputError, match=r"mask must have the shape of a frame, \(9, 9\), got"):
        subtractor.apply(np.zeros((9, 9), np.uint8))


def test_before_the_first_frame_nothing_is_known(tmp_path):
    with pytest.raises(NotFittedError, match="nothing is learned yet; call apply"):
        BackgroundSubtractor().background()
    with pytest.raises(NotFittedError, match="nothing is learned yet"):
        BackgroundSubtractor().save(tmp_path / "x.gmm")


def test_no_curve_is_looked_for_while_nothing_changes_and_one_is_when_it_does(rng, monkeypatch):
    wall, looked = rng.uniform(40, 200, size=(80, 120, 3)), []
    original = lighting.find_tone

    def find_tone(*pictures, **masks):
        looked.append(subtractor.n_frames_)
        return original(*pictures, **masks)

    monkeypatch.setattr(lighting, "find_tone", find_tone)
    subtractor = BackgroundSubtractor()

    def show(brighter):
        frame = wall + brighter + rng.normal(scale=2, size=wall.shape)
        return subtractor.apply(np.clip(np.rint(frame), 0, 255).astype(np.uint8))

    for _ in range(40):
        show(0.0)
    assert len(looked) < 30
    assert not show(2.0).any()
    assert looked[-1] == 41
    assert show(12.0).mean() < 1.0
    assert looked[-2:] == [41, 42]


@pytest.mark.parametrize(
    ("shape", "figure"), [((240, 320), (8, 6)), ((1080, 1920), (45, 20))], ids=["small", "hd"]
)
def test_a_figure_that_walks_far_off_is_found(rng, shape, figure):
    wall = 110 + 20 * np.sin(np.arange(shape[1]) / 9) * np.ones((shape[0], 1))
    noise = rng.normal(scale=2.0, size=shape)
    subtractor, (height, width) = BackgroundSubtractor(), figure
    for t in range(15):
        frame = wall + np.roll(noise, 37 * t, axis=1)
        left = 20 + t * width
        if t >= 8:
            frame[100 : 100 + height, left : left + width] = 230
        mask = subtractor.apply(np.clip(np.rint(frame), 0, 255).astype(np.uint8)) == 255
        inside = mask[100 : 100 + height, left : left + width]
        assert inside.mean() > 0.7 if t >= 8 else not mask.any()
        assert mask.sum() == inside.sum()


def test_the_smallest_thing_that_counts_may_be_chosen(film, tmp_path):
    frames = list(film(40, box=walking))
    assert masks_of(frames, min_area=100)[39].any()
    assert not masks_of(frames, min_area=400).any()
    subtractor = BackgroundSubtractor(min_area=400)
    for frame in frames[:30]:
        subtractor.apply(frame)
    subtractor.save(tmp_path / "room.gmm")
    loaded = BackgroundSubtractor.load(tmp_path / "room.gmm")
    assert not np.array([loaded.apply(frame) for frame in frames[30:]]).any()
