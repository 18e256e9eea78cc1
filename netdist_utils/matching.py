"""Chapter 1: put the hidden units of two networks into the same order.

Permuting the hidden units of a network changes nothing that it computes, so two networks can be
compared weight by weight only after the units of one were put into the order of the other. For
one hidden layer the best order is a single linear assignment problem (`scipy`'s
``linear_sum_assignment``, exact); for more layers it is found by coordinate descent over layers
(Ainsworth, Hayase and Srinivasa 2023, "Git Re-Basin", algorithm 1). Graph matching by the fast
approximate quadratic (FAQ) algorithm (Vogelstein et al. 2015) stands beside it for comparison.

Multi-layer perceptrons only: Flatten, Linear and ReLU. What a permutation is stands in
`netdist_utils.units`, the graph in `netdist_utils.graphs`; their functions may be called from
here too.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment, quadratic_assignment
from torch import nn
from torch.func import functional_call, vmap

from netdist_utils import models
from netdist_utils.graphs import adjacency, elbow, from_adjacency  # noqa: F401
from netdist_utils.moments import correlation, moments
from netdist_utils.units import canonical, permute, same_widths, widths  # noqa: F401

METHODS = ("weights", "activations", "faq", "graspologic")


@dataclass(frozen=True)
class Barrier:
    """Loss and accuracy along the straight line between two networks.

    Attributes
    ----------
    t : (steps,) tensor
        Position on the line: 0 is the first network, 1 the second.
    loss : (steps,) tensor
        Cross-entropy in nats.
    accuracy : (steps,) tensor
    height : float
        Largest excess of the loss over the straight line between its end values, in nats.
    """

    t: torch.Tensor
    loss: torch.Tensor
    accuracy: torch.Tensor
    height: float


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


def average(networks):
    """The network of the mean weights and biases.

    Parameters
    ----------
    networks : list of torch.nn.Sequential
        One or more, of the same widths.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        If the list is empty or the widths differ.

    Examples
    --------
    >>> net = models.mlp([2, 3, 1])
    >>> bool((average([net, net])[1].weight == net[1].weight).all())
    True
    """
    networks = list(networks)
    if not networks:
        raise ValueError("an empty list of networks has no average; give one or more")
    same_widths(networks)
    result = models.frozen(models.clone(networks[0]))
    for p, *others in zip(*(m.parameters() for m in [result, *networks]), strict=True):
        p.data = torch.stack([o.detach().to(p.device) for o in others]).mean(0)
    return result


def consensus(networks, max_sweeps=20):
    """Match all networks to their average, average again, until no unit moves.

    Parameters
    ----------
    networks : list of torch.nn.Sequential
        The first one's order of units is where it starts.
    max_sweeps : int

    Returns
    -------
    list of torch.nn.Sequential
        The networks, reordered; their `average` is the consensus.

    Examples
    --------
    >>> net = models.mlp([2, 3, 1])
    >>> one, two = consensus([net, permute(net, [torch.tensor([1, 2, 0])])])
    >>> bool((one[1].weight == two[1].weight).all())
    True
    """
    target, before = networks[0], None
    for _ in range(max_sweeps):
        orders = [match(target, m) for m in networks]
        matched = [permute(m, order) for m, order in zip(networks, orders, strict=True)]
        flat = torch.cat([torch.cat(order) for order in orders if order] or [torch.empty(0)])
        if before is not None and torch.equal(flat, before):
            break
        target, before = average(matched), flat
    return matched


def barrier(model_a, model_b, split, steps=25):
    """Loss and accuracy along the straight line between two networks.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
        Of the same widths.
    split : data.Split
        x (N, D), y (N,).
    steps : int
        Points on the line, both ends included.

    Returns
    -------
    Barrier

    Raises
    ------
    ValueError
        If the widths differ or there are fewer than two steps.

    Examples
    --------
    >>> from netdist_utils import data
    >>> net = models.mlp([2, 3, 2])
    >>> barrier(net, net, data.circle(10, 0)).height < 1e-6
    True
    """
    same_widths([model_a, model_b])
    if steps < 2:
        raise ValueError(f"steps is {steps}; the line has two ends, so at least 2")
    device = models.device_of(model_a)
    t = torch.linspace(0, 1, steps, device=device)
    pairs = zip(model_a.named_parameters(), model_b.parameters(), strict=True)
    line = {
        name: torch.lerp(a.detach()[None], b.detach()[None].to(device), t.view(-1, *[1] * a.ndim))
        for (name, a), b in pairs
    }  # (steps, ...)
    y, z = split.y.to(device), []
    with torch.no_grad():
        for x in split.x.split(1024):
            z.append(vmap(lambda p, x=x: functional_call(model_a, p, (x.to(device),)))(line))
    z = torch.cat(z, dim=1)  # (steps, N, K)
    labels = y.expand(steps, -1)
    loss = nn.functional.cross_entropy(z.movedim(2, 1), labels, reduction="none").mean(1)
    accuracy = (z.argmax(2) == labels).float().mean(1)
    height = (loss - torch.lerp(loss[0], loss[-1], t)).max().item()
    return Barrier(t.cpu(), loss.cpu(), accuracy.cpu(), height)


def sample_gaussian(networks, generator, covariance="full"):
    """One new network from the Gaussian fitted to the weights of many.

    Parameters
    ----------
    networks : list of torch.nn.Sequential
        Two or more, of the same widths, their units matched.
    generator : torch.Generator
    covariance : {"full", "diagonal"}
        ``"full"``: the sample covariance, whose rank is one less than the number of networks.
        ``"diagonal"``: each weight on its own.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        If there are fewer than two networks or the covariance is unknown.

    Examples
    --------
    >>> pair = [models.mlp([2, 3, 1]) for _ in range(2)]
    >>> len(sample_gaussian(pair, torch.Generator().manual_seed(0)))
    4
    """
    if len(networks) < 2 or covariance not in ("full", "diagonal"):
        raise ValueError(
            f"{len(networks)} networks and covariance {covariance!r}: two or more networks and "
            "'full' or 'diagonal' are needed"
        )
    result = average(networks)
    vectors = torch.stack([nn.utils.parameters_to_vector(m.parameters()) for m in networks])
    mean = vectors.mean(0)
    deviations = (vectors - mean) / (len(networks) - 1) ** 0.5  # (S, P): covariance is D^T D
    if covariance == "full":
        noise = torch.randn(len(networks), generator=generator).to(mean.device) @ deviations
    else:
        z = torch.randn(len(mean), generator=generator).to(mean.device)
        noise = z * deviations.square().sum(0).sqrt()
    nn.utils.vector_to_parameters(mean + noise, result.parameters())
    return models.frozen(result)
