"""Principal directions of activations and of weights, in descending order of their share."""

import torch


def spectrum(matrix):
    """Eigenvalues and eigenvectors of a symmetric matrix.

    Parameters
    ----------
    matrix : symmetric (D, D) tensor
        Up to rounding: a second moment, a covariance.

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
    eigenvalues, columns = torch.linalg.eigh((matrix + matrix.T) / 2)
    return eigenvalues.flip(0), _positive(columns.T.flip(0))


def weight_spectrum(weight):
    """Spectrum of W^T W / rows, through the singular values of W.

    Parameters
    ----------
    weight : (out, in) tensor or (out, in, h, w) tensor
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
