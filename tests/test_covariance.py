from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from torch import nn

from netdist_utils import covariance, data, models, training
from netdist_utils.covariance import sampling
from netdist_utils.units import permute
from tests import helpers
from tests.helpers import allclose, fit, gaussian, generator, orders, rotation

net = partial(helpers.net, bias=False)  # as the networks of the chapter


def cnn(seed=0, bias=False):
    return training.start(
        lambda: models.convnet((2, 8, 8), [4, 6], kernel_size=3, classes=3, bias=bias), seed
    )


@given(st.integers(1, 6), st.integers(0, 100))
@settings(max_examples=25)
def test_spectrum_gives_a_planted_one_back(n, seed):
    values = torch.arange(n, 0, -1).double()
    q = rotation(n, seed, torch.double)
    found, rows = covariance.spectrum(q.T @ torch.diag(values) @ q)
    assert allclose(found, values)
    assert allclose((rows @ q.T).abs(), torch.eye(n).double(), atol=1e-5)
    assert (rows.gather(1, rows.abs().argmax(1, keepdim=True)) > 0).all()


def test_spectrum_refuses():
    for wrong in (
        torch.zeros(2, 3),
        torch.tensor([[0.0, 1.0], [0.0, 0.0]]),
        torch.full((2, 2), torch.nan),
    ):
        with pytest.raises(ValueError, match="shape|symmetric"):
            covariance.spectrum(wrong)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (1, 5), (3, 2, 2, 2)])
def test_weight_spectrum_is_that_of_the_covariance(shape):
    weight = gaussian(*shape)
    flat = weight.flatten(1)
    values, rows = covariance.weight_spectrum(weight)
    full, _ = covariance.spectrum(flat.T @ flat / len(flat))
    assert allclose(values, full[: len(values)], atol=1e-5)
    rebuilt = rows.T @ torch.diag(values) @ rows
    assert allclose(rebuilt, flat.T @ flat / len(flat), atol=1e-5)


def clip_by_copies(model, layer, basis, split, ranks):
    """The source's way: a copied model with projected weights for each rank."""
    found = []
    for r in ranks:
        copy = models.clone(model)
        projector = basis[:r].T @ basis[:r]
        weight = copy[layer].weight.data
        copy[layer].weight.data = torch.tensordot(weight, projector, dims=([1], [0])).movedim(
            -1, 1
        )
        found.append(training.accuracy(copy, split))
    return found


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("layer", [1, 3])
def test_clip_curve_against_copied_models(bias, layer):
    model = net(6, 8, 3, bias=bias)
    split = data.Split(gaussian(101, 6), torch.arange(101) % 3)
    basis = rotation(model[layer].in_features)
    found = covariance.clip_curve(model, layer, basis, split, batch_size=17)
    expected = clip_by_copies(model, layer, basis, split, range(1, len(basis) + 1))
    assert allclose(found, expected)
    assert found[-1] == pytest.approx(training.accuracy(model, split))


@pytest.mark.parametrize("layer", [0, 2])
def test_clip_curve_of_convolutions(layer):
    model = cnn(bias=True)
    split = data.Split(gaussian(20, 2, 8, 8), torch.arange(20) % 3)
    basis, ranks = rotation(model[layer].in_channels), [0, 2, 1]
    found = covariance.clip_curve(model, layer, basis, split, ranks)
    assert allclose(found, clip_by_copies(model, layer, basis, split, ranks))


def test_clip_curve_edges_and_errors():
    model, split = net(4, 3, 2), data.Split(gaussian(9, 4), torch.arange(9) % 2)
    assert covariance.clip_curve(model, 1, torch.eye(4), split, []).shape == (0,)
    assert covariance.clip_curve(model, 1, torch.eye(4)[:1], split).shape == (1,)
    with pytest.raises(ValueError, match=r"basis \(3, 3\).*\(3, 4\)"):
        covariance.clip_curve(model, 1, torch.eye(3), split)
    with pytest.raises(ValueError, match=r"0..4, not \[5\]"):
        covariance.clip_curve(model, 1, torch.eye(4), split, [5])
    with pytest.raises(TypeError, match="layer 2 is ReLU"):
        covariance.clip_curve(model, 2, torch.eye(3), split)


