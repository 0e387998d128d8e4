"""Every kernel again, in plain loops: slow, short, and easy to believe.

Everything here is float64 and takes covariances spelled out: one matrix per component.
"""

import itertools
import math

import numpy as np
from scipy.special import digamma


def log_prob(X, weights, means, covariances):
    """Return ``log(weight_k) + log N(x_n; mean_k, covariance_k)``, solved without a factor."""
    out = np.empty((len(X), len(means)))
    for n in range(len(X)):
        for k in range(len(means)):
            dev = X[n].astype(np.float64) - means[k]
            distance = dev @ np.linalg.solve(covariances[k], dev)
            log_det = np.linalg.slogdet(2.0 * math.pi * covariances[k]).logabsdet
            log_weight = math.log(weights[k]) if weights[k] > 0.0 else -math.inf
            out[n, k] = log_weight - 0.5 * (distance + log_det)
    return out


def logsumexp(log_prob):
    """Return ``log sum_k exp(log_prob[n, k])`` of each row, shifted by its largest entry."""
    out = np.empty(len(log_prob))
    for n, row in enumerate(log_prob):
        peak = max(row)
        out[n] = peak + math.log(sum(math.exp(value - peak) for value in row))
    return out


def responsibilities(log_prob):
    """Return ``exp(log_prob[n, k] - logsumexp(log_prob)[n])``: rows sum to 1."""
    return np.exp(log_prob - logsumexp(log_prob)[:, None])


def pinned(log_prob, labels):
    """Return the log-probabilities where samples of a label, 0 or above, have only that one."""
    out = log_prob.copy()
    for n, label in enumerate(labels):
        for k in range(log_prob.shape[1]):
            if label >= 0 and k != label:
                out[n, k] = -math.inf
    return out


def with_noise(log_prob, X, noise):
    """Return the log-probabilities with those of noise: its weight over the observed box."""
    out = np.empty((len(X), log_prob.shape[1] + 1))
    out[:, :-1] = log_prob
    for n, row in enumerate(X):
        out[n, -1] = math.log(noise.weight) if noise.weight > 0.0 else -math.inf
        for value, low, high in zip(row, noise.low, noise.high, strict=True):
            if not math.isnan(value):
                out[n, -1] -= math.log(high - low)
    return out


def labels(log_prob):
    """Return the first component of largest log-probability in each row."""
    return np.array([list(row).index(max(row)) for row in log_prob])


def statistics(X, resp, means, sample_weight):
    """Return ``resp_sum``, ``dev_sum`` and ``dev2_sum`` about the means, sample after sample."""
    n_components, n_features = means.shape
    resp_sum = np.zeros(n_components)
    dev_sum = np.zeros((n_components, n_features))
    dev2_sum = np.zeros((n_components, n_features, n_features))
    for n in range(len(X)):
        for k in range(n_components):
            share = sample_weight[n] * resp[n, k]
            dev = X[n].astype(np.float64) - means[k]
            resp_sum[k] += share
            dev_sum[k] += share * dev
            dev2_sum[k] += share * np.outer(dev, dev)
    return resp_sum, dev_sum, dev2_sum


def maximization(X, resp, sample_weight):
    """Return weights, means and full covariances about the new means, without floor."""
    share = resp * sample_weight[:, None]
    resp_sum = share.sum(axis=0)
    means = np.array([share[:, k] @ X / resp_sum[k] for k in range(resp.shape[1])])
    covariances = []
    for k in range(resp.shape[1]):
        dev = X - means[k]
        covariances.append(dev.T @ (share[:, k, None] * dev) / resp_sum[k])
    return resp_sum / resp_sum.sum(), means, np.array(covariances)


# The name that mclust has for each family: volume, shape, orientation.
LETTERS = {"full": "VVV", "tied": "EEE", "diag": "VVI", "spherical": "VII"}


def merge_cost(parameters, i, j):
    """Return ``((w_i + w_j) log|S| - w_i log|S_i| - w_j log|S_j|) / 2``, S that of both."""
    (mine, theirs), (here, there) = parameters.weights[[i, j]], parameters.means[[i, j]]
    both = [np.diag(c) if c.ndim == 1 else c for c in parameters.component_covariances[[i, j]]]
    share = mine / (mine + theirs)
    mean = share * here + (1.0 - share) * there
    apart = [np.outer(dev, dev) for dev in (here - mean, there - mean)]
    together = share * (both[0] + apart[0]) + (1.0 - share) * (both[1] + apart[1])
    if parameters.family.scatter_kind == "diag":
        together = np.diag(np.diag(together))
    log_dets = [np.linalg.slogdet(matrix)[1] for matrix in (together, *both)]
    return 0.5 * (np.array([mine + theirs, -mine, -theirs]) @ log_dets)


