"""How well faults of made machines are heard, beside simple rivals that hear the same clips.

Run from the root of the repository: ``python -m tests.benchmarks.machines [--normal N] [--each N]``

A table of each fault's area under the ROC curve, and at its foot the mean of all and the share of
new normal clips that are called anomalous at a false-alarm rate of 5 % (rivals: above 95 % of what
left-out normal clips score). Rivals: a full mixture of scikit-learn over the frames of 128 log-mel
bands, brought to 32 axes, and the nearest normal clip by the mean of these bands.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from gmmseg.audio import AudioAnomalyDetector, frame_features
from gmmseg.errors import GmmsegWarning
from gmmseg.evaluation import roc_auc
from tests.machines import FAULTS, Machine

MACHINES = (
    Machine("fan", snr=6.0, seed=1),
    Machine("fan", snr=-3.0, seed=2),
    Machine("gearbox", snr=6.0, seed=3),
    Machine("gearbox", snr=0.0, jitter=0.01, seed=4),
    Machine("valve", snr=6.0, seed=5),
    Machine("rail", snr=6.0, seed=6),
    Machine("bearing", snr=10.0, sr=12800, seconds=2.0, seed=7),
    Machine("bearing", snr=10.0, sr=48000, seconds=2.0, seed=8),
)
FOLDS = 5


def log_mel(y, sr):
    """Return 128 mel bands of frames of 64 ms, in dB."""
    n_fft = round(0.064 * sr)
    return frame_features(y, sr=sr, kind="log-mel", n_mels=128, n_fft=n_fft, hop_length=n_fft // 2)


def ours(normal, new, sr):
    """Return scores of new clips, and which are called anomalous."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GmmsegWarning)
        detector = AudioAnomalyDetector().fit([(y, sr) for y in normal])
    clips = [(y, sr) for y in new]
    scores = detector.score_samples(clips)
    return scores, detector.null_.p_values(scores) <= 0.05


def by_mixture(normal, new):
    """Return minus the mean log-likelihood of the frames of clips."""
    frames = np.concatenate(normal)
    axes = PCA(32, random_state=0).fit(frames)
    mixture = GaussianMixture(4, reg_covar=1e-3, random_state=0).fit(axes.transform(frames))
    return np.array([-mixture.score(axes.transform(table)) for table in new])


def by_neighbour(normal, new):
    """Return the distance from the nearest normal clip."""
    known, means = (np.stack([table.mean(axis=0) for table in tables]) for tables in (normal, new))
    return np.linalg.norm(means[:, np.newaxis] - known, axis=2).min(axis=1)


def rival(score):
    """Return a rival as `ours` is, its threshold from left-out normal clips."""

    def scored(normal, new, sr):
        normal, new = ([log_mel(y, sr) for y in clips] for clips in (normal, new))
        known = []
        for fold in range(FOLDS):
            rest = [table for k, table in enumerate(normal) if k % FOLDS != fold]
            known.append(score(rest, normal[fold::FOLDS]))
        scores = score(normal, new)
        return scores, scores > np.quantile(np.concatenate(known), 0.95)

    return scored


WAYS = {
    "gmmseg": ours,
    "mixture (scikit-learn), 128 log-mel": rival(by_mixture),
    "nearest clip, mean of 128 log-mel": rival(by_neighbour),
}


def judged(machine, way, arguments):
    """Return the area of each fault, the share of false alarms, and the seconds it took."""
    rng = np.random.default_rng([arguments.seed, machine.seed])
    normal = [machine.clip(rng) for _ in range(arguments.normal)]
    others = [machine.clip(rng) for _ in range(arguments.normal)]
    faulty = {fault: [machine.clip(rng, fault) for _ in range(arguments.each)] for fault in FAULTS}
    new = others + [y for clips in faulty.values() for y in clips]
    start = time.perf_counter()
    scores, is_called = way(normal, new, machine.sr)
    taken = time.perf_counter() - start
    calm, strange = np.split(scores, [len(others)])
    is_faulty = np.repeat([False, True], [len(calm), arguments.each])
    areas = {
        fault: roc_auc(np.concatenate([calm, own]), is_faulty)
        for fault, own in zip(FAULTS, np.split(strange, len(FAULTS)), strict=True)
    }
    return areas, float(np.mean(is_called[: len(others)])), taken


def main():
    """Print a table for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--normal", type=int, default=40, help="clips to learn from")
    parser.add_argument("--each", type=int, default=12, help="clips of each fault")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name, way in WAYS.items():
        found = [judged(machine, way, arguments) for machine in MACHINES]
        print(f"| {name} | " + " | ".join(machine.name for machine in MACHINES) + " | mean |")
        print("|---" * (len(MACHINES) + 2) + "|")
        for fault in FAULTS:
            areas = [each[fault] for each, _, _ in found]
            cells = " | ".join(f"{area:.2f}" for area in areas)
            print(f"| {fault} | {cells} | {np.mean(areas):.3f} |")
        means = [np.mean(list(each.values())) for each, _, _ in found]
        print(f"| mean | {' | '.join(f'{m:.2f}' for m in means)} | {np.mean(means):.3f} |")
        alarms = [share for _, share, _ in found]
        cells = " | ".join(f"{share:.2f}" for share in alarms)
        print(f"| false alarms | {cells} | {np.mean(alarms):.3f} |")
        print(f"{sum(taken for _, _, taken in found):.1f} s\n")


if __name__ == "__main__":
    main()
