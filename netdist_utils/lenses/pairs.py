"""What each lens says of two networks: one number each, from the functions of the five rooms."""

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import cohen_kappa_score

from netdist_utils import matching, models, spectra, training, workers
from netdist_utils.alignment import (
    alignment_cosine,
    bipartite_match,
    matrix_cosine,
    procrustes,
)
from netdist_utils.convergence import rotation_test
from netdist_utils.moments import moments
from netdist_utils.units import read, read_alike


def weight_correlation(model_a, model_b):
    """Correlation of all weights of two networks of one shape, unit by unit as they stand.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential

    Examples
    --------
    >>> net = models.mlp([4, 3, 2])
    >>> round(weight_correlation(net, net), 6)
    1.0
    """
    read_alike([model_a, model_b])
    vectors = [torch.nn.utils.parameters_to_vector(m.parameters()) for m in (model_a, model_b)]
    return float(torch.corrcoef(torch.stack(vectors).detach().double())[0, 1])


def aligned_share(fitted, held_out, i, j):
    """Share of network j's variance that the best rotation of network i explains elsewhere.

    Parameters
    ----------
    fitted, held_out : moments.LayerMoments
        Where the rotation is fitted, and where it is judged; means are taken out.
    i, j : index of a network
        Networks.

    Returns
    -------
    float

    Examples
    --------
    >>> found = moments([models.mlp([4, 3])], torch.randn(99, 4), [1])[1]
    >>> round(aligned_share(found, found, 0, 0), 6)
    1.0
    """
    rotation = procrustes(fitted.covariance(i, j))
    return alignment_cosine(held_out, i, j, rotation, centered=True) ** 2


def weight_covariance_cosine(model_a, model_b):
    """Cosine of the covariances of two first layers' rows, their isotropic parts taken out.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential

    Examples
    --------
    >>> net = models.mlp([4, 3, 2])
    >>> round(weight_covariance_cosine(net, net), 6)
    1.0
    """
    pair = [m[models.weight_layers(m)[0]].weight.detach() for m in (model_a, model_b)]
    rows = [weight.flatten(1).double() for weight in pair]
    return matrix_cosine(*(r.T @ r / len(r) for r in rows))


def spectral_distance(model_a, model_b, least=10):
    """Mean over layers of `spectra.log_distance`; layers with fewer eigenvalues are left out.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
    least : int from 1 on

    Returns
    -------
    float
        NaN where no layer has so many.

    Examples
    --------
    >>> net = models.mlp([40, 30, 20])
    >>> spectral_distance(net, net)
    0.0
    """
    pairs = zip(spectra.layer_spectra(model_a), spectra.layer_spectra(model_b), strict=True)
    found = [spectra.log_distance(a, b) for a, b in pairs if len(a.eigenvalues) >= least]
    return float(np.mean(found)) if found else float("nan")


def error_consistency(right_a, right_b):
    """Cohen's kappa of which samples two networks get right, beyond what their rates force.

    Parameters
    ----------
    right_a, right_b : (N,) bool tensors

    Returns
    -------
    float
        1 where they err on the same samples, 0 where independently (Geirhos, Meding and
        Wichmann 2020); NaN where both are always right, or always wrong.

    Examples
    --------
    >>> right = torch.tensor([True, True, False, False])
    >>> error_consistency(right, right), error_consistency(right, right.roll(1))
    (1.0, 0.0)
    """
    if all(len(right.unique()) == 1 for right in (right_a, right_b)):
        return float("nan")
    return float(cohen_kappa_score(right_a.cpu(), right_b.cpu()))


