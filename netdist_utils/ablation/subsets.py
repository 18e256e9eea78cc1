"""Functions on the subsets of a set of units, for chapter 2.

A function f on subsets is a polynomial in signs: its Walsh-Hadamard coefficients (O'Donnell,
"Analysis of Boolean Functions", 2014) give its energy by degree and its covariance along random
paths. All are exact, from the table of the 2^H values, in which unit i is kept in subset m where
bit i of m is 1.
"""

import math

import numpy as np
import torch
from scipy.linalg import toeplitz


def subset_sizes(n):
    """Number of units in each subset, (2**n,) long tensor.

    Parameters
    ----------
    n : int from 0 to 30

    Examples
    --------
    >>> subset_sizes(2)
    tensor([0, 1, 1, 2])
    """
    return subset_sums(torch.ones(n, dtype=torch.long))


def subset_sums(terms, start=0):
    """Sums of each subset of some terms, by the subset's number.

    Parameters
    ----------
    terms : possibly empty (..., H) long tensor or possibly empty (..., H) tensor
    start : int or (...) tensor
        What the sum of no term is.

    Returns
    -------
    (..., 2**H) tensor

    Examples
    --------
    >>> subset_sums(torch.tensor([1, 10]))
    tensor([ 0,  1, 10, 11])
    """
    sums = (torch.zeros_like(terms.sum(-1)) + start)[..., None]
    for term in terms.unbind(-1):
        sums = torch.cat([sums, sums + term[..., None]], dim=-1)
    return sums


def _units_of(values):
    """H of a table of 2**H values."""
    return len(values).bit_length() - 1


def keep_probabilities(n, p):
    """Probability of each subset where every unit is kept with probability p: (2**n,).

    Parameters
    ----------
    n : int from 0 to 30
    p : float in [0, 1]

    Examples
    --------
    >>> keep_probabilities(2, 0.5)
    tensor([0.2500, 0.2500, 0.2500, 0.2500], dtype=torch.float64)
    """
    sizes = subset_sizes(n).double()
    return p**sizes * (1 - p) ** (n - sizes)


def walsh(values, p=0.5):
    """Walsh-Hadamard coefficients: f(m) = sum_S coeff[S] prod_{i in S} s_i, s_i = +-1.

    Parameters
    ----------
    values : (2**H,) tensor
        s_i is +1 where bit i of m is 1, else -1.
    p : float in (0, 1)
        Keep-probability under which the products are orthogonal: at another one than 1/2,
        s_i is the entry of the mask less p, over its standard deviation (O'Donnell 2014, 8.4).

    Returns
    -------
    (2**H,) float64 tensor
        Coefficients, by the subset S's number.

    Examples
    --------
    >>> walsh(torch.tensor([1.0, 3.0]))
    tensor([2., 1.], dtype=torch.float64)
    """
    sd = math.sqrt(p * (1 - p))
    return _butterfly(values, lambda off, on: (p * on + (1 - p) * off, sd * (on - off)))


def inverse_walsh(coefficients):
    """The function with these Walsh-Hadamard coefficients: undoes `walsh`.

    Parameters
    ----------
    coefficients : (2**H,) tensor

    Returns
    -------
    (2**H,) float64 tensor

    Examples
    --------
    >>> inverse_walsh(torch.tensor([2.0, 1.0]))
    tensor([1., 3.], dtype=torch.float64)
    """
    return _butterfly(coefficients, lambda even, odd: (even - odd, even + odd))


def _butterfly(table, combine):
    """For one unit after the other, two new entries in place of each two that differ in it."""
    n = _units_of(table)
    table = table.detach().double().cpu()
    for unit in range(n):
        without, with_it = table.view(-1, 2, 2**unit).unbind(1)
        table = torch.stack(combine(without, with_it), dim=1).flatten()
    return table


def energy_by_degree(coefficients):
    """Sum of squared Walsh coefficients of subsets of each size.

    Parameters
    ----------
    coefficients : (2**H,) tensor

    Returns
    -------
    energy : (H+1,) tensor
        Entry 0 is the squared mean; the others sum to the variance at the keep-probability of
        the coefficients (Parseval).

    Examples
    --------
    >>> energy_by_degree(torch.tensor([2.0, 1.0]))
    tensor([4., 1.], dtype=torch.float64)
    """
    n = _units_of(coefficients)
    squares = coefficients.double().square()
    return torch.zeros(n + 1).double().index_add_(0, subset_sizes(n), squares)


