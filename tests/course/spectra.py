"""Typical wrong answers to the exercises of chapter 5, and what the checker says of each."""

import itertools

import numpy as np

from netdist_utils import random_matrices


def _tail(values, count=len, log=np.log, at=1, candidates=slice(None, -1), scale=1, steps=(0,)):
    """The right fit, with one piece exchanged."""
    values, best = np.sort(values), (np.inf, None)
    for x in values[candidates]:
        inside = values[values >= x]
        alpha = at + count(inside) / log(inside / x).sum()
        law = 1 - (inside / x) ** (1 - (1 + len(inside) / np.log(inside / x).sum()))
        share = [(np.arange(len(inside)) + step) / (len(inside) * scale) for step in steps]
        best = min(best, (np.abs(law - share).max(), (alpha, x)))
    return best[1]


def exponent_of_the_share(values):
    """Forgets the one: the exponent of the share above, not of the density."""
    return _tail(values, at=0)


def one_value_less(values):
    """Counts the values above the threshold, without the one at it."""
    return _tail(values, count=lambda inside: len(inside) - 1)


def base_ten(values):
    """Takes logarithms to base ten."""
    return _tail(values, log=np.log10)


def no_choice(values):
    """Takes the smallest value as the threshold."""
    return _tail(values, candidates=slice(1))


def two_sided(values):
    """Compares with the share at or below each value, too."""
    return _tail(values, steps=(0, 1))


def _nearest(values, distance, less=1, step=0):
    """The right fit, with another distance."""
    values, best = np.sort(values), (np.inf,)
    for x in values[:-1]:
        inside = values[values >= x]
        alpha = 1 + len(inside) / np.log(inside / x).sum()
        law = 1 - (inside / x) ** (less - alpha)
        share = (np.arange(len(inside)) + step) / len(inside)
        best = min(best, (distance(law - share), alpha, x))
    return best[1:]


def power_of_the_density(values):
    """Takes the power of the density for that of the share."""
    return _nearest(values, lambda d: np.abs(d).max(), less=0)


def at_or_below(values):
    """Counts each value itself in the share below it."""
    return _nearest(values, lambda d: np.abs(d).max(), step=1)


def sum_of_differences(values):
    """Adds the differences instead of taking the largest."""
    return _nearest(values, lambda d: np.abs(d).sum())


def signed_differences(values):
    """Forgets the absolute value."""
    return _nearest(values, np.max)


def all_counted(values):
    """Divides by the number of all values instead of those in the tail."""
    return _tail(values, count=lambda inside: len(values))


def threshold_first(values):
    """Returns the pair in the wrong order."""
    return _tail(values)[::-1]


def exponent_alone(values):
    """Returns no threshold."""
    return _tail(values)[0]


def _seen(w, side=max):
    """Eigenvalues above the end of noise, divided by one of the sides."""
    values = np.linalg.svd(w, compute_uv=False) ** 2 / side(w.shape)
    return values[values > random_matrices.largest_noise_eigenvalue(w.shape)]


def _root(seen, ratio, sign=1):
    """A root of the equation of the strength."""
    excess = seen - 1 - ratio
    return (excess + sign * np.sqrt(np.maximum(excess**2 - 4 * ratio, 0))) / 2


def _ratio(w):
    return min(w.shape) / max(w.shape)


def eigenvalues_themselves(w):
    """Takes the eigenvalues for the strengths."""
    return _seen(w)


def less_the_variance(w):
    """Subtracts the variance of the noise from the eigenvalues, and no more."""
    return _seen(w) - 1


def the_other_root(w):
    """Takes the smaller root, at which a direction does not show."""
    return _root(_seen(w), _ratio(w), sign=-1)


def by_the_rows(w):
    """Divides by the number of rows, as DeepDataProfiler does."""
    return _root(_seen(w, side=lambda shape: shape[0]), _ratio(w))


def of_all_values(w):
    """Leaves the bulk in."""
    return _root(np.linalg.svd(w, compute_uv=False) ** 2 / max(w.shape), _ratio(w))


def smallest_first(w):
    """Puts the smallest first."""
    return _root(_seen(w), _ratio(w))[::-1]


