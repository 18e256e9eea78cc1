"""Does a match belong to the units, or would any axes of the same space match as well?

The rotation test compares the one-to-one match with a network as it is and the match with the
same network after a random rotation of its activations (Khosla, Williams, McDermott and Kanwisher
2024). A rotation keeps all that a linear reader could use, and takes away the units. Three things
that have nothing to do with units in common would count for them, and are taken out here:

- the scale of a unit, which the next layer can undo: units have standard deviation 1;
- its sign, which a rotated axis does not have: matches are those of the absolute correlation;
- dead units, which cannot match, while no rotated axis is dead: they are left out.

A fourth is not taken out. A rotated axis mixes many rectified units, so it is not as often zero as
they are. `preactivation_rotation_test` rotates before the ReLU instead.
"""

from dataclasses import replace

import torch

from netdist_utils.alignment import bipartite_match, matched
from netdist_utils.convergence.nulls import thresholds, zeros
from netdist_utils.moments import CONSTANT
from netdist_utils.random_matrices import random_rotation


def random_axes(statistics, j, generator):
    """Random orthonormal axes of a network's standardised units, to be multiplied from the right.

    Parameters
    ----------
    statistics : moments.LayerMoments
    j : index of a network
    generator : torch.Generator
        Draws the rotation, uniformly among all orthogonal maps.

    Returns
    -------
    (D_j, D_j) float64 tensor
        Divides each unit by its standard deviation and rotates; dead units stay where they are.
        Each axis points to where more of the units rise than fall, since an axis has no sign of
        its own.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> found = moments.moments([models.mlp([4, 3])], torch.randn(99, 4), [1])[1]
    >>> axes = random_axes(found, 0, torch.Generator().manual_seed(0))
    >>> turned(found, 0, axes).correlation(0).diagonal().round(decimals=6)
    tensor([1., 1., 1.], dtype=torch.float64)
    """
    alive = ~statistics.dead(j)
    axes = torch.eye(len(alive)).to(statistics.means)
    rotation = random_rotation(int(alive.sum()), generator).to(axes)
    rises = (statistics.correlation(j)[alive][:, alive] @ rotation).sum(0)
    rotation = rotation * torch.where(rises < 0, -1.0, 1.0)
    axes[alive.nonzero(), alive.nonzero().T] = statistics.scale(j)[alive][:, None] * rotation
    return axes


def turned(statistics, j, axes):
    """The moments that result if one network's activations are multiplied by a matrix.

    Parameters
    ----------
    statistics : moments.LayerMoments
    j : index of a network
    axes : (D_j, D_j) tensor
        Its columns are the new axes, as those of `random_axes`.

    Returns
    -------
    moments.LayerMoments
        Of the same networks; whatever is measured on units is measured on network j's axes.

    Raises
    ------
    ValueError
        If the matrix is not of that shape.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> found = moments.moments([models.mlp([4, 3])], torch.randn(99, 4), [1])[1]
    >>> bool(torch.allclose(turned(found, 0, 2 * torch.eye(3)).mean(), 2 * found.mean()))
    True
    """
    one = slice(sum(statistics.sizes[:j]), sum(statistics.sizes[: j + 1]))
    means, seconds = statistics.means.clone(), statistics.seconds.clone()
    axes = axes.to(seconds)
    means[one] = means[one] @ axes
    seconds[:, one] = seconds[:, one] @ axes
    seconds[one] = axes.T @ seconds[one]
    return replace(statistics, means=means, seconds=seconds)


