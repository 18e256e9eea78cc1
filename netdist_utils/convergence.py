"""Chapter 4: do independently trained networks learn the same features?

Follows Li, Yosinski, Clune, Lipson and Hopcroft (2016), *Convergent Learning: Do different neural
networks learn the same representations?* Units of two networks are compared by the correlation of
their activations (`correlations`), one to one (`greedy_match`, `bipartite_match`), by mutual
information, few to one (`sparse_map`) and many to many (`cluster_units`, `linear_cka`).

In a convolutional layer the channels are the units, and the positions are more samples.
"""

import warnings

import numpy as np
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform
from sklearn.linear_model import lasso_path

from netdist_utils.moments import correlation, dead_units, inverse_deviations, moments

EDGE_ROWS = 20_000  # rows from which the edges of bins are read
BLOCK = 20_000  # rows whose indicators are in memory at once


def correlations(model_a, model_b, x, layer):
    """Correlation of each unit of one network with each of the other, over samples and positions.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
    x : (N, ...) tensor
        Or a pair of them, one a network, for a null.
    layer : int
        Whose output is compared.

    Returns
    -------
    (C1, C2) tensor
        The row or column of a unit that never changes is 0, and a warning names it.

    Raises
    ------
    ValueError
        If an activation is NaN, or as in `moments.moments`.

    Examples
    --------
    >>> from netdist_utils import models
    >>> net = models.mlp([4, 3])
    >>> correlations(net, net, torch.randn(50, 4), 1).diagonal().round(decimals=3)
    tensor([1., 1., 1.], dtype=torch.float64)
    """
    found = moments([model_a, model_b], x, [layer], batch_size=200)
    for name, i in (("first", 0), ("second", 1)):
        if constant := dead_units(found, layer, i).nonzero().flatten().tolist():
            warnings.warn(
                f"units {constant} of layer {layer} of the {name} network never change; "
                "their correlations are set to 0",
                stacklevel=2,
            )
    return correlation(found, layer, 0, 1)


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
    return _matrix(correlation).argmax(1)


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
    matrix = _matrix(correlation)
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


def _matrix(correlation):
    matrix = torch.as_tensor(correlation)
    if matrix.ndim != 2 or matrix.numel() == 0 or not torch.isfinite(matrix).all():
        raise ValueError(
            f"a finite (C1, C2) matrix is needed; got shape {tuple(matrix.shape)} with "
            f"{int((~torch.isfinite(matrix)).sum())} entries NaN or infinite"
        )
    return matrix


def mutual_information(acts_a, acts_b, bins):
    """Mutual information of each pair of units, in nats.

    Parameters
    ----------
    acts_a, acts_b : (N, C1), (N, C2) tensors
        Row n of both belongs to one sample.
    bins : int
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
    if acts_a.ndim != 2 or acts_b.ndim != 2 or len(acts_a) != len(acts_b) or len(acts_a) == 0:
        raise ValueError(
            f"activations have shapes {tuple(acts_a.shape)}, {tuple(acts_b.shape)}; "
            "(N, C1) and (N, C2) are needed"
        )
    if bins < 2:
        raise ValueError(f"bins is {bins}; 2 or more are needed")
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
    if not torch.isfinite(acts).all():
        raise ValueError(f"{int((~torch.isfinite(acts)).sum())} activations are NaN or infinite")
    rows = acts[:: max(1, len(acts) // EDGE_ROWS)].detach().cpu().float()
    return torch.quantile(rows, torch.arange(1, bins) / bins, dim=0).T.contiguous()


def sparse_map(acts_a, acts_b, penalty):
    """Predict each unit of b from few units of a, by the lasso.

    Parameters
    ----------
    acts_a, acts_b : (N, C1), (N, C2) tensors
    penalty : float
        Factor of the sum of ``abs(W)`` beside E(b - W a)^2 / 2, all units standardised. 0 is
        least squares.

    Returns
    -------
    (C2, C1) float64 tensor
        Row j predicts unit j of b; units that never change have zeros.

    Raises
    ------
    ValueError
        If the rows do not pair up, a value is NaN, or the penalty is negative.

    Examples
    --------
    >>> a = torch.randn(200, 3)
    >>> sparse_map(a, a[:, [2, 0]], 0.1).abs().argmax(1)
    tensor([2, 0])
    """
    identity = torch.nn.Sequential(torch.nn.Identity())
    found = moments([identity, identity], [acts_a, acts_b], [0])
    return sparse_path(correlation(found, 0, 0, 0), correlation(found, 0, 0, 1), [penalty])[0]


def sparse_path(gram, cross, penalties):
    """The maps of `sparse_map` for several penalties, from correlations alone.

    Parameters
    ----------
    gram : (C1, C1) tensor
        Of the units of a among themselves.
    cross : (C1, C2) tensor
        Of a with b.
    penalties : sequence of float

    Returns
    -------
    (P, C2, C1) float64 tensor

    Raises
    ------
    ValueError
        If a penalty is negative or shapes do not agree.

    Notes
    -----
    scikit-learn's coordinate descent wants samples. A square root of the Gram matrix serves as
    C1 of them: the problem depends on the data through its products only.

    Examples
    --------
    >>> sparse_path(torch.eye(2), torch.tensor([[0.8], [0.3]]), [0.5])
    tensor([[[0.3000, 0.0000]]], dtype=torch.float64)
    """
    gram, cross = (np.asarray(m.cpu(), dtype=float) for m in (gram, cross))
    if gram.shape != (len(cross), len(cross)) or min(penalties) < 0:
        raise ValueError(
            f"gram {gram.shape}, cross {cross.shape}, penalties {list(penalties)}; (C1, C1), "
            "(C1, C2) and no negative penalty are needed"
        )
    values, vectors = np.linalg.eigh(gram)
    root = np.sqrt(np.where(values > 1e-10 * max(values[-1], 1e-300), values, 0))
    inverse = np.divide(1, root, out=np.zeros_like(root), where=root > 0)
    n = len(gram)  # scikit-learn divides the squares by the number of samples
    samples = np.asfortranarray(n**0.5 * root[:, None] * vectors.T)
    targets = n**0.5 * inverse[:, None] * (vectors.T @ cross)  # (C1, C2)
    maps = np.zeros((len(penalties), cross.shape[1], n))
    order = sorted((i for i, p in enumerate(penalties) if p > 0), key=lambda i: -penalties[i])
    for j, target in enumerate(targets.T):
        if order and target.any():
            alphas = [penalties[i] for i in order]
            path = lasso_path(samples, target, alphas=alphas, max_iter=100_000, tol=1e-7)[1]
            maps[order, j] = path.T
    least_squares = (vectors * inverse**2) @ (vectors.T @ cross)
    maps[[i for i, p in enumerate(penalties) if p == 0]] = least_squares.T
    return torch.from_numpy(maps)


def held_out_error(maps, fitted, held_out, layer, i, j):
    """Half the mean squared error with which network i predicts each unit of j on other data.

    Parameters
    ----------
    maps : (..., C_j, C_i) tensor
        Of `sparse_path`, for units standardised on the data of ``fitted``.
    fitted, held_out : moments.Moments
    layer, i, j : int

    Returns
    -------
    (..., C_j) tensor
        0.5 is no prediction at all (0 for a unit that never changed).

    Examples
    --------
    >>> from netdist_utils import models
    >>> found = moments([models.mlp([4, 2])], torch.randn(500, 4), [1])
    >>> held_out_error(torch.zeros(2, 2), found, found, 1, 0, 0)
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    own, cross, target = (
        _standardised(fitted, held_out, layer, p, q) for p, q in [(i, i), (i, j), (j, j)]
    )
    maps = maps.to(own)
    explained = 2 * (maps * cross.T).sum(-1) - ((maps @ own) * maps).sum(-1)
    return (target.diagonal() - explained) / 2


