"""Maps that bring the units of one network to those of another: one to one, turned, or linear.

Each is the best of its kind, in closed form or by an exact algorithm: a permutation is a linear
assignment (Kuhn 1955; Crouse 2016), an orthogonal map a Procrustes problem (Schonemann 1966), an
affine map least squares. Each kind contains the one before.
"""

import torch
from scipy.optimize import linear_sum_assignment

from netdist_utils import checks


def bipartite_match(scores):
    """The one-to-one matching of greatest total, by linear assignment: exact.

    Parameters
    ----------
    scores : (C1, C2) tensor
        What pairing row i with column j is worth: a correlation, an inner product.

    Returns
    -------
    (C1,) LongTensor
        Columns; -1 for a row that is left over, where C1 > C2.

    Raises
    ------
    ValueError
        If it is no matrix, empty, or has NaN.

    Examples
    --------
    >>> bipartite_match(torch.tensor([[0.9, 0.1], [0.8, 0.2]]))
    tensor([0, 1])
    """
    rows, columns = linear_sum_assignment(scores.detach().cpu().numpy(), maximize=True)
    match = torch.full((len(scores),), -1)
    match[torch.from_numpy(rows)] = torch.from_numpy(columns)
    return match


def greedy_match(scores):
    """For each row the column of its largest entry; two rows may share one.

    Parameters
    ----------
    scores
        As in `bipartite_match`.

    Notes
    -----
    The total is at least the one there, by
    construction, and says nothing of a one-to-one correspondence.

    Examples
    --------
    >>> greedy_match(torch.tensor([[0.9, 0.1], [0.8, 0.2]]))
    tensor([0, 0])
    """
    return scores.argmax(1)


def matched(scores, match):
    """Entries that a matching picks; rows without a partner are left out.

    Parameters
    ----------
    scores : (C1, C2) tensor
    match : (C1,) long tensor from -1 on

    Examples
    --------
    >>> matched(torch.tensor([[0.9, 0.1], [0.8, 0.2]]), torch.tensor([0, -1]))
    tensor([0.9000])
    """
    if match.max() >= scores.shape[1]:
        raise ValueError(f"match {match.tolist()} names columns of shape {tuple(scores.shape)}")
    rows = (match >= 0).nonzero().flatten()
    return scores[rows, match[rows]]


def procrustes(cross_moment):
    """Orthogonal R that minimises E|phi R - psi|^2: U V^T of the cross moment's SVD.

    Parameters
    ----------
    cross_moment : (D1, D2) tensor
        E[phi^T psi].

    Returns
    -------
    (D1, D2) tensor
        With orthonormal columns or rows, whichever are fewer (Schonemann 1966).

    Raises
    ------
    ValueError
        If the cross moment is not a finite matrix.

    Examples
    --------
    >>> procrustes(torch.diag(torch.tensor([2.0, -3.0])))
    tensor([[ 1.,  0.],
            [ 0., -1.]])
    """
    u, _, vt = torch.linalg.svd(cross_moment, full_matrices=False)
    return u @ vt + 0.0  # no negative zeros


def alignment_cosine(statistics, i, j, alignment, centered=False):
    """Cosine between one network's aligned activations and another's.

    Parameters
    ----------
    statistics : moments.LayerMoments
        On which it is measured: those of training images, or of others.
    i, j : index of a network
        Networks.
    alignment : (D_i, D_j) tensor
        R of `procrustes`, or a permutation matrix. The square of the cosine is the share of the
        variance of phi_j that the best multiple of phi_i R explains.
    centered : bool
        Whether the means are taken out.

    Returns
    -------
    float

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> nets = [models.mlp([2, 3]), models.mlp([2, 3])]
    >>> found = moments.moments(nets, torch.ones(4, 2), [-1])
    >>> bool(0.999 < alignment_cosine(found[-1], 0, 1, torch.eye(2)) <= 1.001)
    True
    """
    moment = statistics.covariance if centered else statistics.second
    cross, sizes = moment(i, j), moment(i).trace() * moment(j).trace()
    return float((alignment.to(cross) * cross).sum() / sizes.sqrt())


