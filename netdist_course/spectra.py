"""Exercises of chapter 5: a tail, strengths in noise, and ranks within groups."""

import itertools

import numpy as np

from netdist_course.checks import array, close, exercise, name_mistake, require
from netdist_utils import random_matrices, spectra

# Sizes of the cases; the first is the reader's.
VALUES = [(60, 90), (0, 10), (3, 9), (20, 30), (5, 50), (40, 25), (8, 18)]  # below the tail, in it
# Rows, columns, directions.
SHAPES = [(60, 90, 3), (40, 40, 1), (30, 45, 0), (80, 50, 2), (20, 200, 6)]
GROUPS = [(4, 3, 4), (2,), (2, 4), (3, 3)]  # networks in each group


def a_tail(rng, case):
    """Values in random order: some below a threshold, and a power law above it."""
    below, above = VALUES[case]
    threshold, alpha = rng.uniform(0.01, 5), rng.uniform(1.8, 4)
    tail = threshold * (1 + rng.pareto(alpha - 1, above))
    return (rng.permutation(np.append(threshold * rng.uniform(0.2, 1, below), tail)),)


def threshold_of(values, distance, less=1, strict=True):
    """Threshold that a fit with this distance chooses; the law's power is ``less`` - alpha."""
    values, best = np.sort(values), (np.inf,)
    for x in values[:-1]:
        inside = values[values >= x]
        alpha = 1 + len(inside) / np.log(inside / x).sum()
        share = (np.arange(len(inside)) + (not strict)) / len(inside)
        best = min(best, (distance(1 - (inside / x) ** (less - alpha) - share), x))
    return best[1]


def farthest(differences):
    return np.abs(differences).max()


@exercise("spectra-tail", a_tail, cases=len(VALUES))
def tail(answer, values):
    """The exponent is verified for the threshold given; the threshold by the book's own fit."""
    alpha, xmin = array(answer, (2,), "the pair of exponent and threshold")
    swapped = np.isclose(values, alpha, rtol=1e-9).any()
    require(not swapped, "the first number is one of the values: the exponent comes first")
    require(np.isclose(values, xmin, rtol=1e-9).any(), "the threshold is none of the values")
    logs = np.log(values[values >= xmin * (1 - 1e-9)] / xmin)
    require(len(logs) > 1, "the largest value alone is no tail: leave it out as a threshold")
    n, total = len(logs), logs.sum()
    mistakes = {
        "of the share above a value; asked is that of the density": n / total,
        "without the value at the threshold in the count": 1 + (n - 1) / total,
        "with all values counted, and not those of the tail alone": 1 + len(values) / total,
        "with logarithms to base ten": 1 + n / total * np.log(10),
    }
    right = 1 + n / total
    name_mistake(alpha, right, mistakes.items(), "the exponent is one {}")
    close(alpha, right, "the exponent is not the most likely one above your threshold")
    right = spectra.fit_power_law(values).xmin
    if not np.isclose(xmin, right, rtol=1e-9):
        whole = "all values are taken as the tail; " if n == len(values) else ""
        mistakes = {
            "the law's power is that of the density": threshold_of(values, farthest, less=0),
            "the share counts each value itself": threshold_of(values, farthest, strict=False),
            "the differences are summed": threshold_of(values, lambda d: np.abs(d).sum()),
            "differences below zero count as small": threshold_of(values, np.max),
        }
        slips = [words for words, x in mistakes.items() if np.isclose(xmin, x, rtol=1e-9)]
        slip = f"; it is the one that is found if {' or if '.join(slips)}" if slips else ""
        require(False, f"{whole}above another threshold the tail lies nearer to its law{slip}")


def noise_with_directions(rng, case):
    """A matrix of normal noise, and directions that are strong enough to show."""
    *shape, count = SHAPES[case]
    m, n = sorted(shape)
    sizes = np.sqrt(m / n) * rng.uniform(1.7, 6, count)
    left, right = (np.linalg.qr(rng.normal(size=(side, count)))[0] for side in shape)
    return (rng.normal(size=shape) + left * np.sqrt(n * sizes) @ right.T,)


