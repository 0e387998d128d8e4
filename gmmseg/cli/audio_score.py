"""The commands ``gmmseg audio score-vad`` and ``score-diarization``: how good segments are."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gmmseg.cli.console import say
from gmmseg.cli.options import STDIN, AsJson
from gmmseg.cli.outputs import print_json
from gmmseg.cli.score_table import rounded, show_reports
from gmmseg.cli.segment_formats import speech_of
from gmmseg.cli.segment_pairs import PROBABILITIES, Pair, Pairs
from gmmseg.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gmmseg.audio import Segment
    from gmmseg.evaluation import DetectionError, DiarizationError, JaccardError

TOTAL = "total"

Reference = Annotated[
    Path, typer.Argument(metavar="REF", help="The truth: a file of segments, or a folder of them.")
]
Hypothesis = Annotated[
    Path, typer.Argument(metavar="HYP", help="What is held to it; folders are matched by names.")
]
Collar = Annotated[
    float,
    typer.Option(
        min=0.0,
        metavar="SECONDS",
        help="Leave out so much on EACH side of every boundary of REF. pyannote's collar is the "
        "whole width: its 0.5 is 0.25 here.",
    ),
]


def score_vad(
    reference: Reference,
    hypothesis: Hypothesis,
    probabilities: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="CSV of time and probability, or a folder of <stem>_prob.csv: gives the AUC.",
        ),
    ] = None,
    collar: Collar = 0.0,
    as_json: AsJson = False,
) -> None:
    """Tell how good the speech segments of files are.

    Any format will do: CSV, RTTM, Audacity labels (.txt), TextGrid, JSON. Every label is speech
    but nonspeech, silence and noise. Rates are shares: error is what is missed or false per second
    of speech, false speech is the share of the time without speech, up to the last end in either
    file (a row nonspeech up to the end of the recording tells it all).

    Example: gmmseg audio score-vad truth.csv meeting.csv

    Example: gmmseg audio score-vad truth/ out/ --probabilities out/ --json
    """
    known = _VoiceScores(probabilities, collar)
    pairs = Pairs(reference, hypothesis, preferred=".csv")
    pairs.each(known.add)
    finish(known.reports(), VOICE_COLUMNS, {"collar": collar}, pairs.n_failed, as_json=as_json)


def score_diarization(
    reference: Reference,
    hypothesis: Hypothesis,
    collar: Collar = 0.0,
    skip_overlap: Annotated[
        bool, typer.Option("--skip-overlap", help="Leave out where two or more speak at once.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell how good files are that say who speaks when.

    Any format will do: RTTM, also on many recordings, CSV, Audacity labels (.txt), TextGrid, JSON.
    Speakers are matched so that the error is smallest; their names do not matter. DER is what is
    missed, false or confused per second of speech; JER, which knows no collar, is the mean error
    of the speakers.

    Example: gmmseg audio score-diarization truth.rttm meeting.rttm

    Example: gmmseg audio score-diarization truth/ out/ --collar 0.25 --skip-overlap
    """
    known = _SpeakerScores(collar, skip_overlap)
    pairs = Pairs(reference, hypothesis, preferred=".rttm")
    pairs.each(known.add)
    options = {"collar": collar, "skip_overlap": skip_overlap}
    finish(known.reports(), SPEAKER_COLUMNS, options, pairs.n_failed, as_json=as_json)


VOICE_COLUMNS = {
    "error": "error_rate",
    "miss": "miss_rate",
    "false speech": "false_speech_rate",
    "precision": "precision",
    "recall": "recall",
    "F1": "f1",
    "AUC": "auc",
    "speech (s)": "speech",
}
SPEAKER_COLUMNS = {
    "DER": "error_rate",
    "miss": "miss_rate",
    "false alarm": "false_alarm_rate",
    "confusion": "confusion_rate",
    "JER": "jaccard_error_rate",
    "speakers": "n_speakers",
    "called": "n_called",
    "speech (s)": "speaker_time",
}


@dataclass
class _VoiceScores:
    """What is known of voice activity, file by file."""

    probabilities: Path | None
    collar: float
    errors: "dict[str, DetectionError]" = field(default_factory=dict)
    frames: "dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]" = field(default_factory=dict)

    def add(self, pair: Pair) -> None:
        """Score one recording."""
        from gmmseg.evaluation import detection_error

        truth, guess = speech_of(pair.reference), speech_of(pair.hypothesis)
        end = max((one.end for one in [*pair.reference, *pair.hypothesis]), default=0.0)
        if self.probabilities is not None:
            times, values = read_probabilities(self.probabilities, pair.name)
            self.frames[pair.name] = values, is_within(times, truth)
            end = max(end, float(times.max(initial=0.0)))
        self.errors[pair.name] = detection_error(
            truth, guess, collar=self.collar, scored=[(0.0, end)]
        )

    def reports(self) -> list[dict[str, Any]]:
        """Return what is known of every file, and of all of them where there are several."""
        import numpy as np

        from gmmseg.evaluation import DetectionError

        reports = [self._report(name, error, [name]) for name, error in self.errors.items()]
        if len(reports) > 1:
            total = sum(self.errors.values(), DetectionError(0.0, 0.0, 0.0, 0.0))
            reports.append(self._report(TOTAL, total, list(self.errors)))
        for report in reports:
            values = [self.frames[name] for name in report.pop("of") if name in self.frames]
            if values:
                scores, is_speech = (np.concatenate(part) for part in zip(*values, strict=True))
                report["auc"] = auc_or_none(scores, is_speech)
        return reports

    @staticmethod
    def _report(name: str, error: "DetectionError", of: list[str]) -> dict[str, Any]:
        rates = ("error_rate", "miss_rate", "false_speech_rate", "precision", "recall", "f1")
        shares = {rate: getattr(error, rate) for rate in (*rates, "accuracy")}
        return {"file": name, **shares, "speech": error.speech, **asdict(error), "of": of}


