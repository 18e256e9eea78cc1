"""What a review of reliability found, one test each: a closed form, or the same by a slow way."""

import copy

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn

from netdist_utils import (
    ablation,
    convergence,
    covariance,
    data,
    interactive,
    lenses,
    matching,
    models,
    spectra,
    training,
)
from netdist_utils.moments import moments
from tests.helpers import allclose, fit, gaussian, generator, net

X = gaussian(60, 4)
SPLIT = data.Split(X, (X[:, 0] > 0).long())


def in_place(model):
    """The same network as torchvision would write it."""
    model = copy.deepcopy(model)
    for layer in model:
        if isinstance(layer, nn.ReLU):
            layer.inplace = True
    return model


# Networks


def test_layers_that_write_into_their_input_change_no_answer():
    model, before = net(4, 5, 2), X.clone()
    for layer, h in models.outputs(in_place(model), X, [1, 2]).items():
        assert torch.equal(h, model[: layer + 1](X))
    found, expected = (moments([m], X, [1])[1] for m in (in_place(model), model))
    assert torch.equal(found.seconds, expected.seconds)
    curves = [covariance.clip_curve(m, 1, torch.eye(4), SPLIT) for m in (in_place(model), model)]
    assert torch.equal(*curves)
    first = nn.Sequential(nn.ReLU(inplace=True), *model)
    models.outputs(first, X, [0])
    training.logits(first, X)
    matching.barrier(first, first, SPLIT, 3)
    images = gaussian(4, 1, 5, 5)
    kept = images.clone()
    seen = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(1, 2, 3), nn.Flatten())
    places = convergence.most_exciting(seen, 1, images, 2)
    convergence.gradients(seen, 1, 0, images, places[0])
    pictures = data.Split(images, torch.zeros(4).long())
    assert matching.barrier(seen, seen, pictures, 3).loss.unique().numel() == 1
    assert torch.equal(X, before) and torch.equal(images, kept)


def test_reordering_units_of_tied_layers_is_refused():
    layer = nn.Linear(4, 4)
    tied = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Linear(4, 2))
    orders = [torch.tensor([1, 0, 3, 2])] * 2
    with pytest.raises(ValueError, match="layers 0 and 2 share their weight"):
        matching.permute(tied, orders)
    twice = nn.Sequential(layer, nn.ReLU(), copy.deepcopy(layer), nn.ReLU(), tied[4])
    assert allclose(matching.permute(twice, orders)(X), twice(X), atol=1e-6)
    relu = nn.ReLU()  # has no weights to share
    models.check(nn.Sequential(nn.Linear(4, 3), relu, nn.Linear(3, 3), relu))


def with_frozen_first_layer():
    model = models.mlp([4, 3, 2])
    model[1].requires_grad_(False)
    return model


def tied():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer)


@pytest.mark.parametrize(
    ("make_model", "named"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(), nn.Linear(3, 2)), "Dropout"),
        (
            lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)),
            "BatchNorm1d",
        ),
        (tied, "share their weight"),
        (with_frozen_first_layer, "(?s)some weights of .* are frozen"),
        (lambda: models.mlp([4, 1]), "labels are 0 to 1; 0 to 0 have an output"),
    ],
)
@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_an_ensemble_takes_only_layers_that_it_can_train(make_model, named, seeds):
    with pytest.raises((TypeError, ValueError), match=named):
        training.fit_ensemble(
            make_model, SPLIT, seeds, epochs=1, lr=0.1, progress=False, cache=False
        )


def test_seeds_may_be_numpys():
    options = {"epochs": 1, "lr": 0.1, "progress": False, "cache": False}
    make_model = lambda: models.mlp([4, 3, 2])
    ours, theirs = (
        training.fit_ensemble(make_model, SPLIT, seeds, **options)
        for seeds in ([3, 4], np.array([3, 4], dtype=np.int32))
    )
    for one, other in zip(ours, theirs, strict=True):
        assert all(map(torch.equal, one.parameters(), other.parameters()))
    assert len(data.circle(np.int64(5), np.int64(1))) == 5


