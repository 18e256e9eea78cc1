"""Does a match survive a walk through a third network?

A matching pairs every unit with some unit, whether or not it has a partner. If units really
correspond, then A's unit, its partner in B, that one's partner in C, and the partner of that in A
make a closed walk (Crisostomi et al. 2024 ask for this; here it is only measured).
"""

import torch

from netdist_utils.matching.permutations import match


def cycle_consistent(one, two, three, method="weights", *, x=None):
    """Which units of the first network come back to themselves by way of the two others.

    Parameters
    ----------
    one, two, three : torch.nn.Sequential
        Of the same widths.
    method, x
        As in `match`; each of the three pairs is matched on its own.

    Returns
    -------
    list of (H,) bool tensors
        One a hidden layer. Of H units, one does by chance.

    Examples
    --------
    >>> from netdist_utils import models
    >>> nets = [models.mlp([4, 3, 2]) for _ in range(3)]
    >>> cycle_consistent(nets[0], nets[0], nets[2])[0].tolist()
    [True, True, True]
    """
    trip = [match(a, b, method, x=x) for a, b in ((one, two), (two, three), (three, one))]
    # match(a, b)[i] is b's partner of a's unit i.
    return [
        home[there[first]] == torch.arange(len(first))
        for first, there, home in zip(*trip, strict=True)
    ]