def measure_answers(networks, split):
    """What all pairs of some networks have in common in what they answer.

    Parameters
    ----------
    networks : list of 2 or more torch.nn.Sequential
    split : data.Split

    Returns
    -------
    pandas.DataFrame
        One row a pair, indexed by (i, j), i < j. Columns: ``errors``, `error_consistency`; and
        ``outputs``, correlation of the probabilities given, over images and classes.

    Examples
    --------
    >>> from netdist_utils import data
    >>> net = models.mlp([64, 9, 10])
    >>> measure_answers([net, net], data.digits().test).outputs.round(6).to_list()
    [1.0]
    """
    outputs = torch.stack([training.logits(m, split.x).softmax(1).cpu() for m in networks])
    correlation = torch.corrcoef(outputs.flatten(1).double())
    rights = outputs.argmax(2) == split.labels_for(outputs)
    index = _pairs_of(networks)
    rows = [[error_consistency(rights[i], rights[j]), float(correlation[i, j])] for i, j in index]
    return pd.DataFrame(rows, index, ["errors", "outputs"])


def _pairs_of(networks):
    index = [(i, j) for j in range(len(networks)) for i in range(j)]
    return pd.MultiIndex.from_tuples(index, names=["i", "j"])


def right(model, split):
    """Which samples of a split a network gets right: (N,) bool tensor, on the CPU.

    Examples
    --------
    >>> from netdist_utils import data
    >>> right(models.mlp([2, 3, 2]), data.circle(5, 0)).shape
    torch.Size([5])
    """
    z = training.logits(model, split.x).cpu()
    return z.argmax(1) == split.labels_for(z)


@torch.no_grad()
def removal_effects(model, split, hidden=0):
    """How much the loss rises when one unit of a hidden layer is removed, for each unit.

    Parameters
    ----------
    model : torch.nn.Sequential
    split : data.Split
    hidden : int from 0 on
        Hidden layer, from 0; the units are channels where it is a convolution.

    Returns
    -------
    (H,) float64 tensor
        In nats; exact for this split, with all other units kept.

    Examples
    --------
    >>> from netdist_utils import data
    >>> removal_effects(models.mlp([2, 3, 2]), data.circle(5, 0)).shape
    torch.Size([3])
    """
    _check_hidden(model, hidden)
    layer = models.hidden_layers(model)[hidden]
    h, back = models.outputs(model, split.x, [layer])[layer], model[layer + 1 :]
    loss = torch.nn.functional.cross_entropy
    logits, without = back(h), []
    y = split.labels_for(logits)
    for unit in range(h.shape[1]):
        if len(back) == 1:  # one product less: the unit's own part of the logits
            without.append(logits - h[:, unit, None] * back[0].weight[:, unit])
            continue
        kept = h.clone()
        kept[:, unit] = 0
        without.append(back(kept))
    losses = torch.stack([loss(z, y).double() for z in without])
    return (losses - loss(logits, y).double()).cpu()


def unit_sizes(model, hidden=0):
    """Norm of each unit's incoming weights (and bias) times that of its outgoing ones: (H,) array.

    Parameters
    ----------
    model : torch.nn.Sequential
    hidden : int from 0 on

    Notes
    -----
    It does not change where a ReLU's scale is moved from one side to the other.

    Examples
    --------
    >>> unit_sizes(models.mlp([4, 3, 2])).shape
    (3,)
    """
    found, squares = _check_hidden(model, hidden), {}
    for a in found.axes:
        if a.hidden == hidden:
            p = np.moveaxis(found.parameters[a.parameter], a.axis, 0)
            rows = p.reshape(found.hidden[hidden], -1)
            squares[a.axis] = squares.get(a.axis, 0) + (rows**2).sum(1)
    return np.sqrt(squares[0] * squares[1])


def _check_hidden(model, hidden):
    """The weights of a network that has this hidden layer."""
    found = read(model)
    if hidden >= len(found.hidden):
        raise ValueError(f"hidden is {hidden}, but hidden layers are of widths {found.hidden}")
    return found


