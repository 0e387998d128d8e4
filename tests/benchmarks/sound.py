"""Frames per second of the features of sound, beside librosa's log-mel in the same run.

Run from the root of the repository: ``python -m tests.benchmarks.sound [--rounds N] [--seconds S]``

For one core set ``OPENBLAS_NUM_THREADS=1``. The rounds of all rows are interleaved and the best of
each is told, so that whatever else the machine does meets all alike. The share of real time is
seconds of work per second of sound.
"""

import argparse
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import soundfile

from gmmseg.audio import audio_blocks, frame_features, read_audio
from gmmseg.audio.framing import Framing

SR = 16000


def librosa_log_mel(y):
    """Return librosa's log-mel spectrum of the same frames."""
    framing = Framing.of(sr=SR)
    power = librosa.feature.melspectrogram(
        y=y,
        sr=SR,
        n_fft=framing.n_fft,
        win_length=framing.win_length,
        hop_length=framing.hop_length,
        n_mels=40,
    )
    return librosa.power_to_db(power, top_db=None).T


def rows(y, path):
    """Return what is timed: name → function without arguments."""
    return {
        "librosa log-mel": lambda: librosa_log_mel(y),
        "log-mel": lambda: frame_features(y, sr=SR, kind="log-mel"),
        "mfcc with two deltas": lambda: frame_features(y, sr=SR, kind="mfcc", deltas=2),
        "voice": lambda: frame_features(y, sr=SR, kind="voice"),
        "read FLAC at 16 kHz": lambda: read_audio(path),
        "read FLAC to 8 kHz in blocks": lambda: list(audio_blocks(path, sr=8000)),
    }


def main():
    """Print a row per feature: frames per second and share of real time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0, help="of sound")
    arguments = parser.parse_args()
    kept, _ = read_audio("data/conversation.flac")
    y = np.resize(kept, round(arguments.seconds * SR))
    n_frames = Framing.of(sr=SR).n_frames(len(y))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sound.flac")
        soundfile.write(path, y, SR)
        timed = rows(y, path)
        best = dict.fromkeys(timed, np.inf)
        for _ in range(arguments.rounds):
            for name, work in timed.items():
                start = time.perf_counter()
                work()
                best[name] = min(best[name], time.perf_counter() - start)
    print("| work | frames per second | share of real time | librosa's log-mel over this |")
    print("|---|---|---|---|")
    for name, taken in best.items():
        ratio = best["librosa log-mel"] / taken
        share = taken / arguments.seconds
        print(f"| {name} | {n_frames / taken:,.0f} | {share:.5f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
