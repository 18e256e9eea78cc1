"""Pairs of units: each with its best partner, or one to one."""

import torch
from scipy.optimize import linear_sum_assignment


def greedy_match(correlation):
    """For each row the column of its largest entry; two rows may share one.

    Parameters
    ----------
    correlation : (C1, C2) tensor

    Returns
    -------
    (C1,) LongTensor

    Raises
    ------
    ValueError
        If it is no matrix, empty, or has NaN.

    Examples
    --------
    >>> greedy_match(torch.tensor([[0.9, 0.1], [0.8, 0.2]]))
    tensor([0, 0])
    """
    return finite_matrix(correlation).argmax(1)


def bipartite_match(correlation):
    """The one-to-one matching of greatest total, by linear assignment: exact.

    Parameters
    ----------
    correlation : (C1, C2) tensor

    Returns
    -------
    (C1,) LongTensor
        Columns; -1 for a row that is left over, where C1 > C2.

    Raises
    ------
    ValueError
        As in `greedy_match`.

    Examples
    --------
    >>> bipartite_match(torch.tensor([[0.9, 0.1], [0.8, 0.2]]))
    tensor([0, 1])
    """
    matrix = finite_matrix(correlation)
    rows, columns = linear_sum_assignment(matrix.cpu().numpy(), maximize=True)
    match = torch.full((len(matrix),), -1)
    match[torch.as_tensor(rows)] = torch.as_tensor(columns)
    return match


def matched(correlation, match):
    """Entries that a matching picks; rows without a partner are left out.

    Examples
    --------
    >>> matched(torch.tensor([[0.9, 0.1], [0.8, 0.2]]), torch.tensor([0, -1]))
    tensor([0.9000])
    """
    rows = (match >= 0).nonzero().flatten()
    return correlation[rows, match[rows]]


def finite_matrix(correlation):
    matrix = torch.as_tensor(correlation)
    if matrix.ndim != 2 or matrix.numel() == 0 or not torch.isfinite(matrix).all():
        raise ValueError(
            f"a finite (C1, C2) matrix is needed; got shape {tuple(matrix.shape)} with "
            f"{int((~torch.isfinite(matrix)).sum())} entries NaN or infinite"
        )
    return matrix
