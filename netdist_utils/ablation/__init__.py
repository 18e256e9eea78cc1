"""Chapter 2: what a network does when any set of its hidden units is removed.

Subsets are numbered by their bits: in subset m, unit i is kept where bit i of m is 1. In deeper
networks units count through the hidden layers, first layer first.
"""

from netdist_utils.ablation.enumeration import all_losses
from netdist_utils.ablation.figure import explorer
from netdist_utils.ablation.masks import losses, mask_gradients, n_units
from netdist_utils.ablation.subsets import (
    best_subsets,
    distribution_moments,
    energy_by_degree,
    flip_path_covariance,
    flip_paths,
    greedy_subsets,
    inverse_walsh,
    keep_probabilities,
    russo_margulis,
    subset_sizes,
    subset_sums,
    walsh,
)
from netdist_utils.ablation.worth import banzhaf_values, interactions, shapley_values
from netdist_utils.checks import guard as _guard

__all__ = [
    "all_losses",
    "banzhaf_values",
    "best_subsets",
    "distribution_moments",
    "energy_by_degree",
    "explorer",
    "flip_path_covariance",
    "flip_paths",
    "greedy_subsets",
    "interactions",
    "inverse_walsh",
    "keep_probabilities",
    "losses",
    "mask_gradients",
    "n_units",
    "russo_margulis",
    "shapley_values",
    "subset_sizes",
    "subset_sums",
    "walsh",
]

_guard(__name__)
