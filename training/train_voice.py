"""Learn the prior of voice activity from folders of clean speech, of noise, of labelled recordings.

    python training/train_voice.py --speech DIR --noise DIR [--labelled DIR] -o voice_prior.gmm

DIRs are searched for sound files at any depth. Clean speech is labelled by its energy, then mixed
with the noise and with made sounds, in made rooms, at many levels. Beside every labelled recording
lies a file of segments of the same stem (CSV with start, end, label; "nonspeech" is not speech).
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from made_scenes import Utterance, clip
from numpy.typing import NDArray

from gmmseg.audio import frames_from_segments, read_audio, read_segments
from gmmseg.audio.framing import HOP
from gmmseg.audio.voice_evidence import ContextStream, contexts_in
from gmmseg.audio.voice_features import N_LEVELS, SR
from gmmseg.audio.voice_training import LabelledFrames, learn_voice_model

SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}
EVERY, EVERY_LABELLED = 8, 2  # frames of a clip, of a labelled recording: neighbours are alike
LABELLED_WEIGHT = 4.0  # of a frame of a labelled recording, which is no imitation

Table = tuple[NDArray[np.float32], NDArray[np.bool_], float]


def sounds(folder: Path) -> list[Path]:
    """Return the sound files in a folder."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder} holds no sound files")
    return found


def context(y: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the context of every frame."""
    return np.concatenate(list(contexts_in(y, stream=ContextStream(sr=SR))))[:, N_LEVELS:]


def made_tables(speech: Path, noise: Path, *, n_clips: int, seed: int) -> Iterator[Table]:
    """Yield context, labels and weight of made clips."""
    utterances = [Utterance.of(read_audio(path, sr=SR)[0]) for path in sounds(speech)]
    recordings = [read_audio(path, sr=SR)[0] for path in sounds(noise)]
    rng = np.random.default_rng(seed)
    for number in range(n_clips):
        y, is_speech = clip(rng, utterances, recordings, SR)
        first = int(rng.integers(0, EVERY))
        rows = context(y)[first::EVERY]
        yield rows, is_speech[first::EVERY][: len(rows)], 1.0
        if number % 100 == 99:
            print(f"{number + 1} of {n_clips} clips", flush=True)


def labelled_tables(folder: Path) -> Iterator[Table]:
    """Yield context, labels and weight of labelled recordings."""
    for path in sounds(folder):
        rows = context(read_audio(path, sr=SR)[0])
        known = [one for one in read_segments(path.with_suffix(".csv")) if one.label == "speech"]
        labels = frames_from_segments(known, len(rows), hop=HOP)
        yield rows[::EVERY_LABELLED], labels[::EVERY_LABELLED], LABELLED_WEIGHT


def main() -> None:
    """Learn the prior and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--noise", type=Path, required=True)
    parser.add_argument("--labelled", type=Path)
    parser.add_argument("--clips", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path, default=Path("voice_prior.gmm"))
    options = parser.parse_args()
    tables = list(
        made_tables(options.speech, options.noise, n_clips=options.clips, seed=options.seed)
    )
    if options.labelled:
        tables += labelled_tables(options.labelled)
    frames = LabelledFrames(
        np.concatenate([rows for rows, _, _ in tables]),
        np.concatenate([labels for _, labels, _ in tables]),
        np.concatenate([np.full(len(rows), weight) for rows, _, weight in tables]),
    )
    learn_voice_model(frames).write(options.out, {})
    print(f"{options.out}: learned from {len(frames.context)} frames")


if __name__ == "__main__":
    main()