def matrix_cosine(one, two):
    """Cosine of two covariances, each less its isotropic part.

    Parameters
    ----------
    one, two : symmetric (D, D) tensors
        In one frame.

    Returns
    -------
    float
        1 where the same directions stand out; 0 for unrelated ones. NaN for multiples of the
        identity, in which no direction does.

    Examples
    --------
    >>> one, two = torch.diag(torch.tensor([2.0, 1.0])), torch.diag(torch.tensor([1.0, 3.0]))
    >>> round(matrix_cosine(one, two), 4)
    -1.0
    """
    one, two = (c - c.diagonal().mean() * torch.eye(len(c)).to(c) for c in (one, two))
    return float((one * two).sum() / (one.norm() * two.norm()))


def soft_match(scores):
    """The transport plan of greatest total between units of equal masses.

    Parameters
    ----------
    scores : (C1, C2) tensor
        What pairing row i with column j is worth.

    Returns
    -------
    (C1, C2) float64 tensor
        Mass moved between each two units: rows sum to 1 / C1, columns to 1 / C2. With as many
        rows as columns it is a permutation, that of `bipartite_match`, divided by their number
        (Birkhoff's theorem). Soft matching: Khosla and Williams (2024).

    Raises
    ------
    ValueError
        As `bipartite_match` does.

    Examples
    --------
    >>> soft_match(torch.tensor([[0.9, 0.8, 0.1, 0.0], [0.1, 0.0, 0.9, 0.8]]))
    tensor([[0.2500, 0.2500, 0.0000, 0.0000],
            [0.0000, 0.0000, 0.2500, 0.2500]], dtype=torch.float64)
    """
    scores = scores.detach().cpu().double()
    if scores.shape[0] == scores.shape[1]:
        return torch.eye(len(scores), dtype=torch.double)[bipartite_match(scores)] / len(scores)
    import ot  # seconds to import, so only here

    return torch.from_numpy(ot.emd([], [], (scores.max() - scores).numpy()))


def best_maps(fitted, i, j, ridge=1e-4):
    """The map of each kind with which network i's units predict network j's best.

    Parameters
    ----------
    fitted : moments.LayerMoments
        On which the maps are fitted. Units are not standardised.
    i, j : index of a network
        Networks, of any widths.
    ridge : float from 0 on
        Added to the diagonal of the affine map's normal equations, as a share of its mean.

    Returns
    -------
    dict of str to (D_i, D_j) tensor
        ``"permutation"`` (where the widths differ, the plan of `soft_match`) and
        ``"orthogonal"``, both with the best factor, and ``"affine"``. For activations less
        their mean.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> found = moments.moments([models.mlp([4, 3])], torch.randn(99, 4), [1])[1]
    >>> bool(torch.allclose(best_maps(found, 0, 0)["orthogonal"], torch.eye(3).double()))
    True
    """
    own, cross = fitted.covariance(i), fitted.covariance(i, j)
    maps = {"permutation": soft_match(cross).to(own), "orthogonal": procrustes(cross)}
    for kind, a in maps.items():
        maps[kind] = a * (a * cross).sum() / ((own @ a) * a).sum()
    penalty = ridge * own.diagonal().mean() * torch.eye(len(own)).to(own)
    return maps | {"affine": torch.linalg.solve(own + penalty, cross)}


def share_explained(statistics, i, j, matrix):
    """Share of network j's variance that a map from network i explains; offsets cost nothing.

    Parameters
    ----------
    statistics : moments.LayerMoments
        On which it is measured.
    i, j : index of a network
        Networks.
    matrix : (D_i, D_j) tensor
        As those of `best_maps`.

    Returns
    -------
    float
        At most 1; below 0 where the map is worse than none.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> found = moments.moments([models.mlp([4, 3])], torch.randn(99, 4), [1])[1]
    >>> round(share_explained(found, 0, 0, torch.eye(3)), 6)
    1.0
    """
    matrix = matrix.to(statistics.means)
    gained = 2 * statistics.covariance(i, j) - statistics.covariance(i) @ matrix
    return float((matrix * gained).sum() / statistics.covariance(j).trace())


checks.guard(__name__)
