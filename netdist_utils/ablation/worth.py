"""What a unit is worth, alone and beside another, for chapter 2.

A function f on subsets is a game whose players are the units. Shapley (1953) and Banzhaf (1965)
weight a unit's effects in the presence of the others in two ways, and Grabisch and Roubens (1999)
do the same for pairs. All are exact, from the table of the 2^H values.
"""

import math

import torch

from netdist_utils.ablation.subsets import _units_of, subset_sizes, walsh


def shapley_values(values):
    """Shapley's share of each unit in f(all) - f(none).

    Parameters
    ----------
    values : (2**H,) tensor
        Entry 0 is f of no unit, the last f of all.

    Returns
    -------
    (H,) float64 tensor
        Mean over all orders of the change when the unit joins (Shapley 1953).

    Examples
    --------
    >>> shapley_values(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    tensor([1., 2.], dtype=torch.float64)
    """
    n = _units_of(values)
    values = values.detach().double().cpu()
    others = subset_sizes(n - 1) if n else torch.zeros(1).long()
    by_size = torch.tensor([1 / (n * math.comb(n - 1, k)) for k in range(n)], dtype=torch.double)
    weights = by_size[others] if n else torch.zeros(1)
    shares = []
    for unit in range(n):
        off, on = values.view(-1, 2, 2**unit).unbind(1)
        shares.append(((on - off).flatten() * weights).sum())
    return torch.stack(shares) if shares else torch.zeros(0).double()


def banzhaf_values(values):
    """Mean effect of each unit on f where every other unit is kept with probability 1/2.

    Parameters
    ----------
    values : (2**H,) tensor

    Returns
    -------
    (H,) float64 tensor
        Twice the Walsh coefficients of degree one (Banzhaf 1965).

    Examples
    --------
    >>> banzhaf_values(torch.tensor([0.0, 1.0, 2.0, 5.0]))
    tensor([2., 3.], dtype=torch.float64)
    """
    return 2 * walsh(values)[1 << torch.arange(_units_of(values))]


def interactions(values, weights="shapley"):
    """How much the effect of a unit on f grows where another unit is kept.

    Parameters
    ----------
    values : (2**H,) tensor
    weights : {"shapley", "banzhaf"}
        Every number of other units alike, as in `shapley_values`, or every subset of them, as
        in `banzhaf_values` (Grabisch and Roubens 1999).

    Returns
    -------
    (H, H) float64 tensor
        Symmetric, zero on the diagonal; below zero where two units lower f more together. With
        Banzhaf's weights four times the Walsh coefficients of pairs.

    Raises
    ------
    ValueError
        If the weights are of another name.

    Examples
    --------
    >>> interactions(torch.tensor([0.0, 1.0, 2.0, 5.0]))
    tensor([[0., 2.],
            [2., 0.]], dtype=torch.float64)
    """
    n = _units_of(values)
    values, found = values.detach().double().cpu(), torch.zeros(n, n).double()
    sizes = range(n - 1)
    shares = [1 / ((n - 1) * math.comb(n - 2, k)) for k in sizes]
    by_size = shares if weights == "shapley" else [0.5 ** (n - 2) for _ in sizes]
    weight = torch.tensor(by_size, dtype=torch.double)[subset_sizes(n - 2)] if n > 1 else None
    for high in range(n):
        for low in range(high):
            table = values.view(-1, 2, 2 ** (high - low - 1), 2, 2**low)
            off, on = (table[:, kept, :, 1] - table[:, kept, :, 0] for kept in (0, 1))
            found[low, high] = found[high, low] = (weight * (on - off).flatten()).sum()
    return found