@dataclass
class _SpeakerScores:
    """What is known of who speaks when, file by file."""

    collar: float
    skip_overlap: bool
    errors: "dict[str, DiarizationError]" = field(default_factory=dict)
    jaccards: "dict[str, JaccardError]" = field(default_factory=dict)
    details: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, pair: Pair) -> None:
        """Score one recording."""
        from gmmseg.evaluation import diarization_error, jaccard_error, match_speakers

        options: dict[str, Any] = {"collar": self.collar, "skip_overlap": self.skip_overlap}
        truth, guess = pair.reference, pair.hypothesis
        self.errors[pair.name] = diarization_error(truth, guess, **options)
        self.jaccards[pair.name] = jaccard_error(truth, guess)
        self.details[pair.name] = {
            "n_speakers": len({one.label for one in truth}),
            "n_called": len({one.label for one in guess}),
            "match": match_speakers(truth, guess, **options),
        }

    def reports(self) -> list[dict[str, Any]]:
        """Return what is known of every file, and of all of them where there are several."""
        from gmmseg.evaluation import DiarizationError, JaccardError

        reports = [
            {**self._report(name, self.errors[name], self.jaccards[name]), **details}
            for name, details in self.details.items()
        ]
        if len(reports) > 1:
            total = sum(self.errors.values(), DiarizationError(0.0, 0.0, 0.0, 0.0))
            everyone = sum(self.jaccards.values(), JaccardError((), ()))
            counts = {
                name: sum(details[name] for details in self.details.values())
                for name in ("n_speakers", "n_called")
            }
            reports.append({**self._report(TOTAL, total, everyone), **counts})
        return reports

    @staticmethod
    def _report(name: str, error: "DiarizationError", jaccard: "JaccardError") -> dict[str, Any]:
        rates = ("error_rate", "miss_rate", "false_alarm_rate", "confusion_rate")
        shares = {rate: getattr(error, rate) for rate in rates}
        return {
            "file": name,
            **shares,
            "jaccard_error_rate": jaccard.error_rate,
            **asdict(error),
        }


def finish(
    reports: list[dict[str, Any]],
    columns: dict[str, str],
    options: dict[str, Any],
    n_failed: int,
    *,
    as_json: bool,
) -> None:
    """Print what is known, and exit with 1 where a file could not be scored."""
    if as_json:
        n_files = len(reports) - (len(reports) > 1)
        whole = reports[-1] if reports else None
        print_json(rounded({**options, "files": reports[:n_files], TOTAL: whole}))
    elif reports:
        show_reports(reports, columns)
    if n_failed:
        if n_failed + len(reports) > 1:
            say(f"{n_failed} could not be scored")
        raise typer.Exit(1)
    if not reports:
        raise InputError("there are no files of segments of the same names in both folders")


def read_probabilities(path: Path, name: str) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Read times in seconds and the probabilities of speech there."""
    import numpy as np

    from gmmseg.cli.table_file import Columns, read_table

    if path.is_dir():
        path /= f"{name}{PROBABILITIES}.csv"
    if str(path) != STDIN and not path.is_file():
        raise InputError(f"{path} is not there; it is wanted for --probabilities")

    def pick(columns: Columns) -> list[int]:
        if {"time", "probability"} <= set(columns.names):
            return columns.named(["time", "probability"])
        if len(columns.names) < 2:
            raise InputError(f"{columns.file} must have columns time and probability")
        return [0, 1]

    times, values = read_table(path, pick).values.T
    if not (np.isfinite(times) & np.isfinite(values)).all():
        raise InputError(f"{path} has rows without time or probability; mend or remove them")
    return times, values


def is_within(times: "NDArray[Any]", segments: "list[Segment]") -> "NDArray[np.bool_]":
    """Return which times lie in a segment, its start with it and its end not."""
    import numpy as np

    from gmmseg.audio.timeline import NEAR, union

    covered = union(segments, label="speech")
    edges = np.array([[one.start, one.end] for one in covered]).reshape(-1, 2) - NEAR
    n_edges_before: NDArray[Any] = np.searchsorted(edges.ravel(), times, side="right")
    within: NDArray[np.bool_] = n_edges_before % 2 == 1
    return within


def auc_or_none(scores: "NDArray[Any]", is_speech: "NDArray[np.bool_]") -> float | None:
    """Return the area under the curve; there is none of speech alone, or of none."""
    from gmmseg.evaluation import roc_auc

    return roc_auc(scores, is_speech) if 0 < is_speech.sum() < len(is_speech) else None
