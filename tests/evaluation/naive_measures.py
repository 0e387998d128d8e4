"""The measures of segmentations again in plain loops, from their definitions."""

import itertools
import math

import numpy as np


def parts(labels, scored):
    """Return the set of pixels of every label, among those that are scored."""
    found = {}
    for cell in np.ndindex(labels.shape):
        if scored[cell]:
            found.setdefault(labels[cell], set()).add(cell)
    return found


def covering(labels, truth, scored):
    found, true = parts(labels, scored), parts(truth, scored)
    n_pixels = sum(len(region) for region in true.values())
    whole = 0.0
    for region in true.values():
        best = max(len(region & other) / len(region | other) for other in found.values())
        whole += len(region) / n_pixels * best
    return whole


def rand_index(labels, truth, scored):
    cells = [cell for cell in np.ndindex(labels.shape) if scored[cell]]
    agreements = [
        (labels[a] == labels[b]) == (truth[a] == truth[b])
        for a, b in itertools.combinations(cells, 2)
    ]
    return sum(agreements) / len(agreements) if agreements else 1.0


def conditional_entropy(labels, given, scored):
    """Return how many bits a pixel's label tells whose label in `given` is known."""
    bits, n_pixels = 0.0, int(np.sum(scored))
    for region in parts(given, scored).values():
        for other in parts(labels, scored).values():
            both = len(region & other)
            if both:
                bits -= both / n_pixels * math.log2(both / len(region))
    return bits


def sides(labels, scored):
    """Return the middles of the sides between pixels of different labels."""
    found = []
    for cell in np.ndindex(labels.shape):
        for axis in range(labels.ndim):
            other = tuple(c + (k == axis) for k, c in enumerate(cell))
            is_inside = other[axis] < labels.shape[axis]
            if is_inside and scored[cell] and scored[other] and labels[cell] != labels[other]:
                found.append(tuple((a + b) / 2 for a, b in zip(cell, other, strict=True)))
    return found


def n_near(places, others, tolerance):
    """Return how many places have another at most the tolerance away."""
    return sum(any(math.dist(one, other) <= tolerance for other in others) for one in places)


def mean_iou(labels, truth, scored, without):
    """Return the best mean IoU of the classes under any match of labels to them one to one."""
    found, true = parts(labels, scored), parts(truth, scored)
    names = [name for name in found if name != without] + [None] * len(true)
    best = 0.0
    for chosen in itertools.permutations(names, len(true)):
        shares = [
            len(region & found[name]) / len(region | found[name])
            for name, region in zip(chosen, true.values(), strict=True)
            if name is not None
        ]
        best = max(best, sum(shares) / len(true))
    return best


def overlap_curve(maps, regions):
    """Return (false positive rate, mean overlap) at every threshold; regions have labels 1…n."""
    points = [(0.0, 0.0)]
    for threshold in sorted({x for one in maps for x in np.ravel(one)}, reverse=True):
        n_false, n_normal, overlaps = 0, 0, []
        for values, labels in zip(maps, regions, strict=True):
            marked = values >= threshold
            n_false += int((marked & (labels == 0)).sum())
            n_normal += int((labels == 0).sum())
            overlaps += [marked[labels == k].mean() for k in range(1, labels.max() + 1)]
        points.append((n_false / n_normal, float(np.mean(overlaps))))
    return points


def area_up_to(points, limit, n_steps=20_000):
    """Return the area under a broken line up to a limit over the limit, by its middles."""
    area = 0.0
    for step in range(n_steps):
        x = (step + 0.5) / n_steps * limit
        for (a, low), (b, high) in itertools.pairwise(points):
            if a <= x < b:
                area += (low + (high - low) * (x - a) / (b - a)) / n_steps
                break
    return area
