"""What tells voice from other sound at any gain: cues of every frame, and of the time around it.

All windows are finite and look ahead little, so that sound in blocks gives what the whole gives.
"""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmmseg.audio.framing import Framing
from gmmseg.audio.harmonicity import PitchGrid
from gmmseg.audio.mel import mel_filters, mfcc
from gmmseg.audio.overlap import Array, OverlappingFrames, OverlappingRows, Stage
from gmmseg.audio.spectrum import power_spectrum

SR = 16000  # Hz: what sound is resampled to
N_BANDS = 28
N_CEPSTRA = 12  # of the shape of the spectrum
N_MOVING = 7  # whose slopes are taken
N_RISEN = 8  # of what rises above the noise floor
FRAMING = Framing.of(sr=SR)

# Windows, in frames before and after the one they describe.
FLOOR = (200, 10)  # where the least power is the noise
PEAK = (300, 25)  # where the loudest frame is the measure of the others
PAST = (300, 0)  # the same for how deep silence is
SHORT, SYLLABLE, WORD, PHRASE = (3, 3), (15, 15), (40, 40), (120, 40)
NEARBY = (45, 37)  # where the level of a frame has its rivals
RHYTHM = (55, 25)  # where the swelling of syllables is measured
BEHIND, AHEAD = 620, 40  # frames that all of these together need
STEP = 3  # frames over which slopes and the way of the pitch are taken
SMOOTHED = (3, 3)  # frames over which the power is smoothed before its minimum is taken

LEAST = 1e-20  # power of what is silence at any gain
HIDDEN = 1e-5  # power, against the mean of the bands, below which a band tells nothing
MOST_RISE = 8.0  # nepers above the noise floor
DEPTH = 16.0  # nepers below the loudest frame, where silence begins
LEAST_VARIANCE = 1e-6
PITCH_STEP = 0.15  # octaves: what a voice's pitch moves in `STEP` frames

N_LEVELS = 2
N_CUES = N_CEPSTRA + N_MOVING + N_RISEN + 8
N_CONTEXT = 7 * N_CUES + 11


def voice_stages() -> list[Stage]:
    """Return the stages from samples at :data:`SR` to (n_frames, N_LEVELS + N_CONTEXT).

    The first columns are levels (nepers of power) near every frame and around, the others are the
    same at any gain.
    """
    grid = PitchGrid(FRAMING)
    margin = max(grid.margin, FRAMING.n_fft)

    def alone(samples: Array, n_frames: int, first_frame: int) -> Array:
        windows = FRAMING.frames(samples, n_frames, margin=margin)
        windows = windows - windows.mean(axis=1, keepdims=True)  # an offset is no sound
        power = power_spectrum(windows, FRAMING)
        peaks, pitch = grid.harmonicity(samples, n_frames, first_frame=first_frame, margin=margin)
        return np.column_stack([power @ _bands().T, peaks, pitch])

    return [
        OverlappingFrames(alone, framing=FRAMING, margin=margin, n_columns=N_BANDS + 2),
        OverlappingRows(
            frame_cues,
            before=FLOOR[0] + SMOOTHED[0],
            after=FLOOR[1] + SMOOTHED[1],
            n_columns=1 + N_CUES,
        ),
        OverlappingRows(context_of, before=BEHIND, after=AHEAD, n_columns=N_LEVELS + N_CONTEXT),
    ]


