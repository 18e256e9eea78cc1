"""Wrong solutions of chapter 3's coding exercises, and what the checker says of each."""

import numpy as np


def _share(phi, psi):
    return (phi * psi).sum() ** 2 / ((phi**2).sum() * (psi**2).sum())


def _turn(phi, psi):
    u, _, vt = np.linalg.svd(phi.T @ psi, full_matrices=False)
    return u @ vt


def _centred(*arrays):
    return [h - h.mean(0) for h in arrays]


def cosine(*arrays):
    """The cosine, which the source calls r squared."""
    phi, psi, phi_new, psi_new = _centred(*arrays)
    return _share(phi_new @ _turn(phi, psi), psi_new) ** 0.5


def means_left_in(phi, psi, phi_new, psi_new):
    """Nothing is centred, as in the source."""
    return _share(phi_new @ _turn(phi, psi), psi_new)


def on_training_images(*arrays):
    """The held-out arrays are not used."""
    phi, psi, *_ = _centred(*arrays)
    return _share(phi @ _turn(phi, psi), psi)


def fitted_to_held_out_images(*arrays):
    """R is fitted anew to the images on which it is measured."""
    *_, phi_new, psi_new = _centred(*arrays)
    return _share(phi_new @ _turn(phi_new, psi_new), psi_new)


def transposed(*arrays):
    """R of the cross moment of psi with phi."""
    phi, psi, phi_new, psi_new = _centred(*arrays)
    R = _turn(psi, phi)
    return _share(phi_new @ (R if len(R) == phi.shape[1] else R.T), psi_new)


def without_best_factor(*arrays):
    """One minus the mean squared error of the turned activations as they are."""
    phi, psi, phi_new, psi_new = _centred(*arrays)
    return 1 - ((phi_new @ _turn(phi, psi) - psi_new) ** 2).sum() / (psi_new**2).sum()


def factor_of_training_images(*arrays):
    """The best multiple is fitted to the images to which R is."""
    phi, psi, phi_new, psi_new = _centred(*arrays)
    R = _turn(phi, psi)
    factor = (phi @ R * psi).sum() / ((phi @ R) ** 2).sum()
    return 1 - ((factor * phi_new @ R - psi_new) ** 2).sum() / (psi_new**2).sum()


def positive_multiples_only(*arrays):
    """A negative multiple is not allowed."""
    phi, psi, phi_new, psi_new = _centred(*arrays)
    turned = phi_new @ _turn(phi, psi)
    return _share(turned, psi_new) * ((turned * psi_new).sum() > 0)


def means_of_other_images(phi, psi, phi_new, psi_new):
    """Held-out arrays are centred by the means of the training images."""
    R = _turn(*_centred(phi, psi))
    return _share((phi_new - phi.mean(0)) @ R, psi_new - psi.mean(0))


def two_shares(*arrays):
    """An array and no number."""
    return np.ones(2)


def _root(W):
    _, s, vt = np.linalg.svd(W / len(W) ** 0.5, full_matrices=True)
    return np.pad(s, (0, len(vt) - len(s)))[:, None] * vt


def sum_over_rows(W, phi, psi, white):
    """The source's slip: 1 / sqrt(H) is forgotten."""
    return white @ _root(W) @ _turn(phi, psi) * len(W) ** 0.5


def not_turned(W, phi, psi, white):
    """Rows stay in the trained network's frame; right in shape where the widths are equal."""
    return white @ _root(W)


def turned_back(W, phi, psi, white):
    """R transposed."""
    return white @ _root(W) @ _turn(psi, phi)


def fitted_without_means(W, phi, psi, white):
    """R of centred activations."""
    return white @ _root(W) @ _turn(*_centred(phi, psi))


def times_covariance(W, phi, psi, white):
    """No root is taken."""
    return white @ (W.T @ W / len(W)) @ _turn(phi, psi)


def along_the_axes(W, phi, psi, white):
    """The right singular vectors are forgotten."""
    return white @ np.diag(np.linalg.norm(_root(W), axis=1)) @ _turn(phi, psi)


def trained_rows(W, phi, psi, white):
    """The trained rows themselves, some of them twice; nothing is drawn."""
    return np.resize(W, white.shape) @ _turn(phi, psi)


def wrong_side(W, phi, psi, white):
    """One row for each trained row, as if the noise stood at the right."""
    return W @ _turn(phi, psi)


def mean_taken_out(W, phi, psi, white):
    """The rows' mean is taken out, and C is their second moment."""
    return white @ _root(W - W.mean(0)) @ _turn(phi, psi)


def numpy_covariance(W, phi, psi, white):
    """The mean is taken out, and the divisor is one less than the rows."""
    C = np.atleast_2d(np.cov(W.T))
    values, vectors = np.linalg.eigh(C)
    return white @ (np.sqrt(values.clip(0))[:, None] * vectors.T) @ _turn(phi, psi)


def cholesky(W, phi, psi, white):
    """A root that only a covariance of full rank has."""
    return white @ np.linalg.cholesky(W.T @ W / len(W)).T @ _turn(phi, psi)


WRONG = {
    "covariance-held-out-share": [
        (cosine, "no share of the variance"),
        (means_left_in, "means left in, in all arrays"),
        (on_training_images, "to which R was fitted"),
        (fitted_to_held_out_images, "R fitted to held-out images"),
        (transposed, "takes psi to phi"),
        (without_best_factor, "at the scale that it has"),
        (factor_of_training_images, "fitted to training images"),
        (positive_multiples_only, "the best multiple is negative"),
        (means_of_other_images, "means of other images"),
        (two_shares, "the share has shape (2,)"),
    ],
    "covariance-draw-and-turn": [
        (sum_over_rows, "too large by the number"),
        (not_turned, "frame: the rows are not turned"),
        (turned_back, "turned the wrong way"),
        (fitted_without_means, "fitted without the means"),
        (times_covariance, "not its own root"),
        (along_the_axes, "in wrong directions"),
        (trained_rows, "not the noise times a matrix"),
        (wrong_side, "the new layer has shape"),
        (mean_taken_out, "whose mean was taken out"),
        (numpy_covariance, "np.cov"),
        (cholesky, "not positive definite"),
    ],
}