def in_family(covariance_type, weights, covariances):
    """Return full covariances narrowed to a family, in the shape of the family.

    For all families but EVE and VVE, which only get the axes of the weighted mean, this is the
    member of largest likelihood.
    """
    covariances = np.asarray(covariances)
    pooled = sum(weight * matrix for weight, matrix in zip(weights, covariances, strict=True))
    variances = np.array([np.diag(matrix) for matrix in covariances])
    simple = {
        "full": covariances,
        "tied": pooled,
        "diag": variances,
        "spherical": variances.mean(axis=1),
        "EII": np.full(variances.shape, np.diag(pooled).mean()),
    }
    if covariance_type in simple:
        return simple[covariance_type]
    if covariance_type == "VEE":
        return multiples_of_one_matrix(weights, covariances)
    volume, shape, orientation = covariance_type
    if orientation == "I":
        return along_axes(volume + shape, weights, variances)
    axes = [np.linalg.eigh(pooled if orientation == "E" else matrix)[1] for matrix in covariances]
    along = np.array([np.diag(u.T @ s @ u) for u, s in zip(axes, covariances, strict=True)])
    found = along_axes(volume + shape, weights, along)
    return np.array([u @ np.diag(v) @ u.T for u, v in zip(axes, found, strict=True)])


def along_axes(volume_shape, weights, variances):
    """Return the likeliest variances of equal or variable volume and shape, without floor."""
    if volume_shape == "VV":
        return variances
    if volume_shape == "EE":
        return np.array([weights @ variances] * len(variances))
    geometric = np.exp(np.log(variances).mean(axis=1))
    if volume_shape == "EV":
        return variances / geometric[:, None] * (weights @ geometric)
    shape = weights @ variances
    for _ in range(1000):
        volume = (variances / shape).mean(axis=1)
        shape = weights @ (variances / volume[:, None])
        shape /= np.exp(np.log(shape).mean())
    return (variances / shape).mean(axis=1)[:, None] * shape


def multiples_of_one_matrix(weights, covariances):
    """Return the likeliest ``volume[k] * matrix``, without floor."""
    n_features = covariances.shape[1]
    volume = np.ones(len(covariances))
    for _ in range(1000):
        matrix = sum(w * s / v for w, s, v in zip(weights, covariances, volume, strict=True))
        matrix /= np.linalg.det(matrix) ** (1.0 / n_features)
        volume = np.array([np.trace(np.linalg.solve(matrix, s)) for s in covariances]) / n_features
    return volume[:, None, None] * matrix


def spelled_out(covariance_type, covariances, n_components, n_features):
    """Return the covariances of a family as one matrix per component."""
    if covariance_type == "tied":
        return np.array([covariances] * n_components)
    if covariance_type == "spherical":
        return np.array([variance * np.eye(n_features) for variance in covariances])
    if LETTERS.get(covariance_type, covariance_type).endswith("I"):
        return np.array([np.diag(variances) for variances in covariances])
    return covariances


def exp_nonpositive(x, smallest):
    """Return ``exp(x)``, and 0 where that is below ``smallest``."""
    value = math.exp(x)
    return value if value >= smallest else 0.0


def horner(x, coefficients):
    """Return the polynomial, lowest power last, term by term."""
    return sum(c * x**power for power, c in enumerate(reversed(coefficients)))


def nearest_center(X, centers):
    """Return the index of the nearest center for each sample, the first of equals."""
    distances = [[math.dist(sample, center) for center in centers] for sample in X]
    return np.array([row.index(min(row)) for row in distances])


def add_outer_products(dev, weighted_dev):
    """Return ``sum_n weighted_dev[i, n] * dev[j, n]``, all of it."""
    n_rows, size = dev.shape
    out = np.zeros((n_rows, n_rows))
    for i in range(n_rows):
        for j in range(n_rows):
            for n in range(size):
                out[i, j] += float(weighted_dev[i, n]) * float(dev[j, n])
    return out


def conditional(row, mean, covariance):
    """Return the log-density of the observed entries, and what is expected of the whole row.

    That is its conditional mean and covariance, by the formulae for a jointly normal vector.
    """
    seen = ~np.isnan(row)
    expected, spread = mean.copy(), covariance.copy()
    if not seen.any():
        return 0.0, expected, spread
    dev = row[seen].astype(np.float64) - mean[seen]
    within = covariance[np.ix_(seen, seen)]
    gain = np.linalg.solve(within, covariance[seen]).T
    expected += gain @ dev
    expected[seen] = row[seen]
    spread -= gain @ covariance[seen]
    spread[seen] = spread[:, seen] = 0.0
    log_det = np.linalg.slogdet(2.0 * math.pi * within).logabsdet
    return -0.5 * (dev @ np.linalg.solve(within, dev) + log_det), expected, spread


def log_prob_of_observed(X, weights, means, covariances):
    """Return ``log(weight_k) + log N(observed part of x_n; k)``."""
    out = np.empty((len(X), len(means)))
    for n in range(len(X)):
        for k in range(len(means)):
            out[n, k] = math.log(weights[k]) + conditional(X[n], means[k], covariances[k])[0]
    return out


