"""Seconds of the chain per million frames, beside hmmlearn on the same table.

Run from the root of the repository: ``python -m tests.benchmarks.chain``
"""

import time

import numpy as np
from hmmlearn import _hmmc

from gmmseg.smoothing.chain import Chain, minimum_duration
from gmmseg.smoothing.chain_decoding import forward_backward, viterbi
from gmmseg.smoothing.chain_filter import fixed_lag

ROUNDS = 5
N_FRAMES = 1_000_000


def report(name, function, *arguments, share=1.0):
    """Print the least seconds per million frames; a share of these is run."""
    function(*arguments)  # compile outside the clock
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - start)
    print(f"{name:42s} {min(seconds) / share:8.3f} s")


def hmmlearn_posteriors(table, chain):
    """Return posteriors as hmmlearn's own class computes them, in logarithms."""
    _, alphas = _hmmc.forward_log(chain.start, chain.transitions, table)
    posteriors = alphas + _hmmc.backward_log(chain.start, chain.transitions, table)
    posteriors -= posteriors.max(axis=1, keepdims=True)
    np.exp(posteriors, out=posteriors)
    return posteriors / posteriors.sum(axis=1, keepdims=True)


def main():
    """Print a line per task."""
    rng = np.random.default_rng(0)
    table = rng.normal(scale=3.0, size=(N_FRAMES, 2))
    two = Chain.of_durations([50, 100])
    slow = minimum_duration(two, 20)
    few, hundred = table[: N_FRAMES // 10], rng.normal(size=(N_FRAMES // 50, 100))
    report("2 states, forward-backward", forward_backward, table, two)
    report("2 states, forward-backward, hmmlearn", hmmlearn_posteriors, table, two)
    report("2 states, best path", viterbi, table, two)
    report("2 states, best path, hmmlearn", _hmmc.viterbi, two.start, two.transitions, table)
    report("2 states of 20 frames, forward-backward", forward_backward, few, slow, share=0.1)
    report("2 states of 20 frames, best path", viterbi, few, slow, share=0.1)
    report("2 states, lag 20", lambda: fixed_lag(few, two, lag=20), share=0.1)
    sticky = Chain.sticky(0.99, np.full(100, 0.01))
    report("100 sticky states, forward-backward", forward_backward, hundred, sticky, share=0.02)
    report("100 states, hmmlearn", hmmlearn_posteriors, hundred, sticky, share=0.02)


if __name__ == "__main__":
    main()
