"""New networks whose weights are drawn from the covariances of a trained one.

After Guth, Menard, Rochette and Mallat, "A Rainbow in Deep Network Black Boxes" (JMLR 25, 2024):
draw a layer's rows, align what the new network's units put out with the reference's, turn the
next layer's inputs by that alignment, and go on to the next layer.
"""

import torch
from torch import nn

from netdist_utils import models
from netdist_utils.alignment import procrustes
from netdist_utils.covariance.directions import spectrum
from netdist_utils.moments import as_samples


def rainbow(
    reference,
    split,
    *,
    generator,
    widths=None,
    sampled=None,
    pool=(),
    images=None,
    rows="covariance",
    directions=None,
):
    """A new network whose weights are drawn from the covariances of a trained one.

    Layer by layer: rows are drawn from the Gaussian with the covariance of the reference's rows,
    W^T W / rows (a bias is the weight of a constant input), and turned into the frame of what
    enters the layer: channels where that is an image, all units where it is flat. The last layer
    is the reference's own, turned.

    Parameters
    ----------
    reference : torch.nn.Sequential
    split : data.Split of any labels
        Images on which activations are aligned.
    generator : torch.Generator
    widths : sequence of int from 1 on, optional
        Units or channels of the hidden layers; the reference's by default.
    sampled : collection of int from 0 on, optional
        Hidden weight layers to draw; the others keep the reference's rows. All by default.
    pool : sequence of torch.nn.Sequential
        Further networks whose rows, aligned to the reference, are pooled with its own.
    images : int from 1 on, optional
        Use only the first so many images; all by default.
    rows : {"covariance", "resampled", "data", "rotated", "white"}
        What drawn rows share with the reference's: their covariance; the values that they have
        along each of its eigenvectors, picked at random, one direction at a time; its
        eigenvalues alone, along the principal directions of what enters the layer or in random
        directions; or their mean square alone. The last three are controls, which go through the
        same alignments and end in the same classifier.
    directions : sequence of int from 1 on, optional
        Of each hidden layer's covariance, keep only the first so many eigenvectors (of all but
        white rows); all by default.

    Returns
    -------
    network : torch.nn.Sequential
        Of the reference's layers, with the new widths.

    Raises
    ------
    ValueError
        If the number of widths is wrong, a layer that keeps its rows should change width,
        ``sampled`` names what is no hidden layer with weights, or ``rows`` is unknown.

    Examples
    --------
    >>> from netdist_utils import data
    >>> net = rainbow(models.mlp([2, 3, 2]), data.circle(9, 0),
    ...               generator=torch.Generator().manual_seed(0), widths=[5])
    >>> net[1]
    Linear(in_features=2, out_features=5, bias=True)
    """
    models.check(reference)
    *hidden, last = models.weight_layers(reference)
    sampled = set(hidden if sampled is None else sampled)
    widths = _checked_widths(reference, hidden, widths, sampled)
    x = split.x if images is None else split.x[:images]
    result = models.freeze(models.clone(reference))
    others = [result, *pool]
    frames = [None] * len(others)  # (D reference, D other): what enters the next layer, turned
    kept = directions or [None] * len(hidden)
    for index, width, first in zip(hidden, widths, kept, strict=True):
        drawn = _rows(reference[index])
        if index in sampled:
            theirs = [
                _rows(network[index], frame)
                for network, frame in zip(pool, frames[1:], strict=True)
            ]
            basis = _principal(reference, index, x) if rows == "data" else None
            drawn = _draw(torch.cat([drawn, *theirs]), width, generator, rows, basis, first)
        _set_rows(result[index], drawn, frames[0])
        following = next(i for i in [*hidden, last] if i > index)
        frames = _frames(reference, others, x, following - 1)
        # More units make longer activations: the next layer's weights make up for it.
        frames[0] *= (len(reference[index].weight) / width) ** 0.5
    _set_rows(result[last], _rows(reference[last]), frames[0])
    return result


