"""Wrong solutions of chapter 4's exercises, and what is said of them."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def cosines(means, seconds, units):
    """Forgets to take out the means."""
    size = np.sqrt(np.diag(seconds)).clip(1e-12)
    return (seconds / np.outer(size, size))[:units, units:]


def covariances(means, seconds, units):
    """Forgets to divide by the standard deviations."""
    return (seconds - np.outer(means, means))[:units, units:]


def by_variances(means, seconds, units):
    """Divides by variances."""
    covariance = seconds - np.outer(means, means)
    variance = np.diag(covariance).clip(1e-9)
    scale = np.where(variance > 1e-9, 1 / variance, 0)
    return (scale[:, None] * covariance * scale)[:units, units:]


def all_pairs(means, seconds, units, rows=None, columns=None):
    """Returns the pairs within the networks as well, or other parts of the matrix."""
    covariance = seconds - np.outer(means, means)
    variance = np.diag(covariance)
    scale = np.where(variance > 1e-9, 1 / np.sqrt(variance.clip(1e-9)), 0)
    return (scale[:, None] * covariance * scale)[rows or slice(None), columns or slice(None)]


def transposed(means, seconds, units):
    """Has the units of network 2 in its rows."""
    return all_pairs(means, seconds, units, slice(units, None), slice(units))


def transposed_if_square(means, seconds, units):
    """Has the units of network 2 in its rows where the widths do not tell."""
    right = all_pairs(means, seconds, units, slice(units), slice(units, None))
    return right.T if right.shape[0] == right.shape[1] else right


def zero_by_zero(means, seconds, units):
    """Divides the zeros of a dead unit by zero."""
    covariance = seconds - np.outer(means, means)
    with np.errstate(all="ignore"):
        return (covariance / np.sqrt(np.outer(*2 * [np.diag(covariance)])))[:units, units:]


def whole(means, seconds, units, alive):
    """Correlations with a rule of one's own for units that are alive."""
    covariance = seconds - np.outer(means, means)
    variance = np.diag(covariance)
    scale = np.where(alive(variance), 1 / np.sqrt(np.maximum(variance, 1e-300)), 0)
    return (scale[:, None] * covariance * scale)[:units, units:]


def above_zero(means, seconds, units):
    """Takes a variance of rounding for that of a live unit."""
    return whole(means, seconds, units, lambda variance: variance > 1e-300)


def coarse(means, seconds, units):
    """Takes a unit of small scale for a dead one."""
    return whole(means, seconds, units, lambda variance: variance > 1e-4)


def second_network_alone(means, seconds, units):
    """Looks for dead units in network 2 alone."""

    def alive(variance):
        return np.where(np.arange(len(variance)) < units, True, variance > 1e-9)

    return whole(means, seconds, units, alive)


def match(scores, size=np.abs):
    """Mean of the best one-to-one pairs."""
    scores = size(scores)
    return scores[linear_sum_assignment(scores, maximize=True)].mean()


def rotated(between, within, axes):
    """Correlations of units with rotated axes."""
    return between @ axes / np.sqrt(np.diag(axes.T @ within @ axes))


def loss(between, within, axes):
    """Takes the units from the rotated axes."""
    return match(rotated(between, within, axes)) - match(between)


def units_alone(between, within, axes):
    """Forgets the rotated axes."""
    return match(between)


def axes_alone(between, within, axes):
    """Forgets the units."""
    return match(rotated(between, within, axes))


def signed(between, within, axes):
    """Keeps the signs of the correlations."""
    return match(between, np.positive) - match(rotated(between, within, axes), np.positive)


def greedy(between, within, axes):
    """Takes the largest of each row."""
    both = np.abs(between), np.abs(rotated(between, within, axes))
    return np.subtract(*(scores.max(1).mean() for scores in both))


def unscaled(between, within, axes):
    """Takes rotated axes to have variance 1."""
    return match(between) - match(between @ axes)


def axes_in_rows(between, within, axes):
    """Takes the rows of the rotation for the axes."""
    return match(between) - match(rotated(between, within, axes.T))


