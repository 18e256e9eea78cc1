"""Typical wrong solutions of the exercises of chapter 6, and what is said of them."""

import numpy as np
from scipy.stats import pearsonr

from netdist_utils.lenses import intraclass


def seeds_left_in(values):
    """The variance of the means as if seeds had no part in it."""
    means = values.mean(1).var(ddof=1)
    return means / (means + values.var(1, ddof=1).mean())


def sums_of_squares(values):
    """Explained share of the sum of squares."""
    total = ((values - values.mean()) ** 2).sum()
    return values.shape[1] * ((values.mean(1) - values.mean()) ** 2).sum() / total


def axes_swapped(values):
    """Seeds in place of settings."""
    return intraclass(values.T)[0]


def of_the_seeds(values):
    """The other share."""
    return 1 - intraclass(values)[0]


def cut_at_zero(values):
    """No share below zero."""
    return max(0.0, intraclass(values)[0])


def no_ddof(values):
    """Variances that divide by the number of values."""
    seeds = values.var(1).mean()
    settings = values.mean(1).var() - seeds / values.shape[1]
    return settings / (settings + seeds)


def _divided(values, by):
    """The seeds' part of the variance of means, divided by another number."""
    seeds = values.var(1, ddof=1).mean()
    settings = values.mean(1).var(ddof=1) - seeds / by
    return settings / (settings + seeds or 1)


def undivided(values):
    """The whole variance of seeds comes off."""
    return _divided(values, 1)


def divided_by_settings(values):
    """The number of settings in place of that of seeds."""
    return _divided(values, len(values))


def _rows(values):
    rows = values.sum(1) - np.diag(values)
    return rows - rows.mean()


def mean_over_pairs(values):
    """A network's mean over its pairs, less the mean of all."""
    return _rows(values) / (len(values) - 1)


def diagonal_in(values):
    """Rows with their diagonal."""
    return (values.sum(1) - values.sum(1).mean()) / (len(values) - 2)


def not_centred(values):
    """The general mean is left in."""
    return (values.sum(1) - np.diag(values)) / (len(values) - 2)


def turned(values):
    """The wrong sign."""
    return -_rows(values) / (len(values) - 2)


def nothing(values):
    """No network brings anything."""
    return np.zeros(len(values))


def whole_matrix(values):
    """What is left of each pair, not what was taken out."""
    parts = _rows(values) / (len(values) - 2)
    return values - parts[:, None] - parts


def _p(a, b, orders, upper, moved=lambda b, order: b[np.ix_(order, order)], size=np.abs):
    drawn = [np.corrcoef(a[upper], moved(b, order)[upper])[0, 1] for order in orders]
    reached = size(np.array(drawn)) >= size(np.corrcoef(a[upper], b[upper])[0, 1]) - 1e-9
    return (1 + reached.sum()) / (1 + len(orders))


def independent_pairs(a, b, orders):
    """The p-value of a correlation of independent values."""
    upper = np.triu_indices(len(a), 1)
    return pearsonr(a[upper], b[upper]).pvalue


def rows_only(a, b, orders):
    """Rows are moved and columns stay."""
    return _p(a, b, orders, np.triu_indices(len(a), 1), moved=lambda b, order: b[order])


def one_sided(a, b, orders):
    """Negative correlations count as small."""
    return _p(a, b, orders, np.triu_indices(len(a), 1), size=lambda r: r)


def with_diagonal(a, b, orders):
    """All entries, also of a network with itself."""
    return _p(a, b, orders, tuple(np.indices(a.shape).reshape(2, -1)))


def without_the_measured(a, b, orders):
    """Share of the random orders alone."""
    p = _p(a, b, orders, np.triu_indices(len(a), 1))
    return (p * (1 + len(orders)) - 1) / len(orders)


def inverse_orders(a, b, orders):
    """Each order read as the place to which a network goes."""
    return _p(a, b, orders.argsort(1), np.triu_indices(len(a), 1))


def beyond_only(a, b, orders):
    """Orders that reach the correlation exactly are left out."""
    upper = np.triu_indices(len(a), 1)
    drawn = [np.corrcoef(a[upper], b[o][:, o][upper])[0, 1] for o in orders]
    least = abs(np.corrcoef(a[upper], b[upper])[0, 1]) + 1e-9
    return (1 + (np.abs(drawn) > least).sum()) / (1 + len(orders))


def below(a, b, orders):
    """Share of the orders that stay below."""
    return 1 - _p(a, b, orders, np.triu_indices(len(a), 1))


WRONG = {
    "lenses-recipe-share": [
        (seeds_left_in, "the seeds' part"),
        (sums_of_squares, "sum of squares"),
        (axes_swapped, "the other way"),
        (of_the_seeds, "share of the seeds"),
        (cut_at_zero, "may be negative"),
        (no_ddof, "ddof=1"),
        (undivided, "than one seed"),
        (divided_by_settings, "not over settings"),
    ],
    "lenses-own-parts": [
        (mean_over_pairs, "one common factor"),
        (diagonal_in, "the diagonal counts"),
        (not_centred, "add up to zero"),
        (turned, "the sign is turned round"),
        (nothing, "they differ"),
        (whole_matrix, "should have (6,)"),
    ],
    "lenses-mantel": [
        (independent_pairs, "not independent"),
        (rows_only, "rows and columns alike"),
        (one_sided, "as extreme"),
        (with_diagonal, "diagonal"),
        (without_the_measured, "counts as well"),
        (inverse_orders, "b[order][:, order]"),
        (beyond_only, "reaches it exactly"),
        (below, "stay below"),
    ],
}
