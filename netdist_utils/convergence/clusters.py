"""Groups of units of two networks that belong together."""

import numpy as np
import torch
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform


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
        If the weights are not a matrix, have no entries, or have one that is not finite.

    Examples
    --------
    >>> unit_linkage(torch.eye(2))[:2, :2].astype(int).tolist()
    [[0, 2], [1, 3]]
    """
    size = weights.abs().cpu().double().numpy()
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
    weights : (C2, C1) tensor
        Of `sparse_map`.

    Returns
    -------
    (C2 + C1,) LongTensor
        Entries below C2 are rows of the weights (units of b), the others columns (units of a).

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