def rotation_test(statistics, i, j, generator, rotations=20):
    """Mean one-to-one correlation of two networks, as they are and with one of them rotated.

    Parameters
    ----------
    statistics : moments.LayerMoments
    i, j : index of a network
        Networks; the activations of the second are rotated about their mean.
    generator : torch.Generator
        Draws the rotations.
    rotations : int from 1 on
        To average over: the spread over rotations of one pair is as large as that over pairs.

    Returns
    -------
    (float, float)
        Mean absolute correlation of bipartite matches, as the networks are and over the
        rotations. Of standardised units, by absolute correlation, without dead units: the
        reasons stand at the head of the module.

    Raises
    ------
    ValueError
        If rotations is below 1, or a network has no unit that is not dead.

    Examples
    --------
    >>> from netdist_utils.moments import moments
    >>> identity = torch.nn.Sequential(torch.nn.Identity())
    >>> found = moments([identity], torch.eye(8).repeat(9, 1), [0])[0]
    >>> own, rotated = rotation_test(found, 0, 0, torch.Generator().manual_seed(0))
    >>> round(own, 2), rotated < 0.8
    (1.0, True)
    """
    rows, columns = (~statistics.dead(k) for k in (i, j))
    between = statistics.correlation(i, j)[rows][:, columns]
    within = statistics.correlation(j)[columns][:, columns]
    _check_alive(between)
    rotated = []
    for _ in range(rotations):
        axes = random_rotation(len(within), generator).to(within)
        deviation = (axes * (within @ axes)).sum(0).sqrt()
        rotated.append(_mean_match(between @ axes / deviation))
    return _mean_match(between), sum(rotated) / rotations


def preactivation_rotation_test(acts_i, acts_j, generator, rotations=5):
    """The rotation test with the rotation before the ReLU: rotated axes are rectified as well.

    A rotated layer is what the same layer computes with rotated incoming weights. Its biases are
    set so that its units are zero as often as those of the layer as it is, so neither the space
    nor the zeros are lost with the units.

    Parameters
    ----------
    acts_i : (N, C_i) tensor
    acts_j : (N, C_j) tensor
        What enters the ReLU, in two networks, for the same samples. The second is rotated.
    generator, rotations
        As in `rotation_test`.

    Returns
    -------
    (float, float)
        Mean absolute correlation of bipartite matches behind the ReLU, as the networks are and
        over the rotations. Units that never change there are left out.

    Raises
    ------
    ValueError
        If the samples do not pair up, rotations is below 1, or no unit is left.

    Examples
    --------
    >>> z = torch.randn(500, 8, generator=torch.Generator().manual_seed(0))
    >>> own, rotated = preactivation_rotation_test(z, z, torch.Generator().manual_seed(1))
    >>> round(own, 2), rotated < 0.8
    (1.0, True)
    """
    here, there = (z.double()[:, _varies(z.double().relu())] for z in (acts_i, acts_j))
    units = _standardised(here.relu())
    own = units.T @ _standardised(there.relu()) / len(units)
    _check_alive(own)
    shares, before = zeros(there), _standardised(there)
    rotated = []
    for _ in range(rotations):
        after = before @ random_rotation(before.shape[1], generator).to(before)
        # The axes come in random order: which of them takes which share is left to chance.
        after = (after - thresholds(after, shares)).relu()
        # Where samples are alike, all of an axis may lie at its threshold: a dead unit again.
        after = _standardised(after[:, _varies(after)])
        rotated.append(_mean_match(units.T @ after / len(units)))
    return _mean_match(own), sum(rotated) / rotations


def _check_alive(between):
    if 0 in between.shape:
        raise ValueError(f"{between.shape[0]} and {between.shape[1]} units are not dead")


def _mean_match(correlation):
    """Mean absolute correlation of the best one-to-one pairs, their sign left free."""
    size = correlation.abs()
    return float(matched(size, bipartite_match(size)).mean())


def _varies(acts):
    """Which columns are not constant, as `moments.LayerMoments.dead` has it."""
    return acts.var(0, correction=0) > CONSTANT * acts.square().mean(0)


def _standardised(acts):
    """Columns of mean 0 and variance 1."""
    centred = acts - acts.mean(0)
    return centred / centred.square().mean(0).sqrt()
