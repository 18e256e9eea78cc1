"""Chapter 1's figure with a handle: walk from one network to another, matched or not."""

import numpy as np

from netdist_utils import interactive, models
from netdist_utils.matching.barriers import barrier
from netdist_utils.matching.permutations import align
from netdist_utils.units import widths


def path_slider(model_a, model_b, split, shape, steps=51):
    """An interactive figure of the straight line between two networks of one hidden layer.

    Parameters
    ----------
    model_a, model_b : torch.nn.Sequential
        Of the same widths; the second is also shown with its units matched to the first.
    split : data.Split
        Images x (N, 1, H, W), on which accuracy and loss are measured.
    shape : (int, int)
        Height and width of an image.
    steps : int from 2 on
        Places on the line, both ends included.

    Returns
    -------
    IPython.display.HTML
        A slider from A to B, and a switch between matched and unmatched.

    Raises
    ------
    ValueError
        If there is not one hidden layer, or the widths differ.

    Examples
    --------
    >>> from netdist_utils import data
    >>> a, b = models.mlp([64, 5, 10]), models.mlp([64, 5, 10])
    >>> html = path_slider(a, b, data.digits().test, (8, 8), steps=3)
    """
    if len(widths(model_a)) != 3:
        raise ValueError(f"widths {widths(model_a)}; one hidden layer is needed")
    matched = align(model_a, model_b)
    lines = [barrier(model_a, other, split, steps) for other in (model_b, matched)]
    first = models.weight_layers(model_a)[0]
    weights = np.stack(
        [m[first].weight.detach().cpu().numpy() for m in (model_a, model_b, matched)]
    )  # (3, H, D)
    reach = np.abs(weights).max()
    return interactive.figure(
        "matching",
        {
            "shape": list(shape),
            "units": weights.shape[1],
            "weights": interactive.pack(np.round(127 * weights / reach).astype(np.int8)),
            "accuracy": [interactive.pack(line.accuracy.cpu().numpy()) for line in lines],
            "loss": [interactive.pack(line.loss.cpu().numpy()) for line in lines],
        },
        title="The straight line between two networks",
    )
