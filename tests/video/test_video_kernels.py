import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gmmseg.video import settings
from gmmseg.video.pixel_model import BLINK, TOLERANCE, row_memory
from gmmseg.video.pixel_state import begin
from gmmseg.video.settings import Learning
from gmmseg.video.video_kernels import look_up, separate, stands_for_itself, update_rows
from tests import naive

ROWS, COLS = 8, 9
VALUES = np.arange(256.0)


def table(n_channels):
    return np.tile(VALUES.astype(np.float32), (n_channels, 1))


TABLE = table(2)


def flickering(rng, n_frames, n_channels=2):
    """Return frames whose pixels jump between three looks, so that modes come, grow and go."""
    looks = rng.integers(0, 255, size=(3, ROWS, COLS, n_channels))
    which = rng.choice(3, p=(0.7, 0.2, 0.1), size=(n_frames, ROWS, COLS, 1))
    chosen = np.take_along_axis(looks[np.newaxis], which[:, np.newaxis], axis=1)[:, 0]
    return np.clip(chosen + rng.normal(scale=4, size=chosen.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("haste", "threshold", "n_modes", "n_channels"),
    [(1.0, 5.0, 3, 2), (3.0, 5.0, 3, 2), (1.0, 9.0, 1, 1), (2.0, 2.0, 16, 7)],
)
def test_rows_are_learned_as_by_the_naive_twin(rng, haste, threshold, n_modes, n_channels):
    learning = Learning(rate=0.05, patience=300.0, threshold=threshold, shadows=False)
    frames = flickering(rng, 60, n_channels)
    state = begin(frames[0], VALUES, n_modes=n_modes, variance=30.0)
    model, memory = state.model, row_memory(n_channels, COLS)
    pixels = [[model.modes[r, :, :, c].tolist() for c in range(COLS)] for r in range(ROWS)]
    unused = [0.0] * (2 + n_channels)
    for t, frame in enumerate(frames[1:], start=1):
        pace = learning.pace(t, drifts=False)._replace(
            haste=np.float32(haste), feedback=np.float32(0.0), hurry=np.float32(0.0)
        )
        update_rows(frame, table(n_channels), model, pace, memory, state.coarse, (0, ROWS))
        for r in range(ROWS):
            for c in range(COLS):
                label, _, modes = naive.learn_pixel(
                    frame[r, c].astype(float).tolist(),
                    pixels[r][c] + [unused] * (n_modes - len(pixels[r][c])),
                    rate=float(pace.rate), pace=pace, tolerance=1.0,
                )  # fmt: skip
                pixels[r][c] = modes
                assert model.raw[r, c] == label
                kept = model.modes[r, : len(modes), :, c]
                assert_allclose(kept, modes, rtol=2e-3, atol=2e-3)
                assert (model.modes[r, len(modes) :, 0, c] == 0.0).all()
    assert model.depth.max() >= min(n_modes, 3)


def test_any_cut_of_the_rows_gives_the_same(rng):
    learning = Learning(rate=0.05, patience=300.0, threshold=5.0, shadows=True)
    frames = flickering(rng, 20)
    whole, parts = (begin(frames[0], VALUES, n_modes=3, variance=30.0) for _ in range(2))
    memory = row_memory(2, COLS)
    for t, frame in enumerate(frames[1:], start=1):
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, whole.model, pace, memory, whole.coarse, (0, ROWS))
        for lines in ((4, 8), (0, 4)):
            update_rows(frame, TABLE, parts.model, pace, memory, parts.coarse, lines)
    for one, other in zip(whole.model, parts.model, strict=True):
        assert_array_equal(one, other)
    assert_array_equal(whole.coarse.background, parts.coarse.background)


def test_weights_sum_to_one_and_fall(rng):
    learning = Learning(rate=0.1, patience=300.0, threshold=5.0, shadows=True)
    frames = flickering(rng, 50)
    state = begin(frames[0], VALUES, n_modes=4, variance=30.0)
    for t, frame in enumerate(frames[1:], start=1):
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, state.model, pace, row_memory(2, COLS), state.coarse, (0, ROWS))
        weights = state.model.modes[:, :, 0]
        assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)
        assert (np.diff(weights, axis=1) <= 1e-6).all()


