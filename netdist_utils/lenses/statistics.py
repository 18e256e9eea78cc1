"""Variance between and within groups, and agreement of measures that a permutation can test.

Networks are the sampling unit throughout: a pair's number shares its networks with other pairs,
so pairs are never counted as if they were independent.
"""

import numpy as np
from scipy import stats


def intraclass(groups, level=0.95, blocks=False):
    """Share of the variance that lies between groups, in a one-way model with random effects.

    Parameters
    ----------
    groups : (S, n) array
        n independent values of each of S groups.
    level : float in (0, 1)
        Of the interval.
    blocks : bool
        Whether column k of all groups is one block, whose mean is taken out first. The variance
        is then that which blocks leave.

    Returns
    -------
    (float, float, float)
        ICC(1) and the ends of its exact interval under normal errors (McGraw and Wong 1996,
        table 7). Below 0 where groups differ by less than chance alone would make them.

    Raises
    ------
    ValueError
        If there are fewer than two groups or two values, or one is not finite.

    Examples
    --------
    >>> round(intraclass([[1.0, 1.1], [5.0, 5.1]])[0], 2)
    1.0
    """
    if min(groups.shape) < 2:
        raise ValueError(f"groups of shape {groups.shape}; a finite (S, n), both 2 or more")
    between, within = _mean_squares(groups - blocks * groups.mean(0))
    n_groups, n = groups.shape
    freedom = (n_groups - blocks) * (n - 1)
    return _of_mean_squares(
        between, within * n_groups * (n - 1) / freedom, n_groups, n, freedom, level
    )


