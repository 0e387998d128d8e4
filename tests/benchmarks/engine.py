"""Seconds per EM iteration beside scikit-learn's: same data and start, interleaved, one process.

Run from the root of the repository: ``python -m tests.benchmarks.engine [workload ...]``;
``--readme`` also puts the table into README.md.

Ratios of medians are what to quote: both engines see the same weather on a shared machine. The
share of the matrix-product rate says how near the large workloads are to what the machine can do:
the arithmetic of EM done as matrix products, over the time it took, over the rate of a product of
two large float32 matrices on all cores. It may exceed 100 %, since what has no part in a component
is left out of its sums.
"""

import argparse
import re
import time
import tracemalloc
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.mixture import GaussianMixture as Peer

from gmmseg import GaussianMixture

N_ITERATIONS = 5
MATRIX_SIZE = 2_000  # rows and columns
REST = 0.3  # seconds: the threads of matrix products go on waiting busily for a while
README = Path(__file__).parents[2] / "README.md"
HEADER = [
    "| data | samples x features | K | gmmseg | scikit-learn | ratio | memory | matrix rate |",
    "|---|---|---|---|---|---|---|---|",
]


class Workload(NamedTuple):
    """Samples of a realistic size."""

    n_samples: int
    n_features: int
    n_components: int
    covariance_type: str

    @property
    def n_operations(self) -> int:
        """Additions and multiplications of one iteration, done as matrix products."""
        n, d, k = self.n_samples, self.n_features, self.n_components
        per_pair = 8 * d if self.covariance_type == "diag" else 2 * d * (d + 1)
        return n * k * per_pair


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


def seconds(function):
    """Return how long a call takes, once the threads of earlier ones have come to rest."""
    time.sleep(REST)
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def memory_above_data(model, X):
    """Return the largest memory that arrays and objects of a fit take, in megabytes."""
    tracemalloc.start()
    model.fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def compare(name, rounds):
    """Return one row of the table."""
    work = WORKLOADS[name]
    X, means = blobs(work)
    ours = GaussianMixture(**options(work, means, np.float64))
    peer = Peer(init_params="random", **options(work, means, np.float32))
    square = np.ones((MATRIX_SIZE, MATRIX_SIZE), np.float32)
    ours.fit(X[: 100 * work.n_components])  # compile outside the clock
    above_data = memory_above_data(ours, X)
    times = [
        (
            seconds(lambda: ours.fit(X)),
            seconds(lambda: peer.fit(X)),
            seconds(lambda: square @ square),
        )
        for _ in range(rounds)
    ]
    mine, theirs, product = np.median(times, axis=0) / [N_ITERATIONS, N_ITERATIONS, 1]
    rate = work.n_operations / mine / (2 * MATRIX_SIZE**3 / product)
    size = f"{work.n_samples:,} x {work.n_features}".replace(",", " ")
    is_large = work.n_features > 8
    return (
        f"| {name} | {size} | {work.n_components} {work.covariance_type} | {mine * 1e3:.1f} ms "
        f"| {theirs * 1e3:.0f} ms | {theirs / mine:.0f} | {above_data:.1f} MB "
        f"| {f'{rate:.0%}' if is_large else ''} |"
    )


def into_readme(rows):
    """Put the table into the place of the one that README.md has."""
    text = README.read_text()
    old = re.compile(re.escape("\n".join(HEADER)) + r"\n(\|.*\|\n)+")
    if not old.search(text):
        raise SystemExit(f"README.md has no table that begins with {HEADER[0]}")
    README.write_text(old.sub("\n".join([*HEADER, *rows]) + "\n", text))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", choices=[*WORKLOADS, []], metavar="workload")
    parser.add_argument("--rounds", type=int, default=5, help="fits of each engine")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # neither engine converges in five iterations
    print("\n".join(HEADER))
    rows = []
    for name in arguments.workloads or WORKLOADS:
        rows.append(compare(name, arguments.rounds))
        print(rows[-1], flush=True)
    if arguments.readme:
        into_readme(rows)
    print("\nTimes per iteration; memory is what a fit takes above the data.")


if __name__ == "__main__":
    main()