def same_partners(between, within, axes):
    """Keeps the pairs of the units for the rotated axes."""
    rows, columns = linear_sum_assignment(np.abs(between), maximize=True)
    turned = np.abs(rotated(between, within, axes))
    return match(between) - turned[rows, columns].mean()


def cheapest(between, within, axes):
    """Minimises, as the library does unless told."""
    both = np.abs(between), np.abs(rotated(between, within, axes))
    return np.subtract(*(scores[linear_sum_assignment(scores)].mean() for scores in both))


def summed(between, within, axes):
    """Sums over the pairs."""
    return units_over_axes(between, within, axes) * min(between.shape)


def by_the_wider(between, within, axes):
    """Divides by the number of units of the wider network."""
    return summed(between, within, axes) / max(between.shape)


def units_over_axes(between, within, axes):
    """The gain."""
    return match(between) - match(rotated(between, within, axes))


def each_unit(between, within, axes):
    """Returns one number a unit."""
    return np.abs(between).max(1)


def lasso(own, cross, penalty, sweeps=1000, threshold=None):
    """Coordinate descent, with a threshold of one's own."""
    w = np.zeros(len(cross))
    for _ in range(sweeps):
        for k in range(len(w)):
            left = cross[k] - own[k] @ w + w[k]
            soft = np.sign(left) * max(abs(left) - penalty, 0)
            w[k] = soft if threshold is None else threshold(left, penalty)
    return w


def least_squares(own, cross, penalty):
    """Has no penalty."""
    return np.linalg.solve(own, cross)


def squared(own, cross, penalty):
    """Puts the penalty on squares."""
    return np.linalg.solve(own + penalty * np.eye(len(own)), cross)


def twice(own, cross, penalty):
    """Forgets the factor of one half."""
    return lasso(own, cross, 2 * penalty)


def half(own, cross, penalty):
    """Counts the factor of one half twice."""
    return lasso(own, cross, penalty / 2)


def hard(own, cross, penalty):
    """Drops small weights and does not shrink the others."""
    return lasso(own, cross, penalty, threshold=lambda left, cut: left * (abs(left) > cut))


def positive(own, cross, penalty):
    """Loses the sign."""
    return lasso(own, cross, penalty, threshold=lambda left, cut: max(left - cut, 0))


def one_round(own, cross, penalty):
    """Stops after one round."""
    return lasso(own, cross, penalty, sweeps=1)


def ten_rounds(own, cross, penalty):
    """Stops after ten rounds, whatever still moves."""
    return lasso(own, cross, penalty, sweeps=10)


def each_alone(own, cross, penalty):
    """Leaves the other units out of account."""
    return np.sign(cross) * np.maximum(np.abs(cross) - penalty, 0)


def nearly_zero(own, cross, penalty):
    """Leaves tiny weights where zeros belong."""
    w = lasso(own, cross, penalty)
    return np.where(w == 0, 1e-8, w)


WRONG = {
    "convergence-correlations": [
        (cosines, "means are not taken out"),
        (covariances, "not divided by deviations"),
        (by_variances, "divided by variances"),
        (all_pairs, "shape"),
        (transposed, "shape"),
        (transposed_if_square, "transposed"),
        (zero_by_zero, "NaN"),
        (above_zero, "up to rounding"),
        (second_network_alone, "up to rounding"),
        (coarse, "small scale is alive"),
    ],
    "convergence-gain": [
        (loss, "sign is wrong"),
        (units_alone, "match of the units"),
        (axes_alone, "rotated axes alone"),
        (signed, "no sign of its own"),
        (greedy, "greedy"),
        (same_partners, "match the axes anew"),
        (cheapest, "smallest total"),
        (summed, "not a mean"),
        (by_the_wider, "wider network"),
        (unscaled, "not divided by the deviations"),
        (axes_in_rows, "not its rows"),
        (each_unit, "shape"),
    ],
    "convergence-few-predictors": [
        (least_squares, "least squares"),
        (squared, "ridge"),
        (twice, "counts twice"),
        (half, "counts half"),
        (hard, "not shrunk"),
        (positive, "no weight is negative"),
        (one_round, "not the minimum"),
        (ten_rounds, "not the minimum"),
        (each_alone, "not the minimum"),
        (nearly_zero, "exactly zero"),
    ],
}
