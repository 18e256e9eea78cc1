"""Chapter 1: matching and training, beside the source's ways.

The source matches graphs by graspologic with 20 starts, and trains by scikit-learn.
"""

import warnings
from importlib.util import find_spec

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from timing import close, compare, floor, grow, release, repeated, size, trained_on

from netdist_utils import data, matching, models, training

CHAPTER = "1. Matching MLPs"
EPOCHS = size(300, 2)


def same_objective(pair):
    """A check that two orders of units raise the inner product of all weights equally far."""

    def check(ours, theirs):
        values = [
            matching.objective(pair[0], matching.permute(pair[1], o)) for o in (ours, theirs)
        ]
        return close(*values, 1e-6, "the objective")

    return check


def starts(units):
    return [training.start(lambda: models.mlp([64, units, 10]), seed) for seed in (0, 1)]


def rows():
    digits = data.digits()
    pair = training.fit_ensemble(
        lambda: models.mlp([64, 15, 10]), digits.train, [0, 1], epochs=30, lr=0.1, progress=False
    )
    peers = {"faq": f"SciPy {release('scipy')}, FAQ"}
    if find_spec("graspologic"):  # which exists for Python up to 3.12
        peers["graspologic"] = f"graspologic {release('graspologic')}, 20 starts: the source's way"
    for method, name in peers.items():
        yield compare(
            chapter=CHAPTER,
            what="hidden units matched",
            size="64-15-10",
            against=name,
            ours=repeated(lambda: matching.match(*pair), size(100, 2)),
            theirs=lambda method=method: matching.match(*pair, method, rng=0),
            check=same_objective(pair),
            ours_by=1 / size(100, 2),
        )
    yield from trained(digits)


def trained(digits):
    """An ensemble at once, and scikit-learn's networks one after another; seconds a network."""
    n, peers = size(64, 4), size(3, 1)
    x, y = digits.train.x.flatten(1).numpy(), digits.train.y.numpy()
    xt, yt = digits.test.x.flatten(1).numpy(), digits.test.y.numpy()
    torch.optim.SGD([torch.zeros(1)])  # the first in a process imports for a second

    def ours():
        nets = training.fit_ensemble(
            lambda: models.mlp([64, 15, 10]), digits.train, range(n),
            epochs=EPOCHS, lr=0.1, batch_size=128, progress=False, cache=False,
        )  # fmt: skip
        return np.mean([training.accuracy(net, digits.test) for net in nets])

    def theirs():
        scores = []
        for seed in range(peers):
            peer = MLPClassifier(
                (15,), solver="sgd", learning_rate_init=0.1, momentum=0.9, batch_size=128,
                alpha=0, nesterovs_momentum=False, max_iter=EPOCHS, tol=0,
                n_iter_no_change=1000, random_state=seed,
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it says that the epochs were not enough
                scores.append(peer.fit(x, y).score(xt, yt))
        return np.mean(scores)

    def check(mine, other):
        within = size(0.01, 0.5)
        if abs(mine - other) > within:
            raise ValueError(f"accuracies {mine:.3f} and {other:.3f}: over {within} apart")
        return f"mean test accuracies of networks of other seeds, {within:g} apart or less"

    yield compare(
        chapter=CHAPTER,
        what="networks trained",
        size=f"64-15-10, {EPOCHS} epochs, {n} at once; seconds a network",
        against=f"scikit-learn {release('scikit-learn')}, MLPClassifier: the source's way",
        ours=ours,
        theirs=theirs,
        check=check,
        ours_by=1 / n,
        theirs_by=1 / peers,
        gpu=lambda device: trained_on(device, ours),
    )


def growth():
    pairs = {}

    def ways(units):
        pair = pairs["now"] = starts(units)
        return lambda: matching.match(*pair), lambda: matching.match(*pair, "faq", rng=0)

    yield grow(
        chapter=CHAPTER,
        what="hidden units matched",
        against="FAQ (SciPy)",
        axis="hidden units",
        at=size([16, 32, 64, 128, 256, 512, 1024], [8, 16]),
        ways=ways,
        check=lambda ours, theirs: same_objective(pairs["now"])(ours, theirs),
        # Both networks are read; all products of their units' 64 + 1 + 10 weights are taken.
        floor=lambda h: floor(2 * 75 * h * 4, 2 * 75 * h * h),
        floor_is="the products of all pairs of units; the assignment comes on top",
    )
