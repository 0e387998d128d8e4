"""Learn what `gmmseg audio speakers` knows of voices in general, from folders of recordings.

Usage: python training/train_speaker_prior.py FOLDER... -o speaker_prior.gmm

Every sub-folder of a FOLDER is a speaker, and holds recordings of one. Dozens of speakers with ten
seconds each are enough. The result can be given to `gmmseg audio speakers train --prior`.

Every recording is learned from as it is, and twice more in made noise, in a made room now and then,
through a made line: what they change is no mark of a voice.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from made_rooms import as_recorded, in_room, through_line
from made_sounds import Signal, scene

from gmmseg.audio.io import read_audio
from gmmseg.audio.speaker_prior import fit_speaker_prior
from gmmseg.audio.speech_frames import Frames, speaker_frames
from gmmseg.errors import InputError

SUFFIXES = {".wav", ".flac", ".ogg"}
SR = 16000  # Hz: what rooms, lines and noise are made for
N_PLACES = 2  # where every recording is heard beside as it is
IN_ROOMS = 0.4  # of them
MOST_NOISE, LEAST_NOISE = 3.0, 25.0  # dB below the voice


def heard_elsewhere(rng: np.random.Generator, y: Signal) -> Signal:
    """Return a recording as it would sound at another place."""
    voice = in_room(rng, y, SR) if rng.random() < IN_ROOMS else y.astype(np.float64)
    voice /= np.sqrt(np.mean(voice**2))
    gain = 10 ** (-rng.uniform(MOST_NOISE, LEAST_NOISE) / 20)
    return as_recorded(rng, through_line(rng, voice + gain * scene(rng, len(y), SR, []), SR))


def frames_of(path: Path, rng: np.random.Generator) -> Iterator[Frames]:
    """Yield the frames of one file as it is, and wherever else somebody is heard in it."""
    y, _ = read_audio(path, sr=SR)
    yield speaker_frames(y, sr=SR)
    for _ in range(N_PLACES):
        try:
            yield speaker_frames(heard_elsewhere(rng, y), sr=SR)
        except InputError as error:
            print(f"{path}: left out in noise, {error}")


def main() -> None:
    """Read the folders, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("-o", "--out", required=True, type=Path)
    parser.add_argument("--ivectors", action="store_true", help="for hundreds of speakers")
    parser.add_argument("--components", type=int, default=4, help="Gaussians of the background")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    recordings = {
        str(speaker): [
            frames
            for path in sorted(speaker.iterdir())
            if path.suffix.lower() in SUFFIXES
            for frames in frames_of(path, rng)
        ]
        for folder in arguments.folders
        for speaker in sorted(folder.iterdir())
        if speaker.is_dir()
    }
    prior = fit_speaker_prior(
        {name: own for name, own in recordings.items() if own},
        n_components=arguments.components,
        embedding="i-vector" if arguments.ivectors else "supervector",
    )
    prior.save(arguments.out)


if __name__ == "__main__":
    main()