def effect_correlation(statistics, effects, sizes, i=0, j=1):
    """Do units that are matched by their activations have the same effect, beyond their sizes?

    Large units have large effects, and matching pairs large units with large ones. So the sizes
    of both units are held fixed.

    Parameters
    ----------
    statistics : moments.LayerMoments
    effects : pair of (H,) array
        Of `removal_effects`, for networks i and j.
    sizes : pair of (H,) array
        Of `unit_sizes`.
    i, j : index of a network

    Returns
    -------
    float
        Partial rank correlation, NaN where one does not vary; dead units of either network are
        left out.

    Examples
    --------
    >>> found = moments([models.mlp([4, 5])], torch.randn(99, 4), [1])[1]
    >>> round(effect_correlation(found, [range(5)] * 2, [[1, 3, 1, 2, 1]] * 2, 0, 0), 6)
    1.0
    """
    partner = bipartite_match(statistics.correlation(i, j))
    alive = (partner >= 0) & ~statistics.dead(i).cpu()
    alive &= ~statistics.dead(j).cpu()[partner]
    ours, theirs = alive.numpy(), partner[alive].numpy()
    effects, sizes = (
        [np.asarray(one)[ours], np.asarray(two)[theirs]] for one, two in (effects, sizes)
    )
    return spectra.rank_correlation(*effects, controls=sizes, draws=0)[0]


def measure_pairs(networks, split, seed=0, rotations=2):
    """All lenses on all pairs of networks of one shape and one hidden layer.

    Parameters
    ----------
    networks : list of torch.nn.Sequential
        Two or more.
    split : data.Split
        Images that no network was trained on. On the first half maps are fitted, on the second
        everything is judged.
    seed : int from 0 on
        Of the rotations of the rotation test.
    rotations : int from 1 on
        To average over.

    Returns
    -------
    pandas.DataFrame
        One row a pair, indexed by (i, j), i < j. Columns: ``matching``, correlation of weights,
        units matched by them; ``half-way``, accuracy of the mean of the two less
        that of the two; ``same partner``, share of units
        that matching by activations gives the same partner; ``ablation``, `effect_correlation`;
        ``covariance``, `aligned_share`; ``weight covariance``; ``convergence``, gain of the
        rotation test; ``spectra``, less `spectral_distance`, so that more is more alike;
        ``errors`` and ``outputs``, `measure_answers`.

    Raises
    ------
    ValueError
        If there are fewer than two networks, or not one hidden layer in each, of one width.

    Notes
    -----
    Pairs are computed one after another, or as a ``joblib.parallel_config`` around the call says.

    Examples
    --------
    >>> from netdist_utils import data
    >>> nets = [models.mlp([64, 9, 10]) for _ in range(3)]
    >>> measure_pairs(nets, data.digits().test).shape
    (3, 10)
    """
    layers = {tuple(models.hidden_layers(model)) for model in networks}
    if len(networks) < 2 or len(layers) > 1 or len(next(iter(layers))) != 1:
        raise ValueError(
            f"{len(networks)} networks with hidden layers that end at {sorted(layers)}; two or "
            "more, with one hidden layer at one place, are needed"
        )
    ((layer,),) = layers
    half = len(split) // 2
    first, rest = split.first(half), type(split)(split.x[half:], split.y[half:])
    fitted, held = (moments(networks, part.x, [layer])[layer] for part in (first, rest))
    effects = [removal_effects(model, rest) for model in networks]
    sizes = [unit_sizes(model) for model in networks]
    accuracies = [training.accuracy(model, rest) for model in networks]

    def measure(i, j):
        a, b = networks[i], networks[j]
        by_weights, by_units = matching.match(a, b), bipartite_match(held.correlation(i, j))
        aligned = matching.permute(b, by_weights)
        generator = torch.Generator().manual_seed(seed + len(networks) * i + j)
        own, rotated = rotation_test(held, i, j, generator, rotations)
        mean = training.accuracy(matching.average([a, aligned]), rest)
        return {
            "matching": weight_correlation(a, aligned),
            "half-way": mean - (accuracies[i] + accuracies[j]) / 2,
            "same partner": float((by_weights[0] == by_units).double().mean()),
            "ablation": effect_correlation(
                fitted, (effects[i], effects[j]), (sizes[i], sizes[j]), i, j
            ),
            "covariance": aligned_share(fitted, held, i, j),
            "weight covariance": weight_covariance_cosine(a, b),
            "convergence": own - rotated,
            "spectra": -spectral_distance(a, b),
        }

    index = _pairs_of(networks)
    rows = list(workers.each(measure, index))
    return pd.DataFrame(rows, index).join(measure_answers(networks, rest))
