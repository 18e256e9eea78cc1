"""Put the hidden units of two networks into the same order.

Permuting the hidden units of a network changes nothing that it computes, so two networks can be
compared weight by weight only after the units of one were put into the order of the other. For
one hidden layer the best order is a single linear assignment problem, solved exactly; for more
layers it is found by coordinate descent over layers (Ainsworth, Hayase and Srinivasa 2023, "Git
Re-Basin", algorithm 1). Graph matching by the fast approximate quadratic (FAQ) algorithm
(Vogelstein et al. 2015) stands beside it for comparison.

Networks of Linear, Conv2d, ReLU, pooling and Flatten; which axis of which weight belongs to which
units stands in `netdist_utils.units`.
"""

import numpy as np
import torch
from scipy.optimize import quadratic_assignment

from netdist_utils import models
from netdist_utils.alignment import bipartite_match
from netdist_utils.matching.graphs import graph
from netdist_utils.moments import moments
from netdist_utils.units import permute, read_alike

# Each sweep that goes on raises the objective, so the search ends; far fewer sweeps are needed.
MOST_SWEEPS = 1000


def match(reference, model, method="weights", *, x=None, rng=None):
    """Order the hidden units of a model so that it is closest to a reference.

    Parameters
    ----------
    reference, model : torch.nn.Sequential
        Of the same shape; neither is changed.
    method : {"weights", "activations", "faq", "graspologic"}
        ``"weights"`` maximises the inner product of all weights and biases: exactly for one
        hidden layer, by coordinate descent for more. ``"activations"`` maximises the summed
        correlation of the units' activations on ``x``. ``"faq"`` (SciPy) and ``"graspologic"``
        match the graphs of `adjacency` with inputs, outputs and bias nodes as seeds; one hidden
        layer only, since on a deeper graph they may carry a unit into another layer.
    x : (N, ...) inputs, optional
        Inputs for ``"activations"``; of channels, all positions count as samples.
    rng : int from 0 on or numpy.random.Generator, optional
        Order of the sweeps over layers of ``"weights"``; shuffles of the graph methods. By
        default layers are swept in order.

    Returns
    -------
    list of (H,) long tensors
        One permutation a hidden layer, as `permute` takes them.

    Raises
    ------
    ValueError
        If the widths differ, a weight is not finite, the method is unknown, ``x`` is missing,
        or a graph method is asked for more than one hidden layer.

    Examples
    --------
    >>> from netdist_utils import matching, models
    >>> net = models.mlp([4, 3, 2])
    >>> matching.match(matching.permute(net, [torch.tensor([2, 0, 1])]), net)
    [tensor([2, 0, 1])]
    """
    target, current = read_alike([reference, model])
    rng = rng if rng is None else np.random.default_rng(rng)
    if method == "weights":
        return _descend(target, current, rng)
    if method == "activations":
        if x is None:
            raise ValueError("method 'activations' needs inputs x; none were given")
        outputs = models.hidden_layers(reference)
        found = moments([reference, model], x, outputs)
        return [bipartite_match(found[layer].correlation(0, 1)) for layer in outputs]
    if len(target.widths) != 3:
        raise ValueError(f"method {method!r} takes one hidden layer, not widths {target.widths}")
    return [_match_graphs(graph(target), graph(current), target.widths, method, rng)]


def align(reference, model, method="weights", *, x=None, rng=None):
    """A model with its hidden units in the order in which they are closest to a reference.

    Parameters
    ----------
    reference, model, method, x, rng
        As in `match`.

    Returns
    -------
    torch.nn.Sequential
        The same function as the model: ``permute(model, match(reference, model, ...))``.

    Examples
    --------
    >>> from netdist_utils import matching, models
    >>> net = models.mlp([4, 3, 2])
    >>> turned = matching.permute(net, [torch.tensor([2, 0, 1])])
    >>> bool((matching.align(net, turned)[1].weight == net[1].weight).all())
    True
    """
    return permute(model, match(reference, model, method, x=x, rng=rng))


def objective(reference, model):
    """Inner product of all weights and biases of two networks: what matching maximises.

    Parameters
    ----------
    reference, model : torch.nn.Sequential
        Of the same widths.

    Returns
    -------
    float

    Examples
    --------
    >>> from netdist_utils import models
    >>> net = models.mlp([2, 3, 1])
    >>> objective(net, net) > 0
    True
    """
    one, two = read_alike([reference, model])
    return float(sum((p * two.parameters[name]).sum() for name, p in one.parameters.items()))


def _descend(target, current, rng):
    """Coordinate descent: an exact assignment for one layer, the other layers held fixed."""
    orders = [np.arange(width) for width in target.hidden]
    for _ in range(MOST_SWEEPS):
        improved = False
        for layer in range(len(orders)) if rng is None else rng.permutation(len(orders)):
            gain = target.units(layer) @ current.units(layer).T  # (H, H)
            step = bipartite_match(torch.from_numpy(gain)).numpy()
            if len(orders) == 1:  # nothing else moves, so this step is the optimum
                return [torch.from_numpy(step)]
            rise = gain[np.arange(len(step)), step].sum() - gain.trace()
            # A step is taken only if it raises the objective by more than rounding.
            if rise > 1e-12 * np.abs(gain).sum():
                improved = True
                orders[layer] = orders[layer][step]
                current = current.reordered(layer, step)
        if not improved:
            return [torch.from_numpy(order) for order in orders]
    raise RuntimeError(
        f"widths {target.widths}: layers still improved after {MOST_SWEEPS} sweeps; the objective "
        "rises with each, so this is a fault of the code"
    )


def _match_graphs(a, b, widths, method, rng):
    """FAQ on the two adjacency matrices (n_nodes, n_nodes); only hidden nodes are free."""
    n_in, n_hidden, _ = widths
    hidden = np.arange(n_in, n_in + n_hidden)
    seeds = np.setdiff1d(np.arange(len(a)), hidden)
    pairs = np.column_stack([seeds, seeds])
    if method == "faq":
        options = {"maximize": True, "partial_match": pairs, "rng": rng}
        order = quadratic_assignment(a, b, method="faq", options=options).col_ind
    else:
        from graspologic.match import graph_match  # 10 s to import, so only here

        seed = None if rng is None else int(rng.integers(2**31))
        found = graph_match(a, b, partial_match=pairs, maximize=True, n_init=20, rng=seed)
        order = found.indices_B[np.argsort(found.indices_A)]
    return torch.from_numpy(np.asarray(order)[hidden] - n_in)
