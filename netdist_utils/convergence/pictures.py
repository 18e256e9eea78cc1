"""What a unit of a convolutional network sees: its most exciting patches and their gradients.

The patches are those of Zeiler and Fergus (2014); the gradient is that of Springenberg et al.
(2015), in which a ReLU lets only positive gradients pass back, so that the picture shows what
excites the unit and not also what would inhibit it.
"""

import math

import torch
from torch import nn

from netdist_utils import models


def receptive_field(model, layer):
    """Side, step and first pixel of the input squares that a layer's positions see.

    Parameters
    ----------
    model : torch.nn.Sequential
        Of Conv2d, pooling and ReLU up to the layer.
    layer : index of a layer, or -1

    Returns
    -------
    (int, int, int)
        Position p sees pixels ``first + p * step`` to that plus ``side``, borders included.

    Raises
    ------
    TypeError, ValueError
        If the layer is dense, or behind a Flatten: there, every unit sees the whole input. Or if
        the model has no such layer, a layer is none of `models.LAYERS`, or its windows are no
        squares.

    Examples
    --------
    >>> receptive_field(nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.MaxPool2d(2)), 1)
    (6, 2, -2)
    """
    models.check(model[: layer + 1])
    side, step, first = 1, 1, 0
    for module in model[: layer + 1]:
        if isinstance(module, nn.Flatten | nn.Linear):
            raise ValueError(f"layer {layer} is behind {module}: it sees the whole input")
        if hasattr(module, "kernel_size"):
            window = module.kernel_size, module.stride, module.padding
            window += (getattr(module, "dilation", 1),)
            sizes = [{v} if isinstance(v, int) else set(v) for v in window]
            if any(len(size) > 1 for size in sizes):
                raise ValueError(f"{module}: numbers that are equal along both axes are needed")
            (kernel,), (stride,), (padding,), (dilation,) = sizes
            first -= padding * step
            side += (kernel - 1) * dilation * step
            step *= stride
    return side, step, first


