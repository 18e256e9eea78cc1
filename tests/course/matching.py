"""Typical wrong solutions of the exercises of chapter 1, and what their checkers say."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def assigned(gain):
    """The right assignment of a gain matrix."""
    return linear_sum_assignment(gain, maximize=True)[1]


def count_returns(a_to_b, b_to_c, c_to_a):
    """Counts the units and forgets to divide."""
    return np.sum(c_to_a[b_to_c[a_to_b]] == np.arange(len(a_to_b)))


def which_return(a_to_b, b_to_c, c_to_a):
    """Gives an answer for each unit, not the share."""
    return c_to_a[b_to_c[a_to_b]] == np.arange(len(a_to_b))


def walk_backwards(a_to_b, b_to_c, c_to_a):
    """Composes the orders from the wrong end."""
    return np.mean(a_to_b[b_to_c[c_to_a]] == np.arange(len(a_to_b)))


def stop_in_c(a_to_b, b_to_c, c_to_a):
    """Forgets the last leg."""
    return np.mean(b_to_c[a_to_b] == np.arange(len(a_to_b)))


def compare_with_the_last(a_to_b, b_to_c, c_to_a):
    """Takes c_to_a for the order that leads from a to c."""
    return np.mean(b_to_c[a_to_b] == c_to_a)


def keep_places(a_to_b, b_to_c, c_to_a):
    """Multiplies the shares of units that keep their place."""
    return np.prod([np.mean(o == np.arange(len(o))) for o in (a_to_b, b_to_c, c_to_a)])


def percent_return(a_to_b, b_to_c, c_to_a):
    """Gives the share in per cent."""
    return 100 * np.mean(c_to_a[b_to_c[a_to_b]] == np.arange(len(a_to_b)))


def inverse_order(a, b):
    """Matches b to a, so the order leads the other way."""
    return assigned(b @ a.T)


def smallest_sum(a, b):
    """Forgets maximize=True."""
    return linear_sum_assignment(a @ b.T)[1]


def largest_of_each_row(a, b):
    """Takes the largest entry of each row alone."""
    return (a @ b.T).argmax(axis=1)


def nearest_row(a, b):
    """Takes the nearest row of each row alone."""
    return ((a[:, None] - b) ** 2).sum(-1).argmin(1)


def as_they_came(a, b):
    """Leaves the order as it is."""
    return np.arange(len(a))


def sorted_by_norm(a, b):
    """Pairs the units by the rank of their size."""
    norms = [np.argsort(np.linalg.norm(rows, axis=1)) for rows in (a, b)]
    return norms[1][np.argsort(norms[0])]


def both_indices(a, b):
    """Returns the rows beside the columns."""
    return linear_sum_assignment(a @ b.T, maximize=True)


def counted_from_one(a, b):
    """Counts units from 1."""
    return assigned(a @ b.T) + 1


def in_scale(w1, w2):
    """Weights of units in the canonical scale."""
    norm = np.linalg.norm(w1, axis=1, keepdims=True)
    return w1 / norm, w2.T * norm


def raw_weights(a1, a2, b1, b2):
    """Matches the weights as they stand: the factors decide."""
    return assigned(np.hstack([a1, a2.T]) @ np.hstack([b1, b2.T]).T)


def incoming_alone(a1, a2, b1, b2):
    """Looks at directions of incoming weights alone, which twins share."""
    return assigned(in_scale(a1, a2)[0] @ in_scale(b1, b2)[0].T)


def either_sign(a1, a2, b1, b2):
    """Takes a unit that sees the opposite for a partner."""
    return assigned(-in_scale(a1, a2)[0] @ in_scale(b1, b2)[0].T)


def inverse_disguise(a1, a2, b1, b2):
    """Matches the first network to the second, so the order leads the other way."""
    return assigned(np.hstack(in_scale(b1, b2)) @ np.hstack(in_scale(a1, a2)).T)


def outgoing_alone(a1, a2, b1, b2):
    """Looks at directions of outgoing weights alone, which other twins share."""
    one, two = [w2 / np.linalg.norm(w2, axis=0) for w2 in (a2, b2)]
    return assigned(one.T @ two)


WRONG = {
    "matching-come-back": [
        (count_returns, "this counts units"),
        (which_return, "one number; this has one for each unit"),
        (walk_backwards, "goes the other way"),
        (stop_in_c, "stops in c"),
        (compare_with_the_last, "leads from c to a"),
        (keep_places, "not the share of units that come back"),
        (percent_return, "between 0 and 1"),
    ],
    "matching-planted-order": [
        (inverse_order, "takes a to b"),
        (smallest_sum, "smallest, not largest"),
        (largest_of_each_row, "uses a row of b twice"),
        (nearest_row, "nearest row of each row alone"),
        (as_they_came, "of the largest sum"),
        (sorted_by_norm, "of the largest sum"),
        (both_indices, "has shape"),
        (counted_from_one, "no permutation"),
    ],
    "matching-disguise": [
        (raw_weights, "as they stand"),
        (incoming_alone, "do not take these back"),
        (either_sign, "sees the opposite"),
        (inverse_disguise, "takes a to b"),
        (outgoing_alone, "sees the opposite"),
    ],
}
