"""Seconds per EM iteration beside scikit-learn's: same data and start, interleaved, one process.

Run from the root of the repository: ``python -m tests.benchmarks.engine [workload ...]``

Ratios of medians are what to quote: both engines see the same weather on a shared machine.
"""

import argparse
import time
import tracemalloc
import warnings
from typing import NamedTuple

import numpy as np
from sklearn.mixture import GaussianMixture as Peer

from gmmseg import GaussianMixture

N_ITERATIONS = 5


class Workload(NamedTuple):
    """Samples of a realistic size."""

    n_samples: int
    n_features: int
    n_components: int
    covariance_type: str


WORKLOADS = {
    "pixels": Workload(1_000_000, 3, 5, "full"),
    "pixels with place": Workload(1_000_000, 5, 8, "full"),
    "speech frames": Workload(300_000, 39, 64, "diag"),
    "speaker background": Workload(200_000, 60, 256, "diag"),
    "image patches": Workload(100_000, 40, 16, "full"),
}


def blobs(work):
    """Return float32 samples around known centres, and these centres a little off."""
    rng = np.random.default_rng(0)
    means = rng.normal(0, 3, (work.n_components, work.n_features))
    labels = rng.integers(0, work.n_components, work.n_samples)
    X = means[labels] + rng.normal(size=(work.n_samples, work.n_features))
    return X.astype(np.float32), means + 0.5


def options(work, means, dtype):
    """Return what starts both engines at the same point."""
    k, d = work.n_components, work.n_features
    ones = np.ones((k, d)) if work.covariance_type == "diag" else np.stack([np.eye(d)] * k)
    return {
        "n_components": k,
        "covariance_type": work.covariance_type,
        "max_iter": N_ITERATIONS,
        "tol": 0.0,
        "weights_init": np.full(k, 1 / k).astype(dtype),
        "means_init": means.astype(dtype),
        "precisions_init": ones.astype(dtype),
    }


def seconds_per_iteration(model, X):
    """Return the seconds that one iteration of a whole fit took."""
    start = time.perf_counter()
    model.fit(X)
    return (time.perf_counter() - start) / N_ITERATIONS


def memory_above_data(model, X):
    """Return the largest memory that arrays and objects of a fit take, in megabytes."""
    tracemalloc.start()
    model.fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def compare(name, rounds):
    """Print one row of the table."""
    work = WORKLOADS[name]
    X, means = blobs(work)
    ours = GaussianMixture(**options(work, means, np.float64))
    peer = Peer(init_params="random", **options(work, means, np.float32))
    seconds_per_iteration(ours, X[: 100 * work.n_components])  # compile outside the clock
    above_data = memory_above_data(ours, X)
    pairs = [
        (seconds_per_iteration(ours, X), seconds_per_iteration(peer, X)) for _ in range(rounds)
    ]
    mine, theirs = np.median(pairs, axis=0)
    gap = ours.score(X) - peer.score(X)
    size = f"{work.n_samples:,} x {work.n_features}".replace(",", " ")
    print(
        f"| {name} | {size} | {work.n_components} {work.covariance_type} | {mine * 1e3:.1f} ms "
        f"| {theirs * 1e3:.0f} ms | {theirs / mine:.0f} | {above_data:.1f} MB | {gap:+.0e} |",
        flush=True,
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", choices=[*WORKLOADS, []], metavar="workload")
    parser.add_argument("--rounds", type=int, default=5, help="fits of each engine")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # neither engine converges in five iterations
    print("| data | samples x features | K | gmmseg | scikit-learn | ratio | memory | gain |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.workloads or WORKLOADS:
        compare(name, arguments.rounds)
    print("\nTimes per iteration; memory is what a fit takes above the data; gain is the")
    print("difference of the mean log-likelihoods that the two fits reach.")


if __name__ == "__main__":
    main()
