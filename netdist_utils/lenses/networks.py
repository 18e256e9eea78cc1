"""What each lens says of one network: one number each."""

import numpy as np
import torch

from netdist_utils import ablation, spectra, training


def degree_shares(losses, beyond_size=False):
    """Shares of the variance of the log loss over subnetworks, and its complement correlation.

    Parameters
    ----------
    losses : (2**G,) tensor from 0 on
        Of `ablation.all_losses`: of all subsets of G units, or groups of them.
    beyond_size : bool
        Take out of the log loss its mean over subsets of the same size: what is left is which
        units are removed, and not how many.

    Returns
    -------
    (float, float, float)
        Share of degree one, share of degree two, and the correlation of a subnetwork's log loss
        with that of its complement: the shares of even degrees less those of odd ones.

    Examples
    --------
    >>> [round(share, 6) for share in degree_shares(torch.tensor([1.0, 2.0, 4.0, 8.0]))]
    [1.0, 0.0, -1.0]
    """
    if len(losses) < 4:
        raise ValueError(f"{len(losses)} losses; those of all subsets of two groups or more")
    logs = losses.double().log()
    if beyond_size:
        logs = logs - by_size(logs)
    energy = ablation.energy_by_degree(ablation.walsh(logs))[1:]
    shares = energy / energy.sum()
    even_less_odd = shares[1::2].sum() - shares[::2].sum()
    return float(shares[0]), float(shares[1]), float(even_less_odd)


def by_size(values):
    """Each subset's value replaced by the mean over all subsets of as many units.

    Parameters
    ----------
    values : (2**G,) tensor

    Returns
    -------
    (2**G,) float64 tensor

    Examples
    --------
    >>> by_size(torch.tensor([0.0, 1.0, 3.0, 5.0]))
    tensor([0., 2., 2., 5.], dtype=torch.float64)
    """
    sizes = ablation.subset_sizes(len(values).bit_length() - 1)
    sums = torch.zeros(int(sizes.max()) + 1).double().index_add_(0, sizes, values.double())
    return (sums / sizes.bincount())[sizes]


def random_groups(n_units, n_groups, seed=0):
    """Units dealt into groups of nearly one size, at random: (H,) long tensor.

    Parameters
    ----------
    n_units, n_groups : int from 1 on
    seed : int from 0 on

    Examples
    --------
    >>> random_groups(6, 3).bincount()
    tensor([2, 2, 2])
    """
    order = torch.randperm(n_units, generator=torch.Generator().manual_seed(seed))
    return order % n_groups


def measure_network(model, split, n_groups=12, seed=0):
    """All lenses that look at one network, which has one hidden layer.

    Parameters
    ----------
    model : torch.nn.Sequential
    split : data.Split
        On which losses are taken and the error is counted.
    n_groups : int from 1 on
        Random groups of units, of which all subsets are removed.
    seed : int from 0 on
        Of the groups.

    Returns
    -------
    dict of str to float
        Spectral numbers are those of the first layer.

    Examples
    --------
    >>> from netdist_utils import data, models
    >>> net = models.mlp([64, 12, 10])
    >>> sorted(measure_network(net, data.digits().test, 4))[:3]
    ['alpha', 'complement', 'degree one']
    """
    groups = random_groups(ablation.n_units(model), n_groups, seed)
    losses = ablation.all_losses(model, split, groups=groups)
    one, two, complement = degree_shares(losses)
    layer = spectra.layer_spectra(model)[0]
    return {
        "degree one": one,
        "degree two": two,
        "complement": complement,
        "pairs beyond size": degree_shares(losses, beyond_size=True)[1],
        "alpha": spectra.fit_power_law(layer.eigenvalues).alpha,
        "stable rank": float(layer.eigenvalues.sum() / layer.eigenvalues[0]),
        "spikes": spectra.spikes(layer),
        "largest eigenvalue": float(np.log(layer.eigenvalues[0])),
        "norm": float(np.log(layer.eigenvalues.sum())) / 2,
        "test error": 1 - training.accuracy(model, split),
    }