def expected_statistics(X, resp, means, covariances, sample_weight):
    """Return ``resp_sum``, ``dev_sum`` and ``dev2_sum`` as expected given the observed entries."""
    n_components, n_features = means.shape
    resp_sum = np.zeros(n_components)
    dev_sum = np.zeros((n_components, n_features))
    dev2_sum = np.zeros((n_components, n_features, n_features))
    for n in range(len(X)):
        for k in range(n_components):
            share = sample_weight[n] * resp[n, k]
            _, expected, spread = conditional(X[n], means[k], covariances[k])
            dev = expected - means[k]
            resp_sum[k] += share
            dev_sum[k] += share * dev
            dev2_sum[k] += share * (np.outer(dev, dev) + spread)
    return resp_sum, dev_sum, dev2_sum


def imputation(X, resp, means, covariances):
    """Return the conditional mean and variance of every entry under the mixture."""
    mean, second = np.zeros(X.shape), np.zeros(X.shape)
    for n in range(len(X)):
        for k in range(len(means)):
            _, expected, spread = conditional(X[n], means[k], covariances[k])
            mean[n] += resp[n, k] * expected
            second[n] += resp[n, k] * (np.diag(spread) + expected**2)
    return mean, second - mean**2


def multigammaln(a, n_features):
    """Return the logarithm of the multivariate gamma function, factor by factor."""
    constant = n_features * (n_features - 1) / 4.0 * math.log(math.pi)
    return constant + sum(math.lgamma(a - 0.5 * i) for i in range(n_features))


def log_wishart_norm(scale, dof):
    """Return ``log B(scale, dof)`` (Bishop 2006, B.79)."""
    n_features = len(scale)
    log_det = np.linalg.slogdet(scale).logabsdet
    return (
        -0.5 * dof * log_det
        - 0.5 * dof * n_features * math.log(2.0)
        - multigammaln(0.5 * dof, n_features)
    )


def expected_log_det(scale, dof):
    """Return ``E[log |Lambda|]`` under a Wishart distribution (Bishop 2006, B.81)."""
    n_features = len(scale)
    total = sum(digamma(0.5 * (dof - i)) for i in range(n_features))
    return total + n_features * math.log(2.0) + np.linalg.slogdet(scale).logabsdet


def expected_log_gauss(X, mean, mean_precision, scale, dof):
    """Return the expected log-density of each sample under one component (Bishop 2006, 10.64)."""
    n_features = len(mean)
    out = np.empty(len(X))
    for n in range(len(X)):
        dev = X[n] - mean
        distance = n_features / mean_precision + dof * dev @ scale @ dev
        log_norm = expected_log_det(scale, dof) - n_features * math.log(2.0 * math.pi)
        out[n] = 0.5 * (log_norm - distance)
    return out


def normal_wishart_divergence(mean, mean_precision, scale, dof, prior):
    """Return ``E[log q(mu, Lambda)] - E[log p(mu, Lambda)]`` (Bishop 2006, 10.74 and 10.77)."""
    prior_mean, prior_precision, prior_scale, prior_dof = prior
    n_features, log_det = len(mean), expected_log_det(scale, dof)
    dev = mean - prior_mean
    log_p = (
        0.5 * n_features * math.log(prior_precision / (2.0 * math.pi))
        + 0.5 * log_det
        - 0.5 * n_features * prior_precision / mean_precision
        - 0.5 * prior_precision * dof * dev @ scale @ dev
        + log_wishart_norm(prior_scale, prior_dof)
        + 0.5 * (prior_dof - n_features - 1) * log_det
        - 0.5 * dof * np.trace(np.linalg.inv(prior_scale) @ scale)
    )
    log_q = (
        0.5 * log_det
        + 0.5 * n_features * math.log(mean_precision / (2.0 * math.pi))
        - 0.5 * n_features
        + log_wishart_norm(scale, dof)
        + 0.5 * (dof - n_features - 1) * log_det
        - 0.5 * dof * n_features
    )
    return log_q - log_p


def neighbours(offsets, weights):
    """Return (cell, other cell, weight) of all pairs in the field that have a weight, each once."""
    return [
        (tuple(cell), tuple(cell + offset), float(its_weights[tuple(cell)]))
        for offset, its_weights in zip(offsets, weights, strict=True)
        for cell in np.argwhere(its_weights > 0)
    ]


def mean_field_of_cell(log_joint, pairs, coupling, q, cell):
    """Return the probabilities of one cell's labels, given those of its neighbours."""
    exponent = log_joint[:, *cell].astype(np.float64)
    for one, other, weight in pairs:
        if one == cell:
            exponent += coupling * weight * q[:, *other]
        if other == cell:
            exponent += coupling * weight * q[:, *one]
    resp = np.exp(exponent - exponent.max())
    return resp / resp.sum()


def free_energy(log_joint, pairs, coupling, q):
    """Return ``sum_ik q_ik (log q_ik - log_joint_ik) - coupling sum_ij w_ij sum_k q_ik q_jk``."""
    total = 0.0
    for k in range(len(q)):
        for cell in np.ndindex(q.shape[1:]):
            if q[k, *cell] > 0:
                total += q[k, *cell] * (math.log(q[k, *cell]) - log_joint[k, *cell])
        for one, other, weight in pairs:
            total -= coupling * weight * q[k, *one] * q[k, *other]
    return total


