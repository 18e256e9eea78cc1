"""New networks whose weights are drawn from the covariances of a trained one.

After Guth, Menard, Rochette and Mallat, "A Rainbow in Deep Network Black Boxes" (JMLR 25, 2024).
"""

import torch
from torch import nn

from netdist_utils import models
from netdist_utils.alignment import procrustes
from netdist_utils.moments import moments


def rainbow(reference, split, *, generator, widths=None, sampled=None, pool=(), images=None):
    """A new network whose weights are drawn from the covariances of a trained one.

    Layer by layer: rows are drawn from the Gaussian with the covariance of the reference's rows,
    W^T W / rows (a bias is the weight of a constant input), and turned into the frame of what
    enters the layer: channels where that is an image, all units where it is flat. The last layer
    is the reference's own, turned.

    Parameters
    ----------
    reference : torch.nn.Sequential
    split : data.Split
        Images on which activations are aligned.
    generator : torch.Generator
    widths : sequence of int, optional
        Units or channels of the hidden layers; the reference's by default.
    sampled : collection of int, optional
        Hidden weight layers to draw; the others keep the reference's rows. All by default.
    pool : sequence of torch.nn.Sequential
        Further networks whose rows, aligned to the reference, are pooled with its own.
    images : int, optional
        Use only the first so many images; all by default.

    Returns
    -------
    torch.nn.Sequential

    Raises
    ------
    ValueError
        If the number of widths is wrong, or a layer that keeps its rows should change width.

    Examples
    --------
    >>> from netdist_utils import data
    >>> net = rainbow(models.mlp([2, 3, 2]), data.circle(9, 0),
    ...               generator=torch.Generator().manual_seed(0), widths=[5])
    >>> net[1]
    Linear(in_features=2, out_features=5, bias=True)
    """
    models.check(reference)
    layers = models.weight_layers(reference)
    own = [reference[i].weight.shape[0] for i in layers[:-1]]
    widths = own if widths is None else [int(w) for w in widths]
    sampled = set(layers[:-1] if sampled is None else sampled)
    if len(widths) != len(own):
        raise ValueError(f"widths {widths} were given for hidden layers of widths {own}")
    x = split.x if images is None else split.x[:images]
    result, frame, frames = models.frozen(models.clone(reference)), None, [None] * len(pool)
    for number, index in enumerate(layers):
        rows = _rows(reference[index], None)
        if number < len(own) and index in sampled:
            aligned = [
                _rows(other[index], t and t[0].T) for other, t in zip(pool, frames, strict=True)
            ]
            rows = _draw(torch.cat([rows, *aligned]), widths[number], generator)
        elif number < len(own) and widths[number] != own[number]:
            raise ValueError(f"layer {index} keeps its {own[number]} rows, not {widths[number]}")
        _set_rows(result[index], rows, frame, reference[index].weight.shape)
        if index != layers[-1]:
            after = layers[number + 1] - 1  # what enters the next layer, flattened if it is
            found = moments([reference, result, *pool], x, [after])
            frame = procrustes(found.second(after, 0, 1)).float()  # (D reference, D new)
            # More units make longer activations: the next layer's weights make up for it.
            frame *= (own[number] / widths[number]) ** 0.5
            frames = [
                (procrustes(found.second(after, 0, 2 + k)).float(),) for k in range(len(pool))
            ]
    return result


def _rows(layer, turn):
    """Rows of a layer, biases as a last column; inputs turned into another frame first."""
    weight = layer.weight.detach()
    if turn is not None:
        weight = _turn(weight, turn)
    flat = weight.flatten(1)
    return flat if layer.bias is None else torch.cat([flat, layer.bias.detach()[:, None]], dim=1)


def _turn(weight, turn):
    """Map a weight's inputs (or each of their channels, before a Flatten) by (C, C')."""
    groups = weight.reshape(len(weight), turn.shape[0], -1)  # (out, C, positions)
    turned = torch.einsum("ocp,cd->odp", groups, turn.to(weight))
    return turned.reshape(len(weight), -1, *weight.shape[2:])


def _draw(rows, n, generator):
    """n Gaussian rows with second moment rows^T rows / number of rows."""
    _, singular, vt = torch.linalg.svd(rows, full_matrices=False)
    white = torch.randn(n, len(singular), generator=generator).to(rows)
    return white * (singular / len(rows) ** 0.5) @ vt


def _set_rows(layer, rows, frame, shape):
    """Give a layer new rows, its inputs turned into the new network's frame."""
    if layer.bias is not None:
        rows, bias = rows[:, :-1], rows[:, -1]
        layer.bias = nn.Parameter(bias.clone(), requires_grad=False)
    weight = rows.reshape(len(rows), *shape[1:])
    weight = weight if frame is None else _turn(weight, frame)
    layer.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    sizes = dict(zip(("out", "in"), weight.shape[:2], strict=True))
    for name, size in sizes.items():  # what the layer says of itself
        kind = "features" if isinstance(layer, nn.Linear) else "channels"
        setattr(layer, f"{name}_{kind}", size)
