"""What the eigenvalues of pure noise look like: the laws that chapters 3 and 5 measure against.

A matrix of N x M independent entries, N >= M, mean 0 and variance s^2, has W^T W / N with
eigenvalues that fill an interval (Marchenko and Pastur 1967); its largest eigenvalue lies at the
upper edge up to a fluctuation of order N^(-2/3) (Tracy and Widom 1996; Johnstone 2001).
"""

import numpy as np
import torch

from netdist_utils import checks

# Quantiles of the Tracy-Widom law of real matrices (beta = 1), from Bejan (2005), table 2.
TRACY_WIDOM = {0.90: 0.4501, 0.95: 0.9793, 0.99: 2.0234}


def marchenko_pastur_edges(aspect_ratio, variance=1.0):
    """Ends of the Marchenko-Pastur law: variance * (1 -+ 1/sqrt(Q))^2.

    Parameters
    ----------
    aspect_ratio : float from 1 on
        Q = N / M, longer side over shorter side.
    variance : float from 0 on
        Of one entry.

    Returns
    -------
    (float, float)
        Low and high edge of the eigenvalues of W^T W / N.

    Raises
    ------
    ValueError
        If the aspect ratio is below 1 or the variance negative.

    Examples
    --------
    >>> marchenko_pastur_edges(4.0)
    (0.25, 2.25)
    """
    root = aspect_ratio**-0.5
    return float(variance * (1 - root) ** 2), float(variance * (1 + root) ** 2)


def marchenko_pastur_density(values, aspect_ratio, variance=1.0):
    """Density of the Marchenko-Pastur law; zero outside its edges.

    Parameters
    ----------
    values : (E,) array
    aspect_ratio : float from 1 on
    variance : positive float
        As in `marchenko_pastur_edges`.

    Returns
    -------
    (E,) numpy array

    Examples
    --------
    >>> marchenko_pastur_density([0.1, 3.0], 4.0)
    array([0., 0.])
    """
    low, high = marchenko_pastur_edges(aspect_ratio, variance)
    inside = (values > low) & (values < high)
    safe = np.where(inside, values, 1.0)
    root = np.sqrt(np.clip((high - safe) * (safe - low), 0, None))
    return np.where(inside, aspect_ratio * root / (2 * np.pi * variance * safe), 0.0)


def largest_noise_eigenvalue(shape, variance=1.0, quantile=0.99):
    """Value that the largest eigenvalue of noise stays below with the given probability.

    Parameters
    ----------
    shape : (int, int)
        Of the matrix, in any order.
    variance : float from 0 on
        Of one entry.
    quantile : {0.90, 0.95, 0.99}

    Returns
    -------
    float
        For W^T W / N, N the longer side: Johnstone's (2001) centre and scale with the quantile
        of the Tracy-Widom law.

    Raises
    ------
    ValueError
        If the quantile is not tabulated.

    Examples
    --------
    >>> largest_noise_eigenvalue((400, 100)) > marchenko_pastur_edges(4.0)[1]
    True
    """
    n, m = max(shape), min(shape)
    a, b = np.sqrt(max(n - 1, 1)), np.sqrt(m)
    center, scale = (a + b) ** 2, (a + b) * (1 / a + 1 / b) ** (1 / 3)
    return float(variance * (center + TRACY_WIDOM[quantile] * scale) / n)


def bulk_variance(eigenvalues, aspect_ratio):
    """Variance of the noise in a spectrum, from the median of what lies below the noise's end.

    Parameters
    ----------
    eigenvalues : (M,) array
        Of W^T W / N.
    aspect_ratio : float from 1 on
        Q = N / M.

    Returns
    -------
    float
        The variance whose Marchenko-Pastur law has the same median (Gavish and Donoho 2014) as
        the eigenvalues that are no spikes.

    Notes
    -----
    The median of all eigenvalues would be too large where there are spikes, for each of them
    takes a place above the bulk. So those above `largest_noise_eigenvalue` of the variance found
    are left out, and the median is taken again, until no more leave. K spikes take K dimensions
    of each side with them: the rest is compared with noise of N - K by M - K.

    Examples
    --------
    >>> w = np.random.default_rng(0).normal(size=(400, 100))
    >>> bool(abs(bulk_variance(np.linalg.eigvalsh(w.T @ w / 400), 4.0) - 1) < 0.05)
    True
    """
    values = np.sort(eigenvalues)
    m, spikes = len(values), 0
    n = round(aspect_ratio * m)
    end = largest_noise_eigenvalue((n, m))
    while True:
        rows, columns = n - spikes, m - spikes
        variance = np.median(values[:columns]) * n / (rows * _median(rows / columns))
        above = int((values > end * variance).sum())
        if above <= spikes:
            return float(variance)
        spikes = above


def _median(aspect_ratio):
    """Of the Marchenko-Pastur law of variance 1."""
    low, high = marchenko_pastur_edges(aspect_ratio)
    # The square-root edges are resolved by even spacing in the angle.
    angle = np.linspace(0, np.pi, 4001)
    grid = (low + high) / 2 - (high - low) / 2 * np.cos(angle)
    mass = marchenko_pastur_density(grid, aspect_ratio) * np.sin(angle)
    cumulated = np.cumsum(mass) - mass / 2
    return np.interp(0.5 * cumulated[-1], cumulated, grid)


def random_rotation(size, generator):
    """A random orthogonal matrix, uniform: QR of normal entries, its signs made definite.

    Parameters
    ----------
    size : int from 1 on
    generator : torch.Generator

    Returns
    -------
    (size, size) float64 tensor

    Examples
    --------
    >>> q = random_rotation(3, torch.Generator().manual_seed(0))
    >>> bool(torch.allclose(q @ q.T, torch.eye(3).double()))
    True
    """
    q, r = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.double))
    return q * r.diagonal().sign()


checks.guard(__name__)
