"""All lenses on two networks of the reader's, each beside the null that takes its object away."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch

from netdist_utils import data, matching, models, training
from netdist_utils.convergence import rotation_test
from netdist_utils.lenses.pairs import (
    aligned_share,
    effect_correlation,
    error_consistency,
    removal_effects,
    right,
    spectral_distance,
    unit_sizes,
    weight_correlation,
)
from netdist_utils.lenses.turned import rotated_units
from netdist_utils.moments import moments
from netdist_utils.units import read, read_alike

COLUMNS = ["measure", "value", "null", "what the null is", "alike if", "reason"]


def compare(model_a, model_b, split, *, draws=19, seed=0):
    """Two networks through every lens, one row a lens, each beside its null.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
        Of Linear, Conv2d, ReLU, pooling and Flatten, of one or of two architectures.
    split : data.Split
        Images of known classes, best such that neither network was trained on; a few hundred or
        more. Maps are fitted on the first half, the rest is judged on the second.
    draws : int from 1 on
        Of each null. The null shown is the one of them that comes closest to likeness: with 19,
        a pair without likeness passes it once in 20 times.
    seed : int from 0 on
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        Indexed by lens: ``value``, ``null``, ``what the null is``, ``alike if`` the value is
        "above" or "below" the null, and a ``reason``: why a lens does not apply, and then both
        numbers are NaN, or why it should be read with care. Layers are averaged over.

    Raises
    ------
    TypeError, ValueError
        If a network has layers of other kinds, a weight that is NaN or infinite, or no hidden
        layer, or does not take these images, or there are fewer than four of them.

    Examples
    --------
    >>> pair = [models.mlp([64, 12, 10]) for _ in range(2)]
    >>> compare(*pair, data.digits().test, draws=3).index.to_list()
    ['matching', 'ablation', 'covariance', 'convergence', 'spectra', 'errors']
    """
    pair = _checked(model_a, model_b, split)
    generator = torch.Generator().manual_seed(seed)
    half = len(split) // 2
    first, rest = split.first(half), data.Split(split.x[half:], split.y[half:])
    rights = [right(model, rest) for model in pair]
    care = _at_chance(rights, rest.y)
    rows = {}
    for name, (lens, *words) in LENSES.items():
        try:
            value, nulls = lens(pair, first, rest, generator, draws)
            closest = max(nulls) if words[-1] == "above" else min(nulls)
            rows[name] = [words[0], value, closest, *words[1:], care]
        except DoesNotApplyError as why:
            rows[name] = [words[0], np.nan, np.nan, *words[1:], str(why)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("lens")


class DoesNotApplyError(Exception):
    """Why a lens says nothing of two networks."""


def _matching(pair, first, rest, generator, draws):
    with _applies():
        read_alike(pair)
    partners = [pair[1], *(rotated_units(pair[1], generator) for _ in range(draws))]
    values = [weight_correlation(pair[0], matching.align(pair[0], model)) for model in partners]
    return values[0], values[1:]


def _ablation(pair, first, rest, generator, draws):
    found, layers = _moments(pair, first.x)
    values = []
    for hidden, layer in enumerate(layers):
        ours, theirs = (removal_effects(model, rest, hidden) for model in pair)
        sizes = [unit_sizes(model, hidden) for model in pair]
        orders = [torch.arange(len(theirs))]
        orders += [torch.randperm(len(theirs), generator=generator) for _ in range(draws)]
        with _applies():
            values.append(
                [
                    effect_correlation(found[layer], (ours, theirs[o]), (sizes[0], sizes[1][o]))
                    for o in orders
                ]
            )
    return _over_layers(values)


def _covariance(pair, first, rest, generator, draws):
    def shares(networks):
        fitted, layers = _moments(networks, first.x)
        held, _ = _moments(networks, rest.x)
        return [aligned_share(fitted[layer], held[layer], 0, 1) for layer in layers]

    fresh = ([_untrained(model, generator) for model in pair] for _ in range(draws))
    return _over_layers(np.transpose([shares(pair), *map(shares, fresh)]))


def _convergence(pair, first, rest, generator, draws):
    found, layers = _moments(pair, rest.x)
    values = []
    for layer in layers:
        tests = [rotation_test(found[layer], 0, 1, generator, 1) for _ in range(draws)]
        values.append([tests[0][0], *(rotated for _, rotated in tests)])
    return _over_layers(values)


def _spectra(pair, first, rest, generator, draws):
    fresh = ([_untrained(model, generator) for model in pair] for _ in range(draws))
    with _applies():
        values = [spectral_distance(*two) for two in [pair, *fresh]]
    if np.isnan(values[0]):
        raise DoesNotApplyError("no layer has ten eigenvalues")
    return values[0], values[1:]


def _errors(pair, first, rest, generator, draws):
    ours, theirs = (right(model, rest) for model in pair)
    value = error_consistency(ours, theirs)
    if np.isnan(value):
        raise DoesNotApplyError("both networks are always right, or always wrong")
    nulls = []
    for _ in range(draws):
        # Sorting by class twice, by different luck, mixes the images of each class.
        keys = (torch.rand(len(rest), generator=generator) + rest.y.cpu() for _ in range(2))
        here, there = (key.argsort() for key in keys)
        mixed = torch.empty_like(theirs)
        mixed[here] = theirs[there]
        nulls.append(error_consistency(ours, mixed))
    return value, nulls


LENSES = {
    "matching": (_matching, "correlation of all weights, units matched",
                 "the partner's units rotated", "above"),
    "ablation": (_ablation, "rank correlation of matched units' effects, beyond their sizes",
                 "units in random order", "above"),
    "covariance": (_covariance, "share of variance that a rotation explains",
                   "both networks untrained", "above"),
    "convergence": (_convergence, "mean correlation of units matched by activations",
                    "the partner's axes rotated", "above"),
    "spectra": (_spectra, "mean difference of log eigenvalues",
                "both networks untrained", "below"),
    "errors": (_errors, "kappa: which images are right",
               "images in random order within a class", "above"),
}  # fmt: skip


@contextmanager
def _applies():
    """What a room refuses is a reason here."""
    try:
        yield
    except ValueError as why:
        raise DoesNotApplyError(str(why)) from None


def _over_layers(values):
    """Of (layers, 1 + draws) values: the mean over layers, and those of the draws."""
    value, *nulls = np.mean(values, axis=0)
    return value, nulls


def _moments(pair, x):
    """Moments of the hidden layers of two networks, and where these stand."""
    layers, others = map(models.hidden_layers, pair)
    if layers != others:
        raise DoesNotApplyError(f"hidden layers end at places {layers} and {others}")
    with _applies():
        return moments(pair, x, layers), layers


def _untrained(model, generator):
    """A network of the same layers, with weights as PyTorch draws them."""

    def make():
        fresh = models.clone(model)
        for index in models.weight_layers(fresh):
            fresh[index].reset_parameters()
        return fresh

    return training.start(make, int(torch.randint(2**31, (), generator=generator)))


def _checked(model_a, model_b, split):
    """Both networks frozen, or an error that says which of them cannot be looked at."""
    if len(split) < 4:
        raise ValueError(f"the split has {len(split)} samples; 4 or more are needed")
    for name, model in (("model_a", model_a), ("model_b", model_b)):
        if not (found := read(model)).hidden:
            raise ValueError(f"{name} of widths {found.widths} has no hidden layer")
    return [models.freeze(models.clone(model)) for model in (model_a, model_b)]


def _at_chance(rights, y):
    """A warning where a network is right no more often than the most frequent class."""
    most = y.bincount().max() / len(y)
    names = [
        f"{name} is right on {accuracy:.0%}"
        for name, found in zip(("model_a", "model_b"), rights, strict=True)
        if (accuracy := found.double().mean()) <= most + 2 / len(y) ** 0.5
    ]
    return f"{' and '.join(names)} of the images: untrained, or diverged?" if names else ""
