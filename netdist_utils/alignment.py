"""Maps that bring the units of one network to those of another."""

import torch


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
    >>> from netdist_utils import models, moments
    >>> nets = [models.mlp([2, 3]), models.mlp([2, 3])]
    >>> found = moments.moments(nets, torch.ones(4, 2), [-1])
    >>> round(alignment_cosine(found, -1, 0, 1, torch.eye(2).double()), 6)
    1.0
    """
    cross = found.second(layer, i, j, centered)
    own = [found.second(layer, k, k, centered).trace() for k in (i, j)]
    return float((alignment.to(cross) * cross).sum() / (own[0] * own[1]).sqrt())
