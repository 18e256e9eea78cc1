"""Exercises of chapter 1: a walk through three networks, a planted order, a copy in disguise."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from netdist_course.checks import array, exercise, name_mistake, number, order, require

# Of each case; the first is the reader's. Units, weights a unit:
SHAPES = [(12, 40), (1, 3), (5, 8), (30, 20)]
LOUD = 3  # a case with so much noise that two rows of a have one nearest row of b
# Units, bounds of how many are planted to return:
WALKS = [(90, 20, 70), (1, 1, 2), (9, 9, 10), (14, 0, 1)]
# Units, inputs, outputs:
DISGUISES = [(12, 9, 6), (1, 2, 1), (6, 5, 3), (60, 8, 8), (60, 4, 30), (80, 30, 4)]


def wrong_ways(a_to_b, b_to_c, c_to_a):
    """Shares that come of typical mistakes."""
    units = np.arange(len(a_to_b))
    matches = {
        "this goes the other way round": a_to_b[b_to_c[c_to_a]] == units,
        "this stops in c, and not at home": b_to_c[a_to_b] == units,
        "c_to_a leads from c to a; this reads it as if it led from a": b_to_c[a_to_b] == c_to_a,
    }
    return {sentence: np.mean(match) for sentence, match in matches.items()}


def three_orders(rng, case):
    """Partners in b of units of a, in c of those of b, and in a of those of c: (H,) each."""
    units, *bounds = WALKS[case]
    there, on = rng.permutation(units), rng.permutation(units)
    home = np.argsort(on[there])
    stray = rng.permutation(units)[rng.integers(*bounds) :]  # these go to one another's home
    home[on[there[stray]]] = np.roll(stray, 1)
    told_apart = len({0, *wrong_ways(there, on, home).values()}) == 4
    return (there, on, home) if case or told_apart else three_orders(rng, case)


@exercise("matching-come-back", three_orders)
def come_back(answer, a_to_b, b_to_c, c_to_a):
    """Verified by following each unit of a on its way."""
    units = range(len(a_to_b))
    each = np.shape(answer) == a_to_b.shape != (1,)
    require(not each, "asked is the share of all units, one number; this has one for each unit")
    found = number(answer, "the share")
    right = np.mean([c_to_a[b_to_c[a_to_b[i]]] == i for i in units])
    counted = {"this counts units: asked is their share": right * len(units)}
    name_mistake(found, right, (counted | wrong_ways(a_to_b, b_to_c, c_to_a)).items())
    wrong = f"that is not the share of units that come back, given {len(units)} units"
    inside = 0 <= found <= 1
    require(np.isclose(found, right), wrong if inside else "a share lies between 0 and 1")


def two_rows_of_units(rng, case):
    """Units ``a`` and the same in another order, with noise: (H, D) each."""
    units, weights = SHAPES[case]
    a = rng.normal(size=(units, weights)) * rng.uniform(0.5, 3, size=(units, 1))
    noise = (1.2 if case == LOUD else 0.4) * a.std() * rng.normal(size=a.shape)
    b = a[rng.permutation(units)] + noise
    nearest = np.square(a[:, None] - b).sum(axis=2).argmin(axis=1)
    clear = case == LOUD and len(set(nearest)) == units
    return two_rows_of_units(rng, case) if clear else (a, b)


@exercise("matching-planted-order", two_rows_of_units)
def planted_order(answer, a, b):
    """Verified by the sum of inner products, which the right order makes largest."""
    gain, rows = a @ b.T, np.arange(len(a))  # (H, H)
    raw, largest = array(answer, rows.shape, "the order"), gain.argmax(axis=1)
    greedy = len(set(largest)) < len(a) and np.array_equal(raw, largest)
    require(not greedy, "the largest entry of each row alone uses a row of b twice")
    nearest = np.square(a[:, None] - b).sum(axis=2).argmin(axis=1)
    greedy = len(set(nearest)) < len(a) and np.array_equal(raw, nearest)
    require(not greedy, "the nearest row of each row alone uses a row of b twice")
    found = order(answer, len(a), "the order")
    best = gain[linear_sum_assignment(gain, maximize=True)].sum()
    reached = gain[rows, found].sum()
    if np.isclose(reached, best):
        return
    turned = np.isclose(gain[found, rows].sum(), best)
    require(not turned, "this order takes a to b; asked is the row of b for row i of a")
    least = np.isclose(reached, gain[linear_sum_assignment(gain)].sum())
    require(not least, "this order makes the sum of the inner products smallest, not largest")
    share = reached / best
    require(False, f"the order reaches {share:.3f} of the largest sum, given {a.shape}")


def two_networks(rng, case):
    """Weights (H, D), (K, H) of a network, and of a copy with units reordered and rescaled.

    Units come in twins that see the same and say other things, and in twins that see opposite
    things and say the same.
    """
    units, inputs, outputs = DISGUISES[case]
    w1, w2 = rng.normal(size=(units, inputs)), rng.normal(size=(outputs, units))
    factors = np.exp(rng.uniform(-4, 4, size=units))
    for i in range(0, units - 1, 4):  # by inner products, the wrong twin is the better partner
        w1[i + 1], factors[i : i + 2] = 2.5 * w1[i], (20, 5)
    for i in range(2, units - 1, 4):
        w1[i + 1], w2[:, i + 1] = -w1[i], 2 * w2[:, i]
    turned = rng.permutation(units)
    return w1, w2, (factors[:, None] * w1)[turned], (w2 / factors)[:, turned]


@exercise("matching-disguise", two_networks, cases=len(DISGUISES))
def disguise(answer, a1, a2, b1, b2):
    """Verified by the definition: partners differ by one positive factor, in and out."""
    found = order(answer, len(a1), "the order")

    def sees_and_says(found):
        """Which partners have the unit's incoming and outgoing weights, but for a factor."""
        factor = np.linalg.norm(b1[found], axis=1) / np.linalg.norm(a1, axis=1)
        into, out = b1[found] / factor[:, None], b2[:, found] * factor
        return into, np.isclose(into, a1).all(axis=1), np.isclose(out, a2).all(axis=0)

    into, sees, says = sees_and_says(found)
    if (sees & says).all():
        return
    turned = np.all(sees_and_says(np.argsort(found))[1:])
    require(not turned, "this order takes a to b; asked is the unit of b for unit i of a")
    raw = linear_sum_assignment(a1 @ b1.T + a2.T @ b2, maximize=True)[1]
    told = sees.all() or (found != raw).any()
    require(told, "this compares weights as they stand, so that factors decide")
    opposite = np.isclose(into, -a1).all(axis=1)
    mostly = 2 * opposite.sum() >= (~(sees & says)).sum()  # of the wrong partners
    require(not mostly, "some partner sees the opposite of its unit; factors are positive")
    require(sees.all(), "some partner's incoming weights are no multiple of its unit's")
    sentence = "incoming weights agree up to factors, outgoing ones do not take these back"
    require(False, f"{sentence}: were they left out, or compared as they stand?")
