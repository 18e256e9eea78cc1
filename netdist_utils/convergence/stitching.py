"""Two networks joined by a map: what the second makes of the first one's activations."""

from torch import nn


def stitch(front, back, layer, statistics, i, j, matrix):
    """The front of one network up to a layer, a linear map, and the rest of another network.

    Parameters
    ----------
    front, back : torch.nn.Sequential
        Networks i and j of the statistics.
    layer : index of a layer
        Whose activations the map takes and gives; in a convolution, at each position alone.
    statistics : moments.LayerMoments
        Of that layer, for the means.
    i, j : index of a network
    matrix : (D_i, D_j) tensor
        As those of `best_maps`.

    Returns
    -------
    torch.nn.Sequential
        The two networks' layers are shared with it, not copied.

    Examples
    --------
    >>> import torch
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