def _standardised(fitted, held_out, layer, i, j):
    """E[z_i z_j^T] on held-out data, z in units of the fitted data's mean and deviation."""
    shift = [held_out.mean(layer, k) - fitted.mean(layer, k) for k in (i, j)]
    second = held_out.second(layer, i, j, centered=True) + torch.outer(*shift)
    return (
        inverse_deviations(fitted, layer, i)[:, None]
        * second
        * inverse_deviations(fitted, layer, j)
    )


def unit_linkage(weights):
    """Average-linkage tree of the units of two networks, as SciPy's linkage matrix.

    Parameters
    ----------
    weights : (C2, C1) tensor
        Of `sparse_map`.

    Returns
    -------
    (C2 + C1 - 1, 4) numpy array
        Leaves 0 to C2 - 1 are the rows (units of b), the others the columns (units of a). The
        similarity is ``[[I, |W|], [|W|^T, I]]``, the distance its largest entry less it.

    Raises
    ------
    ValueError
        If it is no matrix, empty, or has NaN.

    Examples
    --------
    >>> unit_linkage(torch.eye(2))[:2, :2].astype(int).tolist()
    [[0, 2], [1, 3]]
    """
    size = _matrix(weights).abs().cpu().double().numpy()
    largest = max(1.0, size.max())
    rows, columns = size.shape
    distance = np.full((rows + columns, rows + columns), largest)
    distance[:rows, rows:] -= size
    distance[rows:, :rows] -= size.T
    np.fill_diagonal(distance, 0)
    return linkage(squareform(distance), method="average")


def cluster_units(weights):
    """Leaf order of the tree of `unit_linkage`.

    Parameters
    ----------
    weights : (C, C) tensor
        Of `sparse_map`; any (C2, C1) will do.

    Returns
    -------
    (2C,) LongTensor
        Entries below C are rows of the weights (units of b), the others columns (units of a).

    Raises
    ------
    ValueError
        As in `unit_linkage`.

    Examples
    --------
    >>> cluster_units(torch.eye(2).flip(0))
    tensor([0, 3, 1, 2])
    """
    return torch.as_tensor(leaves_list(unit_linkage(weights))).long()


def linear_cka(acts_a, acts_b):
    """Linear centred kernel alignment of two representations of the same samples.

    Parameters
    ----------
    acts_a, acts_b : (N, ...) tensors
        Flattened to (N, D).

    Returns
    -------
    float
        In [0, 1]; unchanged by orthogonal maps and scales of either (Kornblith et al. 2019).

    Raises
    ------
    ValueError
        If N differs, or one of them is constant.

    Examples
    --------
    >>> x = torch.randn(20, 5)
    >>> round(linear_cka(x, -2 * x.flip(1)), 4)
    1.0
    """
    if len(acts_a) != len(acts_b):
        raise ValueError(f"{len(acts_a)} and {len(acts_b)} samples; as many of both are needed")
    kernels = []
    for acts in (acts_a, acts_b):
        h = acts.detach().flatten(1).double()
        h = h - h.mean(0)
        kernels.append(h @ h.T)  # (N, N)
    a, b = kernels
    size = a.norm() * b.norm()
    if not size > 0:
        raise ValueError("a representation is the same for all samples: CKA is 0 / 0")
    return float((a * b.to(a)).sum() / size)