def test_weights_of_scikit_learn_are_contiguous_and_have_one_label_a_sample():
    x, y = X.numpy(), SPLIT.y.numpy()
    options = {"hidden_layer_sizes": (3,), "max_iter": 1000, "random_state": 0}
    model = models.from_sklearn(MLPClassifier(solver="lbfgs", **options).fit(x, y))
    assert all(p.is_contiguous() for p in model.parameters())
    several = MLPClassifier(solver="lbfgs", **options).fit(x, np.stack([y, 1 - y, y], 1))
    with pytest.raises(ValueError, match="each sample 3 labels"):
        models.from_sklearn(several)


# Labels


@pytest.mark.parametrize("shape", [(60, 1), (1, 60), ()])
def test_labels_are_one_number_a_sample(shape):
    with pytest.raises(ValueError, match=r"y is a int64 tensor of shape .*needed: .*\(N,\)"):
        data.Split(X, torch.zeros(shape).long())


@pytest.mark.parametrize("labels", [2 * SPLIT.y - 1, SPLIT.y + 1])
def test_each_function_refuses_labels_without_an_output(labels):
    model, fields = net(4, 5, 2), {"x": X, "y": labels}
    calls = [
        lambda split: training.accuracy(model, split),
        lambda split: training.cross_entropy(model, split),
        lambda split: fit([0], split, lambda: models.mlp([4, 2])),
        lambda split: lenses.pairs.right(model, split),
        lambda split: lenses.removal_effects(model, split),
        lambda split: lenses.measure_answers([model, model], split),
        lambda split: matching.match_by_loss(model, model, split, [torch.arange(5)]),
        lambda split: matching.barrier(model, model, split, 3),
        lambda split: ablation.all_losses(model, split),
        lambda split: ablation.losses(model, split, torch.ones(1, 5)),
        lambda split: covariance.clip_curve(model, 1, torch.eye(4), split),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"labels|Split: y is .*entries are from -1 to 1"):
            call(data.Split(**fields))


# Precision


def test_double_precision_goes_through():
    one, two = (net(4, 5, 2, seed=seed).double() for seed in (0, 1))
    path = matching.barrier(one, two, SPLIT, 3)
    single = matching.barrier(copy.deepcopy(one).float(), copy.deepcopy(two).float(), SPLIT, 3)
    assert path.loss.dtype == torch.double and allclose(path.loss, single.loss, atol=1e-5)
    drawn = matching.sample_gaussian([one, two], generator())
    assert next(drawn.parameters()).dtype == torch.double


def test_units_of_large_mean_live_in_double_precision():
    """Mean 1e4 deviations: what single precision can't tell from a constant, double can."""
    x = gaussian(4000, 3).double()
    identity = [nn.Sequential(nn.Identity())]
    centred, moved = (moments(identity, part, [0])[0] for part in (x, x + 1e4))
    assert not moved.dead().any()
    assert allclose(moved.correlation(), centred.correlation(), atol=1e-6)
    assert moments(identity, torch.full((9, 2), 0.1).double(), [0])[0].dead().all()


@pytest.mark.parametrize("size", [1.0, 1e-7])
def test_matching_has_no_unit(size):
    """Two hidden layers, weights of any size: the order of the units is found again."""
    model = net(6, 8, 7, 3)
    for p in model.parameters():
        p.data *= size
    orders = [torch.randperm(8, generator=generator(1)), torch.randperm(7, generator=generator(2))]
    found = matching.match(model, matching.permute(model, orders))
    for one, two in zip(found, orders, strict=True):
        assert torch.equal(two[one], torch.arange(len(one)))


# Statistics


