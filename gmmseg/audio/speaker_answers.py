"""What a recogniser of speakers answers: who it is, and whether it is who they say."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identification:
    """Who is heard in a recording.

    Parameters
    ----------
    name : str
        The most probable speaker, or "unknown".
    probability : float
        Probability of that answer, all speakers and an unknown one being equally probable before.
    best : str
        The most probable of the enrolled speakers, even where `name` is "unknown".
    margin : float
        How much likelier the answer is than the next, natural logarithm.
    n_frames : int
        Number of frames, or embeddings, that were heard.

    Examples
    --------
    >>> Identification("anna", 0.97, best="anna", margin=3.5, n_frames=412).name
    'anna'
    """

    name: str
    probability: float
    best: str
    margin: float
    n_frames: int


@dataclass(frozen=True)
class Verification:
    """Whether a recording is of the speaker that it is claimed to be of.

    Parameters
    ----------
    is_accepted : bool
        Whether that speaker is more probable than all others and an unknown one together.
    probability : float
        Probability of the speaker, all and an unknown one being equally probable before.
    score : float
        Log-likelihood ratio of the speaker against an unknown one, natural logarithm.
    n_frames : int
        Number of frames, or embeddings, that were heard.

    Examples
    --------
    >>> Verification(is_accepted=True, probability=0.97, score=3.5, n_frames=412).is_accepted
    True
    """

    is_accepted: bool
    probability: float
    score: float
    n_frames: int