def cells_beside(cell, shape, connectivity):
    """Yield the cells of a grid next to one, that differ along at most so many axes."""
    for step in itertools.product((-1, 0, 1), repeat=len(shape)):
        other = tuple(np.add(cell, step).tolist())
        if 0 < np.count_nonzero(step) <= connectivity and all(
            0 <= i < n for i, n in zip(other, shape, strict=True)
        ):
            yield other


def connected_parts(labels, connectivity):
    """Return the connected parts of equal label other than 0, each a frozenset of cells."""
    parts, seen = [], set()
    for start in zip(*np.nonzero(labels), strict=True):
        reached, todo = set(), [tuple(map(int, start))]
        while todo:
            cell = todo.pop()
            if cell not in seen and labels[cell] == labels[start]:
                seen.add(cell)
                reached.add(cell)
                todo += cells_beside(cell, labels.shape, connectivity)
        if reached:
            parts.append(frozenset(reached))
    return parts


def label_around(labels, part, parts, connectivity):
    """Return the label of the part with the longest border, the largest area, the least label."""
    borders = []
    for other in parts:
        length = sum(
            beyond in other
            for cell in part
            for beyond in cells_beside(cell, labels.shape, connectivity)
        )
        if other != part and length:
            borders.append((-length, -len(other), int(labels[next(iter(other))])))
    return min(borders)[2] if borders else None


def merge_small_regions(labels, min_area, connectivity):
    """Return the labels with their small parts merged, all parts sought anew after every step."""
    labels = np.array(labels)
    while True:
        parts = connected_parts(labels, connectivity)
        wanted = {}
        for part in parts:
            if len(part) < min_area:
                label = label_around(labels, part, parts, connectivity)
                if label is not None:
                    wanted[part] = label
        if not wanted:
            return labels
        key = {part: (len(part), labels[next(iter(part))]) for part in wanted}
        first = min(key.values())
        for part, label in wanted.items():
            if key[part] == first:
                for cell in part:
                    labels[cell] = label


def pseudo_likelihood(q, pairs, coupling, log_weights):
    """Return ``sum_ik q_ik log p(label k | neighbours of i)``, (n_labels, planes, rows, cols)."""
    total = 0.0
    evidence = np.broadcast_to(log_weights[:, None, None, None], q.shape)
    for cell in np.ndindex(q.shape[1:]):
        prior = mean_field_of_cell(evidence, pairs, coupling, q, cell)
        total += float(q[:, *cell] @ np.log(prior))
    return total


def contrast_weights(features, inside, offsets, spacing):
    """Return ``exp(-|y_i - y_j|² / (2 mean square)) / distance`` of neighbours, 0 of others."""
    squares = np.full((len(offsets), *inside.shape), np.nan)
    for o, offset in enumerate(offsets):
        for cell in np.ndindex(inside.shape):
            other = tuple(int(i) for i in np.add(cell, offset))
            is_there = all(0 <= i < n for i, n in zip(other, inside.shape, strict=True))
            if is_there and inside[cell] and inside[other]:
                squares[o, *cell] = math.dist(features[cell], features[other]) ** 2
    distances = [math.hypot(*step) for step in offsets * spacing / spacing.min()]
    weights = np.exp(-squares / (2.0 * np.nanmean(squares)))
    return np.nan_to_num(weights / np.reshape(distances, (-1, 1, 1, 1)))


def half_disc_difference(codes, radius, angle, row, col, blur):
    """Return the chi-square distance of blurred histograms on both sides of a cut at ``angle``.

    ``codes`` are below 255, which stands for a pixel outside; the cut runs through (row, col).
    """
    halves = np.zeros((2, codes[codes < 255].max() + 1))
    for r in range(len(codes)):
        for c in range(len(codes[0])):
            down, right = r - row, c - col
            if codes[r, c] < 255 and 0 < down**2 + right**2 <= radius**2:
                side = down * math.cos(angle) - right * math.sin(angle)
                halves[int(side > 0), codes[r, c]] += 1
    if not halves.sum(axis=1).all():
        return 0.0
    first, second = (np.convolve(half, blur, mode="same") for half in halves)
    p, q = first / first.sum(), second / second.sum()
    return 0.5 * sum((a - b) ** 2 / (a + b) for a, b in zip(p, q, strict=True) if a + b > 0)


def borders(labels, strength):
    """Return (length, summed strength) of the border of every two labels that touch."""
    found = {}
    for row in range(len(labels)):
        for col in range(len(labels[0])):
            for r, c in ((row + 1, col), (row, col + 1)):
                if r == len(labels) or c == len(labels[0]):
                    continue
                pair = tuple(sorted((int(labels[row, col]), int(labels[r, c]))))
                if pair[0] > 0 and pair[0] != pair[1]:
                    length, total = found.get(pair, (0, 0.0))
                    middle = (float(strength[row, col]) + float(strength[r, c])) / 2
                    found[pair] = (length + 1, total + middle)
    return found


