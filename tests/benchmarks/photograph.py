"""A whole fit beside scikit-learn's: pixels of a photograph, each library from its own start.

Run from the root of the repository: ``python -m tests.benchmarks.photograph [--rounds N]``

Nine tenths of the pixels are fitted, the others judge. The ratio is scikit-learn's seconds over
ours to the same likelihood: where ours is lower, the clock goes on with a smaller ``tol`` until it
is not (``ours`` then is the sum).
"""

import argparse
import time
import warnings

import numpy as np
from PIL import Image
from sklearn.mixture import GaussianMixture as Peer

from gmmseg import GaussianMixture

PHOTOGRAPHS = ("coffee.png", "chelsea.png", "astronaut.jpg")
SIZE = 1254, 836  # columns and rows: one megapixel
N_COMPONENTS = 8
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6)


def pixels(name):
    """Return colours from 0 to 1 to fit, and others to judge by."""
    with Image.open(f"data/{name}") as picture:
        resized = picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        X = (np.asarray(resized).reshape(-1, 3) / 255).astype(np.float32)
    is_held_out = np.random.default_rng(0).random(len(X)) < 0.1
    return X[~is_held_out], X[is_held_out]


def timed(model, X):
    """Return the fitted model and how long it took."""
    start = time.perf_counter()
    model.fit(X)
    return model, time.perf_counter() - start


def compare(name, seed):
    """Return scikit-learn's and our seconds to the same likelihood, and both likelihoods."""
    X, held_out = pixels(name)
    peer, theirs = timed(Peer(N_COMPONENTS, random_state=seed), X)
    # Judged by one and the same program, in double precision.
    wanted = GaussianMixture.from_parameters(
        peer.weights_ / peer.weights_.sum(), peer.means_, peer.covariances_
    ).score(held_out.astype(np.float64))
    mine = 0.0
    for tol in TOLERANCES:
        ours, taken = timed(GaussianMixture(N_COMPONENTS, random_state=seed, tol=tol), X)
        mine += taken
        reached = ours.score(held_out.astype(np.float64))
        if reached >= wanted:
            break
    return theirs, mine, wanted, reached


def main():
    """Print a row per photograph and seed, and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="seeds of each photograph")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's k-means and mixture may not converge
    X, _ = pixels(PHOTOGRAPHS[0])
    GaussianMixture(N_COMPONENTS, max_iter=2, n_init=2).fit(X[:5_000])  # compile
    print("| photograph | seed | gmmseg | scikit-learn | ratio | likelihood | theirs |")
    print("|---|---|---|---|---|---|---|")
    ratios = []
    for name in PHOTOGRAPHS:
        for seed in range(arguments.rounds):
            theirs, mine, wanted, reached = compare(name, seed)
            ratios.append(theirs / mine)
            print(
                f"| {name} | {seed} | {mine:.2f} s | {theirs:.1f} s | {ratios[-1]:.0f} "
                f"| {reached:.4f} | {wanted:.4f} |",
                flush=True,
            )
    print(f"\nmedian ratio {np.median(ratios):.0f}, smallest {min(ratios):.0f}")


if __name__ == "__main__":
    main()
