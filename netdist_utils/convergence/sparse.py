"""Predict a unit of one network from few units of another: the lasso, from moments alone."""

import numpy as np
import torch
from sklearn.linear_model import lasso_path

from netdist_utils.moments import moments


def sparse_map(acts_a, acts_b, penalty):
    """Predict each unit of b from few units of a, by the lasso.

    Parameters
    ----------
    acts_a : (N, C1) tensor
    acts_b : (N, C2) tensor
    penalty : float from 0 on
        Factor of the sum of ``abs(W)`` beside E(b - W a)^2 / 2, all units standardised. 0 is
        least squares.

    Returns
    -------
    (C2, C1) float64 tensor
        Row j predicts unit j of b; units that never change have zeros.

    Raises
    ------
    ValueError
        If the rows do not pair up, a value is NaN, or the penalty is negative.

    Examples
    --------
    >>> a = torch.randn(200, 3)
    >>> sparse_map(a, a[:, [2, 0]], 0.1).abs().argmax(1)
    tensor([2, 0])
    """
    identity = torch.nn.Sequential(torch.nn.Identity())
    found = moments([identity, identity], [acts_a, acts_b], [0])[0]
    return sparse_path(found.correlation(0), found.correlation(0, 1), [penalty])[0]


def sparse_path(gram, cross, penalties):
    """The maps of `sparse_map` for several penalties, from correlations alone.

    Parameters
    ----------
    gram : symmetric (C1, C1) tensor
        Of the units of a among themselves.
    cross : (C1, C2) tensor
        Of a with b.
    penalties : sequence of 1 or more float from 0 on

    Returns
    -------
    (P, C2, C1) float64 tensor

    Raises
    ------
    ValueError
        If a penalty is negative or shapes do not agree.

    Notes
    -----
    scikit-learn's coordinate descent wants samples. A square root of the Gram matrix serves as
    C1 of them: the problem depends on the data through its products only.

    Examples
    --------
    >>> sparse_path(torch.eye(2), torch.tensor([[0.8], [0.3]]), [0.5])
    tensor([[[0.3000, 0.0000]]], dtype=torch.float64)
    """
    gram, cross = (np.asarray(m.cpu(), dtype=float) for m in (gram, cross))
    values, vectors = np.linalg.eigh(gram)
    root = np.sqrt(np.where(values > 1e-10 * max(values[-1], 1e-300), values, 0))
    inverse = np.divide(1, root, out=np.zeros_like(root), where=root > 0)
    n = len(gram)  # scikit-learn divides the squares by the number of samples
    samples = np.asfortranarray(n**0.5 * root[:, None] * vectors.T)
    targets = n**0.5 * inverse[:, None] * (vectors.T @ cross)  # (C1, C2)
    maps = np.zeros((len(penalties), cross.shape[1], n))
    order = sorted((i for i, p in enumerate(penalties) if p > 0), key=lambda i: -penalties[i])
    for j, target in enumerate(targets.T):
        if order and target.any():
            alphas = [penalties[i] for i in order]
            path = lasso_path(samples, target, alphas=alphas, max_iter=100_000, tol=1e-7)[1]
            maps[order, j] = path.T
    least_squares = (vectors * inverse**2) @ (vectors.T @ cross)
    maps[[i for i, p in enumerate(penalties) if p == 0]] = least_squares.T
    return torch.from_numpy(maps)


def held_out_error(maps, fitted, held_out, i, j):
    """Half the mean squared error with which network i predicts each unit of j on other data.

    Parameters
    ----------
    maps : (..., D_j, D_i) tensor
        Of `sparse_path`, for units standardised on the data of ``fitted``.
    fitted, held_out : moments.LayerMoments
        Of one layer, on the data that the maps were fitted to and on other data.
    i, j : index of a network
        Networks.

    Returns
    -------
    (..., D_j) tensor
        0.5 is no prediction at all (0 for a unit that never changed).

    Examples
    --------
    >>> from netdist_utils import models
    >>> found = moments([models.mlp([4, 2])], torch.randn(500, 4), [1])[1]
    >>> held_out_error(torch.zeros(2, 2), found, found, 0, 0)
    tensor([0.5000, 0.5000], dtype=torch.float64)
    """
    own, cross, target = (
        _standardised(fitted, held_out, p, q) for p, q in [(i, i), (i, j), (j, j)]
    )
    maps = maps.to(own)
    explained = 2 * (maps * cross.T).sum(-1) - ((maps @ own) * maps).sum(-1)
    return (target.diagonal() - explained) / 2


def _standardised(fitted, held_out, i, j):
    """E[z_i z_j^T] on held-out data, z in units of the fitted data's mean and deviation."""
    shift = [held_out.mean(k) - fitted.mean(k) for k in (i, j)]
    second = held_out.covariance(i, j) + torch.outer(*shift)
    return fitted.scale(i)[:, None] * second * fitted.scale(j)