def one_edge_for_all(w):
    """Takes the end of noise of another shape."""
    values = np.linalg.svd(w, compute_uv=False) ** 2 / max(w.shape)
    end = random_matrices.largest_noise_eigenvalue((60, 90))
    return _root(values[values > end], _ratio(w))


def three_at_most(w):
    """Stops after three."""
    return _root(_seen(w), _ratio(w))[:3]


def longer_over_shorter(w):
    """Takes the aspect ratio for its inverse."""
    return _root(_seen(w), 1 / _ratio(w))


def _tau(a, b):
    i, j = np.triu_indices(len(a), 1)
    return np.mean(np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]))


def _groups(
    measure, error, group, mean=np.mean, sign=1, p=lambda t: np.abs(t) >= abs(t[0]) - 1e-9
):
    """The right answer, with one piece exchanged."""
    inside = [np.flatnonzero(group == g) for g in np.unique(group)]
    taus = [
        [sign * _tau(measure[g], error[list(order)]) for order in itertools.permutations(g)]
        for g in inside
    ]
    all_taus = np.array([mean(each) for each in itertools.product(*taus)])
    return all_taus[0], np.mean(p(all_taus))


def pooled(measure, error, group):
    """Compares all pairs, across groups."""
    return _tau(measure, error), _groups(measure, error, group)[1]


def weighted_by_pairs(measure, error, group):
    """Takes the mean over pairs, and not over groups."""
    counts = np.bincount(group)
    weights = counts * (counts - 1)
    return _groups(measure, error, group, mean=lambda t: np.average(t, weights=weights))


def weighted_by_size(measure, error, group):
    """Takes the mean over networks, and not over groups."""
    counts = np.bincount(group)
    return _groups(measure, error, group, mean=lambda t: np.average(t, weights=counts))


def summed(measure, error, group):
    """Adds the groups up."""
    return _groups(measure, error, group, mean=np.sum)


def sign_turned(measure, error, group):
    """Counts opposite orders as positive."""
    return _groups(measure, error, group, sign=-1)


def one_sided(measure, error, group):
    """Counts the taus of one sign only."""
    return _groups(measure, error, group, p=lambda t: t * np.sign(t[0]) >= abs(t[0]) - 1e-9)


def strictly_farther(measure, error, group):
    """Leaves out the orders that reach the same tau, the given one among them."""
    return _groups(measure, error, group, p=lambda t: np.abs(t) > abs(t[0]) + 1e-9)


def few_random_orders(measure, error, group):
    """Draws ten random orders, beside the one given, instead of taking each once."""
    rng, tau = np.random.default_rng(0), _groups(measure, error, group)[0]
    drawn = [tau]
    for _ in range(10):
        errors = error.copy()
        for g in np.unique(group):
            errors[group == g] = rng.permutation(error[group == g])
        drawn.append(_groups(measure, errors, group)[0])
    return tau, np.mean(np.abs(drawn) >= abs(tau) - 1e-9)


WRONG = {
    "spectra-tail": [
        (exponent_of_the_share, "of the share above a value"),
        (one_value_less, "without the value at the threshold"),
        (base_ten, "base ten"),
        (no_choice, "all values are taken as the tail"),
        (two_sided, "another threshold"),
        (all_counted, "with all values counted"),
        (power_of_the_density, "that of the density"),
        (at_or_below, "counts each value itself"),
        (sum_of_differences, "are summed"),
        (signed_differences, "below zero count as small"),
        (threshold_first, "the exponent comes first"),
        (exponent_alone, "has shape ()"),
    ],
    "spectra-strengths": [
        (eigenvalues_themselves, "these are the eigenvalues"),
        (less_the_variance, "noise adds more"),
        (the_other_root, "two roots"),
        (by_the_rows, "too many strengths"),
        (of_all_values, "too many strengths"),
        (one_edge_for_all, "strengths, given"),
        (three_at_most, "too few strengths"),
        (smallest_first, "the strengths ascend"),
        (longer_over_shorter, "would not show there"),
    ],
    "spectra-groups": [
        (pooled, "over all pairs"),
        (weighted_by_pairs, "larger groups count for more"),
        (weighted_by_size, "of networks, so larger"),
        (summed, "a sum over groups"),
        (sign_turned, "wrong sign"),
        (one_sided, "one-sided"),
        (strictly_farther, "reach exactly this tau"),
        (few_random_orders, "no share of all orders"),
    ],
}