def _checked_widths(reference, hidden, widths, sampled):
    """Widths of the hidden layers of the new network."""
    own = [len(reference[i].weight) for i in hidden]
    widths = own if widths is None else widths
    if len(widths) != len(own):
        raise ValueError(f"widths {widths} were given for hidden layers of widths {own}")
    if unknown := sampled - set(hidden):
        raise ValueError(f"sampled names layers {sorted(unknown)}; hidden layers are {hidden}")
    for index, before, after in zip(hidden, own, widths, strict=True):
        if index not in sampled and before != after:
            raise ValueError(f"layer {index} keeps its {before} rows, not {after}")
    return widths


def _frames(reference, others, x, layer):
    """Orthogonal maps (D reference, D other) from the reference's outputs to each other's."""
    crosses = [0] * len(others)
    for batch in x.split(1000):
        h, *theirs = (
            as_samples(models.outputs(m, batch, [layer])[layer]) for m in (reference, *others)
        )
        crosses = [c + (h.T @ other).double() for c, other in zip(crosses, theirs, strict=True)]
    return [procrustes(cross).float() for cross in crosses]


def _principal(reference, index, x):
    """Principal directions, in rows, of what enters a layer; of patches if it is one of images."""
    layer, total = reference[index], 0
    for batch in x.split(1000):
        h = models.outputs(reference, batch, [index - 1])[index - 1]
        if isinstance(layer, nn.Conv2d):
            mode = layer.padding_mode.replace("zeros", "constant")
            h = nn.functional.pad(h, layer._reversed_padding_repeated_twice, mode)
            seen = layer.kernel_size, layer.dilation, 0, layer.stride
            h = nn.functional.unfold(h, *seen)[..., None]  # (B, C h w, positions, 1)
        h = as_samples(h)
        h = h if layer.bias is None else nn.functional.pad(h, (0, 1), value=1.0)
        total = total + (h.T @ h).double()
    return spectrum(total)[1]


def _rows(layer, frame=None):
    """Rows of a layer, its bias as a last column; of another network, in the reference's frame."""
    weight = layer.weight.detach()
    flat = (weight if frame is None else _turn(weight, frame.T)).flatten(1)
    return flat if layer.bias is None else torch.cat([flat, layer.bias.detach()[:, None]], dim=1)


def _turn(weight, turn):
    """Map a weight's inputs (or each of their channels, before a Flatten) by (C, C')."""
    groups = weight.reshape(len(weight), turn.shape[0], -1)  # (out, C, positions)
    turned = torch.einsum("ocp,cd->odp", groups, turn.to(weight))
    return turned.reshape(len(weight), -1, *weight.shape[2:])


def _draw(rows, n, generator, kind, basis=None, first=None):
    """n Gaussian rows that share with the given ones what `rainbow` says of each kind."""
    count, dimensions = rows.shape
    if kind == "white":
        white = torch.randn(n, dimensions, generator=generator).to(rows)
        return white * rows.square().mean().sqrt()
    u, singular, vt = torch.linalg.svd(rows, full_matrices=False)
    u, singular, vt = u[:, :first], singular[:first], vt[:first]
    white = torch.randn(n, len(singular), generator=generator).to(rows)
    if kind == "resampled":
        picked = torch.randint(count, white.shape, generator=generator).to(u.device)
        white = count**0.5 * u.gather(0, picked)
    if kind == "rotated":
        gaussian = torch.randn(dimensions, len(singular), generator=generator)
        vt = torch.linalg.qr(gaussian)[0].T.to(rows)  # orthonormal, uniform over directions
    if kind == "data":
        vt = basis[: len(singular)].to(rows)
    return white * (singular / count**0.5) @ vt


def _set_rows(layer, rows, frame):
    """Give a layer new rows, in the reference's frame, turned into the new network's."""
    if layer.bias is not None:
        rows, bias = rows[:, :-1], rows[:, -1]
        layer.bias = nn.Parameter(bias.clone(), requires_grad=False)
    weight = rows.reshape(len(rows), *layer.weight.shape[1:])
    weight = weight if frame is None else _turn(weight, frame)
    layer.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    kind = "features" if isinstance(layer, nn.Linear) else "channels"
    setattr(layer, f"out_{kind}", weight.shape[0])  # what the layer says of itself
    setattr(layer, f"in_{kind}", weight.shape[1])