@pytest.mark.parametrize("bias", [False, True])
def test_rainbow_rows_have_the_references_covariance(bias):
    """Many sampled rows: their second moment is W^T W / rows, in scale too."""
    reference = net(6, 40, 3, bias=bias)
    split = data.Split(gaussian(100, 6), torch.zeros(100).long())
    drawn = covariance.rainbow(reference, split, generator=generator(), widths=[2000])
    for matrix, other in [(reference[1], drawn[1])]:
        w = torch.cat([p if p.ndim > 1 else p[:, None] for p in matrix.parameters()], 1)
        v = torch.cat([p if p.ndim > 1 else p[:, None] for p in other.parameters()], 1)
        expected = w.T @ w / len(w)
        assert allclose(v.T @ v / len(v), expected, atol=0.2 * expected.max().item())


def test_rainbow_keeps_norms_and_cross_entropy():
    """The fault of the source: without 1/sqrt(rows), weights are sqrt(rows) too large."""
    images = data.digits()
    make = lambda: models.mlp([64, 128, 10], bias=False)
    (reference,) = fit([0], images.train, make, epochs=10)
    drawn = covariance.rainbow(reference, images.train, generator=generator())
    assert drawn[1].weight.norm() == pytest.approx(reference[1].weight.norm().item(), rel=0.2)
    assert training.accuracy(drawn, images.test) > 0.6
    ours = training.cross_entropy(drawn, images.test)
    wrong = models.clone(drawn)
    wrong[1].weight.data *= 128**0.5
    assert training.accuracy(wrong, images.test) == training.accuracy(drawn, images.test)
    assert ours < 1.0 and training.cross_entropy(wrong, images.test) > 2.5 * ours


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_what_counts_as_symmetric_has_no_unit(scale):
    """A share 1e-3 of the largest entry is no rounding, a share 1e-7 is, at any scale."""
    matrix = scale * torch.tensor([[1.0, 0.5], [0.5, 2.0]]).double()
    off = scale * torch.tensor([[0.0, 2.0], [0.0, 0.0]]).double()
    found, _ = covariance.spectrum(matrix + 1e-7 * off)
    assert allclose(found, torch.linalg.eigvalsh(matrix).flip(0), rtol=1e-5, atol=0)
    with pytest.raises(ValueError):
        covariance.spectrum(matrix + 1e-3 * off)


def test_layers_of_a_rainbow_say_what_they_are():
    """As printed: their numbers of inputs and outputs, linear or convolutional."""
    split = data.Split(gaussian(30, 2, 8, 8), torch.zeros(30).long())
    drawn = covariance.rainbow(cnn(), split, generator=generator(), widths=[5, 7])
    for layer in (drawn[i] for i in models.weight_layers(drawn)):
        kind = "features" if isinstance(layer, nn.Linear) else "channels"
        said = getattr(layer, f"out_{kind}"), getattr(layer, f"in_{kind}")
        assert said == tuple(layer.weight.shape[:2])


@pytest.mark.parametrize("width", [1000, 4000])
def test_a_wide_rainbow_puts_out_what_the_reference_does(width):
    """Of many rows the limit is the reference's own kernel: logits of one size at any width."""
    reference, split = net(6, 40, 3), data.Split(gaussian(400, 6), torch.zeros(400).long())
    wide = covariance.rainbow(reference, split, generator=generator(), widths=[width])
    z, found = reference(split.x), wide(split.x)
    assert (z * found).sum() / z.square().sum() == pytest.approx(1, abs=0.15)


def test_rainbow_that_samples_nothing_is_the_reference():
    reference = cnn(bias=True)
    split = data.Split(gaussian(30, 2, 8, 8), torch.zeros(30).long())
    same = covariance.rainbow(reference, split, generator=generator(), sampled=[])
    assert allclose(same(split.x), reference(split.x), atol=1e-4)


