"""Put the hidden units of two networks into the same order.

Permuting the hidden units of a network changes nothing that it computes, so two networks can be
compared weight by weight only after the units of one were put into the order of the other. For
one hidden layer the best order is a single linear assignment problem (`scipy`'s
``linear_sum_assignment``, exact); for more layers it is found by coordinate descent over layers
(Ainsworth, Hayase and Srinivasa 2023, "Git Re-Basin", algorithm 1). Graph matching by the fast
approximate quadratic (FAQ) algorithm (Vogelstein et al. 2015) stands beside it for comparison.

Multi-layer perceptrons only: Flatten, Linear and ReLU. What a permutation is stands in
`netdist_utils.units`.
"""

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment, quadratic_assignment

from netdist_utils import models
from netdist_utils.matching.graphs import adjacency
from netdist_utils.moments import correlation, moments
from netdist_utils.units import same_widths, widths

METHODS = ("weights", "activations", "faq", "graspologic")


def match(reference, model, method="weights", *, x=None, rng=None):
    """Order the hidden units of a model so that it is closest to a reference.

    Parameters
    ----------
    reference, model : torch.nn.Sequential
        Two multi-layer perceptrons of the same widths; neither is changed.
    method : {"weights", "activations", "faq", "graspologic"}
        ``"weights"`` maximises the inner product of all weights and biases: exactly for one
        hidden layer, by coordinate descent for more. ``"activations"`` maximises the summed
        correlation of the units' activations on ``x``. ``"faq"`` (SciPy) and ``"graspologic"``
        match the graphs of `adjacency` with inputs, outputs and bias nodes as seeds; one hidden
        layer only, since on a deeper graph they may carry a unit into another layer.
    x : (N, D) tensor, optional
        Inputs for ``"activations"``.
    rng : int or numpy.random.Generator, optional
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
    >>> from netdist_utils.units import permute
    >>> net = models.mlp([4, 3, 2])
    >>> match(permute(net, [torch.tensor([2, 0, 1])]), net)
    [tensor([2, 0, 1])]
    """
    shared = same_widths([reference, model])
    rng = rng if rng is None else np.random.default_rng(rng)
    if method == "weights":
        return _match_weights(reference, model, rng)
    if method == "activations":
        if x is None:
            raise ValueError("method 'activations' needs inputs x; none were given")
        return _match_activations(reference, model, x)
    if method not in METHODS:
        raise ValueError(f"method {method!r} is unknown; use one of {', '.join(METHODS)}")
    if len(shared) != 3:
        raise ValueError(f"method {method!r} takes one hidden layer, not widths {shared}")
    return _match_graphs(reference, model, method, rng)


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
    >>> net = models.mlp([2, 3, 1])
    >>> objective(net, net) > 0
    True
    """
    same_widths([reference, model])
    pairs = zip(reference.parameters(), model.parameters(), strict=True)
    return sum((a.double() * b.double().to(a.device)).sum().item() for a, b in pairs)


def _match_weights(reference, model, rng):
    """Coordinate descent: an exact assignment for one layer, the other layers held fixed."""
    target, current = _weights(reference), _weights(model)
    found = [np.arange(len(p[0])) for p in current[:-1]]
    improved = True
    while improved:
        improved = False
        for layer in range(len(found)) if rng is None else rng.permutation(len(found)):
            gain = _units(target, layer) @ _units(current, layer).T  # (H, H)
            step = linear_sum_assignment(gain, maximize=True)[1]
            if len(found) == 1:  # nothing else moves, so this step is the optimum
                return [torch.from_numpy(step)]
            rise = gain[np.arange(len(step)), step].sum() - gain.trace()
            # Each step raises the objective or is not taken, so the sweeps end.
            if rise > 1e-12 * (1 + np.abs(gain).sum()):
                improved = True
                found[layer] = found[layer][step]
                current[layer] = [p[step] for p in current[layer]]
                current[layer + 1][0] = current[layer + 1][0][:, step]
    return [torch.from_numpy(order) for order in found]


def _weights(model):
    """Weight and, where there is one, bias of each layer, in double precision."""
    parameters = [[model[i].weight, model[i].bias] for i in models.weight_layers(model)]
    return [
        [p.detach().cpu().numpy().astype(float) for p in both if p is not None]
        for both in parameters
    ]


def _units(weights, layer):
    """u_i = [W_l; b_l; W_(l+1)^T]_i, all that belongs to hidden unit i: (H, in + 1 + out)."""
    own = [p.reshape(len(p), -1) for p in weights[layer]]
    return np.concatenate([*own, weights[layer + 1][0].T], axis=1)


def _match_activations(reference, model, x):
    """A linear assignment on the correlations of each layer's units after their ReLU."""
    layers = [i + 1 for i in models.weight_layers(model)[:-1]]
    found = moments([reference, model], x, layers)
    gains = (correlation(found, layer, 0, 1).cpu().numpy() for layer in layers)
    return [torch.from_numpy(linear_sum_assignment(gain, maximize=True)[1]) for gain in gains]


def _match_graphs(reference, model, method, rng):
    """FAQ on the two adjacency matrices; only hidden nodes are free."""
    n_in, n_hidden, _ = widths(model)
    a, b = adjacency(reference), adjacency(model)
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
    return [torch.from_numpy(np.asarray(order)[hidden] - n_in)]