def intraclass_of_pairs(matrices, level=0.95):
    """The same for a measure of pairs, from pairs that have no network in common.

    The n networks of a group fall into n / 2 disjoint pairs in n - 1 rounds, which together use
    each pair once. Mean squares are averaged over rounds; the interval is that of one round, and
    so rather too wide.

    Parameters
    ----------
    matrices : (S, n, n) array with NaN
        Symmetric, n even and at least 4; diagonals are not looked at.
    level : float in (0, 1)

    Returns
    -------
    (float, float, float)
        As `intraclass`.

    Examples
    --------
    >>> matrices = np.arange(3)[:, None, None] * np.ones((3, 4, 4))
    >>> intraclass_of_pairs(matrices)[0]
    1.0
    """
    matrices = _symmetric(matrices)
    n = matrices.shape[1]
    if n % 2 or n < 4 or len(matrices) < 2:
        raise ValueError(f"matrices of shape {matrices.shape}; two or more, n even and at least 4")
    rounds = [matrices[:, pairs[:, 0], pairs[:, 1]] for pairs in disjoint_pairs(n)]
    between, within = np.mean([_mean_squares(values) for values in rounds], axis=0)
    n_groups, freedom = len(matrices), len(matrices) * (n // 2 - 1)
    return _of_mean_squares(between, within, n_groups, n // 2, freedom, level)


def disjoint_pairs(n):
    """All pairs of n, an even number, in n - 1 rounds of disjoint ones: (n - 1, n / 2, 2).

    Parameters
    ----------
    n : int from 2 on

    Examples
    --------
    >>> disjoint_pairs(4).tolist()
    [[[0, 3], [1, 2]], [[1, 3], [2, 0]], [[2, 3], [0, 1]]]
    """
    m, k = n - 1, np.arange(1, n // 2)
    return np.array(
        [[[r, m], *np.column_stack([(r + k) % m, (r - k) % m]).tolist()] for r in range(m)]
    )


def _mean_squares(values):
    """Between and within the rows of (S, n) values."""
    n = values.shape[1]
    return n * values.mean(1).var(ddof=1), values.var(axis=1, ddof=1).mean()


def _of_mean_squares(between, within, n_groups, n, freedom_within, level):
    if within == 0:
        return (1.0, 1.0, 1.0) if between > 0 else (0.0, -1 / (n - 1), 1.0)
    ratio, freedom = between / within, (n_groups - 1, freedom_within)
    tail = (1 - level) / 2
    ends = ratio / stats.f.isf(tail, *freedom), ratio * stats.f.isf(tail, *freedom[::-1])
    return tuple(float((f - 1) / (f + n - 1)) for f in (ratio, *ends))


def mantel(measures, draws=1000, seed=0, level=0.95):
    """Correlations between measures of pairs inside groups, and what chance gives at most.

    Parameters
    ----------
    measures : dict of str to (S, n, n) array with NaN
        Each measure of all pairs of the n networks of S groups; symmetric.
    draws : int from 1 on
        Random orders of the networks, one for each measure and group (Mantel 1967).
    seed : int from 0 on
    level : float in (0, 1)

    Returns
    -------
    correlations : (L, L) array
        Mean over groups of the rank correlation over a group's pairs.
    limit : float
        The level's quantile of the largest absolute correlation of all L (L - 1) / 2 where no
        two measures are related (Nichols and Holmes 2002).

    Raises
    ------
    ValueError
        If a measure is not symmetric, or shapes differ.

    Examples
    --------
    >>> a = np.random.default_rng(0).normal(size=(3, 8, 8))
    >>> a += a.swapaxes(1, 2)
    >>> found, limit = mantel({"one": a, "twice": 2 * a}, draws=99)
    >>> float(round(found[0, 1], 6)), limit < 0.5
    (1.0, True)
    """
    stacked = np.stack([_symmetric(matrix) for matrix in measures.values()])  # (L, S, n, n)
    upper = np.triu_indices(stacked.shape[2], 1)
    ranks = np.zeros_like(stacked)
    ranks[..., *upper] = stats.rankdata(stacked[..., *upper], axis=-1)
    ranks += ranks.swapaxes(-1, -2)
    n_measures, n_groups, n, _ = stacked.shape

    def shuffled(rng):
        order = rng.permuted(np.tile(np.arange(n), (n_measures, n_groups, 1)), axis=2)
        place = np.arange(n_measures)[:, None, None, None], np.arange(n_groups)[:, None, None]
        return ranks[*place, order[..., :, None], order[..., None, :]]

    def correlations(ranks):
        return _correlations(ranks[..., *upper])

    return correlations(ranks), largest_by_chance(correlations, shuffled, draws, seed, level)


def without_networks(matrices):
    """A measure of pairs less what each network brings to all of its pairs.

    Least squares of value (i, j) on m + a_i + a_j. What is left belongs to the pair: that two
    networks are alike, and not that one of them is like everybody.

    Parameters
    ----------
    matrices : (S, n, n) array with NaN
        Symmetric, n at least 3; diagonals are not looked at.

    Returns
    -------
    (S, n, n) array
        Its diagonals are 0, and so are the sums of its rows.

    Examples
    --------
    >>> a = np.arange(4.0)
    >>> bool(np.allclose(without_networks([a + a[:, None]]), 0))
    True
    """
    matrices = _symmetric(matrices)
    n = matrices.shape[1]
    total = matrices.sum((1, 2), keepdims=True) / (n - 1)  # n m + 2 sum a
    own = (matrices.sum(2, keepdims=True) - total / 2) / (n - 2)  # a_i + m / 2
    return _symmetric(matrices - own - own.swapaxes(1, 2))


def agreement(table, draws=1000, seed=0, level=0.95):
    """Rank correlations between measures over groups, and what chance gives at most.

    Parameters
    ----------
    table : (S, L) array
        A row a group, a column a measure.
    draws, seed, level
        As in `mantel`; each column is shuffled on its own.

    Returns
    -------
    (L, L) array, float
        As `mantel`.

    Examples
    --------
    >>> found, limit = agreement([[1, 10], [2, 20], [3, 30], [4, 50]], draws=99)
    >>> float(round(found[0, 1], 6))
    1.0
    """
    ranks = stats.rankdata(table, axis=0).T[:, None]  # (L, 1, S)

    def shuffled(rng):
        return rng.permuted(ranks, axis=2)

    return _correlations(ranks), largest_by_chance(_correlations, shuffled, draws, seed, level)


def largest_by_chance(correlations, shuffled, draws, seed=0, level=0.95):
    """Quantile of the largest absolute entry off the diagonal, over random orders.

    Parameters
    ----------
    correlations : callable
        From data to (L, L).
    shuffled : callable
        From a numpy Generator to data in which no two measures are related.
    draws : int from 1 on
    seed : int from 0 on
    level : float in (0, 1)

    Returns
    -------
    float

    Examples
    --------
    >>> largest_by_chance(np.corrcoef, lambda rng: rng.normal(size=(2, 1000)), 50) < 0.2
    True
    """
    rng = np.random.default_rng(seed)
    largest = []
    for _ in range(draws):
        found = np.abs(correlations(shuffled(rng)))
        np.fill_diagonal(found, 0)
        largest.append(found.max())
    return float(np.quantile(largest, level, method="higher"))


def _correlations(values):
    """Mean over groups of the correlations of (L, S, P) values: (L, L)."""
    centred = values - values.mean(-1, keepdims=True)
    size = np.linalg.norm(centred, axis=-1, keepdims=True)
    unit = np.divide(centred, size, out=np.zeros_like(centred), where=size > 0)
    return np.einsum("asp,bsp->ab", unit, unit) / values.shape[1]


def _symmetric(matrices):
    """The same as an array (S, n, n), its diagonals set to 0."""
    matrices = matrices.copy()
    k = np.arange(matrices.shape[1])
    matrices[:, k, k] = 0
    if not np.allclose(matrices, matrices.swapaxes(1, 2)):
        raise ValueError(f"matrices of shape {matrices.shape} are not symmetric, or have NaN")
    return matrices
