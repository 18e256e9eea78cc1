"""Chapter 3: second moments of activations and weights, aligned between networks.

Two networks are compared through the covariances of their layers: streamed over the data
(`moments`), diagonalised (`spectrum`, `weight_spectrum`), brought into one frame by an orthogonal
Procrustes map (`procrustes`), and turned back into networks (`rainbow`), after Guth, Menard,
Rochette and Mallat, "A Rainbow in Deep Network Black Boxes" (JMLR 25, 2024). What a layer of any
of them says of the classes is read out by `ridge_readout`.
"""

from netdist_utils.alignment import (
    alignment_cosine,
    best_maps,
    matrix_cosine,
    procrustes,
    share_explained,
)
from netdist_utils.checks import guard as _guard
from netdist_utils.covariance.clipping import clip_curve
from netdist_utils.covariance.directions import spectrum, weight_spectrum
from netdist_utils.covariance.figure import rank_slider
from netdist_utils.covariance.readout import ridge_readout
from netdist_utils.covariance.sampling import rainbow
from netdist_utils.moments import Moments, moments

__all__ = [
    "Moments",
    "alignment_cosine",
    "best_maps",
    "clip_curve",
    "matrix_cosine",
    "moments",
    "procrustes",
    "rainbow",
    "rank_slider",
    "ridge_readout",
    "share_explained",
    "spectrum",
    "weight_spectrum",
]

_guard(__name__)
