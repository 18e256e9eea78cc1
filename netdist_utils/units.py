"""The hidden units of a network, and what may be done to them at no change.

A ReLU network computes the same function when the units (or channels) of a hidden layer are
reordered, and when a unit's incoming weights are multiplied by a positive factor and its outgoing
ones divided by it. Which axis of which weight belongs to which units is declared once, as a table
(`axes`); what follows from it is the same for dense and convolutional layers, after the
``weight_matching.py`` of Ainsworth, Hayase and Srinivasa (2023).
"""

from dataclasses import dataclass

import numpy as np
import torch

from netdist_utils import checks, models

INCOMING, OUTGOING = 0, 1  # axes of a weight: its own units, and those that it reads


@dataclass(frozen=True)
class Axis:
    """One axis of one parameter, and the hidden layer whose units stand along it.

    Attributes
    ----------
    parameter : str
        Name in ``model.named_parameters()``, such as ``"1.weight"``.
    axis : int
        `INCOMING` for the units that the parameter belongs to, `OUTGOING` for those it reads.
    hidden : int
        Number of the hidden layer, from 0.
    block : int
        Entries of each unit along the axis: the positions of an image that a Flatten has laid
        out channel by channel, else 1.
    """

    parameter: str
    axis: int
    hidden: int
    block: int = 1


@dataclass(frozen=True)
class Weights:
    """The weights of a network as arrays: checked and read once, at the door.

    Attributes
    ----------
    parameters : dict of str to float64 array
    axes : list of Axis
    layers : list of int
        Where in the Sequential its layers with weights stand.
    widths : list of int
        Inputs (or channels) of the first layer, units of each hidden layer, outputs.

    Examples
    --------
    >>> read(models.mlp([64, 15, 10])).widths
    [64, 15, 10]
    """

    parameters: dict
    axes: list
    layers: list
    widths: list

    @property
    def hidden(self):
        """Units of each hidden layer."""
        return self.widths[1:-1]

    def units(self, hidden):
        """All weights of each unit of one hidden layer, incoming and outgoing: (H, weights)."""
        mine = [(self.parameters[a.parameter], a.axis) for a in self.axes if a.hidden == hidden]
        rows = [p.swapaxes(0, axis).reshape(self.hidden[hidden], -1) for p, axis in mine]
        return np.concatenate(rows, axis=1)

    def reordered(self, hidden, order):
        """The same function with the units of one hidden layer in another order."""
        parameters = dict(self.parameters)
        for a in self.axes:
            if a.hidden == hidden:
                places = positions(order, a.block)
                parameters[a.parameter] = np.take(parameters[a.parameter], places, a.axis)
        return Weights(parameters, self.axes, self.layers, self.widths)


