"""Exercises of chapter 3: the share of a turned network, and rows drawn and turned.

Both judges know the typical slips as variants of the right computation: an answer that equals a
variant is named by its slip, and one that equals none is only said to be wrong.
"""

import numpy as np

from netdist_course.checks import array, close, exercise, name_mistake, number, require
from netdist_utils.alignment import procrustes

# Training and held-out images, units of the first and of the second network.
SIZES = [(60, 40, 5, 5), (8, 6, 1, 1), (30, 20, 3, 6), (30, 25, 6, 4), (20, 15, 4, 4)]
# Trained rows, units of the layer below in the trained and in the new network, rows to draw.
LAYERS = [(8, 3, 3, 4), (3, 1, 1, 2), (6, 4, 6, 9), (3, 5, 5, 7)]


def two_networks(rng, case):
    """Activations on training and on held-out images, (N, D) each: the second network's are the
    first's, turned by a planted rotation, with noise and means of their own."""
    train, held_out, ours, theirs = SIZES[case]
    phi = rng.normal(size=(train + held_out, ours)) * rng.uniform(0.5, 2, size=ours)
    turn = np.linalg.qr(rng.normal(size=(ours + theirs, ours + theirs)))[0][:ours, :theirs]
    noise = rng.uniform(0.3, 1.2) * rng.normal(size=(train + held_out, theirs))
    psi = rng.uniform(1.5, 3) * phi @ turn + noise + rng.uniform(1, 2, size=theirs)
    if case == 4:  # the best multiple of what is held out is negative
        psi[train:] *= -1
    phi += rng.uniform(1, 2, size=ours)
    return phi[:train], psi[:train], phi[train:], psi[train:]


@exercise("covariance-held-out-share", two_networks, cases=5)
def held_out_share(answer, *arrays):
    """The squared cosine of what is held out, centred and turned."""
    found, raw = number(answer, "the share"), arrays
    phi, psi, phi_new, psi_new = (h - h.mean(0) for h in arrays)
    R, again, kept = _turn(phi, psi), _turn(phi_new, psi_new), _turn(*raw[:2])
    right = _share(phi_new @ R, psi_new)
    of_training = (phi @ R * psi).sum() / ((phi @ R) ** 2).sum()  # the best factor there
    as_it_is, with_its = (
        1 - ((factor * phi_new @ R - psi_new) ** 2).sum() / (psi_new**2).sum()
        for factor in (1, of_training)
    )
    slips = [
        ("the cosine, which is no share of the variance", right**0.5),
        ("the cosine, which is no share of the variance", -(right**0.5)),
        ("what phi_new, turned, explains at the scale that it has", as_it_is),
        ("what a multiple explains that was fitted to training images", with_its),
        ("nothing where the best multiple is negative", 0),
        ("measured on the images to which R was fitted", _share(phi @ R, psi)),
        ("measured with R fitted to held-out images", _share(phi_new @ again, psi_new)),
        ("measured with the means left in, in all arrays", _share(raw[2] @ kept, raw[3])),
        ("measured with the means left in, in held-out arrays", _share(raw[2] @ R, raw[3])),
        ("measured with R fitted while the means were in", _share(phi_new @ kept, psi_new)),
        ("centred by the means of other images",
         _share((raw[2] - raw[0].mean(0)) @ R, raw[3] - raw[1].mean(0))),
    ]  # fmt: skip
    if len(R) == R.shape[1]:
        slips += [
            ("measured with a map that takes psi to phi", _share(phi_new @ R.T, psi_new)),
            ("measured without R: the units are not aligned", _share(phi_new, psi_new)),
        ]
    name_mistake(found, right, slips, "this is {}")
    require(0 <= found <= 1, "a share of the variance lies between 0 and 1, and this does not")
    close(found, right, f"this is not the share, given {raw[0].shape} and {raw[1].shape}")


def a_layer_and_noise(rng, case):
    """Trained rows (H, D), activations (60, D) and (60, E) below them in the trained and in the
    new network, E >= D, and noise (n, D) whose second moment is exactly the identity."""
    rows, ours, theirs, n = LAYERS[case]
    W = rng.normal(size=(rows, ours)) * np.geomspace(2, 0.5, ours)
    W = W @ np.linalg.qr(rng.normal(size=(ours, ours)))[0]
    if rows < ours:
        W[:, 0] = 0  # a unit that no row reads: C has a row of zeros, and no inverse
    phi = np.abs(rng.normal(size=(60, ours))) * rng.uniform(0.5, 2, size=ours)
    turn = np.linalg.qr(rng.normal(size=(theirs, theirs)))[0][:ours]
    psi = phi @ turn + 0.3 * rng.normal(size=(60, theirs)) + rng.normal(size=theirs)
    return W, phi, psi, n**0.5 * np.linalg.qr(rng.normal(size=(n, ours)))[0]


@exercise("covariance-draw-and-turn", a_layer_and_noise)
def draw_and_turn(answer, W, phi, psi, white):
    """Verified by the second moment of the rows, which is that of W, turned: any root will do."""
    found = array(answer, (len(white), psi.shape[1]), "the new layer")
    root = white.T @ found / len(white)  # (D, E): what the noise was multiplied by
    close(found, white @ root, "these rows are not the noise times a matrix")
    C, R = W.T @ W / len(W), _turn(phi, psi)
    centred = _turn(phi - phi.mean(0), psi - psi.mean(0))
    without_means = centred.T @ C @ centred
    about_mean = (W - W.mean(0)).T @ (W - W.mean(0)) / len(W)
    values = np.linalg.eigvalsh(C)
    moment, right = root.T @ root, R.T @ C @ R
    slips = [
        ("too large by the number of trained rows", right * len(W)),
        ("too small by the number of trained rows", right / len(W)),
        ("that of rows whose mean was taken out", R.T @ about_mean @ R),
        ("that of np.cov, which is not C",
         R.T @ about_mean @ R * len(W) / (len(W) - 1)),
        ("that of noise times C itself, and C is not its own root", R.T @ C @ C @ R),
        ("that of the noise, turned: the rows know nothing of W", R.T @ R),
        ("turned by a map that was fitted without the means", without_means),
        *(("along the axes: right eigenvalues in wrong directions", R.T @ np.diag(v) @ R)
          for v in (values, values[::-1])),
    ]  # fmt: skip
    if len(R) == R.shape[1]:
        slips += [
            ("still in the trained network's frame: the rows are not turned", C),
            ("turned the wrong way", R @ C @ R.T),
        ]
    name_mistake(moment, right, slips, "the second moment of these rows is {}")
    close(moment, right, "the second moment of these rows is not that of W's rows, turned")


def _turn(phi, psi):
    """Orthogonal map that takes phi to psi."""
    return procrustes(phi.T @ psi).numpy()


def _share(phi, psi):
    """Of psi, explained by the best multiple of phi; both (N, D)."""
    return (phi * psi).sum() ** 2 / ((phi**2).sum() * (psi**2).sum())
