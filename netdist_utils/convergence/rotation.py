"""Does a match belong to the units, or would any axes of the same space match as well?

The rotation test compares the one-to-one match with a network as it is and the match with the
same network after a random rotation of its activations (Khosla, Williams, McDermott and Kanwisher
2024). A rotation keeps all that a linear reader could use, and takes away the units.
"""

import torch

from netdist_utils.alignment import bipartite_match, matched


def rotation_test(statistics, i, j, generator, rotations=5, standardise=False):
    """Mean one-to-one correlation of two networks, as they are and with one of them rotated.

    Parameters
    ----------
    statistics : moments.LayerMoments
    i, j : int
        Networks; the activations of the second are rotated about their mean.
    generator : torch.Generator
        Draws the rotations, uniformly among all orthogonal maps.
    rotations : int
        To average over.
    standardise : bool
        Whether each unit is divided by its standard deviation before the rotation, so that the
        units that vary most do not lead all rotated axes.

    Returns
    -------
    (float, float)
        Mean correlation of bipartite matches, as the networks are and over the rotations.

    Raises
    ------
    ValueError
        If rotations is below 1.

    Examples
    --------
    >>> from netdist_utils.moments import moments
    >>> identity = torch.nn.Sequential(torch.nn.Identity())
    >>> found = moments([identity], torch.eye(8).repeat(9, 1), [0])[0]
    >>> own, rotated = rotation_test(found, 0, 0, torch.Generator().manual_seed(0))
    >>> round(own, 2), rotated < 0.8
    (1.0, True)
    """
    if rotations < 1:
        raise ValueError(f"rotations is {rotations}; 1 or more are needed")
    other = statistics.scale(j) if standardise else torch.ones_like(statistics.scale(j))
    cross = statistics.scale(i)[:, None] * statistics.covariance(i, j) * other
    covariance = other[:, None] * statistics.covariance(j) * other
    rotated = []
    for _ in range(rotations):
        axes = _rotation(len(covariance), generator).to(covariance)  # (D_j, D_j)
        variance = (axes * (covariance @ axes)).sum(0)
        positive = variance.clamp_min(torch.finfo(variance.dtype).tiny)
        rotated.append(_mean_match(cross @ axes * positive.rsqrt()))
    return _mean_match(statistics.correlation(i, j)), sum(rotated) / rotations


def _mean_match(correlation):
    """Mean correlation of the best one-to-one pairs."""
    return float(matched(correlation, bipartite_match(correlation)).mean())


def _rotation(size, generator):
    """A random orthogonal map, uniform: QR of normal entries, its signs made definite."""
    q, r = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.double))
    return q * r.diagonal().sign()