def test_pooling_permuted_copies_changes_nothing():
    """Copies of one network, units reordered, have one covariance once they are aligned."""
    reference = net(6, 8, 8, 3)
    split = data.Split(gaussian(400, 6), torch.zeros(400).long())
    copy = permute(reference, orders([6, 8, 8, 3], seed=1))
    moments = []
    for pool in ((), (copy,)):
        rows = torch.cat([
            covariance.rainbow(
                reference, split, generator=generator(s), pool=pool, sampled=[3]
            )[3].weight
            for s in range(400)
        ])  # fmt: skip
        moments.append(rows.T @ rows / len(rows))
    assert allclose(*moments, atol=0.1 * moments[0].abs().max().item())


def test_rainbow_edges_and_errors():
    split = data.Split(gaussian(10, 4), torch.zeros(10).long())
    single = net(4, 1, 2)
    assert covariance.rainbow(single, split, generator=generator())[1].weight.shape == (1, 4)
    dead = models.clone(net(4, 5, 2))
    dead[1].weight.data[:3] = 0
    assert torch.isfinite(covariance.rainbow(dead, split, generator=generator())[1].weight).all()
    with pytest.raises(ValueError, match=r"\[3, 3\].*\[5\]"):
        covariance.rainbow(net(4, 5, 2), split, generator=generator(), widths=[3, 3])
    with pytest.raises(ValueError, match="layer 1 keeps its 5 rows, not 3"):
        covariance.rainbow(net(4, 5, 2), split, generator=generator(), widths=[3], sampled=[])
    before = dead[1].weight.clone()
    covariance.rainbow(dead, split, generator=generator(), widths=[3])
    assert torch.equal(dead[1].weight, before) and isinstance(dead[1], nn.Linear)


# The controls of rainbow sampling


def stretched(seed=0):
    """A network with 30 rows of 6 weights, far from isotropic, and inputs for it."""
    model = training.start(lambda: models.mlp([6, 30, 3], bias=False), seed)
    model[1].weight.data *= torch.tensor([8.0, 4.0, 2.0, 1.0, 0.5, 0.25])
    return model, data.Split(gaussian(200, 6), torch.zeros(200).long())


def moment_of(model):
    w = model[1].weight
    return w.T @ w / len(w)


def drawn(rows, width=4000, seed=0):
    reference, split = stretched()
    net = covariance.rainbow(
        reference, split, generator=generator(seed), widths=[width], rows=rows
    )
    return moment_of(reference), moment_of(net)


@pytest.mark.parametrize("rows", ["covariance", "resampled", "data", "rotated", "white"])
def test_all_rows_keep_the_mean_square(rows):
    expected, found = drawn(rows)
    assert found.trace() == pytest.approx(expected.trace().item(), rel=0.1)


@pytest.mark.parametrize("rows", ["covariance", "resampled", "data", "rotated", "white"])
def test_rows_come_from_their_generator_alone(rows):
    one, two, other = (drawn(rows, width=30, seed=seed)[1] for seed in (0, 0, 1))
    assert torch.equal(one, two) and not torch.equal(one, other)


def test_rotated_rows_keep_the_eigenvalues_and_not_the_directions():
    expected, found = drawn("rotated")
    values, directions = covariance.spectrum(expected)
    others, turned = covariance.spectrum(found)
    assert allclose(values, others, rtol=0.25)
    assert not torch.allclose((turned @ directions.T).abs(), torch.eye(6), atol=0.3)
    _, again = drawn("rotated", seed=1)
    assert not torch.allclose(found, again, atol=0.3 * values[0].item())


def test_white_rows_have_no_direction():
    expected, found = drawn("white")
    isotropic = expected.trace() / 6 * torch.eye(6)
    assert allclose(found, isotropic, atol=0.1 * isotropic.max().item())


def test_resampled_rows_take_the_values_along_each_direction():
    """Their covariance is the reference's, and along a direction stand only values found there."""
    expected, found = drawn("resampled")
    assert allclose(found, expected, atol=0.1 * expected.max().item())
    reference, split = stretched()
    net = covariance.rainbow(reference, split, generator=generator(), rows="resampled")
    _, directions = covariance.weight_spectrum(reference[1].weight)
    old, new = (model[1].weight @ directions.T for model in (reference, net))
    distance = (new[:, None] - old[None]).abs().min(1).values
    assert distance.max() < 1e-4 * old.abs().max()
    together = (new[:, None] - old[None]).abs().amax(2).min(1).values
    assert together.min() > 1e-2 * old.abs().max()  # no row is one of the reference's


