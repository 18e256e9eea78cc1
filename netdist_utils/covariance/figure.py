"""Chapter 3's figure with a handle: drag the rank, see accuracy and pictures."""

import numpy as np

from netdist_utils import interactive, training
from netdist_utils.covariance.clipping import clip_curve
from netdist_utils.covariance.directions import spectrum
from netdist_utils.moments import moments


def rank_slider(
    model, layer, split, shape, labels, directions=256, n_images=6, basis=None, share=0.95
):
    """An interactive figure of `covariance.clip_curve` at the first layer.

    Parameters
    ----------
    model : torch.nn.Sequential
    layer : index of a layer
        A Linear layer that the flattened images enter.
    split : data.Split
        Images x (N, 1, H, W), also those on which accuracy is measured.
    shape : (int, int)
        Height and width of an image.
    labels : sequence of str
        Names of the classes.
    directions : int from 1 on
        Largest rank to embed.
    n_images : int from 1 on
    basis : (R, D) tensor, optional
        Orthonormal rows, such as the principal directions of training images; by default the
        principal directions of the images of ``split`` themselves.
    share : float in [0, 1]
        A mark stands at the first rank that gives this share of the network's accuracy.

    Returns
    -------
    IPython.display.HTML

    Examples
    --------
    >>> from netdist_utils import data, models
    >>> images = data.digits().test
    >>> html = rank_slider(models.mlp([64, 10]), 1, images, (8, 8), "0123456789", directions=4)
    >>> len(html.data) < 60_000
    True
    """
    if basis is None:
        found = moments([model], split.x, [layer - 1])
        _, basis = spectrum(found[layer - 1].second())
    if len(labels) <= split.y.max():
        raise ValueError(f"{len(labels)} labels for classes up to {split.y.max()}")
    basis = basis[:directions].to(split.x)  # (K, D)
    accuracy = clip_curve(model, layer, basis, split, range(len(basis) + 1)).numpy()
    full = training.accuracy(model, split)
    reached = np.flatnonzero(accuracy >= share * full)
    x = split.x[:n_images].flatten(1)
    low, high = float(split.x.min()), float(split.x.max())
    rows = basis.cpu().numpy()
    scales = np.abs(rows).max(1) / 127  # one byte an entry keeps the page small
    return interactive.figure(
        "covariance",
        {
            "shape": list(shape),
            "dimensions": x.shape[1],
            "basis": interactive.pack(np.round(rows / scales[:, None]).astype(np.int8)),
            "scales": interactive.pack(scales.astype(np.float32)),
            "coordinates": interactive.pack((x @ basis.cpu().T).numpy().astype(np.float32)),
            "originals": interactive.pack(
                np.round((x.numpy() - low) / (high - low) * 255).astype(np.uint8)
            ),
            "accuracy": interactive.pack(accuracy.astype(np.float32)),
            "full": full,
            "share": share,
            "enough": int(reached[0]) if len(reached) else None,
            "classes": len(labels),
            "labels": [labels[int(k)] for k in split.y[:n_images]],
            "low": low,
            "high": high,
        },
        title="Accuracy and pictures from the first k directions",
    )