def test_pixels_that_blink_become_tolerant_and_others_stay_strict(rng):
    learning = Learning(rate=0.02, patience=300.0, threshold=5.0, shadows=False)
    frames = np.full((80, ROWS, COLS, 2), 100, np.uint8)
    frames[::3, :, :4] = rng.integers(0, 255, size=(27, ROWS, 4, 2))
    state = begin(frames[0] * 0 + np.uint8(100), VALUES, n_modes=2, variance=30.0)
    for t, frame in enumerate(frames, start=1):
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, state.model, pace, row_memory(2, COLS), state.coarse, (0, ROWS))
    feedback = state.model.feedback
    assert (feedback[:, TOLERANCE, 4:] == 1.0).all()
    assert feedback[:, TOLERANCE, :4].mean() > 1.5
    assert feedback[:, BLINK, :4].min() > feedback[:, BLINK, 4:].max()


def test_the_coarse_background_is_the_mean_of_the_heaviest_modes(rng):
    learning = Learning(rate=0.02, patience=300.0, threshold=5.0, shadows=False)
    frames = flickering(rng, 10)
    state = begin(frames[0], VALUES, n_modes=2, variance=30.0)
    for t, frame in enumerate(frames[1:], start=1):
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, state.model, pace, row_memory(2, COLS), state.coarse, (0, ROWS))
    means = state.model.modes[:, 0, 2:]
    blocks = means[:, :, : COLS // 4 * 4].reshape(2, 4, 2, COLS // 4, 4).mean(axis=(1, 4))
    assert_allclose(state.coarse.background, np.moveaxis(blocks, 1, 2), rtol=1e-6)
    assert_allclose(state.coarse.grey_background, blocks.mean(axis=1), rtol=1e-6)


def test_rows_that_are_not_in_turn_are_judged_and_learn_nothing(rng):
    learning = Learning(rate=0.05, patience=300.0, threshold=5.0, shadows=False)
    frames = flickering(rng, 40)
    state = begin(frames[0], VALUES, n_modes=3, variance=30.0)
    memory = row_memory(2, COLS)
    for t, frame in enumerate(frames[1:-1], start=1):
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, state.model, pace, memory, state.coarse, (0, ROWS))
    before = state.model.modes.copy()
    all_learn = pace._replace(turn=0, n_turns=1)
    in_turn = pace._replace(turn=1, n_turns=2)  # rows 4 to 7
    whole = begin(frames[0], VALUES, n_modes=3, variance=30.0)
    for one, other in zip(whole.model, state.model, strict=True):
        one[:] = other
    update_rows(frames[-1], TABLE, whole.model, all_learn, memory, whole.coarse, (0, ROWS))
    update_rows(frames[-1], TABLE, state.model, in_turn, memory, state.coarse, (0, ROWS))
    assert_array_equal(state.model.modes[:4], before[:4])
    assert_array_equal(state.model.modes[4:], whole.model.modes[4:])
    # What is judged only does not see that weights fade in this frame: hardly a difference.
    assert (state.model.raw[:4] != whole.model.raw[:4]).mean() < 0.05


def learned(frames, kept, learning, state=None):
    """Return the state after some frames; ``kept`` says whether all pixels were moving."""
    state = begin(frames[0], VALUES, n_modes=3, variance=30.0) if state is None else state
    memory = row_memory(2, COLS)
    for t, frame in enumerate(frames, start=21):  # what moves is told from the 20th frame on
        state.model.kept[:] = kept
        pace = learning.pace(t, drifts=False)._replace(hurry=np.float32(0.0))
        update_rows(frame, TABLE, state.model, pace, memory, state.coarse, (0, ROWS))
    return state


