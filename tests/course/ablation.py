"""Wrong solutions of chapter 2's coding exercises, and what the checkers say of each."""

import numpy as np


def _bits(n):
    return np.arange(2**n)[:, None] >> np.arange(n) & 1


def _table(contributions, start, outside):
    """Losses (2**H, N) of all subsets at all points."""
    logit = _bits(contributions.shape[1]) @ contributions.T + start
    return np.logaddexp(0, (1 - 2 * outside) * logit)


def summed(contributions, start, outside):
    """Adds over points."""
    return _table(contributions, start, outside).sum(1)


def backwards(contributions, start, outside):
    """Takes bit 1 for a removed unit."""
    return _table(contributions, start, outside).mean(1)[::-1]


def highest_bit_first(contributions, start, outside):
    """Gives the lowest bit to the last unit."""
    return _table(contributions[:, ::-1], start, outside).mean(1)


def inside_is_one(contributions, start, outside):
    """Exchanges the labels."""
    return _table(contributions, start, 1 - outside).mean(1)


def without_start(contributions, start, outside):
    """Forgets the logit of no unit."""
    return _table(contributions, 0, outside).mean(1)


def loss_of_the_mean(contributions, start, outside):
    """Averages logits before the loss."""
    logit = _bits(contributions.shape[1]) @ contributions.T + start
    return np.logaddexp(0, ((1 - 2 * outside) * logit).mean(1))


def not_averaged(contributions, start, outside):
    """Leaves one loss for each point."""
    return _table(contributions, start, outside)


def overflows(contributions, start, outside):
    """Takes the exponential of a large logit."""
    logit = _bits(contributions.shape[1]) @ contributions.T + start
    with np.errstate(over="ignore"):
        return np.log(1 + np.exp((1 - 2 * outside) * logit)).mean(1)


def in_bits(contributions, start, outside):
    """Takes the logarithm to the base 2."""
    return _table(contributions, start, outside).mean(1) / np.log(2)


def doubled(contributions, start, outside):
    """Gives half of the logit's difference to each class, and doubles it."""
    return _table(2 * contributions, 2 * start, outside).mean(1)


def _after(losses):
    """Losses without each two units, and without each one where the two are the same."""
    one = 1 << np.arange(len(losses).bit_length() - 1)
    return losses[len(losses) - 1 & ~one[:, None] & ~one]


def cheapest_alone(losses):
    """Looks at the full network, not at what the first removal leaves."""
    one = 1 << np.arange(len(losses).bit_length() - 1)
    alone = np.tile(losses[len(losses) - 1 & ~one], (len(one), 1))
    np.fill_diagonal(alone, np.inf)
    return alone.argmin(1)


def the_same_again(losses):
    """Removes the unit that is gone already."""
    return np.arange(len(losses).bit_length() - 1)


def best_to_keep(losses):
    """Keeps two units in place of removing them."""
    one = 1 << np.arange(len(losses).bit_length() - 1)
    kept = losses[one[:, None] | one]
    np.fill_diagonal(kept, np.inf)
    return kept.argmin(1)


def counted_from_one(losses):
    """Numbers units from 1."""
    left = _after(losses)
    np.fill_diagonal(left, np.inf)
    return left.argmin(1) + 1


def largest(losses):
    """Takes the largest loss for the best."""
    left = _after(losses)
    np.fill_diagonal(left, -np.inf)
    return left.argmax(1)


def _coefficients(values):
    sets = _bits(len(values).bit_length() - 1)
    return (-1) ** (sets @ (1 - sets).T) @ values / len(values), sets.sum(1)


def not_divided(values):
    """Sums over subsets where the mean is meant."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes, (found * len(values)) ** 2)


def centred_first(values):
    """Takes the mean out, and with it degree 0."""
    found, sizes = _coefficients(values - values.mean())
    return np.bincount(sizes, found**2)


def as_shares(values):
    """Divides by the variance."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes, found**2) / values.var()


def averaged(values):
    """Takes the mean over the sets of a degree."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes, found**2) / np.bincount(sizes)


def not_squared(values):
    """Adds the sizes of coefficients."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes, np.abs(found))


def bits_for_signs(values):
    """Uses 0 and 1 for the signs."""
    sets = _bits(len(values).bit_length() - 1)
    held = (sets @ sets.T == sets.sum(1)[:, None]) * 1.0
    return np.bincount(sets.sum(1), (held @ values / len(values)) ** 2)


def degrees_reversed(values):
    """Counts the removed units of a set."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes.max() - sizes, found**2)


def by_the_root(values):
    """Divides by the root of the number of subsets."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes, found**2) * len(values)


def without_degree_zero(values):
    """Starts the list at degree 1."""
    found, sizes = _coefficients(values)
    return np.bincount(sizes, found**2)[1:]


WRONG = {
    "ablation-every-loss": [
        (summed, "sums over points"),
        (backwards, "a unit is kept where its bit is 1"),
        (highest_bit_first, "wrong end"),
        (inside_is_one, "labels are exchanged"),
        (without_start, "logit of no unit is left out"),
        (loss_of_the_mean, "some losses are wrong"),
        (not_averaged, "has shape"),
        (overflows, "NaN or infinite"),
        (in_bits, "base 2"),
        (doubled, "doubled"),
    ],
    "ablation-second-removal": [
        (cheapest_alone, "cheapest alone"),
        (the_same_again, "gone already"),
        (best_to_keep, "best two to keep"),
        (counted_from_one, "none of the units"),
        (largest, "leaves less loss"),
    ],
    "ablation-energies": [
        (not_divided, "a coefficient is a mean"),
        (centred_first, "degree 0 has an energy too"),
        (as_shares, "shares of the variance"),
        (averaged, "these are means"),
        (not_squared, "not their squares"),
        (bits_for_signs, "a removed unit has sign -1"),
        (degrees_reversed, "run backwards"),
        (by_the_root, "by its root"),
        (without_degree_zero, "has shape"),
    ],
}