def flip_path_covariance(coefficients):
    """Covariance of f along a random path that flips every unit once, in closed form.

    From a uniform random subset, units are flipped one by one in random order. After d flips a
    product of k signs is multiplied by kappa_k(d) / C(H, k) on average (kappa: Krawtchouk
    polynomial), so Cov(d) = sum_k E_k kappa_k(d) / C(H, k) with the energies E_k.

    Parameters
    ----------
    coefficients : (2**H,) tensor
        Of `walsh`.

    Returns
    -------
    (H+1, H+1) float64 tensor
        Toeplitz: only the number of flips between two points matters.

    Examples
    --------
    >>> flip_path_covariance(torch.tensor([2.0, 1.0]))
    tensor([[ 1., -1.],
            [-1.,  1.]], dtype=torch.float64)
    """
    n = _units_of(coefficients)
    energy = energy_by_degree(coefficients).tolist()
    row = [
        sum(energy[k] * _krawtchouk(k, d, n) / math.comb(n, k) for k in range(1, n + 1))
        for d in range(n + 1)
    ]
    return torch.from_numpy(toeplitz(np.array(row)))


def _krawtchouk(k, d, n):
    return sum((-1) ** j * math.comb(d, j) * math.comb(n - d, k - j) for j in range(k + 1))


def flip_paths(values, n_paths, generator):
    """f along sampled paths: what the closed form of the covariance is checked against.

    Parameters
    ----------
    values : (2**H,) tensor
        Values of f, by the subset's number.
    n_paths : int from 1 on
    generator : torch.Generator

    Returns
    -------
    (n_paths, H+1) tensor
        Along each path, from its random start to the start's complement.

    Examples
    --------
    >>> flip_paths(torch.arange(4.0), 3, torch.Generator().manual_seed(0)).shape
    torch.Size([3, 3])
    """
    n = _units_of(values)
    start = torch.randint(2**n, (n_paths, 1), generator=generator)
    order = torch.rand(n_paths, n, generator=generator).argsort(1)
    flipped = torch.cat([torch.zeros(n_paths, 1).long(), (1 << order).cumsum(1)], dim=1)
    return values[start ^ flipped]


def distribution_moments(values, p):
    """Mean, standard deviation, skewness and excess kurtosis of f at keep-probability p, exactly.

    Parameters
    ----------
    values : (2**H,) tensor
    p : float in [0, 1]

    Returns
    -------
    (float, float, float, float)
        In the unit of f, the last two without a unit: NaN where f does not vary.

    Examples
    --------
    >>> distribution_moments(torch.tensor([0.0, 1.0]), 0.5)
    (0.5, 0.5, 0.0, -2.0)
    """
    weights = keep_probabilities(_units_of(values), p)
    values = values.double()
    mean = (weights * values).sum()
    second, third, fourth = ((weights * (values - mean) ** k).sum() for k in (2, 3, 4))
    sd = second.sqrt()
    return float(mean), float(sd), float(third / sd**3), float(fourth / second**2 - 3)


def russo_margulis(values, p):
    """d/dp of E_p[f], exactly: sum over units of E_p[f with the unit - f without it].

    Parameters
    ----------
    values, p
        As in `distribution_moments`.

    Returns
    -------
    float
        In the unit of f. At p = 1/2, half of it is the difference of the means at 3/4 and 1/4,
        up to terms of third and higher order: those of second order cancel.

    Examples
    --------
    >>> round(russo_margulis(torch.tensor([0.0, 1.0, 2.0, 3.0]), 0.3), 6)
    3.0
    """
    n = _units_of(values)
    weights = keep_probabilities(max(n - 1, 0), p)
    pairs = (values.double().view(-1, 2, 2**unit).unbind(1) for unit in range(n))
    return float(sum(((on - off).flatten() * weights).sum() for off, on in pairs))


def best_subsets(values):
    """The subset of least f of each size.

    Parameters
    ----------
    values : (2**H,) tensor
        f of each subset, by its number.

    Returns
    -------
    (H+1,) long tensor
        Subset numbers, for 0, 1, ..., H units.

    Examples
    --------
    >>> best_subsets(torch.tensor([5.0, 1.0, 2.0, 0.0]))
    tensor([0, 1, 3])
    """
    n = _units_of(values)
    sizes = subset_sizes(n)
    return torch.stack([
        members[values[members].argmin()]
        for members in ((sizes == k).nonzero()[:, 0] for k in range(n + 1))
    ])  # fmt: skip


def greedy_subsets(values, beam=1):
    """Subsets met by removing, from all units on, the unit whose loss costs least.

    Parameters
    ----------
    values : (2**H,) tensor
        f of each subset, by its number.
    beam : int from 1 on
        How many subsets of each size are kept and pruned further, those of least f.

    Returns
    -------
    (H+1,) long tensor
        The best subset met of each size, for 0, 1, ..., H units.

    Examples
    --------
    >>> greedy_subsets(torch.tensor([5.0, 1.0, 2.0, 0.0])).tolist()
    [0, 1, 3]
    """
    n = _units_of(values)
    kept = [2**n - 1]
    met = [kept[0]]
    for _ in range(n):
        ways = {m ^ (1 << unit) for m in kept for unit in range(n) if m >> unit & 1}
        kept = sorted(ways, key=lambda m: (float(values[m]), m))[:beam]
        met.append(kept[0])
    return torch.tensor(met[::-1])
