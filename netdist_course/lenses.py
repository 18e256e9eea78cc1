"""Exercises of chapter 6: a share of variance, what is a pair's own, and a test of pairs."""

import numpy as np
from scipy.stats import pearsonr

from netdist_course.checks import array, close, exercise, number, require
from netdist_utils.lenses import intraclass

TOLERANCE = 1e-6


def refuse(found, mistakes, given):
    """Name the first mistake whose result the answer has."""
    for sentence, wrong in mistakes.items():
        if np.allclose(found, wrong, rtol=TOLERANCE, atol=1e-9):
            require(False, f"{sentence} (given {given})")


# Recipe or seed


def settings_and_seeds(rng, case):
    """One number of each network, (settings, seeds); in case 2 all settings have one mean."""
    settings, seeds = [(5, 6), (2, 2), (4, 3), (9, 8)][case]
    of_seeds = rng.normal(size=(settings, seeds))
    if case == 2:
        return (7 + of_seeds - of_seeds.mean(1, keepdims=True),)
    means = rng.uniform(0.5, 2) * rng.permutation(np.linspace(-1, 1, settings))
    return (10 * case + means[:, None] + of_seeds,)


@exercise("lenses-recipe-share", settings_and_seeds)
def recipe_share(answer, values):
    """Compared with `lenses.intraclass`."""
    found, right = number(answer, "the share"), intraclass(values)[0]
    given = f"values of {len(values)} settings and {values.shape[1]} seeds"
    close_to_right = np.isclose(found, right, rtol=TOLERANCE, atol=1e-9)
    seeds, means = values.var(1, ddof=1).mean(), values.mean(1).var(ddof=1)
    deviations = ((values - values.mean()) ** 2).sum()
    between = values.shape[1] * values.mean(1).var() * len(values)
    n, biased = values.shape[1], values.var(1).mean()
    without_ddof = values.mean(1).var() - biased / n
    mistakes = {
        "the share may be negative, where settings differ by less than seeds make them": max(
            0, right
        ),
        "the variance of the settings' means holds a part of the seeds' variance, which is still "
        "in": means / (means + seeds),
        "this is the share of the sum of squares, which grows by chance alone": between
        / deviations,
        "this is the share of the seeds": 1 - right,
        "rows are settings and columns are seeds; this takes them the other way round": intraclass(
            values.T
        )[0],
        "a variance of few values has ddof=1": without_ddof / (without_ddof + biased),
    }
    if not close_to_right:
        refuse(found, mistakes, given)
    close(found, right, f"this is not the share of variance between settings, given {given}")


# What a network brings to all of its pairs


def pairs_with_own_parts(rng, case):
    """A measure of all pairs, (n, n): own parts, noise, and one pair alike beyond them."""
    n = [6, 3, 4, 9][case]
    own = rng.permutation(np.linspace(-1, 1, n) + 0.02 * rng.normal(size=n))
    noise = 0.02 * rng.normal(size=(n, n))
    values = [3, 0, 50, -2][case] + own[:, None] + own + noise + noise.T
    i, j = own.argsort()[:2]  # alike for their own sake, though both are unlike all others
    values[[i, j], [j, i]] += 0.6
    np.fill_diagonal(values, rng.normal(size=n))
    return (values,)


@exercise("lenses-own-parts", pairs_with_own_parts)
def own_parts(answer, values):
    """Verified by the normal equations: what is left adds up to nothing over each network."""
    n, given = len(values), f"a measure of the pairs of {len(values)} networks"
    found = array(answer, (n,), "what networks bring")
    rows = values.sum(1) - values.diagonal()
    target = rows - rows.mean()  # (n - 2) times the parts
    with_diagonal = values.sum(1) - values.sum(1).mean()
    centred = found - found.mean()
    fits = np.allclose(target, (n - 2) * centred, rtol=TOLERANCE, atol=1e-6)
    off_zero = not np.isclose(found.mean(), 0, atol=1e-6)
    require(not (fits and off_zero), f"the parts should add up to zero, given {given}")
    size = np.linalg.norm(centred) * np.linalg.norm(target)
    along = centred @ target / max(size, 1e-12)
    require(along > -1 + 1e-9, f"the sign is turned round, given {given}")
    factor = not fits and along > 1 - 1e-9
    require(not factor, f"the parts are off by one common factor, given {given}")
    cosine = centred @ with_diagonal / (np.linalg.norm(centred) * np.linalg.norm(with_diagonal))
    same_diagonal = not fits and cosine > 1 - 1e-9
    require(not same_diagonal, f"the diagonal counts, and no pair stands there; given {given}")
    require(fits, f"what is left of some network's pairs does not add up to zero, given {given}")


# A permutation test of pairs


def two_measures(rng, case):
    """Two measures of the pairs of n networks, (n, n) each, and orders of the networks."""
    n, draws = [(8, 199), (4, 9), (6, 60), (5, 40)][case]
    common, (a, b) = rng.normal(size=(n, n)), rng.normal(size=(2, n, n))
    own = rng.normal(size=(2, n)) + 0.3 * rng.normal(size=n)
    both = [part + 0.3 * common + x[:, None] for part, x in zip((a, b), own, strict=True)]
    both[1] *= -1 if case == 2 else 1
    a, b = (values + values.T for values in both)  # diagonals hold what says nothing
    return a, b, np.array([rng.permutation(n) for _ in range(draws)])


def correlations(a, b, orders, upper):
    """Of a with b as it is, and with b in each order."""
    moved = np.array([b, *(b[np.ix_(order, order)] for order in orders)])[:, *upper]
    return np.array([np.corrcoef(a[upper], values)[0, 1] for values in moved])


@exercise("lenses-mantel", two_measures)
def mantel(answer, a, b, orders):
    """Compared with the test itself; orders that tie with the measured one may count or not."""
    found, upper = number(answer, "the p-value"), np.triu_indices(len(a), 1)
    given = f"{len(a)} networks and {len(orders)} orders"
    require(0 <= found <= 1, f"a p-value lies between 0 and 1, given {given}")
    r, *drawn = correlations(a, b, orders, upper)
    drawn, draws = np.array(drawn), len(orders)
    low, high = ((1 + (np.abs(drawn) >= abs(r) + e).sum()) / (1 + draws) for e in (1e-9, -1e-9))
    if low - 1e-9 <= found <= high + 1e-9:
        return
    whole = correlations(a, b, orders, tuple(np.indices(a.shape).reshape(2, -1)))
    rows = np.array([np.corrcoef(a[upper], b[order][upper])[0, 1] for order in orders])
    mistakes = {
        "the order that was measured counts as well, above and below": high - (1 - high) / draws,
        "the diagonal counts, and no pair stands there": (
            1 + (np.abs(whole[1:]) >= abs(whole[0]) - 1e-9).sum()
        )
        / (1 + draws),
        "an order moves rows and columns alike, so that pairs stay pairs of networks": (
            1 + (np.abs(rows) >= abs(r)).sum()
        )
        / (1 + draws),
        "a strong negative correlation is as extreme as a positive one": (1 + (drawn >= r).sum())
        / (1 + draws),
        "this is the p-value for independent pairs; pairs share networks": pearsonr(
            a[upper], b[upper]
        ).pvalue,
        "this counts the orders that stay below": 1 - high,
    }
    refuse(found, mistakes, given)
    require(False, f"this is not the share of orders that reach the correlation, given {given}")