def is_connected(pixels):
    """Return whether the True pixels are one piece, stepping from side to side."""
    todo = {(int(row), int(col)) for row, col in np.argwhere(pixels)}
    reached = [todo.pop()] if todo else []
    while reached:
        row, col = reached.pop()
        for step in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
            if step in todo:
                todo.remove(step)
                reached.append(step)
    return not todo


def edges_of(field):
    """Return the pairs of neighbours of a grid and their weights, as {(cell, cell): weight}."""
    edges = {}
    for offset, weights in zip(field.offsets, field.weights, strict=True):
        for cell in np.ndindex(field.shape):
            other = tuple(int(i) for i in np.add(cell, offset))
            if weights[cell] > 0.0:
                edges[cell, other] = float(weights[cell])
    return edges


def potts_energy(costs, field, labels, strength):
    """Return what labels cost, and the weight of the pairs that differ, pair after pair."""
    energy = sum(float(costs[labels[cell]][cell]) for cell in np.ndindex(field.shape))
    for (cell, other), weight in edges_of(field).items():
        if labels[cell] != labels[other]:
            energy += strength * weight
    return energy


def min_cut(cost_0, cost_1, field, strength):
    """Return the labels of least energy by shortest augmenting paths (Edmonds, Karp 1972)."""
    left = {}
    for (cell, other), weight in edges_of(field).items():
        for pair in ((cell, other), (other, cell)):
            left.setdefault(pair[0], {})[pair[1]] = strength * weight
    for cell in np.ndindex(field.shape):
        left.setdefault("source", {})[cell] = cost_0[cell]
        left.setdefault(cell, {})["sink"] = cost_1[cell]
    while "sink" in (parents := reached_from_source(left)):
        path = ["sink"]
        while path[-1] != "source":
            path.append(parents[path[-1]])
        steps = [(there, here) for here, there in itertools.pairwise(path)]
        amount = min(left[here][there] for here, there in steps)
        for here, there in steps:
            left[here][there] -= amount
            back = left.setdefault(there, {})
            back[here] = back.get(here, 0.0) + amount
    labels = np.zeros(field.shape, dtype=bool)
    for cell in parents:
        if cell != "source":
            labels[cell] = True
    return labels


def reached_from_source(left):
    """Return who is reached from the source over edges that can take more, and from where."""
    parents, waiting = {"source": None}, ["source"]
    for here in waiting:
        for there, capacity in left.get(here, {}).items():
            if capacity > 1e-12 and there not in parents:
                parents[there] = here
                waiting.append(there)
    return parents


def plda_ratio(one, other, mean, within, across):
    """Return log p(both sets | one speaker) - log p(both | two), embeddings stacked in one row."""
    together = np.vstack([one, other])
    return (
        _log_of_one_speaker(together, mean, within, across)
        - _log_of_one_speaker(one, mean, within, across)
        - _log_of_one_speaker(other, mean, within, across)
    )


def plda_log_likelihood(X, speakers, mean, within, across):
    """Return log p(X | speakers) of a two-covariance PLDA."""
    total = 0.0
    for speaker in sorted(set(speakers)):
        total += _log_of_one_speaker(X[speakers == speaker], mean, within, across)
    return total


def _log_of_one_speaker(X, mean, within, across):
    """Return log N of all rows in one vector: blocks share across, and each has its own within."""
    n, d = X.shape
    covariance = np.empty((n * d, n * d))
    for i in range(n):
        for j in range(n):
            block = across + within if i == j else across
            covariance[i * d : (i + 1) * d, j * d : (j + 1) * d] = block
    row = (X - mean).reshape(1, -1)
    return log_prob(row, [1.0], np.zeros((1, n * d)), [covariance])[0, 0]


def decimated(samples, first, step, taps, n_out):
    """Return every `step`-th filtered sample from `first` on; outside the sound is 0."""
    half = len(taps) // 2
    out = []
    for i in range(n_out):
        total = 0.0
        for k, tap in enumerate(taps):
            place = first + i * step + k - half
            if 0 <= place < len(samples):
                total += float(tap) * float(samples[place])
        out.append(total)
    return np.array(out)


def correlation_at(frame, lag):
    """Return the correlation of a frame with itself `lag` later, over the root of both energies."""
    frame = np.asarray(frame, dtype=float) - np.mean(frame, dtype=float)
    head, tail = frame[: len(frame) - lag], frame[lag:]
    product = energy_of_head = energy_of_tail = 0.0
    for a, b in zip(head, tail, strict=True):
        product += a * b
        energy_of_head += a * a
        energy_of_tail += b * b
    return product / np.sqrt(energy_of_head * energy_of_tail)


