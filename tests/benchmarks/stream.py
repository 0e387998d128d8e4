"""Memory and time of fits to an array on disk, beside the same fits in memory.

Run from the root of the repository: ``python -m tests.benchmarks.stream [n_samples ...]``

Each fit runs in a process of its own, which tells its largest resident memory. The data, 52 bytes a
row, are written block by block into a temporary folder and deleted afterwards.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gmmseg import GaussianMixture

N_FEATURES = 13
N_ITERATIONS = 5
BLOCK_ROWS = 500_000


class Workload(NamedTuple):
    """A mixture to fit."""

    n_components: int
    covariance_type: str


WORKLOADS = {"full": Workload(4, "full"), "diag": Workload(8, "diag")}


def write_samples(path, n_samples):
    """Write float32 samples of eight overlapping blobs, block by block, as one .npy file."""
    rng = np.random.default_rng(0)
    means = rng.normal(0.0, 0.5, (8, N_FEATURES)).astype(np.float32)
    shape = (n_samples, N_FEATURES)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for first in range(0, n_samples, BLOCK_ROWS):
            n_rows = min(BLOCK_ROWS, n_samples - first)
            block = rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
            file.write((block + means[rng.integers(0, 8, n_rows)]).tobytes())


def read_blocks(path):
    """Return a function that reads the file anew, one block after the other."""

    def blocks():
        n_samples = len(np.load(path, mmap_mode="r"))
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            np.lib.format.read_array_header_1_0(file)
            for first in range(0, n_samples, BLOCK_ROWS):
                n_rows = min(BLOCK_ROWS, n_samples - first)
                flat = np.fromfile(file, np.float32, n_rows * N_FEATURES)
                yield flat.reshape(n_rows, N_FEATURES)

    return blocks


OPENERS = {
    "array": np.load,
    "memmap": lambda path: np.load(path, mmap_mode="r"),
    "blocks": read_blocks,
}


def fit(path, source, work):
    """Fit once and print, as JSON, seconds per iteration, peak memory and the parameters."""
    X, seconds = OPENERS[source](path), []
    some = (lambda: [next(X())]) if callable(X) else X[:2_000]
    options = {"covariance_type": work.covariance_type, "tol": 0.0, "random_state": 0}
    GaussianMixture(work.n_components, max_iter=1, **options).fit(some)  # compiles
    for max_iter in (1, 1 + N_ITERATIONS):  # what is not an iteration takes both fits equally long
        mixture = GaussianMixture(work.n_components, max_iter=max_iter, **options)
        start = time.perf_counter()
        mixture.fit(X)
        seconds.append(time.perf_counter() - start)
    report = {
        "per_iteration": (seconds[1] - seconds[0]) / N_ITERATIONS,
        "whole": seconds[1],
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "weights": mixture.weights_.tolist(),
        "means": mixture.means_.tolist(),
        "covariances": mixture.covariances_.tolist(),
    }
    print(json.dumps(report))


def fit_in_new_process(path, source, name):
    """Return what a fit in a fresh interpreter reports."""
    command = [sys.executable, "-m", "tests.benchmarks.stream", "--child", str(path), source, name]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def largest_difference(one, other):
    """Return the largest difference of parameters, in standard deviations of the components."""
    covariances = np.array(other["covariances"])
    is_full = covariances.ndim == 3
    variances = np.diagonal(covariances, axis1=1, axis2=2) if is_full else covariances
    deviation = np.sqrt(variances)
    unit = deviation[:, :, None] * deviation[:, None, :] if is_full else variances
    return max(
        np.abs(np.subtract(one["weights"], other["weights"])).max(),
        (np.abs(np.subtract(one["means"], other["means"])) / deviation).max(),
        (np.abs(np.subtract(one["covariances"], other["covariances"])) / unit).max(),
    )


def compare(path, n_samples):
    """Print one line for each workload and source."""
    megabytes = path.stat().st_size / 1e6
    for name, work in WORKLOADS.items():
        whole = None
        for source in OPENERS:
            report = fit_in_new_process(path, source, name)
            whole = whole or report
            print(
                f"{n_samples:>11,} {megabytes:>8.0f} {work.n_components:>2} {name:<5}{source:<7}"
                f"{report['per_iteration']:>9.2f} {report['whole']:>9.2f} {report['peak']:>8.0f} "
                f"{largest_difference(report, whole):>10.1e}",
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("n_samples", nargs="*", type=int, default=[5_000_000, 20_000_000])
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        path, source, name = arguments.child
        fit(Path(path), source, WORKLOADS[name])
        return
    print(
        f"{'rows':>11} {'MB':>8}  K data from  {'s/iteration':>11} {'s in all':>9} "
        f"{'peak MB':>8} {'difference':>10}"
    )
    for n_samples in arguments.n_samples:
        with tempfile.TemporaryDirectory() as folder:
            needed = n_samples * N_FEATURES * 4
            if shutil.disk_usage(folder).free < 2 * needed:
                parser.error(f"{folder} has no room for {needed / 1e9:.1f} GB; set TMPDIR")
            path = Path(folder) / "samples.npy"
            write_samples(path, n_samples)
            compare(path, n_samples)


if __name__ == "__main__":
    main()
