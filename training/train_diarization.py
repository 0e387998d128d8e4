"""Learn the prior of `gmmseg audio diarize` from recordings of single speakers.

    python training/train_diarization.py DIR... -o diarization_prior.gmm

Each DIR holds a folder per speaker with recordings of them, of 5 s and more in all. From these,
conversations are made by chance (see made_conversations.py), and the prior is learned from them: a
background mixture, and how far windows of one voice and of several lie apart.
"""

import argparse
from pathlib import Path

import numpy as np
from made_conversations import even_talk, make_conversation, voices_at_speeds
from numpy.typing import NDArray

from gmmseg.audio import read_audio
from gmmseg.audio.diarization import cepstra, without_loudness
from gmmseg.audio.diarization_training import Conversation, fit_diarization_prior
from gmmseg.audio.framing import HOP
from gmmseg.audio.timeline_frames import frame_table

SR = 16000  # Hz
SECONDS = 60.0  # of a conversation
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}


def recordings_of(folder: Path) -> NDArray[np.float32]:
    """Return all recordings of one speaker, one after another."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    parts = [read_audio(path, sr=SR)[0] for path in files]
    return np.concatenate([np.zeros(0, dtype=np.float32), *parts])


def conversations(
    voices: list[NDArray[np.float32]], n_conversations: int, seed: int
) -> list[Conversation]:
    """Return made conversations of three to six of the voices."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n_conversations):
        talk = even_talk(rng, int(rng.integers(3, 7)))
        y, turns = make_conversation(rng, voices, talk, seconds=SECONDS, sr=SR)
        features = without_loudness(cepstra(y, SR))
        labels = sorted({turn.label for turn in turns})
        table = frame_table(turns, len(features), hop=HOP, labels=labels)
        made.append(Conversation(features, table))
    return made


def main() -> None:
    """Read, make, learn, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--conversations", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    speakers = [path for folder in options.folders for path in sorted(folder.iterdir())]
    recordings = [recordings_of(path) for path in speakers if path.is_dir()]
    voices = voices_at_speeds([y for y in recordings if len(y) >= 5 * SR])
    made = conversations(voices, options.conversations, options.seed)
    prior = fit_diarization_prior(made, sr=SR, random_state=options.seed)
    prior.save(options.out)
    print(f"{options.out}: {len(voices) // 3} speakers, {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
