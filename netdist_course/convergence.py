"""Exercises of chapter 4: correlations, the gain of units over rotated axes, few predictors."""

import numpy as np
import torch

from netdist_course.checks import array, close, exercise, name_mistake, number, require
from netdist_utils.alignment import bipartite_match, greedy_match, matched
from netdist_utils.moments import LayerMoments


def rectified_units(rng, units, samples=60):
    """What units of a layer put out: mixtures of six features behind a ReLU, none of them dead."""
    mixed = rng.normal(size=(samples, 6)) @ rng.normal(size=(6, units))
    return np.maximum(mixed / mixed.std(0) + rng.uniform(-0.5, 0.5, size=units), 0)


def moments_of_two(rng, case):
    """Means and mean products of the units of two networks, and how many the first one has."""
    here, there = [(3, 4), (1, 1), (3, 3), (5, 2)][case]
    acts = rectified_units(rng, here + there)
    if case != 1:
        acts[:, here + 1] = 0.1 * (case > 0)  # a dead unit of network 2: zero, or stuck at 0.1
    if case == 3:
        acts[:, 0] = 0.3  # stuck, in network 1
        acts[:, 1] *= 1e-3  # small, but alive
    seconds = acts.T @ acts / len(acts)
    for unit in np.flatnonzero(np.ptp(acts, axis=0) == 0):
        seconds[unit] *= 1 + 1e-15  # what rounding may leave, on every machine
        seconds[:, unit] *= 1 + 1e-15
    return acts.mean(0), seconds, here


@exercise("convergence-correlations", moments_of_two)
def correlations(answer, means, seconds, units):
    """Compared with the package's own moments."""
    shape = units, len(means) - units
    dead = np.diag(seconds) - means**2 < 1e-9 * np.diag(seconds) + 1e-15
    layer = LayerMoments(shape, 1, torch.as_tensor(means), torch.as_tensor(seconds))
    right = layer.correlation(0, 1).numpy()
    root = np.sqrt(np.diag(seconds)).clip(1e-12)
    cosines = seconds / np.outer(root, root)
    slips = {
        "the means are not taken out: these are cosines": cosines[:units, units:],
        "these are covariances, not divided by deviations": layer.covariance(0, 1).numpy(),
        "divided by variances": np.outer(layer.scale(0), layer.scale(1)) * right,
    }
    if shape[0] == shape[1]:
        slips["transposed: rows are the units of network 1"] = right.T
    found = array(answer, shape, "the matrix of correlations, network 1 by network 2,")
    name_mistake(found, right, slips.items())
    of_dead = np.abs(found[dead[:units]]).sum() + np.abs(found[:, dead[units:]]).sum()
    require(of_dead == 0, "the variance of a dead unit is zero up to rounding; one is not caught")
    lost = (found == 0).all(1) & ~(right == 0).all(1)
    require(
        not lost.any(), "a unit of small scale is alive: variances are small relative to what?"
    )
    close(found, right, f"not the correlations of {shape[0]} and {shape[1]} units")


def two_networks_and_axes(rng, case):
    """Correlations between two networks and within the second, and random axes as columns."""
    here, there = [(6, 6), (1, 1), (3, 5), (8, 4)][case]
    acts = rectified_units(rng, here + there)
    common = min(here, there) // 2  # units that both have, but for noise
    acts[:, -common - 1 : -1] = acts[:, :common] + 0.3 * rng.normal(size=(len(acts), common))
    found = np.corrcoef(acts.T)
    axes = np.linalg.qr(rng.normal(size=(there, there)))[0]
    return found[:here, here:], found[here:, here:], axes


def two_matches(between, within, axes, how=bipartite_match, size=np.abs, divided=True):
    """Mean match of units, and that of rotated axes; another option is a slip."""
    deviation = np.sqrt(np.diag(axes.T @ within @ axes)) if divided else 1.0
    both = (torch.as_tensor(size(c)) for c in (between, between @ axes / deviation))
    return np.array([float(matched(c, how(c)).mean()) for c in both])