def correlation_peak(frame, shortest, costs):
    """Return height and lag of the peak of the correlation that is best after its cost."""
    heights = [correlation_at(frame, shortest + j) for j in range(len(costs))]
    best = (-1.0, 0.0, 0.0)
    for j in range(1, len(costs) - 1):
        before, here, after = heights[j - 1 : j + 2]
        if here > 0 and here >= before and here > after:
            # A parabola through the three, by its coefficients.
            square, slope, middle = np.polyfit([-1, 0, 1], [before, here, after], 2)
            shift = -slope / (2 * square)
            top = square * shift**2 + slope * shift + middle
            if top - costs[j] > best[0]:
                best = (top - costs[j], min(top, 1.0), shortest + j + shift)
    return best[1], best[2]


def least_around(table, before, after):
    """Return the least value of every column from `before` rows back to `after` rows ahead."""
    return np.array(
        [table[max(t - before, 0) : t + after + 1].min(axis=0) for t in range(len(table))]
    )


def paths(log_densities, transitions, start, least_frames):
    """Return every path through the states that is possible, with its log-probability.

    A run that another follows is no shorter than the least of its state, and its length beyond that
    costs a stay each.
    """
    found = {}
    for path in itertools.product(range(len(start)), repeat=len(log_densities)):
        runs = [(state, len(list(group))) for state, group in itertools.groupby(path)]
        if any(length < least_frames[state] for state, length in runs[:-1]):
            continue
        chance = start[path[0]]
        for state, length in runs:
            chance *= transitions[state][state] ** max(0, length - least_frames[state])
        for (state, _), (other, _) in itertools.pairwise(runs):
            chance *= transitions[state][other]
        if chance > 0.0:
            evidence = sum(
                float(row[state]) for row, state in zip(log_densities, path, strict=True)
            )
            found[path] = math.log(chance) + evidence
    return found


def path_posteriors(log_densities, transitions, start, least_frames):
    """Return posteriors (n_frames, n_states), log-likelihood and expected changes, path by path."""
    scores = paths(log_densities, transitions, start, least_frames)
    log_likelihood = float(logsumexp([list(scores.values())])[0])
    posteriors = np.zeros((len(log_densities), len(start)))
    steps = np.zeros((len(start), len(start)))
    for path, score in scores.items():
        share = math.exp(score - log_likelihood)
        for t, state in enumerate(path):
            posteriors[t, state] += share
        for state, other in itertools.pairwise(path):
            steps[state, other] += share
    return posteriors, log_likelihood, steps


def fixed_lag_posteriors(log_densities, transitions, start, lag):
    """Return ``p(state in frame t | frames up to t + lag)``, by all paths up to there."""
    out, least = np.empty(np.shape(log_densities)), [1] * len(start)
    for t in range(len(log_densities)):
        seen = log_densities[: t + lag + 1]
        out[t] = path_posteriors(seen, transitions, start, least)[0][t]
    return out


def vb_hmm_round(X, phi, resp, priors, counts, loop, fb):
    """Return (resp, priors, bound) of a round of VBx, by all paths and from the bound's definition.

    ``counts`` are the weights of windows times fa.
    """
    n, n_speakers = resp.shape
    voices = [_voice(X, phi, resp[:, s], counts, fb) for s in range(n_speakers)]
    table = np.array(
        [[counts[t] * _expected_gauss(X[t], phi, *voice) for voice in voices] for t in range(n)]
    )
    transitions = loop * np.eye(n_speakers) + (1.0 - loop) * np.tile(priors, (n_speakers, 1))
    scores = paths(table, transitions, priors, [1] * n_speakers)
    total = float(logsumexp([list(scores.values())])[0])
    new, draws, bound = np.zeros_like(resp), np.zeros(n_speakers), 0.0
    for path, score in scores.items():
        share = math.exp(score - total)
        bound += share * (score - (score - total))  # E log p(X, path | voices) + entropy
        draws[path[0]] += share
        for t, s in enumerate(path):
            new[t, s] += share
        for i, j in itertools.pairwise(path):
            draws[j] += share * (1.0 - loop) * priors[j] / transitions[i, j]
    for mean, variance in voices:
        bound -= fb * sum(0.5 * (mean**2 + variance - np.log(variance) - 1.0))
    return new, draws / draws.sum(), bound


def _voice(X, phi, resp, counts, fb):
    """Return mean and variance of one voice given its windows, in units of the prior."""
    precision, pull = np.ones(len(phi)), np.zeros(len(phi))
    for x, share, times in zip(X, resp, counts, strict=True):
        precision += times * share * phi / fb
        pull += times * share * np.sqrt(phi) * x / fb
    return pull / precision, 1.0 / precision


def _expected_gauss(x, phi, mean, variance):
    """Return ``E log N(x; sqrt(phi) y, 1)`` over ``y ~ N(mean, variance)``."""
    square = (x - np.sqrt(phi) * mean) ** 2 + phi * variance
    return -0.5 * float(np.sum(square + math.log(2.0 * math.pi)))


