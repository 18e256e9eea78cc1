"""Networks as plain ``torch.nn.Sequential`` of Flatten, Linear, Conv2d, ReLU and pooling.

A plain list of layers is all that five chapters need, and every method of the book can then
say "layer 3" and mean the fourth entry of the list.
"""

import copy
from itertools import pairwise

import torch
from torch import nn

from netdist_utils import checks

WEIGHTED = (nn.Linear, nn.Conv2d)
LAYERS = (nn.Flatten, *WEIGHTED, nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.Identity)


def mlp(widths, bias=True):
    """A multi-layer perceptron: Flatten, then Linear layers with ReLU between them.

    Parameters
    ----------
    widths : sequence of 2 or more int from 1 on
        Inputs, hidden units of each layer, outputs.
    bias : bool
        Whether the Linear layers have biases.

    Returns
    -------
    torch.nn.Sequential
        Untrained, with PyTorch's default start from the global generator
        (`training.start` seeds it).

    Raises
    ------
    ValueError
        If fewer than two widths are given, or one of them is not positive.

    Examples
    --------
    >>> [type(layer).__name__ for layer in mlp([64, 15, 10])]
    ['Flatten', 'Linear', 'ReLU', 'Linear']
    """
    layers = [nn.Flatten()]
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def convnet(
    shape,
    channels,
    *,
    kernel_size=5,
    stride=1,
    padding=0,
    pool=None,
    dense=(),
    classes=10,
    bias=True,
):
    """A convolutional network: (Conv2d, ReLU, pooling) a stage, then dense layers.

    Parameters
    ----------
    shape : (int, int, int)
        Shape (C, H, W) of one image.
    channels : sequence of int from 1 on
        Output channels of each convolution.
    kernel_size, stride : int from 1 on or sequence of int from 1 on
        One for all convolutions, or one each.
    padding : int from 0 on or sequence of int from 0 on
    pool : int from 1 on, optional
        Side of the max-pooling after each stage; none by default.
    dense : sequence of int from 1 on
        Hidden widths between the convolutions and the classes.
    classes : int from 1 on
    bias : bool

    Returns
    -------
    torch.nn.Sequential
        Untrained: convolutions first, then what `mlp` makes.

    Raises
    ------
    ValueError
        If an image of this shape is too small for the stages, or a sequence is not of one
        number a convolution.

    Examples
    --------
    >>> net = convnet((1, 32, 32), [32, 64], stride=2, bias=False)
    >>> net[5]
    Linear(in_features=1600, out_features=10, bias=False)
    """
    layers, image = [], shape
    options = [
        [value] * len(channels) if isinstance(value, int) else value
        for value in (kernel_size, stride, padding)
    ]
    if any(len(option) != len(channels) for option in options):
        raise ValueError(f"{options} were given for {len(channels)} convolutions; one number each")
    for n_out, kernel, step, border in zip(channels, *options, strict=True):
        stage = [nn.Conv2d(image[0], n_out, kernel, step, border, bias=bias), nn.ReLU()]
        stage += [nn.MaxPool2d(pool)] if pool else []
        sides = [(side + 2 * border - kernel) // step + 1 for side in image[1:]]
        sides = [side // pool if pool else side for side in sides]
        if min(sides) < 1:
            raise ValueError(
                f"an image of shape {image} is too small for kernel {kernel}, "
                f"stride {step}, padding {border}, pool {pool}; use fewer stages"
            )
        layers, image = layers + stage, (n_out, *sides)
    head = mlp([image[0] * image[1] * image[2], *dense, classes], bias=bias)
    return nn.Sequential(*layers, *head)


def from_sklearn(estimator):
    """A fitted scikit-learn ``MLPClassifier`` as a Sequential with the same predictions.

    scikit-learn keeps one logistic output for two classes; it becomes two logits (0, z), so
    that the softmax gives the same probabilities.

    Parameters
    ----------
    estimator : sklearn.neural_network.MLPClassifier
        Fitted, with ``activation="relu"``.

    Returns
    -------
    torch.nn.Sequential
        With the estimator's weights in single precision.

    Raises
    ------
    ValueError
        If the estimator is not fitted, its activation is not ReLU, or a sample may have several
        labels.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> fitted = MLPClassifier((3,), solver="lbfgs").fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    >>> from_sklearn(fitted)[3]
    Linear(in_features=3, out_features=3, bias=True)
    """
    if not hasattr(estimator, "coefs_"):
        raise ValueError(f"{type(estimator).__name__} is not fitted: call its fit first")
    if estimator.activation != "relu":
        raise ValueError(
            f"activation is {estimator.activation!r}; only 'relu' can be carried over"
        )
    if estimator.out_activation_ == "logistic" and estimator.n_outputs_ > 1:
        raise ValueError(f"{estimator} gives each sample {estimator.n_outputs_} labels, not one")
    weights = [torch.tensor(w.T).float().contiguous() for w in estimator.coefs_]  # (out, in)
    biases = [torch.tensor(b).float() for b in estimator.intercepts_]
    if estimator.out_activation_ == "logistic":
        weights[-1] = torch.cat([torch.zeros_like(weights[-1]), weights[-1]])
        biases[-1] = torch.cat([torch.zeros_like(biases[-1]), biases[-1]])
    model = mlp([weights[0].shape[1], *(len(b) for b in biases)])
    for index, weight, bias in zip(weight_layers(model), weights, biases, strict=True):
        model[index].weight.data, model[index].bias.data = weight, bias
    return freeze(model)


def freeze(model):
    """Put a model into evaluation mode and stop its gradients, in place; returns the same model.

    Parameters
    ----------
    model : torch.nn.Module

    Examples
    --------
    >>> freeze(mlp([2, 1])).training
    False
    """
    return model.eval().requires_grad_(False)


def clone(model):
    """A deep copy: changing it leaves the model as it was.

    Parameters
    ----------
    model : torch.nn.Module

    Examples
    --------
    >>> net = mlp([2, 1])
    >>> clone(net)[1].weight is net[1].weight
    False
    """
    return copy.deepcopy(model)


def weight_layers(model):
    """Indices of the Linear and Conv2d modules of a Sequential, in order.

    Parameters
    ----------
    model : torch.nn.modules.container.Sequential

    Examples
    --------
    >>> weight_layers(mlp([4, 3, 2]))
    [1, 3]
    """
    return [i for i, layer in enumerate(model) if isinstance(layer, WEIGHTED)]


def hidden_layers(model):
    """Where the outputs of the hidden layers stand: after the ReLU that follows each, if one does.

    Parameters
    ----------
    model : torch.nn.modules.container.Sequential

    Examples
    --------
    >>> hidden_layers(mlp([4, 3, 2]))
    [2]
    """
    return [i + isinstance(model[i + 1], nn.ReLU) for i in weight_layers(model)[:-1]]


def device_of(model):
    """Device of a model's parameters (the CPU for a model that has none).

    Parameters
    ----------
    model : torch.nn.Module

    Examples
    --------
    >>> device_of(mlp([2, 1])).type
    'cpu'
    """
    return next((p.device for p in model.parameters()), torch.device("cpu"))


@torch.no_grad()
def outputs(model, x, layers):
    """Outputs of some layers in one forward pass.

    Parameters
    ----------
    model : torch.nn.Sequential
    x : possibly empty (N, ...) inputs
        Moved to the model's device.
    layers : indices of layers, or -1
        Indices into the Sequential. -1 stands for the input itself, so that the input of
        layer ``l`` is the output of ``l - 1`` for every ``l``.

    Returns
    -------
    dict of int to tensor
        A layer's output (N, ...), by index. The pass stops at the last layer asked for.

    Raises
    ------
    ValueError
        If a layer is not in the model, or the model cannot take the inputs.

    Examples
    --------
    >>> acts = outputs(mlp([4, 3, 2]), torch.zeros(5, 4), [-1, 2])
    >>> acts[-1].shape, acts[2].shape
    (torch.Size([5, 4]), torch.Size([5, 3]))
    """
    h = x.to(device_of(model))
    found = {-1: h} if -1 in layers else {}
    for index in range(max(layers, default=-1) + 1):
        h = model[index](h)
        if index in layers:
            found[index] = h
    return found


def check(model, allowed=LAYERS):
    """Refuse a model that the book's methods would get silently wrong.

    Parameters
    ----------
    model : torch.nn.Sequential
    allowed : sequence of type
        The layer types that the caller can handle: these, not what is derived from them.

    Raises
    ------
    TypeError
        If the model is not a Sequential, or holds a layer of another type.
    ValueError
        If a weight or bias is NaN or infinite, or serves two layers.

    Examples
    --------
    >>> check(mlp([2, 1]))
    """
    owner = {}
    for index, layer in enumerate(model):
        if type(layer) not in allowed:
            names = ", ".join(kind.__name__ for kind in allowed)
            raise TypeError(f"layer {index} is {layer}; only {names} are handled")
        for name, p in layer.named_parameters():
            if (first := owner.setdefault(p, index)) != index:
                raise ValueError(f"layers {first} and {index} share their {name}")


checks.guard(__name__)
