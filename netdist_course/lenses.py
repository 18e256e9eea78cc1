"""Exercises of chapter 6: a share of variance, what is a pair's own, and a test of pairs."""

import numpy as np
from scipy.stats import pearsonr

from netdist_course.checks import array, exercise, name_mistake, number, require
from netdist_utils.lenses import intraclass

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
    found, right, n = number(answer, "the share"), intraclass(values)[0], values.shape[1]
    seeds, means = values.var(1, ddof=1).mean(), values.mean(1).var(ddof=1)

    def less(part):
        total = means - part + seeds
        return (total - seeds) / total if total > 1e-9 else np.nan

    biased = values.mean(1).var() - values.var(1).mean() / n
    mistakes = {
        "the share may be negative, where settings differ less than by chance": max(0, right),
        "the seeds' part of the variance of means is still in": means / (means + seeds),
        "a share of the sum of squares grows by chance alone": values.mean(1).var() / values.var(),
        "this is the share of the seeds": 1 - right,
        "a mean over seeds has less of their variance than one seed": less(seeds),
        "each mean is over seeds, not over settings": less(seeds / len(values)),
        "rows are settings and columns seeds, not the other way": intraclass(values.T)[0],
        "a variance of few values has ddof=1": biased / (biased + values.var(1).mean()),
        "this is not the share of the variance that lies between settings": found,  # any other
    }
    said = f"{{}} (given {len(values)} settings and {n} seeds)"
    name_mistake(found, right, mistakes.items(), said)


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
    """Compared with the normal equations: what is left adds up to zero over each network."""
    n, sums = len(values), values.sum(1)
    found = array(answer, (n,), "what networks bring")

    def part(sums):
        return (sums - sums.mean()) / (n - 2)

    def multiple(part):
        return (found @ part) / (part @ part) * part

    right = part(sums - values.diagonal())
    mistakes = {
        "all networks bring the same, and they differ": np.full(n, found.mean()),
        "the parts should add up to zero": right + found.mean(),
        "the sign is turned round": -right,
        "the parts are off by one common factor": multiple(right),
        "the diagonal counts, and no pair stands there": multiple(part(sums)),
        "what is left of the pairs of some network does not add up to zero": found,  # any other
    }
    said = f"{{}} (given the pairs of {n} networks)"
    name_mistake(found, right, mistakes.items(), said)


# A permutation test of pairs


def two_measures(rng, case):
    """Two measures of the pairs of n networks, (n, n) each, and orders of the networks."""
    n, draws = [(8, 199), (4, 9), (6, 60), (5, 40)][case]
    common, (a, b) = rng.normal(size=(n, n)), rng.normal(size=(2, n, n))
    own = rng.normal(size=(2, n)) + 0.3 * rng.normal(size=n)
    both = [part + 0.3 * common + x[:, None] for part, x in zip((a, b), own, strict=True)]
    both[1] *= -1 if case == 2 else 1
    a, b = (values + values.T for values in both)  # diagonals hold what says nothing
    orders = np.array([rng.permutation(n) for _ in range(draws)])
    orders = orders[(orders != np.arange(n)).any(1)]  # none ties with the measured one
    return a, b, np.concatenate([orders, [np.arange(n)]]) if case == 1 else orders


def reached(a, b, orders, entries, columns=True, size=np.abs, margin=1e-9):
    """Share of orders, the measured one among them, that reach the correlation; ties count."""

    def correlation(order):
        moved = b[order][:, order] if columns else b[order]
        return size(np.corrcoef(a[entries], moved[entries])[0, 1])

    least = correlation(np.arange(len(b))) - margin
    return (1 + sum(correlation(order) >= least for order in orders)) / (1 + len(orders))


@exercise("lenses-mantel", two_measures)
def mantel(answer, a, b, orders):
    """Compared with the test itself."""
    found, draws = number(answer, "the p-value"), len(orders)
    require(0 <= found <= 1, "a p-value lies between 0 and 1")
    entries, whole = np.triu_indices(len(a), 1), tuple(np.indices(a.shape).reshape(2, -1))
    right = reached(a, b, orders, entries)
    mistakes = {
        "the order that was measured counts as well": right - (1 - right) / draws,
        "an order that reaches it exactly counts": reached(a, b, orders, entries, margin=-1e-9),
        "the diagonal counts, and no pair stands there": reached(a, b, orders, whole),
        "an order moves rows and columns alike, as b[order][:, order] does": reached(
            a, b, orders, entries, columns=False
        ),
        "a strong negative correlation is as extreme": reached(a, b, orders, entries, size=float),
        "an order is read inversely, and not as b[order][:, order]": reached(
            a, b, orders.argsort(1), entries
        ),
        "pairs share networks, and are not independent": pearsonr(a[entries], b[entries]).pvalue,
        "this counts the orders that stay below": 1 - right,
        "this is not the share of orders that reach the correlation": found,  # any other
    }
    said = f"{{}} (given {len(a)} networks and {draws} orders)"
    name_mistake(found, right, mistakes.items(), said)
