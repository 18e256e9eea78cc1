"""What lies between networks whose units are in one order: averages and straight lines."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, vmap

from netdist_utils import models
from netdist_utils.matching.permutations import align
from netdist_utils.units import read_alike


@dataclass(frozen=True)
class Barrier:
    """Loss and accuracy along the straight line between two networks.

    Attributes
    ----------
    t : (steps,) tensor
        Position on the line: 0 is the first network, 1 the second.
    loss : (steps,) tensor
        Cross-entropy in nats.
    accuracy : (steps,) tensor
    height : float
        Largest excess of the loss over the straight line between its end values, in nats.
    """

    t: torch.Tensor
    loss: torch.Tensor
    accuracy: torch.Tensor
    height: float


def average(networks):
    """The network of the mean weights and biases.

    Parameters
    ----------
    networks : list of 1 or more torch.nn.Sequential
        Of the same widths.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode, without gradients; on the first network's device.

    Raises
    ------
    ValueError
        If the list is empty, or networks differ in their widths.

    Examples
    --------
    >>> net = models.mlp([2, 3, 1])
    >>> bool((average([net, net])[1].weight == net[1].weight).all())
    True
    """
    read_alike(networks)
    result = models.freeze(models.clone(networks[0]))
    for p, *others in zip(*(m.parameters() for m in [result, *networks]), strict=True):
        p.data = torch.stack([o.detach().to(p.device) for o in others]).mean(0)
    return result


def consensus(networks, max_sweeps=100):
    """Match all networks to their average, average again, until no unit moves.

    Each sweep raises the summed inner product with the average, so it ends.

    Parameters
    ----------
    networks : list of 1 or more torch.nn.Sequential
        Of the same widths; the first one's order of units is where it starts.
    max_sweeps : int from 1 on
        After so many, a RuntimeError.

    Returns
    -------
    list of torch.nn.Sequential
        The networks, reordered; their `average` is the consensus.

    Examples
    --------
    >>> from netdist_utils import matching
    >>> net = models.mlp([2, 3, 1])
    >>> one, two = consensus([net, matching.permute(net, [torch.tensor([1, 2, 0])])])
    >>> bool((one[1].weight == two[1].weight).all())
    True
    """
    target = average(networks[:1])
    for _ in range(max_sweeps):
        matched = [align(target, model) for model in networks]
        before, target = target, average(matched)
        pairs = zip(target.parameters(), before.parameters(), strict=True)
        if all(torch.equal(now, then) for now, then in pairs):
            return matched
    raise RuntimeError(f"units of {len(networks)} networks still move after {max_sweeps} sweeps")


def barrier(model_a, model_b, split, steps=25):
    """Loss and accuracy along the straight line between two networks.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
        Of the same widths.
    split : data.Split
        x (N, D), y (N,).
    steps : int from 2 on
        Points on the line, both ends included.

    Returns
    -------
    Barrier
        Loss, accuracy and the height of the barrier, on the CPU.

    Raises
    ------
    ValueError
        If the widths differ or there are fewer than two steps.

    Examples
    --------
    >>> from netdist_utils import data
    >>> net = models.mlp([2, 3, 2])
    >>> barrier(net, net, data.circle(10, 0)).height < 1e-6
    True
    """
    read_alike([model_a, model_b])
    like = next(model_a.parameters())
    t = torch.linspace(0, 1, steps, dtype=like.dtype, device=like.device)
    pairs = zip(model_a.named_parameters(), model_b.parameters(), strict=True)
    line = {
        name: torch.lerp(a.detach()[None], b.detach()[None].to(like), t.view(-1, *[1] * a.ndim))
        for (name, a), b in pairs
    }  # (steps, ...)
    with torch.no_grad():
        z = torch.cat([_along(model_a, line, x.to(like)) for x in split.x.split(1024)], dim=1)
    labels = split.labels_for(z).expand(steps, -1)
    loss = nn.functional.cross_entropy(z.movedim(2, 1), labels, reduction="none").mean(1)
    accuracy = (z.argmax(2) == labels).float().mean(1)
    height = (loss - torch.lerp(loss[0], loss[-1], t)).max().item()
    return Barrier(t.cpu(), loss.cpu(), accuracy.cpu(), height)


def _along(model, line, x):
    """Logits (steps, B, K) of the networks of a line: at once, or one by one with convolutions.

    All steps' activations of a convolutional network at once would not fit into memory.
    """
    if not any(isinstance(layer, nn.Conv2d) for layer in model):
        return vmap(lambda p: functional_call(model, p, (x,)))(line)
    steps = len(next(iter(line.values())))
    of_step = ({name: p[k] for name, p in line.items()} for k in range(steps))
    return torch.stack([functional_call(model, p, (x,)) for p in of_step])
