import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
from torch import nn

from netdist_utils import models
from tests.helpers import allclose, gaussian


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.booleans())
def test_mlp_has_the_widths_asked_for(widths, bias):
    model = models.mlp(widths, bias=bias)
    linear = [model[i] for i in models.weight_layers(model)]
    assert [layer.in_features for layer in linear] + [linear[-1].out_features] == widths
    assert all((layer.bias is not None) == bias for layer in linear)
    assert model(torch.zeros(3, widths[0])).shape == (3, widths[-1])


@pytest.mark.parametrize("widths", [[], [3], [3, 0], [3, -1, 2]])
def test_mlp_refuses_widths(widths):
    with pytest.raises(ValueError, match="widths"):
        models.mlp(widths)


@given(
    size=st.integers(8, 13),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 1),
    pool=st.sampled_from([None, 2]),
)
def test_convnet_counts_its_own_positions(size, kernel, stride, padding, pool):
    net = models.convnet(
        (2, size, size), [3], kernel_size=kernel, stride=stride, padding=padding, pool=pool,
        dense=[4], classes=5,
    )  # fmt: skip
    assert net(torch.zeros(1, 2, size, size)).shape == (1, 5)


def test_convnet_is_the_sources():
    net = models.convnet((1, 32, 32), [32, 64], kernel_size=5, stride=2, bias=False)
    shapes = [tuple(p.shape) for p in net.parameters()]
    assert shapes == [(32, 1, 5, 5), (64, 32, 5, 5), (10, 1600)]


def test_convnet_refuses_small_images():
    with pytest.raises(ValueError, match=r"\(8, 2, 2\).*kernel 5"):
        models.convnet((1, 6, 6), [8, 8], kernel_size=5)


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_from_sklearn_gives_the_same_probabilities(n_classes):
    x, y = load_digits(n_class=n_classes, return_X_y=True)
    fitted = MLPClassifier((7, 5), max_iter=20, random_state=0).fit(x / 16, y)
    model = models.from_sklearn(fitted)
    ours = model(torch.tensor(x / 16).float()).softmax(1)
    assert allclose(ours, fitted.predict_proba(x / 16), atol=1e-5)


def test_from_sklearn_refuses_by_name():
    with pytest.raises(ValueError, match="not fitted"):
        models.from_sklearn(MLPClassifier())
    fitted = MLPClassifier((2,), activation="tanh", solver="lbfgs").fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="'tanh'"):
        models.from_sklearn(fitted)


def test_outputs_against_running_the_layers_one_by_one():
    net, x = models.convnet((1, 8, 8), [2, 3], kernel_size=3, dense=[4]), gaussian(5, 1, 8, 8)
    found = models.outputs(net, x, range(-1, len(net)))
    for layer, activations in found.items():
        assert torch.equal(activations, net[: layer + 1](x))


def test_outputs_edges():
    net = models.mlp([2, 3, 1])
    assert models.outputs(net, torch.zeros(0, 2), [1])[1].shape == (0, 3)
    assert models.outputs(net, torch.zeros(4, 2), []) == {}
    with pytest.raises(ValueError, match=r"layers is \[7\].*0..3"):
        models.outputs(net, torch.zeros(1, 2), [7])


def test_check_names_what_is_wrong():
    with pytest.raises(TypeError, match="layer 1 is LSTM"):
        models.check(nn.Sequential(nn.Flatten(), nn.LSTM(2, 2)))
    with pytest.raises(TypeError, match="is Linear"):
        models.check(nn.Linear(1, 1))
    net = models.mlp([2, 3, 1])
    net[3].weight.data[0, 1] = torch.nan
    with pytest.raises(
        ValueError, match=r"layer 3 .*1 of 3 entries of its weight, shape \(1, 3\)"
    ):
        models.check(net)


def test_clone_shares_nothing():
    net = models.mlp([2, 3, 1])
    copy = models.clone(net)
    copy[1].weight.data.zero_()
    assert net[1].weight.abs().sum() > 0
