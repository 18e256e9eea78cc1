"""What may be done to hidden units at no change: reorder them, rescale them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netdist_utils import models, units
from tests.helpers import allclose, gaussian, net, orders, weights

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
    assert [w.dtype for w in found.weights] == [np.float64] * len(found.weights)
    assert [b is None for b in found.biases] == [not bias] * len(found.biases)
    expected = units.read(units.permute(model, permutations))
    for layer, order in enumerate(permutations):
        found = found.reordered(layer, order.numpy())
    assert all(np.array_equal(a, b) for a, b in zip(found.weights, expected.weights, strict=True))
    if bias:
        assert all(map(np.array_equal, found.biases, expected.biases))


def test_a_unit_is_its_row_its_bias_and_its_column():
    model = net(4, 3, 2)
    rows = units.read(model).units(0)
    assert rows.shape == (3, 4 + 1 + 2)
    for i, row in enumerate(rows):
        own = [model[1].weight[i], model[1].bias[i : i + 1], model[3].weight[:, i]]
        assert np.array_equal(row, torch.cat(own).double().numpy())
    assert units.read(net(4, 3, 2, bias=False)).units(0).shape == (3, 4 + 2)


def test_what_is_no_perceptron_is_named():
    model = net(4, 3, 2)
    with pytest.raises(TypeError, match="layer 0 is Conv2d"):
        units.read(models.convnet((1, 8, 8), [2]))
    with pytest.raises(TypeError, match="no Linear layer"):
        units.read(torch.nn.Sequential(torch.nn.Flatten()))
    with pytest.raises(ValueError, match=r"\[4, 3, 2\] and \[4, 5, 2\]"):
        units.read_alike([model, net(4, 5, 2)])
    with pytest.raises(ValueError, match="without biases"):
        units.read_alike([model, net(4, 3, 2, bias=False)])
    assert units.read_alike([]) == []


@pytest.mark.parametrize("wrong", [[], [torch.tensor([0, 0, 1])], [torch.tensor([0, 1])]])
def test_what_is_no_permutation_is_named(wrong):
    with pytest.raises(ValueError, match=r"H = \[3\]"):
        units.permute(net(4, 3, 2), wrong)


def test_nothing_is_changed():
    model = net(4, 3, 2)
    before = weights(model).clone()
    units.permute(model, orders([4, 3, 2]))
    units.canonical(model)
    units.read(model).weights[0][:] = 0
    assert torch.equal(weights(model), before)
