"""A multi-layer perceptron as a directed graph, and the ranks of its adjacency matrix."""

import numpy as np

from netdist_utils.units import read


def adjacency(model):
    """A network as the adjacency matrix of a directed graph.

    Nodes are inputs, hidden units layer by layer, outputs, then one bias node a layer; the entry
    (i, j) is the weight of the edge from i to j. 64-15-10 has 64 + 15 + 10 + 2 = 91 nodes.

    Parameters
    ----------
    model : torch.nn.Sequential

    Returns
    -------
    (n_nodes, n_nodes) numpy array

    Examples
    --------
    >>> from netdist_utils import models
    >>> adjacency(models.mlp([64, 15, 10])).shape
    (91, 91)
    """
    return graph(read(model))


def graph(network):
    """The same, of a network that was read already.

    Parameters
    ----------
    network : units.Weights
        Of Linear layers alone.

    Returns
    -------
    (n_nodes, n_nodes) numpy array

    Raises
    ------
    TypeError
        If a weight is a convolution's, which is no matrix of edges.

    Examples
    --------
    >>> from netdist_utils import models
    >>> graph(read(models.mlp([64, 15, 10]))).shape
    (91, 91)
    """
    shapes = {name: p.shape for name, p in network.parameters.items()}
    if any(len(shape) > 2 for shape in shapes.values()):
        raise TypeError(f"a network of Linear layers is needed for a graph, not {shapes}")
    first = np.concatenate([[0], np.cumsum(network.widths)])  # where each layer's nodes begin
    matrix = np.zeros((first[-1] + len(network.layers),) * 2)
    for number, index in enumerate(network.layers):
        source = slice(first[number], first[number + 1])
        sink = slice(first[number + 1], first[number + 2])
        matrix[source, sink] = network.parameters[f"{index}.weight"].T  # (in, out)
        if f"{index}.bias" in network.parameters:
            matrix[first[-1] + number, sink] = network.parameters[f"{index}.bias"]
    return matrix


def elbow(values):
    """Where a scree plot bends: the split of largest profile likelihood.

    The values before and after it are taken as two Gaussian samples with one variance (Zhu and
    Ghodsi 2006).

    Parameters
    ----------
    values : (R,) array
        Descending, two or more.

    Returns
    -------
    int
        How many values stand before the bend, from 1 to R - 1.

    Examples
    --------
    >>> elbow([9.0, 8.8, 1.1, 1.0, 0.9])
    2
    """
    if len(values) < 2:
        raise ValueError(f"values have shape {values.shape}; (R,) with R >= 2 is needed")
    # With one variance the likelihood falls with the pooled sum of squares.
    pooled = [
        sum(((part - part.mean()) ** 2).sum() for part in (values[:q], values[q:]))
        for q in range(1, len(values))
    ]
    return int(np.argmin(pooled)) + 1
