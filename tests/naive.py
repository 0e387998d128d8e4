"""Every kernel of the core again, in plain loops: slow, short, and easy to believe.

Everything here is float64 and takes covariances spelled out: one matrix per component.
"""

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


def in_family(covariance_type, weights, covariances):
    """Return full covariances narrowed to a family, in the shape of the family."""
    variances = np.array([np.diag(matrix) for matrix in covariances])
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return sum(weight * matrix for weight, matrix in zip(weights, covariances, strict=True))
    return variances if covariance_type == "diag" else variances.mean(axis=1)


def spelled_out(covariance_type, covariances, n_components, n_features):
    """Return the covariances of a family as one matrix per component."""
    if covariance_type == "full":
        return covariances
    if covariance_type == "tied":
        return np.array([covariances] * n_components)
    if covariance_type == "diag":
        return np.array([np.diag(variances) for variances in covariances])
    return np.array([variance * np.eye(n_features) for variance in covariances])


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
