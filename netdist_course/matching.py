"""Exercises of chapter 1: orders that were planted."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from netdist_course.checks import exercise, order, require

SHAPES = [(12, 40), (1, 3), (5, 8), (30, 20)]  # units, weights a unit; the first is the reader's


def two_rows_of_units(rng, case):
    """Units ``a`` and the same in another order, with noise: (H, D) each."""
    units, weights = SHAPES[case]
    a = rng.normal(size=(units, weights)) * rng.uniform(0.5, 3, size=(units, 1))
    noise = 0.4 * a.std() * rng.normal(size=a.shape)
    return a, a[rng.permutation(units)] + noise


@exercise("matching-planted-order", two_rows_of_units)
def planted_order(answer, a, b):
    """Verified by the sum of inner products, which the right order makes largest."""
    found = order(answer, len(a), "the order")
    gain = a @ b.T  # (H, H)
    best = gain[linear_sum_assignment(gain, maximize=True)].sum()
    reached = gain[np.arange(len(a)), found].sum()
    inverse = gain[found, np.arange(len(a))].sum()
    turned = np.isclose(inverse, best) and not np.isclose(reached, best)
    require(
        not turned, "this order takes a to b; asked is the row of b that belongs to row i of a"
    )
    share = reached / best
    require(
        np.isclose(share, 1), f"the order reaches {share:.3f} of the largest sum, given {a.shape}"
    )
