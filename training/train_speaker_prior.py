"""Learn what `gmmseg audio speakers` knows of voices in general, from folders of recordings.

Usage: python training/train_speaker_prior.py FOLDER... -o speaker_prior.gmm

Every sub-folder of a FOLDER is a speaker, and holds recordings of one. Dozens of speakers with ten
seconds each are enough. The result can be given to `gmmseg audio speakers train --prior`.
"""

import argparse
from pathlib import Path

from gmmseg.audio.speaker_prior import fit_speaker_prior
from gmmseg.audio.speech_frames import Frames, speaker_frames_of_file

SUFFIXES = {".wav", ".flac", ".ogg"}


def frames_of(path: Path) -> Frames:
    """Return the frames of one file."""
    return speaker_frames_of_file(path)


def main() -> None:
    """Read the folders, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("-o", "--out", required=True, type=Path)
    parser.add_argument("--ivectors", action="store_true", help="for hundreds of speakers")
    parser.add_argument("--components", type=int, default=4, help="Gaussians of the background")
    arguments = parser.parse_args()
    recordings = {
        str(speaker): [
            frames_of(path) for path in sorted(speaker.iterdir()) if path.suffix.lower() in SUFFIXES
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