@pytest.mark.parametrize(("kept", "n_frames"), [(0, 120), (255, 1200)])
def test_in_turns_a_pixel_learns_as_much(monkeypatch, kept, n_frames):
    learning = Learning(rate=0.002, patience=1500.0, threshold=6.0, shadows=False)
    wall = np.full((ROWS, COLS, 2), 100, np.uint8)
    frames = [wall] * 30 + [wall + np.uint8(90)] * n_frames
    in_turns = learned(frames, kept, learning).model.modes[:, 1, 0]
    assert learning.pace(600, drifts=False)[-2:] == (3, 4)
    monkeypatch.setattr(settings, "N_TURNS", 1)
    monkeypatch.setattr(settings, "N_MOVING_TURNS", 1)
    always = learned(frames, kept, learning).model.modes[:, 1, 0]
    assert always.min() > 0.05
    assert_allclose(in_turns, always, rtol=0.12)


def test_every_row_learns_in_one_of_so_many_frames_and_what_moves_in_one_of_its_turns(rng):
    learning = Learning(rate=0.002, patience=1500.0, threshold=6.0, shadows=False)
    calm, moving = np.zeros((2, ROWS // 4), int)
    frames = np.full((12, ROWS, COLS, 2), 100, np.uint8)
    frames += rng.integers(0, 9, size=frames.shape).astype(np.uint8)
    state = begin(frames[0] * 0 + np.uint8(104), VALUES, n_modes=3, variance=30.0)
    state.model.kept[:, :4] = 255
    for t, frame in enumerate(frames, start=600):
        before = state.model.modes.copy()
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, state.model, pace, row_memory(2, COLS), state.coarse, (0, ROWS))
        changed = (state.model.modes != before).any(axis=(1, 2)).reshape(ROWS // 4, 4, COLS)
        moving += changed[:, :, :4].any(axis=(1, 2))
        calm += changed[:, :, 4:].any(axis=(1, 2))
    assert_array_equal(calm, 4)
    assert_array_equal(moving, 1)


def test_a_mean_moves_towards_its_pixel_and_not_beyond(rng):
    learning = Learning(rate=0.002, patience=1500.0, threshold=6.0, shadows=False)
    frames = np.clip(rng.normal(100, 8, size=(60, ROWS, COLS, 2)), 0, 255).astype(np.uint8)
    state = begin(frames[0], VALUES, n_modes=1, variance=150.0)
    most = 0.0
    for t, frame in enumerate(frames, start=600):
        before = state.model.modes[:, 0, 2:].copy()
        state.model.feedback[:, BLINK] = 8.0  # what blinks learns fastest
        pace = learning.pace(t, drifts=True)
        update_rows(frame, TABLE, state.model, pace, row_memory(2, COLS), state.coarse, (0, ROWS))
        pixels = np.moveaxis(frame, 2, 1).astype(np.float32)
        way, step = pixels - before, state.model.modes[:, 0, 2:] - before
        assert (step * way >= 0.0).all()
        assert (np.abs(step) <= np.abs(way) + 1e-4).all()
        most = max(most, np.abs(step).max())
    assert most > 1.0


@pytest.mark.parametrize("threshold", [4.0, 6.0, 9.0])
def test_a_pixel_moves_from_the_threshold_on_and_is_learned_up_to_the_match(threshold):
    learning = Learning(rate=0.002, patience=1500.0, threshold=threshold, shadows=False)
    wall = np.full((ROWS, COLS, 2), 100, np.uint8)
    frame = wall + np.arange(0, 2.5 * COLS, 2.5).astype(np.uint8)[:, np.newaxis]
    state = begin(wall, VALUES, n_modes=3, variance=25.0)  # so that some are just as far
    pace = learning.pace(600, drifts=False)
    update_rows(frame, TABLE, state.model, pace, row_memory(2, COLS), state.coarse, (0, ROWS))
    distance = (frame[0, :, 0] - 100.0) ** 2 / 25.0
    assert_array_equal(state.model.raw[0] == 255, distance >= threshold)
    is_learned = state.model.modes[:4, 1, 0] == 0.0  # else there is a new mode
    assert_array_equal(is_learned, np.tile(distance < max(threshold, 6.0), (4, 1)))


@pytest.mark.parametrize("threshold", [6.0, 9.0])  # below 6 the mode has learned a little first
def test_shadows_are_those_of_the_equation(rng, threshold):
    learning = Learning(rate=0.002, patience=1500.0, threshold=threshold, shadows=True)
    walls = rng.integers(60, 250, size=(60, ROWS, COLS, 2))
    n_shadows, n_movers = 0, 0
    for wall in walls.astype(np.uint8):
        part = rng.uniform(0.5, 1.1, size=(ROWS, COLS, 1))
        seen = np.clip(np.rint(wall * part + rng.normal(scale=8, size=wall.shape)), 0, 255)
        state = begin(wall, VALUES, n_modes=2, variance=30.0)
        memory, pace = row_memory(2, COLS), learning.pace(600, drifts=False)
        update_rows(
            seen.astype(np.uint8), TABLE, state.model, pace, memory, state.coarse, (0, ROWS)
        )
        mean = wall.astype(float)
        part = (seen * mean).sum(axis=2) / (mean * mean).sum(axis=2)
        off = ((seen - part[:, :, np.newaxis] * mean) ** 2).mean(axis=2)
        moves = ((seen - mean) ** 2).mean(axis=2) >= threshold * 30.0
        is_shadow = (part >= 0.6) & (part <= 1.0) & (off < threshold * 30.0 * part**2)
        sure = (np.abs(part - 0.6) > 1e-4) & (np.abs(part - 1.0) > 1e-4)
        wanted = np.where(moves, np.where(is_shadow, 127, 255), 0)
        assert_array_equal(state.model.raw[sure], wanted[sure])
        n_shadows += (wanted == 127).sum()
        n_movers += (wanted == 255).sum()
    assert min(n_shadows, n_movers) > 100


def test_at_first_what_moves_is_learned_as_fast_as_all_else():
    learning = Learning(rate=0.002, patience=1500.0, threshold=6.0, shadows=True)
    for n_frames in (1, settings.FREE_FRAMES - 1):
        pace = learning.pace(n_frames, drifts=True)
        assert pace.moving_rate == pace.rate
        assert (pace.start, pace.n_moving_turns) == (1.0, 1)
    later = learning.pace(settings.FREE_FRAMES, drifts=True)
    assert later.moving_rate / later.n_moving_turns < 0.1 * later.rate
    assert later.start == np.float32(0.01)


def test_the_feedback_steps_as_far_in_two_turns_as_in_three(monkeypatch):
    learning = Learning(rate=0.002, patience=1500.0, threshold=6.0, shadows=True)
    steps = []
    for n_turns in (2, 3):
        monkeypatch.setattr(settings, "N_TURNS", n_turns)
        steps.append(learning.pace(600, drifts=True).feedback / n_turns)
    assert_allclose(*steps, rtol=1e-6)


@pytest.mark.parametrize("cols", [8, 33, 100])
def test_colors_are_separated_as_by_looking_them_up(rng, cols):
    frame = rng.integers(0, 256, size=(3, cols, 3)).astype(np.uint8)
    plain = np.tile(VALUES.astype(np.float32), (3, 1))
    looked_up, separated = np.empty((2, 3, cols), np.float32)
    look_up(frame, 1, plain, looked_up)
    separate(frame[1].reshape(3 * cols), separated)
    assert_array_equal(separated, looked_up)
    assert_array_equal(separated, frame[1].T)


def test_a_table_stands_for_itself_if_all_of_it_does():
    plain = np.tile(VALUES.astype(np.float32), (3, 1))
    assert stands_for_itself(plain)
    assert not stands_for_itself(plain[:, :-1])
    assert not stands_for_itself(np.linspace(0, 255, 65536, dtype=np.float32)[np.newaxis])
    for place in ((0, 0), (2, 255), (1, 77)):
        other = plain.copy()
        other[place] += 0.25
        assert not stands_for_itself(other)


def test_a_frame_in_other_light_is_looked_up(rng):
    learning = Learning(rate=0.05, patience=300.0, threshold=5.0, shadows=False)
    frame = rng.integers(20, 200, size=(ROWS, COLS, 3)).astype(np.uint8)
    state = begin(frame, VALUES, n_modes=2, variance=30.0)
    brighter = np.tile(VALUES.astype(np.float32) - 50, (3, 1))
    memory, pace = row_memory(3, COLS), learning.pace(30, drifts=True)
    update_rows(frame + 50, brighter, state.model, pace, memory, state.coarse, (0, ROWS))
    assert not state.model.raw.any()
