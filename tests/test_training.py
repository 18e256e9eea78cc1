import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from netdist_utils import data, models, training
from tests.helpers import CIRCLE, equal, fit, generator, small


def apart(one, two, split=CIRCLE):
    """Largest difference of a logit, relative to the largest logit, as in `TOLERANCE`."""
    a, b = (training.logits(model, split.x).cpu() for model in (one, two))
    return (a - b).abs().max() / a.abs().max()


def by_hand(seed, *, epochs, lr, optimizer="sgd", weight_decay=0.0, schedule="constant"):
    """The oracle: textbook SGD with momentum 0.9, or Adam (Kingma and Ba 2015), on one network."""
    model = training.start(small, seed).requires_grad_()
    order, step, steps = generator(seed), 0, epochs * 2  # CIRCLE is two batches
    first = [torch.zeros_like(p) for p in model.parameters()]
    second = [torch.zeros_like(p) for p in model.parameters()]
    for _ in range(epochs):
        for batch in torch.randperm(len(CIRCLE), generator=order).split(128):
            loss = torch.nn.functional.cross_entropy(model(CIRCLE.x[batch]), CIRCLE.y[batch])
            gradients = torch.autograd.grad(loss, list(model.parameters()))
            cosine = (1 + np.cos(np.pi * step / steps)) / 2  # 1 at the first step, never 0
            rate, step = lr * (cosine if schedule == "cosine" else 1), step + 1
            for p, m, v, g in zip(model.parameters(), first, second, gradients, strict=True):
                g = g + weight_decay * p.detach()
                if optimizer == "sgd":
                    m.mul_(0.9).add_(g)
                    p.data.sub_(rate * m)
                else:
                    m.mul_(0.9).add_(0.1 * g)
                    v.mul_(0.999).add_(0.001 * g**2)
                    size = (v / (1 - 0.999**step)).sqrt() + 1e-8
                    p.data.sub_(rate * m / (1 - 0.9**step) / size)
    return models.freeze(model)


def test_starts_in_several_threads_are_those_of_their_seeds():
    """As where a reader's jobs train side by side: all threads share the global generator."""

    def slow():
        first = torch.nn.Linear(2, 8)
        time.sleep(0.002)  # another thread would have its turn
        return torch.nn.Sequential(first, torch.nn.Linear(8, 2))

    expected = [training.start(slow, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda seed: training.start(slow, seed), range(8)))
    assert all(equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_the_ensemble_descends_as_the_textbook_does(weight_decay, optimizer, schedule):
    recipe = {"weight_decay": weight_decay, "optimizer": optimizer, "schedule": schedule}
    for seed, model in zip([3, 5], fit([3, 5], **recipe), strict=True):
        expected = by_hand(seed, epochs=3, lr=0.1, **recipe)
        assert apart(model, expected) <= training.TOLERANCE


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_alone_or_among_others_a_seed_is_one_network(optimizer, schedule):
    options = {"optimizer": optimizer, "schedule": schedule, "lr": 0.01}
    together = fit([0, 1, 2], **options)
    for seed, model in enumerate(together):
        (alone,) = fit([seed], **options)
        assert apart(alone, model) <= training.TOLERANCE
    assert apart(together[0], together[1]) > 0.05  # the control: seeds differ


def test_convolutions_train_in_either_way(monkeypatch):
    def make():
        return models.convnet((1, 8, 8), [2], kernel_size=3, pool=2)

    split = data.digits().train.first(64)
    with monkeypatch.context() as patch:
        patch.setattr(training, "_worth_batching", lambda model, device: True)
        together = fit([0, 1], split, make, batch_size=32)
    for one, two in zip(together, fit([0, 1], split, make, batch_size=32), strict=True):
        assert apart(one, two, split) <= training.TOLERANCE


def test_history_runs_through_the_same_networks():
    history = training.fit_history(small, CIRCLE, 7, epochs=3, lr=0.1, progress=False, cache=False)
    assert len(history) == 4
    assert equal(history[0], training.start(small, 7))
    for epoch, model in enumerate(history[1:], start=1):
        assert equal(model, fit([7], epochs=epoch)[0])


def test_edges():
    assert fit([]) == []
    assert equal(fit([0], epochs=0)[0], training.start(small, 0))
    (one_by_one,) = fit([0], CIRCLE.first(3), batch_size=1)
    assert not equal(one_by_one, fit([0], CIRCLE.first(3), batch_size=3)[0])
    (one_sample,) = fit([0], CIRCLE.first(1))
    assert training.accuracy(one_sample, CIRCLE.first(1)) in (0.0, 1.0)


def test_what_comes_back_is_finished_and_nothing_is_changed():
    state = torch.get_rng_state()
    x = CIRCLE.x.clone()
    (model,) = fit([0])
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(CIRCLE.x, x)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": -1}, "epochs is -1"),
        ({"lr": 0.0}, "lr is 0.0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"optimizer": "lion"}, "'lion'"),
        ({"schedule": "linear"}, "'linear'"),
        ({"split": CIRCLE.first(0)}, r"\(0, 2\)"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        fit([0], **options)


def test_the_rate_is_constant_or_half_a_cosine():
    constant, cosine = (
        training.Recipe(epochs=1, lr=0.3, schedule=name) for name in ("constant", "cosine")
    )
    for progress, share in [(0, 1), (1 / 3, 0.75), (0.5, 0.5), (1, 0)]:
        assert constant.rate(progress) == 0.3
        assert cosine.rate(progress) == pytest.approx(0.3 * share)


def test_divergence_is_named():
    with pytest.raises(FloatingPointError, match=r"seed 0 diverged .* lr 1e\+30"):
        fit([0], lr=1e30)


def test_accuracy_and_cross_entropy_by_hand():
    model = models.mlp([2, 2], bias=False)
    model[1].weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    split = data.Split(torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]]), torch.tensor([0, 1, 1]))
    assert training.accuracy(model, split) == pytest.approx(2 / 3)
    losses = [np.log1p(np.exp(-2)), np.log1p(np.exp(-1)), np.log1p(np.exp(3))]
    assert training.cross_entropy(model, split) == pytest.approx(np.mean(losses))
    for measure in (training.accuracy, training.cross_entropy):
        with pytest.raises(ValueError, match=r"shape \(0, 2\)"):
            measure(model, split.first(0))


def test_as_good_as_scikit_learn():
    """The sanity check that the chapters rest on: within one point on the digits."""
    images = data.digits()
    ours = fit(range(4), images.train, lambda: models.mlp([64, 15, 10]), epochs=60, lr=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs = [
            MLPClassifier((15,), max_iter=200, random_state=seed).fit(
                images.train.x.flatten(1).numpy(), images.train.y.numpy()
            )
            for seed in range(2)
        ]
    ours = np.mean([training.accuracy(model, images.test) for model in ours])
    theirs = np.mean([training.accuracy(models.from_sklearn(m), images.test) for m in theirs])
    assert ours > theirs - 0.01