@exercise("convergence-gain", two_networks_and_axes)
def gain(answer, between, within, axes):
    """Compared with the package's own matching."""
    own, rotated = two_matches(between, within, axes)

    pairs = bipartite_match(torch.as_tensor(np.abs(between)))
    deviation = np.sqrt(np.diag(axes.T @ within @ axes))
    turned = torch.as_tensor(np.abs(between @ axes / deviation))
    kept = own - float(matched(turned, pairs).mean())

    def slip(axes=axes, **options):
        return -np.diff(two_matches(between, within, axes, **options))

    slips = {
        "the sign is wrong: units less rotated axes": rotated - own,
        "this is the match of the units; that of the rotated axes is to be subtracted": own,
        "this is the match of the rotated axes alone": rotated,
        "a rotated axis may have another partner: match the axes anew": kept,
        "these pairs have the smallest total, not the largest": slip(
            how=lambda scores: bipartite_match(-scores)
        ),
        "this is greedy: here no two units may share a partner": slip(how=greedy_match),
        "a rotated axis has no sign of its own: match absolute values": slip(size=np.positive),
        "not divided by the deviations of the rotated axes, which are not 1": slip(divided=False),
        "the new axes are the columns of the rotation, not its rows": slip(axes.T),
    }
    total = (own - rotated) * min(between.shape)
    slips["this is a sum over the pairs, not a mean"] = total
    slips["divided by the units of the wider network; there are fewer pairs"] = total / max(
        between.shape
    )
    found = number(answer, "the gain")
    name_mistake(found, own - rotated, slips.items())
    right = abs(found - (own - rotated)) < 1e-6
    require(right, f"not the gain of networks with {len(between)} and {len(within)} units")


def few_of_many(rng, case):
    """Correlations of units with each other and with one that a few of them make; a penalty."""
    units, used, penalty = [(7, 3, 0.1), (1, 1, 0.2), (5, 2, 1.5), (12, 4, 0.005)][case]
    acts = rng.normal(size=(200, units)) + 0.7 * rng.normal(size=(200, 1))
    if case == 3:  # units that differ little: a few rounds do not get there
        acts = acts[:, :1] + 0.5 * acts
    signs = rng.permutation([-1.0, 1.0] * 2)[:used]
    unit = acts[:, rng.permutation(units)[:used]] @ (signs * rng.uniform(0.8, 1.5, size=used))
    found = np.corrcoef(np.column_stack([acts, unit + 0.4 * rng.normal(size=200)]).T)
    return found[:-1, :-1], found[:-1, -1], penalty


@exercise("convergence-few-predictors", few_of_many)
def few_predictors(answer, own, cross, penalty):
    """Verified by the conditions of the minimum, on what is left to predict."""
    w = array(answer, cross.shape, "the row of weights")
    left = cross - own @ w  # correlation of each predictor with what is left

    def holds(gamma, shrunk=True):
        used = np.abs(left - shrunk * gamma * np.sign(w)) < 1e-4
        return np.where(w == 0, np.abs(left) < gamma + 1e-4, used).all()

    if holds(penalty):
        return
    ridge = np.linalg.solve(own + penalty * np.eye(len(own)), cross)
    positive = np.where(w > 0, abs(left - penalty) < 1e-4, (w == 0) & (left < penalty + 1e-4))
    slips = {
        "the penalty does nothing: these are least squares": holds(0.0),
        "the penalty counts twice; the error has a factor of one half": holds(2 * penalty),
        "the penalty counts half; the error has a factor of one half": holds(penalty / 2),
        "the weights that are used are not shrunk": holds(penalty, shrunk=False),
        "this is a ridge: the penalty is on absolute weights": np.allclose(w, ridge),
        "some weights are tiny; unused ones are exactly zero": ((w != 0) & (abs(w) < 1e-6)).any(),
        "no weight is negative, where a negative one would help": positive.all(),
    }
    for sentence, slipped in slips.items():
        require(not slipped, sentence)
    require(False, "not the minimum: moving one weight alone makes the sum smaller")
