"""Chapter 4: do independently trained networks learn the same features?

Follows Li, Yosinski, Clune, Lipson and Hopcroft (2016), *Convergent Learning: Do different neural
networks learn the same representations?* Units of two networks are compared by the correlation of
their activations (`correlations`), one to one (`greedy_match`, `bipartite_match`), by mutual
information, few to one (`sparse_map`) and many to many (`cluster_units`, `linear_cka`), and by
maps of growing kind (`best_maps`, `stitch`); whether a match belongs to the units is the question
of `rotation_test`.

In a convolutional layer the channels are the units, and the positions are more samples.
"""

from netdist_utils.alignment import (
    best_maps,
    bipartite_match,
    greedy_match,
    matched,
    share_explained,
    soft_match,
)
from netdist_utils.checks import guard as _guard
from netdist_utils.convergence.clusters import cluster_units, unit_linkage
from netdist_utils.convergence.figure import match_browser
from netdist_utils.convergence.information import mutual_information
from netdist_utils.convergence.nulls import with_zeros_of
from netdist_utils.convergence.pictures import (
    contrast,
    crops,
    gradients,
    mosaic,
    most_exciting,
    receptive_field,
    sheet,
)
from netdist_utils.convergence.rotation import (
    preactivation_rotation_test,
    random_axes,
    rotation_test,
    turned,
)
from netdist_utils.convergence.similarity import correlations, linear_cka
from netdist_utils.convergence.sparse import held_out_error, sparse_map, sparse_path
from netdist_utils.convergence.stitching import stitch

__all__ = [
    "best_maps",
    "bipartite_match",
    "cluster_units",
    "contrast",
    "correlations",
    "crops",
    "gradients",
    "greedy_match",
    "held_out_error",
    "linear_cka",
    "match_browser",
    "matched",
    "mosaic",
    "most_exciting",
    "mutual_information",
    "preactivation_rotation_test",
    "random_axes",
    "receptive_field",
    "rotation_test",
    "share_explained",
    "sheet",
    "soft_match",
    "sparse_map",
    "sparse_path",
    "stitch",
    "turned",
    "unit_linkage",
    "with_zeros_of",
]

_guard(__name__)