def ivector(statistics, spread, shift, loadings):
    """Return E[z | frames] and log p(frames moved) - log p(frames): component by component."""
    n_dims = loadings.shape[2]
    precision, pull, moved = np.eye(n_dims), np.zeros(n_dims), 0.0
    for k in range(len(spread)):
        inverse = np.diag(1.0 / spread[k] ** 2)
        count = statistics.resp_sum[k]
        precision += count * loadings[k].T @ inverse @ loadings[k]
        pull += loadings[k].T @ inverse @ (statistics.dev_sum[k] - count * shift[k])
        moved += shift[k] @ inverse @ statistics.dev_sum[k]
        moved -= 0.5 * count * shift[k] @ inverse @ shift[k]
    z = np.linalg.solve(precision, pull)
    return z, moved + 0.5 * pull @ z - 0.5 * np.linalg.slogdet(precision).logabsdet


def add_log_ratios(X, background, speakers, n_best):
    """Return the sums over frames of log p(x | speaker) - log p(x | background), best components.

    Mixtures are (weights, means, variances); a thousandth of either is the other.
    """
    out = np.zeros(len(speakers))
    for x in X:
        values = _log_prob_diag(x, *background)
        best = np.argsort(-values)[:n_best]
        reference = logsumexp(values[None, best])[0]
        for s, speaker in enumerate(speakers):
            ratio = math.exp(logsumexp(_log_prob_diag(x, *speaker)[None, best])[0] - reference)
            out[s] += math.log((0.999 * ratio + 0.001) / (0.999 + 0.001 * ratio))
    return out


def _log_prob_diag(x, weights, means, variances):
    return log_prob(x[None], weights, means, [np.diag(row) for row in variances])[0]


def supervectors(X, spans, background, *, relevance_factor):
    """Shift every mean by what the frames of every span pull, in deviations, by root of share."""
    rows = []
    for start, end in spans:
        row = []
        for k in range(background.n_components):
            count, shift = 0.0, np.zeros(X.shape[1])
            for x in X[start:end].astype(np.float64):
                densities = [
                    background.weights[j]
                    * np.prod(
                        np.exp(-0.5 * (x - background.means[j]) ** 2 / background.covariances[j])
                        / np.sqrt(2.0 * np.pi * background.covariances[j])
                    )
                    for j in range(background.n_components)
                ]
                resp = densities[k] / sum(densities)
                count += resp
                shift += resp * (x - background.means[k])
            scale = np.sqrt(background.weights[k] / background.covariances[k])
            row.extend(scale * shift / (count + relevance_factor))
        rows.append(row)
    return np.array(rows)


def merged_clusters(X, counts, plda, *, threshold, sights, most=None):
    """Merge the likeliest pair of all, computed anew each time; number by first member."""

    def log_density(values, variances):
        return (-0.5 * (np.log(2.0 * np.pi * variances) + values**2 / variances)).sum()

    def ratio(one, other):
        (i, m), (j, n) = [
            (np.average(X[c], axis=0, weights=counts[c]), float(sights(counts[c].sum())))
            for c in (one, other)
        ]
        # Both means given that they are of one voice: a Gaussian of correlated pairs.
        same = 0.0
        for d, phi in enumerate(plda.phi):
            joint = np.array([[phi + 1.0 / m, phi], [phi, phi + 1.0 / n]])
            pair = np.array([i[d], j[d]])
            same -= 0.5 * (
                np.log((2.0 * np.pi) ** 2 * np.linalg.det(joint))
                + pair @ np.linalg.solve(joint, pair)
            )
        apart = log_density(i, plda.phi + 1.0 / m) + log_density(j, plda.phi + 1.0 / n)
        return same - apart

    clusters = [[i] for i in range(len(X))]
    while len(clusters) > 1:
        pairs = [(a, b) for a in range(len(clusters)) for b in range(a + 1, len(clusters))]
        ratios = [ratio(clusters[a], clusters[b]) for a, b in pairs]
        best = int(np.argmax(ratios))
        if ratios[best] < threshold and (most is None or len(clusters) <= most):
            break
        a, b = pairs[best]
        clusters[a] += clusters.pop(b)
    labels = np.empty(len(X), dtype=int)
    for number, members in enumerate(sorted(clusters, key=min)):
        labels[members] = number
    return labels


def shrunk_covariance(X, shrinkage, prior_variance):
    """Return a covariance of shrunk correlations whose variances count one prior sample."""
    n = len(X)
    dev = X - X.mean(axis=0)
    scatter = dev.T @ dev / n
    deviation = np.sqrt((n * scatter.diagonal() + prior_variance) / (n + 1.0))
    covariance = np.empty_like(scatter)
    for i in range(len(scatter)):
        for j in range(len(scatter)):
            if i == j:
                covariance[i, j] = deviation[i] ** 2
            else:
                covariance[i, j] = (1.0 - shrinkage) * scatter[i, j]
    return covariance


def left_out_distances(X, shrinkage):
    """Return the squared Mahalanobis distance of each sample from a fit to all others."""
    prior_variance = X.var(axis=0)
    distances = []
    for i in range(len(X)):
        rest = np.delete(X, i, axis=0)
        dev = X[i] - rest.mean(axis=0)
        covariance = shrunk_covariance(rest, shrinkage, prior_variance)
        distances.append(dev @ np.linalg.solve(covariance, dev))
    return np.array(distances)


