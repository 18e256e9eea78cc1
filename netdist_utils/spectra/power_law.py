"""Power-law tails of a sample: fit, error bars, and goodness of fit.

Follows Clauset, Shalizi and Newman (2009), *Power-law distributions in empirical data*: the
exponent by maximum likelihood above a threshold, the threshold by the smallest
Kolmogorov-Smirnov distance. `fit_power_law` agrees with the package powerlaw 1.5 to rounding.
(powerlaw 2.0 limits alpha to 3 unless told otherwise, which makes every layer "well trained".)
"""

from dataclasses import dataclass

import numpy as np

MINIMUM = 10  # positive values, below which no exponent is given

PROBES = 48  # points of a tail at which its distance is bounded from below first


@dataclass(frozen=True)
class PowerLawFit:
    """Density proportional to x**-alpha above xmin.

    Attributes
    ----------
    alpha : float
        NaN where no fit is possible; then ``reason`` says why.
    xmin : float
    ks : float
        Kolmogorov-Smirnov distance of the tail from the fitted law, one-sided as in powerlaw 1.5:
        at each value the law is compared with the share of the tail below it, and not also with
        the share at or below it. Without ties, the two-sided distance is larger by at most
        1 / n_tail.
    n_tail : int
        Values at or above xmin.
    stderr : float
        (alpha - 1) / sqrt(n_tail): of alpha for a given xmin, not for its choice; for that
        see `bootstrap_interval`.
    n : int
        Positive values given. Zeros are left out.
    reason : str
    """

    alpha: float
    xmin: float
    ks: float
    n_tail: int
    stderr: float
    n: int
    reason: str = ""


def fit_power_law(values):
    """Fit a power law to the tail of a sample.

    Parameters
    ----------
    values : possibly empty (n,) array from 0 on
        Zeros are left out.

    Returns
    -------
    PowerLawFit

    Raises
    ------
    ValueError
        If a value is negative, NaN or infinite, or the array is not one-dimensional.

    Notes
    -----
    Every distinct value but the largest is tried as xmin. The distance of each candidate is
    first bounded from below at a few points of its tail; only those that could win are then
    computed in full. The answer is that of the full search; memory is O(n).

    Examples
    --------
    >>> sample = 1 + np.random.default_rng(0).pareto(2.5, 5000)
    >>> fit = fit_power_law(sample)
    >>> round(fit.alpha, 5), round(fit.xmin, 6)
    (3.44634, 1.118762)
    """
    x = positive(values)
    unique, first = np.unique(x, return_index=True)  # (k,) ascending; index in sorted x
    if len(x) < MINIMUM or len(unique) < 2:
        few = f"{len(x)} positive values, {MINIMUM} or more are needed"
        reason = few if len(x) < MINIMUM else f"all {len(x)} values equal {unique[0]:g}"
        return PowerLawFit(np.nan, np.nan, np.nan, 0, np.nan, len(x), reason)
    logs = np.log(unique)
    exponents = _exponents(unique, first, len(x))  # (k - 1,)
    best = _least_distance(logs, first, len(x), exponents)
    n_tail = int(len(x) - first[best])
    alpha = float(1 + exponents[best])
    ks = float(_distance(logs, first, len(x), exponents, best))
    return PowerLawFit(alpha, float(unique[best]), ks, n_tail, (alpha - 1) / n_tail**0.5, len(x))


def positive(values):
    """The positive values, ascending."""
    return np.sort(values[values > 0])


def _exponents(unique, first, n):
    """alpha - 1 for each candidate xmin: n_tail over the sum of log(x / xmin)."""
    gaps = np.log1p(np.diff(unique) / unique[:-1])  # exact also for nearly equal values
    above = n - first  # (k,) values at or above each
    sums = np.cumsum((gaps * above[1:])[::-1])[::-1]  # (k - 1,) sums of log(x / xmin)
    return above[:-1] / sums


def _distance(logs, first, n, exponents, i):
    """Kolmogorov-Smirnov distance of the tail that starts at candidate i, one-sided (see `ks`)."""
    law = -np.expm1(-exponents[i] * (logs[i:] - logs[i]))
    sample = (first[i:] - first[i]) / (n - first[i])
    return np.abs(law - sample).max()


def _least_distance(logs, first, n, exponents):
    """Candidate of least distance; the smallest of those that tie."""
    k = len(exponents)
    start = np.arange(k)[:, None]
    places = start + (np.linspace(0, 1, PROBES) * (len(logs) - 1 - start)).astype(int)  # (k, P)
    law = -np.expm1(-exponents[:, None] * (logs[places] - logs[start]))
    sample = (first[places] - first[start]) / (n - first[start])
    bounds = np.abs(law - sample).max(1)  # (k,) at most the distances
    best, least = 0, np.inf
    for i in np.argsort(bounds, kind="stable"):
        if bounds[i] > least + 1e-12:  # the slack is for rounding
            break
        distance = _distance(logs, first, n, exponents, i)
        if distance < least or (distance == least and i < best):
            best, least = i, distance
    return best


def bootstrap_interval(values, draws=200, level=0.95, seed=0):
    """Percentile interval of alpha, the choice of xmin included.

    Parameters
    ----------
    values : possibly empty (n,) array from 0 on
    draws : int from 1 on
    level : float in (0, 1)
    seed : int from 0 on or numpy.random.Generator

    Returns
    -------
    (float, float)
        NaN where the fit has no alpha.

    Examples
    --------
    >>> sample = 1 + np.random.default_rng(0).pareto(1.5, 400)
    >>> low, high = bootstrap_interval(sample, draws=50)
    >>> low < 2.5 < high
    True
    """
    x, rng = positive(values), np.random.default_rng(seed)
    if np.isnan(fit_power_law(x).alpha):
        return np.nan, np.nan
    alphas = [fit_power_law(rng.choice(x, len(x))).alpha for _ in range(draws)]
    low, high = np.nanquantile(alphas, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def goodness_of_fit(values, draws=200, seed=0):
    """Clauset, Shalizi and Newman's p-value: small means that the power law does not fit.

    Parameters
    ----------
    values, draws, seed
        As in `bootstrap_interval`.

    Returns
    -------
    float
        Share of samples, drawn from the fitted law above xmin and from the values below it, whose
        own fit lies as far or farther away. Its standard error is at most 0.5/sqrt(draws). NaN
        where the fit has no alpha.

    Examples
    --------
    >>> sample = 1 + np.random.default_rng(0).pareto(1.5, 200)
    >>> goodness_of_fit(sample, draws=40) > 0.1
    True
    """
    x, rng = positive(values), np.random.default_rng(seed)
    fit = fit_power_law(x)
    if np.isnan(fit.alpha):
        return np.nan
    below, farther = x[x < fit.xmin], 0
    for _ in range(draws):
        n_tail = rng.binomial(len(x), fit.n_tail / len(x))
        tail = fit.xmin * (1 - rng.random(n_tail)) ** (-1 / (fit.alpha - 1))
        body = rng.choice(below, len(x) - n_tail) if len(below) else tail[:0]
        farther += fit_power_law(np.concatenate([body, tail])).ks >= fit.ks
    return farther / draws
