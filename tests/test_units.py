"""What may be done to hidden units at no change: reorder them, rescale them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netdist_utils import models, training, units
from tests.helpers import allclose, gaussian, net, orders, permutation, weights

shapes = st.lists(st.integers(1, 6), min_size=2, max_size=5)


@given(shapes, st.booleans(), st.integers(0, 1000))
def test_permuting_changes_no_output(sizes, bias, seed):
    model = net(*sizes, seed=seed, bias=bias)
    turned = units.permute(model, orders(sizes, seed))
    x = gaussian(5, sizes[0])
    assert allclose(model(x), turned(x), atol=1e-6)


@given(shapes, st.integers(0, 1000))
def test_permutations_compose_as_a_group(sizes, seed):
    """permute(permute(m, p), q) is permute(m, p[q]); the inverse undoes it."""
    model, p, q = net(*sizes), orders(sizes, seed), orders(sizes, seed + 1)
    twice = units.permute(units.permute(model, p), q)
    once = units.permute(model, [a[b] for a, b in zip(p, q, strict=True)])
    assert torch.equal(weights(twice), weights(once))
    back = units.permute(units.permute(model, p), [torch.argsort(a) for a in p])
    assert torch.equal(weights(back), weights(model))


@given(shapes, st.booleans(), st.integers(0, 100))
def test_canonical_networks_compute_the_same(sizes, bias, seed):
    model = net(*sizes, seed=seed, bias=bias)
    scaled, x = units.canonical(model), gaussian(5, sizes[0])
    assert allclose(model(x), scaled(x), atol=1e-5)


def test_canonical_undoes_a_planted_rescaling():
    model = net(6, 4, 3)
    scale = torch.tensor([0.1, 1.0, 3.0, 20.0])
    planted = models.clone(model)
    planted[1].weight.data *= scale[:, None]
    planted[1].bias.data *= scale
    planted[3].weight.data /= scale
    a, b = weights(units.canonical(model)), weights(units.canonical(planted))
    assert allclose(a, b, atol=1e-5)
    dead = models.clone(model)
    dead[1].weight.data[0], dead[1].bias.data[0] = 0, 0
    assert torch.isfinite(weights(units.canonical(dead))).all()


@given(shapes, st.booleans(), st.integers(0, 100))
def test_a_network_is_read_in_double_precision_and_reordered_as_it_permutes(sizes, bias, seed):
    model, permutations = net(*sizes, seed=seed, bias=bias), orders(sizes, seed)
    found = units.read(model)
    assert found.widths == units.widths(model) == sizes
    assert {p.dtype for p in found.parameters.values()} == {np.dtype(float)}
    assert any("bias" in name for name in found.parameters) == bias
    expected = units.read(units.permute(model, permutations))
    for layer, order in enumerate(permutations):
        found = found.reordered(layer, order.numpy())
    assert_same(found, expected)


def assert_same(one, two):
    assert one.parameters.keys() == two.parameters.keys()
    for name, p in one.parameters.items():
        assert np.array_equal(p, two.parameters[name]), name


# Convolutions: channels are units, and a Flatten lays out each channel's positions in a block

CNNS = {
    "as chapter 4's": {"channels": [4, 6, 5], "kernel_size": 3, "padding": 1, "pool": 2,
                       "dense": [7]},
    "strided, no biases": {"channels": [4, 6], "kernel_size": 3, "stride": 2, "bias": False},
    "one channel": {"channels": [1], "kernel_size": 2},
}  # fmt: skip


def cnn(name="as chapter 4's", seed=0):
    return training.start(lambda: models.convnet((2, 12, 12), **CNNS[name]), seed)


def channel_orders(model, seed=0):
    return [permutation(h, seed + k) for k, h in enumerate(units.widths(model)[1:-1])]


@pytest.mark.parametrize("name", CNNS)
def test_reordered_channels_change_no_output(name):
    model, x = models.freeze(cnn(name)), gaussian(3, 2, 12, 12)
    turned = units.permute(model, channel_orders(model, 3))
    assert allclose(turned(x), model(x), atol=1e-5)
    first = channel_orders(model, 3)[0]
    assert torch.equal(turned[0].weight, model[0].weight[first])
    read = units.read(model)
    for layer, order in enumerate(channel_orders(model, 3)):
        read = read.reordered(layer, order.numpy())
    assert_same(read, units.read(turned))


@pytest.mark.parametrize("name", CNNS)
def test_canonical_channels_change_no_output(name):
    model, x = models.freeze(cnn(name)), gaussian(3, 2, 12, 12)
    scaled = units.canonical(model)
    assert allclose(scaled(x), model(x), atol=1e-5)
    rows = [p.flatten(1) if p.ndim > 1 else p[:, None] for p in scaled[0].parameters()]
    assert allclose(torch.cat(rows, 1).norm(dim=1), torch.ones(len(rows[0])), atol=1e-5)


def test_the_table_says_which_axis_carries_which_units():
    table = [(a.parameter, a.axis, a.hidden, a.block) for a in units.axes(cnn())]
    assert table == [
        ("0.weight", 0, 0, 1), ("0.bias", 0, 0, 1),
        ("3.weight", 0, 1, 1), ("3.bias", 0, 1, 1), ("3.weight", 1, 0, 1),
        ("6.weight", 0, 2, 1), ("6.bias", 0, 2, 1), ("6.weight", 1, 1, 1),
        ("10.weight", 0, 3, 1), ("10.bias", 0, 3, 1), ("10.weight", 1, 2, 1),
        ("12.weight", 1, 3, 1),
    ]  # fmt: skip
    strided = units.axes(cnn("strided, no biases"))
    assert [a.block for a in strided] == [1, 1, 1, 4]  # 2 x 2 positions are left


def test_what_has_no_such_table_is_named():
    grouped = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 1, groups=2), torch.nn.ReLU(),
                                  torch.nn.Flatten(), torch.nn.Linear(4, 2))  # fmt: skip
    with pytest.raises(ValueError, match="layer 0 .* has groups"):
        units.axes(grouped)
    with pytest.raises(ValueError, match="reads 5 inputs, which the 4 units"):
        units.axes(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(5, 2)))


def test_a_unit_is_its_row_its_bias_and_its_column():
    model = net(4, 3, 2)
    rows = units.read(model).units(0)
    assert rows.shape == (3, 4 + 1 + 2)
    for i, row in enumerate(rows):
        own = [model[1].weight[i], model[1].bias[i : i + 1], model[3].weight[:, i]]
        assert np.array_equal(row, torch.cat(own).double().numpy())
    assert units.read(net(4, 3, 2, bias=False)).units(0).shape == (3, 4 + 2)


def test_what_cannot_be_read_is_named():
    model = net(4, 3, 2)
    with pytest.raises(TypeError, match="layer 0 is LSTM"):
        units.read(torch.nn.Sequential(torch.nn.LSTM(2, 2)))
    with pytest.raises(TypeError, match="no layer with weights"):
        units.read(torch.nn.Sequential(torch.nn.Flatten()))
    with pytest.raises(ValueError, match=r"\[4, 3, 2\] and \[4, 5, 2\]"):
        units.read_alike([model, net(4, 5, 2)])
    with pytest.raises(ValueError, match="without biases"):
        units.read_alike([model, net(4, 3, 2, bias=False)])
    assert units.read_alike([]) == []


def test_the_door_gives_arguments_their_canonical_form():
    assert units.positions([1, 0], 3).tolist() == [3, 4, 5, 0, 1, 2]
    model = net(4, 3, 2)
    assert torch.equal(units.permute(model, [[2, 0, 1]])[1].weight, model[1].weight[[2, 0, 1]])
    with pytest.raises(ValueError, match="positions: block is 0; needed: int from 1 on"):
        units.positions([1, 0], 0)


@pytest.mark.parametrize("wrong", [[], [torch.tensor([0, 0, 1])], [torch.tensor([0, 1])]])
def test_what_is_no_permutation_is_named(wrong):
    with pytest.raises(ValueError, match=r"H = \[3\]"):
        units.permute(net(4, 3, 2), wrong)


def test_nothing_is_changed():
    model = net(4, 3, 2)
    before = weights(model).clone()
    units.permute(model, orders([4, 3, 2]))
    units.canonical(model)
    units.read(model).parameters["1.weight"][:] = 0
    assert torch.equal(weights(model), before)