@exercise("spectra-strengths", noise_with_directions, cases=len(SHAPES))
def strengths(answer, w):
    """Verified by where such strengths would show."""
    found, given = array(answer, np.shape(answer), "the strengths"), f"given {w.shape}"
    require(found.ndim == 1, "the strengths should be a one-dimensional array, even if empty")
    m, n = sorted(w.shape)
    values = np.linalg.svd(w, compute_uv=False) ** 2 / n
    seen = values[values > random_matrices.largest_noise_eigenvalue(w.shape)]
    many = (
        f"too many strengths, {given}: not so many stand above noise, divided by the longer side"
    )
    require(len(found) <= len(seen), many)
    few = f"too few strengths, {given}: more stand above noise of this shape"
    require(len(found) == len(seen), few)
    require((found > 0).all(), "a strength is not positive")
    mistakes = {
        "these are the eigenvalues; their noise is still in them": seen,
        "these are singular values; a strength belongs to their squares": np.sqrt(n * seen),
        "noise adds more to a strength than its variance": seen - 1,
    }
    name_mistake(found, np.inf, mistakes.items())  # what is right, the equation says below
    shown = (1 + found) * (1 + m / (n * found))
    weak = np.allclose(np.sort(shown)[::-1], seen) and (found < np.sqrt(m / n)).any()
    require(not weak, "the equation has two roots; at one of yours a direction does not show")
    require((np.diff(found) <= 0).all(), "the strengths ascend; the largest comes first")
    close(shown, seen, f"directions of these strengths would not show there, {given}")


def networks_in_groups(rng, case):
    """A measure, an error, and a group for each network: groups differ the other way round."""
    group = np.repeat(np.arange(len(GROUPS[case])), GROUPS[case])
    local, sign = rng.normal(size=len(group)), rng.choice([-1, 1])
    error = 0.2 + 0.01 * (6 * group - local - 0.5 * rng.normal(size=len(group)))
    mixed = rng.permutation(len(group))
    return (sign * (6 * group + local))[mixed], error[mixed], group[mixed]


@exercise("spectra-groups", networks_in_groups)
def groups(answer, measure, error, group):
    """Compared with the book's tau, over all orders of the errors within their groups."""
    tau, p = array(answer, (2,), "the pair of tau and p-value")
    inside = [np.flatnonzero(group == g) for g in np.unique(group)]
    each = np.array([spectra.kendall_tau(measure[:, None], error, [g])[0] for g in inside])
    right, sizes = each.mean(), np.array([len(g) for g in inside])
    pairs = sizes * (sizes - 1) / 2
    pooled = spectra.kendall_tau(measure[:, None], error)[0]
    mistakes = {
        "over all pairs; compare networks of one group only": pooled,
        "of pairs, so larger groups count for more": np.average(each, weights=pairs),
        "of networks, so larger groups count for more": np.average(each, weights=sizes),
        "with the wrong sign: it is positive where the orders agree": -right,
        "a sum over groups; asked is their mean": each.sum(),
    }
    name_mistake(tau, right, mistakes.items(), "this tau is {}")
    close(tau, right, "tau is the share of pairs in the same order minus that in opposite orders")
    orders = [*itertools.product(*(itertools.permutations(g) for g in inside))]
    mixed = np.empty((len(error), len(orders)))
    mixed[np.concatenate(inside)] = error[[np.concatenate(order) for order in orders]].T
    taus, far = spectra.kendall_tau(mixed, measure, inside), abs(right) - 1e-9
    share = np.mean(np.abs(taus) >= far)
    mistakes = {
        "one-sided: a tau may be as far on either side": np.mean(taus * np.sign(right) >= far),
        "without the orders that reach exactly this tau": np.mean(np.abs(taus) > far + 2e-9),
    }
    name_mistake(p, share, mistakes.items(), "this p-value is {}")
    close(p, share, "p is no share of all orders within the groups, each taken once")