def axes(model):
    """The table of which axis of which parameter carries which units.

    Parameters
    ----------
    model : torch.nn.Sequential
        Of Linear, Conv2d, ReLU, pooling and Flatten.

    Returns
    -------
    list of Axis

    Raises
    ------
    TypeError
        If a layer is of another type, or none has weights.
    ValueError
        If a weight is NaN or infinite, a convolution has groups, or the units of a layer do not
        fit the inputs of the next.

    Examples
    --------
    >>> for a in axes(models.mlp([4, 3, 2])):
    ...     print(a.parameter, a.axis, a.hidden)
    1.weight 0 0
    1.bias 0 0
    3.weight 1 0
    """
    models.check(model)
    layers = [(i, layer) for i, layer in enumerate(model) if isinstance(layer, models.WEIGHTED)]
    if not layers:
        raise TypeError(f"{model} has no layer with weights")
    table, units = [], None  # units: of the layer before
    for number, (index, layer) in enumerate(layers):
        n_out, n_in = layer.weight.shape[:2]
        if getattr(layer, "groups", 1) != 1:
            raise ValueError(f"layer {index} ({layer}) has groups; only groups=1 is handled")
        if units and n_in % units:
            raise ValueError(
                f"layer {index} ({layer}) reads {n_in} inputs, which the {units} units of the "
                "layer before do not divide"
            )
        if layer is not layers[-1][1]:  # its own units
            table.append(Axis(f"{index}.weight", INCOMING, number))
            if layer.bias is not None:
                table.append(Axis(f"{index}.bias", INCOMING, number))
        if units:  # those that it reads
            table.append(Axis(f"{index}.weight", OUTGOING, number - 1, n_in // units))
        units = n_out
    return table


def positions(order, block):
    """Where the entries of units in this order stand along an axis of blocks.

    Parameters
    ----------
    order : (H,) long array
    block : int from 1 on

    Examples
    --------
    >>> positions(np.array([1, 0]), 3)
    array([3, 4, 5, 0, 1, 2])
    """
    return (order[:, None] * block + np.arange(block)).ravel()


def read(model):
    """The weights of a network as arrays.

    Parameters
    ----------
    model : torch.nn.Sequential
        Refused as in `axes`.

    Returns
    -------
    Weights

    Examples
    --------
    >>> read(models.convnet((3, 8, 8), [4, 6], kernel_size=3)).widths
    [3, 4, 6, 10]
    """
    table, parameters, layers, widths = axes(model), {}, [], []
    for index, layer in enumerate(model):
        if isinstance(layer, models.WEIGHTED):
            layers.append(index)
            widths += [len(layer.weight)] if widths else [layer.weight.shape[1], len(layer.weight)]
            for name, p in layer.named_parameters(recurse=False):
                parameters[f"{index}.{name}"] = p.detach().cpu().numpy().astype(float)
    return Weights(parameters, table, layers, widths)


def read_alike(networks):
    """Several networks as `read` reads them, all of the same shape.

    Parameters
    ----------
    networks : list of torch.nn.Sequential

    Returns
    -------
    list of Weights

    Raises
    ------
    ValueError
        If the widths of two of them differ, or one has biases and one has none.

    Examples
    --------
    >>> len(read_alike([models.mlp([4, 3, 2]), models.mlp([4, 3, 2])]))
    2
    """
    found = [read(model) for model in networks]
    shapes = [{name: p.shape for name, p in one.parameters.items()} for one in found]
    for other, shape in zip(found, shapes, strict=True):
        if shape != shapes[0]:
            raise ValueError(
                f"networks of widths {found[0].widths} and {other.widths} (or with and without "
                "biases, or of other kernels) cannot be compared unit by unit"
            )
    return found


def widths(model):
    """Inputs (or channels), hidden units of each layer, and outputs of a network.

    Parameters
    ----------
    model : torch.nn.Sequential
        Refused as in `axes`.

    Returns
    -------
    list of int

    Examples
    --------
    >>> widths(models.mlp([64, 15, 10]))
    [64, 15, 10]
    """
    return read(model).widths


def permute(model, permutations):
    """The same function with its hidden units reordered.

    Parameters
    ----------
    model : torch.nn.Sequential
        Of Linear, Conv2d, ReLU, pooling and Flatten; left as it is.
    permutations : list of possibly empty (H,) long tensors
        One a hidden layer: unit i of the result is unit ``permutations[l][i]`` of the model.

    Returns
    -------
    torch.nn.Sequential
        Of the same layers.

    Raises
    ------
    ValueError
        If there is not one permutation of the right length a hidden layer.

    Examples
    --------
    >>> net = models.mlp([2, 3, 1])
    >>> turned = permute(net, [torch.tensor([2, 0, 1])])
    >>> bool((turned[1].weight[0] == net[1].weight[2]).all())
    True
    """
    table, hidden = axes(model), [len(model[i].weight) for i in models.weight_layers(model)[:-1]]
    orders = [order.cpu() for order in permutations]
    lengths = [len(order) for order in orders]
    if lengths != hidden or not all(_is_permutation(order) for order in orders):
        raise ValueError(
            f"permutations of lengths {lengths} were given; one of 0..H-1 is needed for each "
            f"hidden layer, H = {hidden}"
        )
    result = models.clone(model)
    for a in table:
        p = result.get_parameter(a.parameter)
        places = torch.from_numpy(positions(orders[a.hidden].numpy(), a.block)).to(p.device)
        p.data = p.data.index_select(a.axis, places)
    return result


def canonical(model):
    """The same function with each hidden unit's incoming weights (and bias) of norm 1.

    A ReLU commutes with a positive factor, so a unit's incoming weights may be divided by their
    norm if its outgoing weights are multiplied by it. A unit without incoming weights is left.

    Parameters
    ----------
    model : torch.nn.Sequential
        As in `permute`; left as it is.

    Returns
    -------
    torch.nn.Sequential
        Of the same layers.

    Examples
    --------
    >>> net = canonical(models.mlp([2, 3, 1], bias=False))
    >>> bool(torch.allclose(net[1].weight.norm(dim=1), torch.ones(3)))
    True
    """
    table, result = axes(model), models.freeze(models.clone(model))
    for hidden in range(1 + max((a.hidden for a in table), default=-1)):
        mine = [(a, result.get_parameter(a.parameter)) for a in table if a.hidden == hidden]
        incoming = [p.flatten(1) if p.ndim > 1 else p[:, None] for a, p in mine if not a.axis]
        norm = torch.cat(incoming, dim=1).norm(dim=1)  # (H,)
        norm = torch.where(norm > 0, norm, torch.ones_like(norm))
        for a, p in mine:
            p.data *= along(norm if a.axis == OUTGOING else 1 / norm, p, a.axis, a.block)
    return result


def along(values, parameter, axis=INCOMING, block=1):
    """One value a unit, in the shape in which it meets the units along an axis of a parameter.

    Parameters
    ----------
    values : (H,) tensor
    parameter : torch.Tensor
    axis : {0, 1}
    block : int from 1 on

    Examples
    --------
    >>> along(torch.tensor([2.0, 3.0]), torch.ones(2, 4)).shape
    torch.Size([2, 1])
    """
    shape = [-1 if k == axis else 1 for k in range(parameter.ndim)]
    return values.repeat_interleave(block).view(shape)


def _is_permutation(order):
    return torch.equal(order.sort().values, torch.arange(len(order)))


checks.guard(__name__)
