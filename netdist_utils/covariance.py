"""Chapter 3: second moments of activations and weights, aligned between networks.

Two networks are compared through the covariances of their layers: streamed over the data
(`moments`), diagonalised (`spectrum`, `weight_spectrum`), brought into one frame by an orthogonal
Procrustes map (`procrustes`), and turned back into networks (`rainbow`), after Guth, Menard,
Rochette and Mallat, "A Rainbow in Deep Network Black Boxes" (JMLR 25, 2024).

In a convolutional layer the channels are the dimensions and the positions are more samples.
"""

import torch
from torch import nn

from netdist_utils import models
from netdist_utils.moments import Moments, as_samples, moments

__all__ = [
    "Moments",
    "alignment_cosine",
    "as_samples",
    "clip_curve",
    "moments",
    "procrustes",
    "rainbow",
    "spectrum",
    "weight_spectrum",
]


def spectrum(matrix):
    """Eigenvalues and eigenvectors of a symmetric matrix.

    Parameters
    ----------
    matrix : (D, D) tensor

    Returns
    -------
    eigenvalues : (D,) tensor
        Descending.
    eigenvectors : (D, D) tensor
        In rows; of each, the entry of largest size is positive.

    Raises
    ------
    ValueError
        If the matrix is not square, symmetric and finite.

    Examples
    --------
    >>> spectrum(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))[0]
    tensor([4., 1.])
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not torch.isfinite(matrix).all():
        raise ValueError(f"a finite (D, D) matrix is needed, not shape {tuple(matrix.shape)}")
    if not torch.allclose(matrix, matrix.T, atol=1e-5 * float(matrix.abs().max())):
        raise ValueError(f"the matrix of shape {tuple(matrix.shape)} is not symmetric")
    eigenvalues, columns = torch.linalg.eigh((matrix + matrix.T) / 2)
    return eigenvalues.flip(0), _positive(columns.T.flip(0))


def weight_spectrum(weight):
    """Spectrum of W^T W / rows, through the singular values of W.

    Parameters
    ----------
    weight : (out, in) or (out, in, h, w) tensor
        A convolution is flattened to (out, in h w).

    Returns
    -------
    eigenvalues : (R,) tensor
        Descending, R = min(out, in h w); the others are zero.
    eigenvectors : (R, in h w) tensor
        In rows, signs as in `spectrum`.

    Examples
    --------
    >>> weight_spectrum(torch.tensor([[3.0, 0.0, 0.0]]))[0]
    tensor([9.])
    """
    flat = weight.detach().flatten(1)
    _, singular, rows = torch.linalg.svd(flat, full_matrices=False)
    return singular.square() / len(flat), _positive(rows)


def _positive(rows):
    """Fix the sign of each row by its largest entry: an eigenvector's sign is arbitrary."""
    largest = rows.gather(1, rows.abs().argmax(1, keepdim=True))
    return rows * torch.where(largest < 0, -1, 1)


