"""Chapter 4's figure with a handle: pick a unit of one network, see its partner in the others."""

import numpy as np
import torch

from netdist_utils import interactive
from netdist_utils.alignment import bipartite_match, matched
from netdist_utils.convergence.pictures import contrast


def match_browser(networks, statistics):
    """An interactive figure of the one-to-one partners of a first convolution's units.

    Parameters
    ----------
    networks : list of 2 or more torch.nn.Sequential
        Of one shape, whose layer 0 is a Conv2d on 1 or 3 channels.
    statistics : moments.LayerMoments
        Of these networks, in this order, where the units of layer 0 were measured: at layer 0,
        or at 1, after the ReLU.

    Returns
    -------
    IPython.display.HTML
        A slider over the units of network 1, best match in network 2 first.

    Raises
    ------
    ValueError
        If there are fewer than two networks, or layer 0 is no convolution on 1 or 3 channels.

    Examples
    --------
    >>> from netdist_utils import models, moments
    >>> nets = [models.convnet((3, 8, 8), [4]) for _ in range(2)]
    >>> found = moments.moments(nets, torch.randn(9, 3, 8, 8), [1])
    >>> html = match_browser(nets, found[1])
    """
    kernels = [model[0].weight for model in networks if isinstance(model[0], torch.nn.Conv2d)]
    if len(kernels) < len(networks) or kernels[0].shape[1] not in (1, 3):
        raise ValueError(f"layer 0 is {networks[0][0]}; a Conv2d on 1 or 3 channels is needed")
    others = range(1, len(networks))
    between = torch.stack([statistics.correlation(0, k).cpu() for k in others])  # (K-1, C, C)
    partners = [bipartite_match(c).tolist() for c in between]
    order = matched(between[0], torch.tensor(partners[0])).argsort(descending=True)
    colours = torch.stack([contrast(k.detach().cpu()) for k in kernels])
    colours = colours.expand(-1, -1, 3, -1, -1).movedim(2, -1)  # (K, C, h, w, 3)
    return interactive.figure(
        "convergence",
        {
            "shape": list(colours.shape),
            "filters": interactive.pack((255 * colours).round().numpy().astype(np.uint8)),
            "correlation": interactive.pack(between.numpy().astype(np.float32)),
            "partners": partners,
            "order": order.tolist(),
        },
        title="Units and their partners in other networks",
    )
