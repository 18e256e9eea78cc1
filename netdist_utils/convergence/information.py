"""Mutual information of all pairs of units at once."""

import torch

EDGE_ROWS = 20_000  # rows from which the edges of bins are read, at least

GOLDEN = (5**0.5 - 1) / 2  # whose multiples spread evenly over any number of residues
BLOCK = 20_000  # rows whose indicators are in memory at once


def mutual_information(acts_a, acts_b, bins):
    """Mutual information of each pair of units, in nats.

    Parameters
    ----------
    acts_a : (N, C1) tensor
    acts_b : (N, C2) tensor
        Row n of both belongs to one sample.
    bins : int from 2 on
        A unit, of about equal frequency; ties (the zeros of a ReLU) share one.

    Returns
    -------
    (C1, C2) float64 tensor
        Less Miller and Madow's bias (R - 1)(C - 1) / 2N for R and C bins in use; so pairs of
        independent units are near 0, on either side.

    Raises
    ------
    ValueError
        If the rows do not pair up, a value is NaN, or bins is below 2.

    Notes
    -----
    All tables of counts at once are one product of indicators of "above this edge"; their
    differences are the counts of the bins.

    Examples
    --------
    >>> x = torch.arange(100.0)[:, None]
    >>> round(mutual_information(x, x, 2).item(), 3)  # log 2, less 1/200
    0.688
    """
    edges = [_edges(acts, bins) for acts in (acts_a, acts_b)]  # (C, B - 1)
    n = len(acts_a)
    above = torch.zeros(edges[0].numel(), edges[1].numel(), dtype=torch.double)
    single = [torch.zeros(e.numel(), dtype=torch.double) for e in edges]
    for parts in zip(acts_a.split(BLOCK), acts_b.split(BLOCK), strict=True):
        marks = []
        for count, part, edge in zip(single, parts, edges, strict=True):
            mark = torch.empty(len(part), *edge.shape)
            torch.gt(part.detach().cpu().float()[:, :, None], edge, out=mark)
            marks.append(mark.flatten(1))
            count += marks[-1].sum(0)
        above += marks[0].T @ marks[1]  # counts below 2^24 are exact in single precision
    return _information(above, *single, n, bins)


def _information(above, above_a, above_b, n, bins):
    """Plug-in mutual information less its bias, from the numbers of samples above the edges."""
    shape = [len(a) // (bins - 1) for a in (above_a, above_b)]
    tails = torch.zeros(shape[0], bins + 1, shape[1], bins + 1, dtype=torch.double)
    tails[:, 1:-1, :, 1:-1] = above.view(shape[0], bins - 1, shape[1], bins - 1)
    tails[:, 1:-1, :, 0] = above_a.view(shape[0], bins - 1, 1)
    tails[:, 0, :, 1:-1] = above_b.view(1, shape[1], bins - 1)
    tails[:, 0, :, 0] = n  # above no edge at all
    joint = -tails.diff(dim=1)  # of each bin: above its lower edge, less above its upper
    joint = -joint.diff(dim=3)  # (C1, B, C2, B)
    rows, columns = joint[:, :, 0].sum(2), joint[0].sum(0)  # (C, B)
    entropy = [-torch.special.xlogy(m / n, m / n).sum(1) for m in (rows, columns)]
    both = -torch.special.xlogy(joint / n, joint / n).sum((1, 3))  # (C1, C2)
    used = [(m > 0).sum(1) - 1 for m in (rows, columns)]
    bias = torch.outer(used[0], used[1]) / (2 * n)
    return entropy[0][:, None] + entropy[1] - both - bias


def _edges(acts, bins):
    """Quantiles of each unit that part its activations into bins: (C, bins - 1)."""
    rows = torch.arange(0, len(acts), max(1, len(acts) // EDGE_ROWS))
    if len(acts) >= 3 * EDGE_ROWS:
        # Rows of one image follow each other: every 64th would be the same position of each.
        rows = (torch.arange(EDGE_ROWS).double() * GOLDEN % 1 * len(acts)).long()
    chosen = acts[rows.to(acts.device)].cpu().float()
    return torch.quantile(chosen, torch.arange(1, bins) / bins, dim=0).T.contiguous()