def point_features(mean, square, wider, scale):
    """Return the seven features of every pixel, (rows, cols, 7); edges repeat."""
    padded = np.pad(mean, 1, mode="edge")
    features = np.empty((*mean.shape, 7))
    for i, j in np.ndindex(mean.shape):
        near = padded[i : i + 3, j : j + 3]
        slope_r, slope_c = (near[2, 1] - near[0, 1]) / 2, (near[1, 2] - near[1, 0]) / 2
        bend_r = near[2, 1] - 2 * near[1, 1] + near[0, 1]
        bend_c = near[1, 2] - 2 * near[1, 1] + near[1, 0]
        twist = (near[2, 2] + near[0, 0] - near[2, 0] - near[0, 2]) / 4
        low, high = np.linalg.eigvalsh([[bend_r, twist], [twist, bend_c]]) * scale**2
        slope_r, slope_c = abs(scale * slope_r), abs(scale * slope_c)
        spread = 0.5 * np.log(max(square[i, j] - mean[i, j] ** 2, 0.0) + 1e-5)
        slope = np.log(np.hypot(slope_r, slope_c) + 1e-3)
        direction = np.log((slope_c + 1e-3) / (slope_r + 1e-3))
        spot = mean[i, j] - wider[i, j]
        features[i, j] = mean[i, j], spread, spot, high, low, slope, direction
    return features


def ranked_mean(column, ratio):
    """Return the mean of one band, the j-th loudest frame weighted by ratio ** j."""
    total, weights = 0.0, 0.0
    for j, value in enumerate(sorted(column, reverse=True)):
        weight = ratio**j if j else 1.0
        total += weight * value
        weights += weight
    return total / weights


def product_covariance(rows, columns):
    """Return cov[r, c; s, d] = rows[r, s] * columns[c, d] as a matrix, row after row."""
    n_rows, n_columns = len(rows), len(columns)
    cov = np.zeros((n_rows * n_columns, n_rows * n_columns))
    for r in range(n_rows):
        for c in range(n_columns):
            for s in range(n_rows):
                for d in range(n_columns):
                    cov[r * n_columns + c, s * n_columns + d] = rows[r][s] * columns[c][d]
    return cov


def moments_around(table, before, after, least):
    """Return mean and standard deviation of the columns around every row, ends going on."""
    means, spreads = np.empty(table.shape), np.empty(table.shape)
    for t in range(len(table)):
        rows = np.clip(np.arange(t - before, t + after + 1), 0, len(table) - 1)
        means[t] = table[rows].mean(axis=0)
        spreads[t] = np.sqrt(table[rows].var(axis=0) + least)
    return means, spreads


def maxima_around(table, before, after):
    """Return the largest value of the columns around every row."""
    return np.array(
        [table[max(t - before, 0) : t + after + 1].max(axis=0) for t in range(len(table))]
    )


def learn_pixel(x, modes, *, rate, pace, tolerance):
    """Learn one pixel, a list of channels, as in Zivkovic (2004); return label, nearest and modes.

    ``modes`` is a list of [weight, variance, mean of each channel], heaviest first.
    """

    def distance(mode):
        return sum((a - b) ** 2 for a, b in zip(x, mode[2:], strict=True)) / len(x) / mode[1]

    n_modes, modes = len(modes), [list(mode) for mode in modes if mode[0] > 0.0]
    for mode in modes:
        mode[0] = max(mode[0] - rate * (mode[0] + pace.prior), 0.0)
    modes = [mode for mode in modes if mode[0] > 0.0]
    distances = [distance(mode) / tolerance for mode in modes]
    owner = next((k for k, d in enumerate(distances) if d < pace.match), None)
    total, before, nearest = sum(mode[0] for mode in modes), 0.0, float("inf")
    for mode, d in zip(modes, distances, strict=True):
        if before < pace.background * total:
            nearest = min(nearest, d)
        before += mode[0]
        if owner == 0:
            break  # no other is asked
    is_only = owner is None and n_modes == 1  # it learns what it does not match, without haste
    owner = 0 if is_only else owner
    if owner is None:
        modes = modes[: n_modes - 1]
        modes.append([min(rate, float(pace.start)), float(pace.variance_init), *x])
    else:
        mode = modes[owner]
        mode[0] += rate
        gain = min(rate * max(1.0 / mode[0], 1.0 if owner or is_only else pace.haste), 1.0)
        square = distance(mode) * mode[1]
        mode[2:] = [m + gain * (a - m) for a, m in zip(x, mode[2:], strict=True)]
        variance = mode[1] + min(gain, 0.5) * (square - mode[1])
        mode[1] = min(max(variance, pace.variance_min), pace.variance_max)
    modes.sort(key=lambda mode: -mode[0])
    total = sum(mode[0] for mode in modes)
    for mode in modes:
        mode[0] /= total
    return 0 if nearest < pace.threshold else 255, nearest, modes