@torch.no_grad()
def most_exciting(model, layer, x, n=9, batch_size=200):
    """Images and positions at which each unit of a layer is most active, one position an image.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer
        With output (N, C, H, W) or (N, C).
    x : (N, ...) inputs
    n : int from 1 on
        At most N.
    batch_size : int from 1 on

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
        h = models.outputs(model, batch, [layer])[layer]
        width = h.shape[-1] if h.ndim == 4 else 1
        peak, place = h.flatten(2).max(2) if h.ndim == 4 else (h, torch.zeros_like(h).long())
        peaks.append(peak)
        places.append(place)
    best = torch.cat(peaks).topk(min(n, len(x)), dim=0).indices.T  # (C, n)
    place = torch.cat(places).T.gather(1, best)
    return torch.stack([best, place // width, place % width], dim=2).cpu()


def crops(model, layer, images, places):
    """The squares of some images that a layer's positions see.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer
    images : (N, channels, H, W) tensor
        Of whatever is to be shown: inputs, or pixels.
    places : (n, 3) long tensor from 0 on
        A unit's row of `most_exciting`.

    Returns
    -------
    (n, channels, side, side) tensor
        Zero outside the image. The whole image where the layer has no positions.

    Examples
    --------
    >>> net, x = nn.Sequential(nn.Conv2d(1, 2, 3)), torch.randn(4, 1, 5, 5)
    >>> crops(net, 0, x, most_exciting(net, 0, x, n=2)[1]).shape
    torch.Size([2, 1, 3, 3])
    """
    return _crops(model, layer, _chosen(images, places), places)


def gradients(model, layer, unit, x, places):
    """What in each of these squares excites the unit: the gradient of its activation there.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer
    unit : int from 0 on
    x : (N, channels, H, W) inputs
    places : (n, 3) long tensor from 0 on
        A unit's row of `most_exciting`.

    Returns
    -------
    (n, channels, side, side) tensor
        As in `crops`. A ReLU passes positive gradients only.

    Examples
    --------
    >>> net, x = nn.Sequential(nn.Conv2d(1, 2, 3)), torch.randn(4, 1, 5, 5)
    >>> gradients(net, 0, 1, x, most_exciting(net, 0, x, n=2)[1]).shape
    torch.Size([2, 1, 3, 3])
    """
    images = _chosen(x, places).to(models.device_of(model), copy=True).requires_grad_()
    h = images
    for module in model[: layer + 1]:
        h = module(h)
        if isinstance(module, nn.ReLU):
            h.register_hook(lambda gradient: gradient.clamp_min(0))
    n = torch.arange(len(images))
    peak = h[n, unit, places[:, 1], places[:, 2]] if h.ndim == 4 else h[n, unit]
    (gradient,) = torch.autograd.grad(peak.sum(), images)
    return _crops(model, layer, gradient.cpu(), places)


def _chosen(images, places):
    """The image of each place."""
    if places[:, 0].max() >= len(images):
        raise ValueError(f"places name image {places[:, 0].max()} of {len(images)}")
    return images[places[:, 0]]


def _crops(model, layer, images, places):
    """The same, of images that are one a place already."""
    if any(isinstance(module, nn.Flatten) for module in model[: layer + 1]):
        return images
    side, step, first = receptive_field(model, layer)
    padded = nn.functional.pad(images, (side,) * 4)  # what lies over the border is zero
    corners = (places[:, 1:] * step + first + side).tolist()
    return torch.stack(
        [
            image[:, top : top + side, left : left + side]
            for image, (top, left) in zip(padded, corners, strict=True)
        ]
    )


def mosaic(patches, gap=1):
    """Pictures side by side in a square, for ``imshow``.

    Parameters
    ----------
    patches : (n, 1 or 3, H, W) tensor in [0, 1]
    gap : int from 0 on
        White pixels between them.

    Returns
    -------
    (height, width) or (height, width, 3) numpy array in [0, 1]

    Examples
    --------
    >>> mosaic(torch.zeros(9, 3, 4, 4)).shape
    (14, 14, 3)
    """
    shown = patches.detach().cpu().movedim(1, -1).squeeze(-1)  # (n, H, W) or (n, H, W, 3)
    columns = math.ceil(len(shown) ** 0.5)
    rows = math.ceil(len(shown) / columns)
    height, width = shown.shape[1:3]
    sheet = torch.ones(
        rows * (height + gap) - gap, columns * (width + gap) - gap, *shown.shape[3:]
    )
    for k, picture in enumerate(shown):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet.numpy()


def sheet(model, layer, unit, x, pixels, places):
    """What a unit sees, as two mosaics: its most exciting patches, and the gradients in them.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer
    unit : int from 0 on
    x : (N, channels, H, W) inputs
    pixels : (N, 1 or 3, H, W) tensor in [0, 1]
        The same images as they are to be shown.
    places : (C, n, 3) long tensor from 0 on
        Of `most_exciting`.

    Returns
    -------
    (patches, gradients)
        As `mosaic` returns them.

    Examples
    --------
    >>> net, x = nn.Sequential(nn.Conv2d(1, 2, 3)), torch.rand(4, 1, 5, 5)
    >>> patches, _ = sheet(net, 0, 1, x, x, most_exciting(net, 0, x, n=4))
    >>> patches.shape
    (7, 7)
    """
    if unit >= len(places):
        raise ValueError(f"unit is {unit}, but places has shape {tuple(places.shape)}")
    patches = crops(model, layer, pixels, places[unit])
    return mosaic(patches), mosaic(contrast(gradients(model, layer, unit, x, places[unit])))


def contrast(signed):
    """Signed pictures (filters, gradients) in [0, 1] around a gray middle, each to its own reach.

    Parameters
    ----------
    signed : (n, channels, H, W) tensor

    Returns
    -------
    (n, channels, H, W) tensor

    Examples
    --------
    >>> contrast(torch.tensor([[[[-2.0, 0.0, 1.0]]]]))
    tensor([[[[0.0000, 0.5000, 0.7500]]]])
    """
    size = signed.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12)
    return 0.5 + signed / (2 * size)