@pytest.mark.parametrize("alpha", [3.0, 50.0, 300.0, 3000.0])
def test_a_steep_power_law_is_no_worse_than_its_own_truncation(alpha):
    """The truncated law holds the power law as a special case: -2 log ratio is chi-squared."""
    sample = (1 - np.random.default_rng(0).random(300)) ** (-1 / (alpha - 1))
    fit = spectra.fit_power_law(sample)
    found = spectra.likelihood_ratio(sample, fit, "truncated_power_law")
    assert -6 < found.ratio < 1e-3 and found.p > 1e-3


@pytest.mark.parametrize("positions", [64, 63, 16])
def test_information_of_a_unit_with_itself_is_its_entropy_at_many_positions(positions):
    """20,000 images, position after position; the first position is high in every image."""
    acts = gaussian(20_000, positions)
    acts[:, 0] = 10
    acts = acts.reshape(-1, 1)
    found = convergence.mutual_information(acts, acts, 2).item()
    assert found == pytest.approx(np.log(2), abs=0.004)


# Convolutions


@pytest.mark.parametrize(
    "options",
    [
        {"padding": 2, "padding_mode": "circular"},
        {"padding": "same", "dilation": 2},
        {"padding": 1, "dilation": 2, "stride": 2},
        {"padding": 2, "padding_mode": "reflect"},
    ],
)
def test_all_directions_of_a_convolutions_input_are_the_network(options):
    conv = nn.Conv2d(3, 8, 5 if "mode" in str(options) else 3, **options)
    body = nn.Sequential(conv, nn.ReLU(), nn.Flatten())
    x = gaussian(50, 3, 9, 9)
    model = models.freeze(nn.Sequential(*body, nn.Linear(body(x).shape[1], 4)))
    split = data.Split(x, model(x).argmax(1))  # its own answers
    basis = torch.linalg.qr(gaussian(3, 3))[0]
    assert covariance.clip_curve(model, 0, basis, split)[-1] == 1


@pytest.mark.parametrize(
    "options",
    [{"dilation": 2}, {"dilation": 3, "padding": 3, "stride": 2}, {"dilation": (2, 2)}],
)
def test_receptive_fields_of_dilated_layers_by_gradients(options):
    model = nn.Sequential(nn.Conv2d(1, 1, 3, **options), nn.Conv2d(1, 1, 3, padding=1))
    side, step, first = convergence.receptive_field(model, 1)
    x = torch.rand(1, 1, 25, 25, requires_grad=True)
    h = model(x)
    place = h.shape[-1] // 2
    seen = torch.autograd.grad(h[0, 0, place, place], x)[0][0, 0].abs().sum(0).nonzero()
    top = first + place * step
    assert (seen.min(), seen.max()) == (top, top + side - 1)


@pytest.mark.parametrize(
    ("layer", "number"),
    [
        (nn.Conv2d(1, 1, (3, 5)), 0),
        (nn.Conv2d(1, 1, 3, dilation=(1, 2)), 0),
        (nn.Sequential(nn.Conv2d(1, 1, 3)), 0),
        (nn.Conv2d(1, 1, 3), 9),
        (nn.Conv2d(1, 1, 3), -2),
    ],
)
def test_receptive_fields_that_are_no_squares_are_refused(layer, number):
    with pytest.raises((TypeError, ValueError)):
        convergence.receptive_field(nn.Sequential(layer), number)


# Pages


@pytest.mark.parametrize("text", ["<!--<script>", "</script>", "a < b"])
def test_no_name_opens_or_ends_a_script(text):
    html = interactive.figure("matching", {"name": text}, title="t").data
    assert text not in html.split("start(document")[-1].replace("</script>", "", 1)


# Networks that were trained just now and networks from files


def test_a_start_has_the_memory_layout_of_one_that_was_read_from_a_file():
    """Training prefers another layout for convolutions, which moves the last digits of logits."""

    def make():
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))

    split = data.Split(torch.rand(8, 3, 4, 4), torch.arange(8) % 2)
    history = training.fit_history(make, split, 0, epochs=2, lr=0.1, cache=False)
    assert len(history) == 3
    for model in history:
        assert all(p.is_contiguous() for p in model.parameters())
