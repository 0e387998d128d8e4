"""How frames are described: which features, from which stages, checked once."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from gmmseg.audio.framing import Framing
from gmmseg.audio.harmonicity import PitchGrid
from gmmseg.audio.mel import log_mel_spectrogram, mel_filters, mfcc
from gmmseg.audio.neighbours import DELTA_WIDTH, standardized_sliding, with_deltas
from gmmseg.audio.noise_floor import NoiseFloor
from gmmseg.audio.overlap import Array, OverlappingFrames, OverlappingRows, Stage
from gmmseg.audio.spectrum import energy, power_spectrum, spectral_flatness, spectral_flux
from gmmseg.core.validation import check_number
from gmmseg.errors import InputError

Kind = Literal["mfcc", "log-mel", "voice"]
Cmvn = Literal["file", "sliding"]
# The columns that "voice" has behind the bands.
VOICE_CUES = ("energy", "snr", "harmonicity", "pitch", "flatness", "flux")
SLIDING_WINDOW = 3.0  # seconds of speech that tell what the channel is like


@dataclass(frozen=True)
class Recipe:
    """What :func:`gmmseg.audio.frame_features` is asked for; its docstring says what each means."""

    framing: Framing
    kind: Kind
    n_mfcc: int
    n_mels: int
    deltas: int
    cmvn: Cmvn | None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            names = ", ".join(map(repr, get_args(Kind)))
            raise InputError(f"kind must be one of {names}, got {self.kind!r}")
        if self.cmvn is not None and self.cmvn not in get_args(Cmvn):
            raise InputError(f"cmvn must be None, 'file' or 'sliding', got {self.cmvn!r}")
        check_number("deltas", self.deltas, least=0, is_whole=True)
        if self.deltas > 2:
            raise InputError(f"deltas must be 0, 1 or 2, got {self.deltas}")
        check_number("n_mels", self.n_mels, least=1, is_whole=True)
        if self.kind == "mfcc":
            check_number("n_mfcc", self.n_mfcc, least=1, is_whole=True)
            if self.n_mfcc > self.n_mels:
                raise InputError(
                    f"n_mfcc must be at most n_mels = {self.n_mels}, got {self.n_mfcc}"
                )
        mel_filters(self.framing.sr, self.framing.n_fft, self.n_mels)  # refuses empty bands

    def stages(self) -> list[Stage]:
        """Return the stages from samples to features, without the one that needs the whole file."""
        if self.kind == "voice":
            stages = self._voice_stages()
        else:
            stages = [self._frames(self._spectral, self.framing.n_fft, self._n_columns)]
        n_columns = self._n_columns
        if self.deltas:
            stages.append(delta_stage(n_columns, order=self.deltas))
            n_columns *= 1 + self.deltas
        if self.cmvn == "sliding":
            n_around = round(0.5 * SLIDING_WINDOW * self.framing.sr / self.framing.hop_length)
            stages.append(
                OverlappingRows(
                    lambda table, part: standardized_sliding(table, n_around=n_around)[part],
                    before=n_around,
                    after=n_around,
                    n_columns=n_columns,
                )
            )
        return stages

    @property
    def _n_columns(self) -> int:
        """Columns before deltas."""
        if self.kind == "mfcc":
            return self.n_mfcc
        return self.n_mels + (len(VOICE_CUES) if self.kind == "voice" else 0)

    def _frames(self, describe: Any, margin: int, n_columns: int) -> Stage:
        return OverlappingFrames(describe, framing=self.framing, margin=margin, n_columns=n_columns)

    def _spectral(self, samples: Array, n_frames: int, _first_frame: int) -> Array:
        """Return log-mel spectrum or MFCC of frames."""
        windows = self.framing.frames(samples, n_frames, margin=self.framing.n_fft)
        power = power_spectrum(windows, self.framing)
        log_mel = log_mel_spectrogram(power, self.framing, n_mels=self.n_mels)
        return mfcc(log_mel, n_mfcc=self.n_mfcc) if self.kind == "mfcc" else log_mel

    def _voice_stages(self) -> list[Stage]:
        """Return what each frame shows by itself, then what it shows beside its neighbours."""
        grid = PitchGrid(self.framing)
        floor = NoiseFloor(self.framing, n_mels=self.n_mels)
        margin = max(grid.margin, self.framing.n_fft)

        def alone(samples: Array, n_frames: int, first_frame: int) -> Array:
            windows = self.framing.frames(samples, n_frames, margin=margin)
            power = power_spectrum(windows, self.framing)
            log_mel = log_mel_spectrogram(power, self.framing, n_mels=self.n_mels)
            peaks, pitch = grid.harmonicity(
                samples, n_frames, first_frame=first_frame, margin=margin
            )
            return np.column_stack(
                [log_mel, energy(windows), peaks, pitch, spectral_flatness(power)]
            )

        def beside(table: Array, part: slice) -> Array:
            log_mel = table[:, : self.n_mels]
            level, peaks, pitch, flatness = table[:, self.n_mels :].T
            snr = (log_mel - floor.track(log_mel)).mean(axis=1)
            cues = [level, snr, peaks, pitch, flatness, spectral_flux(log_mel)]
            return np.column_stack([log_mel, *cues])[part]

        return [
            self._frames(alone, margin, self.n_mels + 4),
            OverlappingRows(
                beside, before=max(floor.before, 1), after=floor.after, n_columns=self._n_columns
            ),
        ]


def delta_stage(n_columns: int, *, order: int) -> Stage:
    """Return the stage that puts derivatives up to `order` beside so many columns."""
    return OverlappingRows(
        lambda table, part: with_deltas(table, order=order)[part],
        before=DELTA_WIDTH - 1,
        after=DELTA_WIDTH // 2,
        n_columns=n_columns * (1 + order),
        at_least=DELTA_WIDTH,
    )
