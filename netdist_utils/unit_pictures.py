"""What a unit of a convolutional network sees: its most exciting patches and their gradients.

The patches are those of Zeiler and Fergus (2014); the gradient is that of Springenberg et al.
(2015), in which a ReLU lets only positive gradients pass back, so that the picture shows what
excites the unit and not also what would inhibit it.
"""

import torch
from torch import nn


def receptive_field(model, layer):
    """Side, step and first pixel of the input squares that a layer's positions see.

    Parameters
    ----------
    model : torch.nn.Sequential
        Of Conv2d, pooling and ReLU up to the layer.
    layer : int

    Returns
    -------
    (int, int, int)
        Position p sees pixels ``first + p * step`` to that plus ``side``, borders included.

    Raises
    ------
    ValueError
        If the model flattens its input before the layer.

    Examples
    --------
    >>> receptive_field(nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.MaxPool2d(2)), 1)
    (6, 2, -2)
    """
    side, step, first = 1, 1, 0
    for module in model[: layer + 1]:
        if isinstance(module, nn.Flatten | nn.Linear):
            raise ValueError(f"layer {layer} is behind {module}: it sees the whole input")
        if hasattr(module, "kernel_size"):
            kernel, stride, padding = (
                v if isinstance(v, int) else v[0]
                for v in (module.kernel_size, module.stride, module.padding)
            )
            first -= padding * step
            side += (kernel - 1) * step
            step *= stride
    return side, step, first


@torch.no_grad()
def most_exciting(model, layer, x, n=9, batch_size=200):
    """Images and positions at which each unit of a layer is most active, one position an image.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : int
        With output (N, C, H, W) or (N, C).
    x : (N, ...) tensor
    n : int
        At most N.
    batch_size : int

    Returns
    -------
    (C, n, 3) LongTensor
        Image, row, column, most active first. Row and column are 0 where there are none.

    Examples
    --------
    >>> most_exciting(nn.Sequential(nn.Conv2d(1, 2, 1)), 0, torch.randn(4, 1, 3, 3), n=2).shape
    torch.Size([2, 2, 3])
    """
    peaks, places, width = [], [], 1
    for batch in x.split(batch_size):
        h = model[: layer + 1](batch)
        width = h.shape[-1] if h.ndim == 4 else 1
        peak, place = h.flatten(2).max(2) if h.ndim == 4 else (h, torch.zeros_like(h).long())
        peaks.append(peak)
        places.append(place)
    best = torch.cat(peaks).topk(min(n, len(x)), dim=0).indices.T  # (C, n)
    place = torch.cat(places).T.gather(1, best)
    return torch.stack([best, place // width, place % width], dim=2)


def pictures(model, layer, unit, x, places):
    """Patches of the input at some places, and what in them excites the unit.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer, unit : int
    x : (N, 3 or 1, H, W) tensor
    places : (n, 3) LongTensor
        A unit's row of `most_exciting`.

    Returns
    -------
    patches, gradients : (n, channels, side, side) tensors
        Zero outside the image. The whole image where the layer has no positions.

    Examples
    --------
    >>> net, x = nn.Sequential(nn.Conv2d(1, 2, 3)), torch.randn(4, 1, 5, 5)
    >>> patches, gradients = pictures(net, 0, 1, x, most_exciting(net, 0, x, n=2)[1])
    >>> patches.shape
    torch.Size([2, 1, 3, 3])
    """
    images = x[places[:, 0]].clone().requires_grad_()
    h = images
    for module in model[: layer + 1]:
        h = module(h)
        if isinstance(module, nn.ReLU):
            h.register_hook(lambda gradient: gradient.clamp_min(0))
    n = torch.arange(len(images))
    peak = h[n, unit, places[:, 1], places[:, 2]] if h.ndim == 4 else h[n, unit]
    (gradient,) = torch.autograd.grad(peak.sum(), images)
    if h.ndim != 4:
        return images.detach(), gradient
    side, step, first = receptive_field(model, layer)
    return tuple(
        torch.stack(
            [
                _crop(image, first + int(row) * step, first + int(column) * step, side)
                for image, (_, row, column) in zip(batch, places, strict=True)
            ]
        )
        for batch in (images.detach(), gradient)
    )


def _crop(image, top, left, side):
    """A square of an image, zero where it reaches over the border."""
    padded = nn.functional.pad(image, (side, side, side, side))
    return padded[:, top + side : top + 2 * side, left + side : left + 2 * side]