def test_rows_keep_the_first_directions_only():
    reference, split = stretched()
    net = covariance.rainbow(
        reference, split, generator=generator(), widths=[4000], directions=[2]
    )
    values, rows = covariance.weight_spectrum(reference[1].weight)
    expected = rows[:2].T @ torch.diag(values[:2]) @ rows[:2]
    assert torch.linalg.matrix_rank(net[1].weight, rtol=1e-4) == 2
    assert allclose(moment_of(net), expected, atol=0.1 * values[0].item())


def test_rows_along_the_data_have_the_eigenvalues_there():
    """Inputs of one direction each: the largest eigenvalue goes to the longest input."""
    reference, _ = stretched()
    lengths = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    split = data.Split(torch.diag(lengths), torch.arange(6) % 3)
    found = covariance.rainbow(reference, split, generator=generator(), widths=[4000], rows="data")
    values, _ = covariance.spectrum(moment_of(reference))
    expected = torch.diag(values.flip(0))
    assert allclose(moment_of(found), expected, atol=0.1 * values[0].item())


@pytest.mark.parametrize("padding", [0, 1])
def test_rows_along_the_data_of_a_convolution(padding):
    """A convolution meets patches: here they are cut out one by one, a 1 added for the bias."""
    make = lambda: models.convnet(
        (2, 6, 6), [30], kernel_size=3, stride=2, padding=padding, classes=3
    )
    model, x = training.start(make, 0), gaussian(20, 2, 6, 6) + 1
    wide = nn.functional.pad(x, [padding] * 4)
    patches = [
        torch.cat([wide[:, :, i : i + 3, j : j + 3].flatten(1), torch.ones(20, 1)], 1)
        for i in range(0, wide.shape[2] - 2, 2)
        for j in range(0, wide.shape[3] - 2, 2)
    ]
    patches = torch.cat(patches)
    _, basis = covariance.spectrum(patches.T @ patches)
    split = data.Split(x, torch.arange(20) % 3)
    drawn = [
        covariance.rainbow(model, split, generator=generator(s), rows="data") for s in range(200)
    ]
    rows, old = (
        torch.cat([torch.cat([m[0].weight.flatten(1), m[0].bias[:, None]], 1) for m in group])
        for group in (drawn, [model])
    )
    along = (rows @ basis.T).square().mean(0)  # of the drawn rows, by principal direction
    spread, _ = covariance.spectrum(old.T @ old / len(old))
    assert allclose(along, spread, rtol=0.15)


def test_a_border_that_is_said_in_words_gives_the_same_rainbow():
    """A kernel of side 3 keeps the size of an image with a border of 1."""
    one = models.convnet((2, 6, 6), [4], kernel_size=3, padding=1, classes=3)
    other = models.clone(one)
    other[0].padding = "same"
    split = data.Split(gaussian(20, 2, 6, 6), torch.arange(20) % 3)
    drawn = [covariance.rainbow(m, split, generator=generator()) for m in (one, other)]
    assert allclose(*(m(split.x) for m in drawn), atol=1e-5)


@pytest.mark.parametrize("rows", ["resampled", "data", "rotated", "white"])
def test_controls_of_convolutions_with_biases(rows):
    model = training.start(lambda: models.convnet((2, 8, 8), [4, 6], kernel_size=3, classes=3), 0)
    split = data.Split(gaussian(30, 2, 8, 8), torch.zeros(30).long())
    net = covariance.rainbow(model, split, generator=generator(), rows=rows, widths=[5, 7])
    assert net(split.x).shape == (30, 3) and torch.isfinite(net(split.x)).all()


def test_unknown_rows_are_refused():
    reference, split = stretched()
    with pytest.raises(
        ValueError,
        match="rows is 'pink'; needed: {.covariance., .resampled., .data., .rotated., .white.}",
    ):
        covariance.rainbow(reference, split, generator=generator(), rows="pink")


