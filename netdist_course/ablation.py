"""Exercises of chapter 2: tables of all subnetworks, and what is read off them.

Subsets are numbered by their bits: in subset m, unit i is kept where bit i of m is 1.
"""

import numpy as np
import torch

from netdist_course.checks import array, close, exercise, name_mistake, require
from netdist_utils import ablation

# The loss of every subnetwork


def classifier_of_a_circle(rng, case):
    """Contributions (N, H) to the logit of outside, the logit of no unit, and labels (N,).

    The circle and the strengths of the units differ from seed to seed. Unit 0 acts as a bias
    toward inside, the others cut off edges. In case 1 an exponential of the logits overflows.
    """
    n_points, units = [(300, 4), (1, 1), (4, 2), (9, 5)][case]
    points, radius = rng.uniform(-1, 1, size=(n_points, 2)), rng.uniform(0.65, 0.8)
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(units) / max(1, units - 1)
    along = points @ np.stack([np.cos(angles), np.sin(angles)])  # (N, H)
    contributions = rng.uniform(5, 9, size=units) * np.maximum(along + 0.4 - radius, 0)
    contributions[:, 0] = -rng.uniform(2.2, 3.2) * (1 + 0.2 * rng.random(n_points))
    outside = (np.square(points).sum(1) > radius**2).astype(int)
    if case == 1:
        contributions, outside = 1000 * contributions, np.ones_like(outside)
    return contributions, rng.uniform(0.5, 1), outside


@exercise("ablation-every-loss", classifier_of_a_circle)
def every_loss(answer, contributions, start, outside):
    """Compared with the logistic loss of the sums that `ablation.subset_sums` makes."""
    n_points, units = contributions.shape
    found = array(answer, (2**units,), "the table of losses")
    sums = ablation.subset_sums(torch.from_numpy(contributions)).numpy()  # (N, 2**H)
    sign = (1 - 2 * outside)[:, None]
    right = np.logaddexp(0, sign * (sums + start)).mean(0)
    turned = right.reshape([2] * units).transpose().ravel()
    mistakes = {
        "these are sums over points; the loss is their mean": right * n_points,
        "the table runs backwards: a unit is kept where its bit is 1": right[::-1],
        "the bits are read from the wrong end: the lowest one belongs to unit 0": turned,
        "the labels are exchanged": np.logaddexp(0, -sign * (sums + start)).mean(0),
        "the logit of no unit is left out": np.logaddexp(0, sign * sums).mean(0),
        "the logarithm is to the base 2; the loss is in nats": right / np.log(2),
        "the logit is doubled: one number is given for two classes": np.logaddexp(
            0, 2 * sign * (sums + start)
        ).mean(0),
    }
    if not np.allclose(found, right, rtol=1e-6, atol=1e-9):  # each entry for its own size
        name_mistake(found, right, mistakes.items())
        close(found, right, f"some losses are wrong, given {units} units", tolerance=1e-9)


# A second unit to remove


def losses_with_partners(rng, case):
    """Losses (2**H,) in which units come in pairs, by seed: it costs to keep one of a pair.

    Where few units are kept the pairs are others, so that whom to keep says nothing.
    """
    units = [8, 2, 3, 6][case]
    order, kept = rng.permutation(units), np.arange(2**units)[:, None] >> np.arange(units) & 1

    def one_of_two(order):
        a, b = order[: units // 2 * 2].reshape(-1, 2).T
        return kept[:, a] != kept[:, b]

    few = kept.sum(1, keepdims=True) < units / 2
    lonely = np.where(few, one_of_two(np.roll(order, 1)), one_of_two(order))
    losses = lonely @ rng.uniform(1, 2, units // 2) + (1 - kept) @ rng.uniform(0.1, 0.3, units)
    return (losses + 0.02 * rng.random(2**units),)


@exercise("ablation-second-removal", losses_with_partners)
def second_removal(answer, losses):
    """Verified by the losses that are left: no other second unit leaves a smaller one."""
    units = len(losses).bit_length() - 1
    found = array(answer, (units,), "the list of second units")
    i, full, itself = np.arange(units), 2**units - 1, 1e9 * np.eye(units)
    require(np.isin(found, i).all(), f"an entry is none of the units 0 to {units - 1}")
    one, found = 1 << i, found.astype(int)
    require((found != i).all(), "a unit is its own second one, and it is gone already")
    left = losses[full & ~one[:, None] & ~one] + itself
    wrong = left[i, found] > left.min(1)
    mistakes = {
        "these are the cheapest alone, asked is the cheapest after the first": losses[full & ~one],
        "these are the best two to keep, asked is which to remove": losses[one[:, None] | one],
    }
    for sentence, theirs in mistakes.items():
        as_named = (found == (theirs + itself).argmin(1)).all()
        require(not (wrong.any() and as_named), sentence)
    require(not wrong.any(), f"{wrong.sum()} of {units} have a second unit that leaves less loss")


# Energy by degree


def planted_spectrum(rng, case):
    """Values (2**H,) whose energies by degree come from the seed; their mean is not zero."""
    units = [5, 1, 2, 4][case]
    scale = rng.uniform(0.3, 2, size=units + 1)[ablation.subset_sizes(units).numpy()]
    coefficients = torch.from_numpy(scale * rng.normal(size=2**units))
    return (ablation.inverse_walsh(coefficients).numpy(),)


@exercise("ablation-energies", planted_spectrum)
def energies(answer, values):
    """Compared with those of the fast transform, `ablation.walsh`."""
    units = len(values).bit_length() - 1
    found = array(answer, (units + 1,), "the list of energies")
    coefficients = ablation.walsh(torch.from_numpy(values)).numpy()
    sizes = ablation.subset_sizes(units).numpy()
    right = np.bincount(sizes, coefficients**2)
    sets = np.arange(2**units)
    held = (sets[:, None] & ~sets == 0) @ values / len(values)  # 0 and 1 for signs
    mistakes = {
        "these are shares of the variance, asked are the energies": right / right[1:].sum(),
        "degree 0 has an energy too: the square of the mean": np.r_[0, right[1:]],
        "a coefficient is a mean over all subsets, and these are sums": right * 4**units,
        "an energy is a sum over the sets of its degree, and these are means": right
        / np.bincount(sizes),
        "a removed unit has sign -1, and here it has 0": np.bincount(sizes, held**2),
        "the degrees run backwards": right[::-1],
        "a coefficient is divided by the number of subsets, and here by its root": right
        * 2**units,
        "these add coefficients, not their squares": np.bincount(sizes, np.abs(coefficients)),
    }
    if not np.allclose(found, right, rtol=1e-6, atol=1e-9):  # each entry for its own size
        name_mistake(found, right, mistakes.items())
        close(found, right, f"some energies are wrong, given {units} units", tolerance=1e-9)