def lookahead() -> int:
    """Return how many frames after a frame must be known before it is certain."""
    frames, *rows = voice_stages()
    return -(-frames.lookahead // FRAMING.hop_length) + sum(stage.lookahead for stage in rows)


@functools.cache
def _bands() -> NDArray[np.float32]:
    """Return mel filters whose weights sum to 1, so that white noise is flat."""
    filters = mel_filters(SR, FRAMING.n_fft, N_BANDS)
    return filters / filters.sum(axis=1, keepdims=True)


def frame_cues(table: Array, part: slice) -> Array:
    """Return level and cues (n_frames, 1 + N_CUES) of a part of the frames of a table.

    Its columns are bands, harmonicity and pitch.
    """
    near = slice(max(part.start - STEP, 0), part.stop + STEP)
    rise = risen(table[:, :N_BANDS], near)
    table, own = table[near], slice(part.start - near.start, part.stop - near.start)
    power, peaks, pitch = table[:, :N_BANDS], table[:, -2], table[:, -1]
    total = power.mean(axis=1, keepdims=True)
    log_bands = np.log(power + np.float32(HIDDEN) * total + np.float32(LEAST))
    level = np.log(total[:, 0] + np.float32(LEAST))
    cepstra = mfcc(log_bands, n_mfcc=N_CEPSTRA + 1)
    flux = np.abs(log_bands - _back(log_bands, 2)).mean(axis=1)
    flatness = log_bands.mean(axis=1) - level
    low = slice(0, N_BANDS // 2)
    low_level = np.log(power[:, low].mean(axis=1) + HIDDEN * total[:, 0] + LEAST)
    cues = [
        level,
        cepstra[:, 1:],
        _slope(cepstra[:, :N_MOVING]),
        mfcc(rise, n_mfcc=N_RISEN),
        *_pitch_cues(peaks, pitch),
        flux,
        flatness,
        log_bands[:, low].mean(axis=1) - low_level,
        np.abs(_slope(level[:, np.newaxis])),
    ]
    return np.column_stack([cue[own] for cue in cues]).astype(np.float32)


def risen(power: Array, part: slice) -> Array:
    """Return by how much bands of a part of the frames rise above the noise, in nepers.

    The noise is the least smoothed power around.
    """
    from scipy.ndimage import convolve1d

    from gmmseg.audio.extreme_kernels import moving_maximum

    # Sums of their own: a running one would keep the rounding of loud frames in the silence after.
    equal = np.full(sum(SMOOTHED) + 1, 1.0 / (sum(SMOOTHED) + 1))
    smooth = convolve1d(power.astype(np.float64), equal, axis=0, mode="nearest")
    power = power[part]
    highest = np.empty(power.shape)
    moving_maximum(-smooth, part.start, *FLOOR, highest)
    rise = np.log(power + LEAST) - np.log(LEAST - highest) - 0.5
    return np.clip(rise, 0.0, MOST_RISE).astype(np.float32)


def _pitch_cues(peaks: Array, pitch: Array) -> list[Array]:
    """Return how harmonic frames are, how high, how steadily, and how the pitch moves."""
    harmonic = np.clip(peaks, 0.0, 0.97)
    octave = np.where(pitch > 0.0, np.log2(np.maximum(pitch, 1.0) / 150.0), 0.0)
    jump = np.abs(octave - _back(octave, STEP))
    steady = np.minimum(harmonic, _back(harmonic, STEP)) * np.exp(-((jump / PITCH_STEP) ** 2))
    moving = steady * np.minimum(jump, PITCH_STEP) / PITCH_STEP
    return [np.arctanh(harmonic), octave * harmonic, steady, moving]


def context_of(table: Array, part: slice) -> Array:
    """Return two levels and the context of a part of the frames of a table of level and cues.

    The context is means and spreads of cues around. What is asked of one column costs little, and
    is asked around all frames; what is asked of all cues, around those of the part alone.
    """
    level, cues = table[:, 0].astype(np.float64), np.ascontiguousarray(table[:, 1:])
    level = np.maximum(level, _extreme(level, slice(0, len(level)), PAST) - DEPTH)
    near, wide = _mean(level, SHORT), _mean(level, SYLLABLE)
    spreads = [_spread(level, window) for window in (SYLLABLE, WORD)]
    spreads.append(_spread(near - wide, RHYTHM))
    columns: list[NDArray[Any]] = [near[part], wide[part]]
    columns.append(moments(cues, part, SHORT, has_spread=False))
    columns += [moments(cues, part, window) for window in (SYLLABLE, WORD, PHRASE)]
    columns += [np.log(spread[part] + 0.05) for spread in spreads]
    word = _mean(level, WORD)[part]
    columns += [near[part] - wide[part], near[part] - word, *_among_peaks(near, wide, part)]
    return np.column_stack(columns).astype(np.float32)


def _among_peaks(
    near: NDArray[np.float64], wide: NDArray[np.float64], part: slice
) -> list[NDArray[np.float64]]:
    """Return smoothed levels of a part of the frames against peaks and pauses around."""
    top, bottom = _extreme(near, part, PEAK), -_extreme(-near, part, PEAK)
    here = near[part]
    return [
        here - top,
        wide[part] - _extreme(wide, part, PEAK),
        here - bottom,
        top - bottom,
        here - _extreme(near, part, NEARBY),
        here + _extreme(-near, part, NEARBY),
    ]


def _window(window: tuple[int, int]) -> tuple[int, int]:
    """Return size and origin by which scipy looks at frames before and after."""
    before, after = window
    return before + after + 1, (before - after) // 2


def _mean(table: NDArray[np.float64], window: tuple[int, int]) -> NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    size, origin = _window(window)
    return uniform_filter1d(table, size, axis=0, mode="nearest", origin=origin)


def moments(cues: Array, part: slice, window: tuple[int, int], *, has_spread: bool = True) -> Array:
    """Return means of cues around a part of the frames, and beside them the logs of spreads."""
    from gmmseg.audio.moment_kernels import moving_moments

    shape = (part.stop - part.start, cues.shape[1])
    means = np.empty(shape, dtype=np.float32)
    spreads = np.empty(shape if has_spread else (0, 0), dtype=np.float32)
    moving_moments(cues, part.start, *window, LEAST_VARIANCE, means, spreads)
    return np.hstack([means, np.log(spreads + np.float32(0.02))]) if has_spread else means


def _spread(table: NDArray[np.float64], window: tuple[int, int]) -> NDArray[np.float64]:
    mean = _mean(table, window)
    return np.sqrt(np.maximum(_mean(table * table, window) - mean * mean, 0.0) + LEAST_VARIANCE)


def _extreme(
    values: NDArray[np.float64], part: slice, window: tuple[int, int]
) -> NDArray[np.float64]:
    from gmmseg.audio.extreme_kernels import moving_maximum

    out = np.empty(part.stop - part.start)
    moving_maximum(values[:, np.newaxis], part.start, *window, out[:, np.newaxis])
    return out


def _back(table: Array, n_frames: int) -> Array:
    """Return the rows so many frames before; the first row before the first."""
    return table[np.maximum(np.arange(len(table)) - n_frames, 0)]


def _slope(table: Array) -> Array:
    """Return the slope per frame of a line through the frames within `STEP`."""
    n_rows = len(table)
    padded = table[np.clip(np.arange(-STEP, n_rows + STEP), 0, n_rows - 1)]
    total = np.zeros_like(table)
    for step in range(1, STEP + 1):
        later, earlier = padded[STEP + step :][:n_rows], padded[STEP - step :][:n_rows]
        total += np.float32(step) * (later - earlier)
    return total / np.float32(2 * sum(step**2 for step in range(1, STEP + 1)))