def test_the_slider_takes_the_directions_of_other_images():
    model = training.start(lambda: models.mlp([64, 10]), 0)
    images = data.digits()
    page = {}
    for name, basis in [("own", None), ("same", 0), ("training", 1)]:
        if basis is not None:
            x = (images.test, images.train)[basis].x
            basis = covariance.spectrum(covariance.moments([model], x, [0])[0].second())[1]
        html = covariance.rank_slider(
            model, 1, images.test, (8, 8), images.classes, directions=5, basis=basis
        )
        page[name] = html.data.partition('"basis"')[2].partition("}")[0]
    assert page["own"] == page["same"] != page["training"]


# A readout in closed form


def a_split(*shape, classes=3):
    return data.Split(gaussian(*shape), torch.arange(shape[0]) % classes)


@pytest.mark.parametrize("penalty", [1e-3, 1.0])
def test_the_readout_is_ridge_regression(penalty):
    """scikit-learn fits the same centred least squares, with a price in the sum's units."""
    model, split = net(5, 8, 3, bias=True), a_split(200, 5)
    h = models.outputs(model, split.x, [2])[2].numpy().astype(np.float64)
    price = penalty * len(h) * h.var(0).mean()
    expected = Ridge(alpha=price).fit(h, np.eye(3)[split.y.numpy()]).predict(h)
    found = covariance.ridge_readout(model, 2, split, penalty)
    assert allclose(found(split.x), expected, atol=1e-5)


def test_a_linear_rule_is_found():
    """Classes that the layer separates: a class a unit, whatever its mean and scale."""
    y = torch.arange(300) % 3
    x = 5 + 0.1 * torch.nn.functional.one_hot(y).float() + 0.001 * gaussian(300, 3)
    split = data.Split(x, y)
    found = covariance.ridge_readout(net(3, 2, bias=True), -1, split)
    assert training.accuracy(found, split) == 1.0


def test_positions_of_an_image_are_features():
    model = training.start(lambda: models.convnet((2, 8, 8), [4], kernel_size=3, classes=3), 0)
    split = a_split(40, 2, 8, 8)
    found = covariance.ridge_readout(model, 1, split)
    assert found[-1].in_features == 4 * 6 * 6
    assert found(split.x).shape == (40, 3)


def test_the_model_stays_as_it_is_and_dead_units_do_no_harm():
    model, split = net(5, 8, 3, bias=True), a_split(60, 5)
    model[1].weight.data[:3] = model[1].bias.data[:3] = 0
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = covariance.ridge_readout(model, 2, split)
    assert torch.isfinite(found(split.x)).all()
    assert found[1] is not model[1] and not found[-1].weight.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_not_positive_is_refused(penalty):
    with pytest.raises(ValueError, match=f"penalty is {penalty}"):
        covariance.ridge_readout(net(5, 8, 3, bias=True), 2, a_split(60, 5), penalty)


@pytest.mark.parametrize(
    "border",
    [
        {"padding": 1},
        {"padding": "same"},
        {"padding": 1, "padding_mode": "circular"},
        {"padding": 1, "padding_mode": "reflect"},
        {"padding": 2, "dilation": 2},
    ],
    ids=str,
)
def test_principal_directions_are_of_the_patches_that_the_layer_itself_sees(border):
    """Oracle: with these directions as its own filters the layer puts out uncorrelated units."""
    x = gaussian(50, 1, 6, 6)
    model = nn.Sequential(nn.Conv2d(1, 2, 3, **border))
    basis = sampling._principal(models.freeze(model), 0, x).float()  # (10, 10): nine, and a bias
    layer = models.freeze(nn.Conv2d(1, 10, 3, **border))
    layer.weight.copy_(basis[:, :9].reshape(10, 1, 3, 3))
    layer.bias.copy_(basis[:, 9])
    seen = layer(x).permute(0, 2, 3, 1).flatten(0, 2)
    products = seen.T @ seen
    off = products - products.diagonal().diag()
    assert off.abs().max() < 1e-5 * products.max()
