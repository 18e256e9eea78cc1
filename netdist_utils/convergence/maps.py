"""Maps from the units of one network to those of another, as matrices, and what they are good for.

`best_maps` fits the best map of three kinds, on moments alone. A map is judged by the share of
variance that it explains on other data (`share_explained`), and by what the second network makes
of it: `stitch` joins the front of one network to the back of another by a map.
"""

import torch
from torch import nn

from netdist_utils.alignment import bipartite_match, finite_matrix, procrustes


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
    scores = finite_matrix(scores).detach().cpu().double()
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
    i, j : int
        Networks, of any widths.
    ridge : float
        Added to the diagonal of the linear map's normal equations, as a share of its mean.

    Returns
    -------
    dict of str to (D_i, D_j) tensor
        ``"soft matching"``, ``"orthogonal"``, ``"linear"``: for centred activations from the
        left, multiplied by the best factor.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> found = moments.moments([models.mlp([4, 3])], torch.randn(99, 4), [1])[1]
    >>> bool(torch.allclose(best_maps(found, 0, 0)["orthogonal"], torch.eye(3).double()))
    True
    """
    own, cross = fitted.covariance(i), fitted.covariance(i, j)
    maps = {"soft matching": soft_match(cross).to(own), "orthogonal": procrustes(cross)}
    for kind, a in maps.items():
        maps[kind] = a * (a * cross).sum() / ((own @ a) * a).sum()
    penalty = ridge * own.diagonal().mean() * torch.eye(len(own)).to(own)
    return maps | {"linear": torch.linalg.solve(own + penalty, cross)}


def share_explained(statistics, i, j, matrix):
    """Share of network j's variance that a map from network i explains; offsets cost nothing.

    Parameters
    ----------
    statistics : moments.LayerMoments
        On which it is measured.
    i, j : int
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


def stitch(front, back, layer, statistics, i, j, matrix):
    """The front of one network up to a layer, a linear map, and the rest of another network.

    Parameters
    ----------
    front, back : torch.nn.Sequential
        Networks i and j of the statistics.
    layer : int
        Whose activations the map takes and gives; in a convolution, at each position alone.
    statistics : moments.LayerMoments
        Of that layer, for the means.
    i, j : int
    matrix : (D_i, D_j) tensor
        As those of `best_maps`.

    Returns
    -------
    torch.nn.Sequential
        The two networks' layers are shared with it, not copied.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> net, x = models.mlp([4, 3, 2]), torch.randn(99, 4)
    >>> found = moments.moments([net], x, [2])[2]
    >>> joined = stitch(net, net, 2, found, 0, 0, torch.eye(3))
    >>> bool(torch.allclose(joined(x), net(x), atol=1e-6))
    True
    """
    matrix = matrix.to(statistics.means)
    dense = any(isinstance(part, nn.Flatten) for part in front[: layer + 1])
    seam = nn.Linear(*matrix.shape) if dense else nn.Conv2d(*matrix.shape, 1)
    seam.to(next(back.parameters())).requires_grad_(False)
    seam.weight.copy_(matrix.T.reshape(seam.weight.shape))
    seam.bias.copy_(statistics.mean(j) - statistics.mean(i) @ matrix)
    return nn.Sequential(*front[: layer + 1], seam, *back[layer + 1 :])
