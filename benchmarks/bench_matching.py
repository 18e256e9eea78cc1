"""Chapter 1: matching and training, beside the source's ways. Ratios of times in one run.

python benchmarks/bench_matching.py

What should hold on 2 cores: a match at least 200 times faster than graspologic with 20 starts
(most of a match is reading and checking two models); the deep pair under 2 s; an ensemble at
least 10 times faster a network than MLPClassifier, within one point of its accuracy.
"""

import warnings

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from timing import seconds

from netdist_utils import data, matching, models, training

digits = data.digits()
pair = training.fit_ensemble(
    lambda: models.mlp([64, 15, 10]), digits.train, [0, 1], epochs=30, lr=0.1, progress=False
)


def objective(method):
    order = matching.match(*pair, method, rng=0)
    return matching.objective(pair[0], matching.permute(pair[1], order))


ours = seconds(lambda: [matching.match(*pair) for _ in range(100)]) / 100
print(f"match, 64-15-10: {1e3 * ours:.3f} ms, objective {objective('weights'):.6f}")
methods = ["faq"]
try:
    import graspologic  # noqa: F401

    methods.append("graspologic")
except ImportError:
    print("graspologic is not installed here")
for method in methods:
    peer = seconds(lambda method=method: matching.match(*pair, method, rng=0))
    print(f"{method}: {1e3 * peer:.1f} ms, {peer / ours:.0f} times as long, "
          f"objective {objective(method):.6f}")  # fmt: skip

wide = [training.start(lambda: models.mlp([784, 512, 512, 512, 10]), seed) for seed in (0, 1)]
print(f"match, 784-512-512-512-10: {seconds(lambda: matching.match(*wide), 2):.2f} s")

recipe = {"epochs": 300, "lr": 0.1, "batch_size": 128}
networks = []
torch.optim.SGD([torch.zeros(1)])  # the first in a process imports for a second
ensemble = seconds(
    lambda: networks.extend(
        training.fit_ensemble(
            lambda: models.mlp([64, 15, 10]),
            digits.train,
            range(64),
            progress=False,
            cache=False,
            **recipe,
        )
    ),
    1,
)
x, y = digits.train.x.flatten(1).numpy(), digits.train.y.numpy()
peers = [
    MLPClassifier(
        (15,), solver="sgd", learning_rate_init=0.1, momentum=0.9, batch_size=128, alpha=0,
        nesterovs_momentum=False, max_iter=300, tol=0, n_iter_no_change=1000, random_state=seed,
    )
    for seed in range(3)
]  # fmt: skip
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # scikit-learn says that 300 epochs were not enough
    one = seconds(lambda: [peer.fit(x, y) for peer in peers], 1) / len(peers)
xt, yt = digits.test.x.flatten(1).numpy(), digits.test.y.numpy()
print(f"64 networks, 300 epochs: {ensemble:.1f} s; MLPClassifier {one:.2f} s a network, "
      f"{64 * one / ensemble:.1f} times as long")  # fmt: skip
print(f"accuracy: {np.mean([training.accuracy(m, digits.test) for m in networks]):.4f}, "
      f"MLPClassifier {np.mean([peer.score(xt, yt) for peer in peers]):.4f}")  # fmt: skip
