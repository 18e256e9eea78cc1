"""How alike the units, or the representations, of two networks are."""

import warnings

from netdist_utils.moments import moments


def correlations(model_a, model_b, x, layer):
    """Correlation of each unit of one network with each of the other, over samples and positions.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
    x : (N, ...) inputs, or one each
        A pair is for a null.
    layer : index of a layer, or -1
        Whose output is compared.

    Returns
    -------
    (C1, C2) tensor
        The row or column of a unit that never changes is 0, and a warning names it.

    Raises
    ------
    ValueError
        If an activation is NaN, or as in `moments.moments`.

    Examples
    --------
    >>> import torch
    >>> from netdist_utils import models
    >>> net = models.mlp([4, 3])
    >>> correlations(net, net, torch.randn(50, 4), 1).diagonal().round(decimals=3)
    tensor([1., 1., 1.], dtype=torch.float64)
    """
    found = moments([model_a, model_b], x, [layer], batch_size=200)[layer]
    for name, i in (("first", 0), ("second", 1)):
        if constant := found.dead(i).nonzero().flatten().tolist():
            warnings.warn(
                f"units {constant} of layer {layer} of the {name} network never change; "
                "their correlations are set to 0",
                stacklevel=3,
            )
    return found.correlation(0, 1)


def linear_cka(acts_a, acts_b):
    """Linear centred kernel alignment of two representations of the same samples.

    Parameters
    ----------
    acts_a, acts_b : (N, ...) tensors
        Flattened to (N, D).

    Returns
    -------
    float
        In [0, 1]; unchanged by orthogonal maps and scales of either (Kornblith et al. 2019).

    Raises
    ------
    ValueError
        If N differs, or one of them is constant.

    Examples
    --------
    >>> import torch
    >>> x = torch.randn(20, 5)
    >>> round(linear_cka(x, -2 * x.flip(1)), 4)
    1.0
    """
    kernels = []
    for acts in (acts_a, acts_b):
        h = acts.detach().flatten(1).double()
        h = h - h.mean(0)
        kernels.append(h @ h.T)  # (N, N)
    a, b = kernels
    return float((a * b.to(a)).sum() / (a.norm() * b.norm()))
