"""netdist_utils: what do neural networks trained on the same task have in common?

One room a chapter (`matching`, `ablation`, `covariance`, `convergence`, `spectra`, and `lenses`,
which enters the others) over one ground floor. Nothing is imported here, so that
``import netdist_utils`` costs nothing; import what you need:

>>> from netdist_utils import models
>>> models.mlp([2, 3, 1])[1]
Linear(in_features=2, out_features=3, bias=True)
"""

__version__ = "0.1.0"

__all__ = [
    "ablation",
    "alignment",
    "checks",
    "cifar",
    "claims",
    "convergence",
    "covariance",
    "data",
    "interactive",
    "kinds",
    "lenses",
    "matching",
    "models",
    "moments",
    "plotting",
    "random_matrices",
    "settings",
    "spectra",
    "store",
    "training",
    "units",
    "words",
    "zoo",
]
