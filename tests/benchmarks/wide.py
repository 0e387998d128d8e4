"""Seconds per fit of tables with many features beside scikit-learn's: interleaved, one process.

Run from the root of the repository: ``python -m tests.benchmarks.wide [--rounds 3] [--precision
float32]``. Both engines find their own start and then make the same number of iterations.

Embeddings and spectra have hundreds of features, often more than samples. Then covariances are
singular, and what the floor under their eigenvalues costs is seen; the ridge of scikit-learn costs
nothing, and in single precision is not always enough: then its fit fails.
"""

import argparse
import warnings

import numpy as np
from sklearn.mixture import GaussianMixture as Peer

from gmmseg import GaussianMixture
from tests.benchmarks.engine import seconds

N_ITERATIONS = 10
SIZES = [(2_000, 64), (20_000, 128), (2_000, 256), (1_000, 512), (5_000, 768), (500, 1_000)]
FAMILIES = ["full", "tied", "diag", "spherical"]
HEADER = [
    "| samples x features | K | covariances | gmmseg | scikit-learn | ratio |",
    "|---|---|---|---|---|---|",
]


def embeddings(n_samples, n_features, n_components, dtype):
    """Return samples around centers, with a few directions that all features share."""
    rng = np.random.default_rng(0)
    means = rng.normal(size=(n_components, n_features))
    deviations = rng.uniform(0.5, 2.0, size=means.shape)
    shared = rng.normal(0.0, 0.5, size=(n_features // 8, n_features))
    labels = rng.integers(0, n_components, n_samples)
    own = deviations[labels] * rng.normal(size=(n_samples, n_features))
    return (means[labels] + own + rng.normal(size=(n_samples, len(shared))) @ shared).astype(dtype)


def seconds_of_peer(peer, X):
    """Return how long scikit-learn takes, NaN where it fails."""
    try:
        return seconds(lambda: peer.fit(X))
    except ValueError:
        return np.nan


def compare(X, n_components, covariance_type, rounds):
    """Return one row of the table: the best of the rounds of each engine."""
    options = {
        "n_components": n_components,
        "covariance_type": covariance_type,
        "max_iter": N_ITERATIONS,
        "tol": 0.0,
        "random_state": 0,
    }
    ours, peer = GaussianMixture(**options), Peer(**options)
    GaussianMixture(**options).fit(X[: 20 * n_components])  # compile outside the clock
    times = [(seconds(lambda: ours.fit(X)), seconds_of_peer(peer, X)) for _ in range(rounds)]
    mine, theirs = np.min(times, axis=0)
    # Where EM comes to the limit of precision, it stops early.
    ratio = (theirs / N_ITERATIONS) / (mine / ours.n_iter_)
    size = f"{len(X):,} x {X.shape[1]}".replace(",", " ")
    return (
        f"| {size} | {n_components} | {covariance_type} | {mine * 1e3:.0f} ms "
        f"| {theirs * 1e3:.0f} ms | {ratio:.1f} |"
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="fits of each engine")
    parser.add_argument("--components", type=int, default=4, help="number of Gaussians")
    parser.add_argument("--precision", choices=["float32", "float64"], default="float64")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # neither engine converges in ten iterations
    print("\n".join(HEADER))
    for n_samples, n_features in SIZES:
        X = embeddings(n_samples, n_features, arguments.components, arguments.precision)
        for covariance_type in FAMILIES:
            print(compare(X, arguments.components, covariance_type, arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
