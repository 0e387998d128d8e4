"""What is known of voices before a recording is heard: a background mixture and a PLDA."""

import functools
import os
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from gmmseg.audio.plda import PLDA
from gmmseg.core.parameters import MixtureParameters
from gmmseg.core.serialization import read_model, write_model
from gmmseg.errors import InputError

KIND = "diarization-prior"
N_MFCC = 20  # of which the first, the loudness, is left out
N_MELS = 40


@dataclass(frozen=True, eq=False)
class DiarizationPrior:
    """Hold a background mixture of frames and a PLDA of the windows that it describes.

    Parameters
    ----------
    sr : int
        Sampling rate of the sound that it was learned from, in Hz.
    background : MixtureParameters
        Mixture of frames of many speakers, centred by recording, of diagonal covariances.
    plda : PLDA
        Space of the windows of speech, centred by recording.

    Raises
    ------
    InputError
        If the PLDA is not one of the background's windows.
    """

    sr: int
    background: MixtureParameters
    plda: PLDA

    def __post_init__(self) -> None:
        """Check that the two fit together."""
        if self.plda.n_features != self.background.means.size:
            raise InputError(
                f"the PLDA is one of {self.plda.n_features} features, the means of the background "
                f"are {self.background.means.size} numbers"
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model file; numbers in single precision, of which they have less."""
        arrays = {
            "background_weights": self.background.weights,
            "background_means": self.background.means,
            "background_variances": self.background.component_covariances,
            **self.plda.arrays(),
        }
        small = {
            name: array.astype(np.float32) if array.dtype.kind == "f" else array
            for name, array in arrays.items()
        }
        write_model(path, kind=KIND, header={"sr": self.sr}, arrays=small)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "DiarizationPrior":
        """Read a model file that `save` wrote."""
        header, arrays = read_model(path, kind=KIND)
        background = MixtureParameters(
            arrays["background_weights"],
            arrays["background_means"],
            arrays["background_variances"],
            covariance_type="diag",
        )
        return cls(int(header["sr"]), background, PLDA.from_arrays(arrays))


@functools.cache
def shipped_prior() -> DiarizationPrior:
    """Return the prior that comes with the package; PRIORS.md tells what it was learned from."""
    with as_file(files("gmmseg.audio").joinpath("diarization_prior.gmm")) as path:
        return DiarizationPrior.load(path)