@torch.no_grad()
def clip_curve(model, layer, basis, split, ranks=None, batch_size=1000):
    """Accuracy with a layer's input projected on the first r vectors of a basis, for each r.

    In the basis, the layer's output at rank r + 1 is that at rank r plus one term, so no model is
    copied and each rank costs one term and the layers above.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : int
        Index of a Linear or Conv2d.
    basis : (R, D) tensor
        Orthonormal rows; D inputs of a Linear, channels of a Conv2d.
    split : data.Split
    ranks : sequence of int, optional
        Between 0 and R; all from 1 to R by default.
    batch_size : int
        Images at a time; memory grows with it.

    Returns
    -------
    (number of ranks,) tensor

    Raises
    ------
    TypeError
        If the layer is neither Linear nor Conv2d.
    ValueError
        If the basis or a rank does not fit the layer.

    Examples
    --------
    >>> from netdist_utils import data
    >>> clip_curve(models.mlp([2, 3, 2]), 1, torch.eye(2), data.circle(10, 0)).shape
    torch.Size([2])
    """
    operation = model[layer]
    if not isinstance(operation, nn.Linear | nn.Conv2d):
        raise TypeError(
            f"layer {layer} is {operation}; only Linear and Conv2d have a clipped input"
        )
    weight = operation.weight  # (out, D) or (out, D, h, w)
    basis = basis.to(weight)
    if basis.ndim != 2 or basis.shape[1] != weight.shape[1]:
        raise ValueError(f"basis {tuple(basis.shape)} does not fit weights {tuple(weight.shape)}")
    ranks = range(1, len(basis) + 1) if ranks is None else [int(r) for r in ranks]
    if not all(0 <= r <= len(basis) for r in ranks):
        raise ValueError(f"ranks must lie in 0..{len(basis)}, not {list(ranks)}")
    turned = torch.tensordot(basis, weight, dims=([1], [1])).movedim(0, 1)  # (out, R[, h, w])
    rest = model[layer + 1 :]
    writes_its_input = any(getattr(module, "inplace", False) for module in rest)
    correct = torch.zeros(len(basis) + 1, dtype=torch.long)
    for x, y in zip(split.x.split(batch_size), split.y.split(batch_size), strict=True):
        h = models.outputs(model, x, [layer - 1])[layer - 1]
        coordinates = torch.tensordot(h, basis, dims=([1], [1])).movedim(-1, 1)  # (B, R[, H, W])
        z = operation(torch.zeros_like(h))  # the bias alone: rank 0
        y = y.to(z.device)
        for r in range(max(ranks, default=0) + 1):
            if r:
                _add_term(z, coordinates, turned, r - 1, operation)
            if r in ranks:
                kept = z.clone() if writes_its_input else z
                predicted = rest(kept).argmax(1)
                correct[r] += int((predicted == y).sum())
    return correct[list(ranks)].float() / len(split)


def _add_term(z, coordinates, turned, k, operation):
    """Add the contribution of basis vector k to the layer's output, in place."""
    if isinstance(operation, nn.Linear):
        z.addr_(coordinates[:, k], turned[:, k])
    else:
        image, kernel = coordinates[:, k : k + 1], turned[:, k : k + 1]
        z += nn.functional.conv2d(image, kernel, None, operation.stride, operation.padding)


def procrustes(cross_moment):
    """Orthogonal A that minimises E|phi1 A - phi2|^2: U V^T of the cross moment's SVD.

    Parameters
    ----------
    cross_moment : (D1, D2) tensor
        E[phi1^T phi2].

    Returns
    -------
    (D1, D2) tensor
        With orthonormal columns or rows, whichever are fewer (Schonemann 1966).

    Raises
    ------
    ValueError
        If the matrix is not two-dimensional and finite.

    Examples
    --------
    >>> procrustes(torch.diag(torch.tensor([2.0, -3.0])))
    tensor([[ 1.,  0.],
            [ 0., -1.]])
    """
    if cross_moment.ndim != 2 or not torch.isfinite(cross_moment).all():
        raise ValueError(f"a finite (D1, D2) matrix is needed, not {tuple(cross_moment.shape)}")
    u, _, vt = torch.linalg.svd(cross_moment, full_matrices=False)
    return u @ vt + 0.0  # no negative zeros


def alignment_cosine(found, layer, i, j, alignment, centered=False):
    """Cosine between one network's aligned activations and another's.

    Parameters
    ----------
    found : Moments
        On which it is measured: those of training images, or of others.
    layer, i, j : int
    alignment : (D_i, D_j) tensor
        A of `procrustes`, in which case the square of the cosine is the share of the variance
        of phi_j that a multiple of phi_i A explains.
    centered : bool

    Returns
    -------
    float

    Examples
    --------
    >>> found = moments([models.mlp([2, 3]), models.mlp([2, 3])], torch.ones(4, 2), [-1])
    >>> round(alignment_cosine(found, -1, 0, 1, torch.eye(2).double()), 6)
    1.0
    """
    cross = found.second(layer, i, j, centered)
    own = [found.second(layer, k, k, centered).trace() for k in (i, j)]
    return float((alignment.to(cross) * cross).sum() / (own[0] * own[1]).sqrt())


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
