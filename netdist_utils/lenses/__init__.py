"""Chapter 6: five lenses on one ensemble, and on any two networks of the reader's.

The one room that enters the five others. What a lens says of one network (`measure_network`) or
of each pair (`measure_pairs`) is a number each; `intraclass`, `agreement` and `mantel` ask what
these numbers depend on and whether they agree; `compare` takes two networks from anywhere.
"""

from netdist_utils.checks import guard as _guard
from netdist_utils.lenses.comparison import compare
from netdist_utils.lenses.figure import pair_chooser
from netdist_utils.lenses.networks import (
    by_size,
    degree_shares,
    measure_network,
    random_groups,
)
from netdist_utils.lenses.pairs import (
    aligned_share,
    effect_correlation,
    error_consistency,
    measure_answers,
    measure_pairs,
    removal_effects,
    spectral_distance,
    unit_sizes,
    weight_correlation,
    weight_covariance_cosine,
)
from netdist_utils.lenses.statistics import (
    agreement,
    disjoint_pairs,
    intraclass,
    intraclass_of_pairs,
    largest_by_chance,
    mantel,
    without_networks,
)
from netdist_utils.lenses.turned import from_spectrum, rotated_units

__all__ = [
    "agreement",
    "aligned_share",
    "by_size",
    "compare",
    "degree_shares",
    "disjoint_pairs",
    "effect_correlation",
    "error_consistency",
    "from_spectrum",
    "intraclass",
    "intraclass_of_pairs",
    "largest_by_chance",
    "mantel",
    "measure_answers",
    "measure_network",
    "measure_pairs",
    "pair_chooser",
    "random_groups",
    "removal_effects",
    "rotated_units",
    "spectral_distance",
    "unit_sizes",
    "weight_correlation",
    "weight_covariance_cosine",
    "without_networks",
]

_guard(__name__)
