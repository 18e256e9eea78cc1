"""Chapter 1: put the hidden units of two networks into the same order.

What is public stands in this list; the files beside it hold it.
"""

from netdist_utils.matching.barriers import (
    Barrier,
    average,
    barrier,
    consensus,
    sample_gaussian,
)
from netdist_utils.matching.figure import path_slider
from netdist_utils.matching.graphs import adjacency, elbow, from_adjacency
from netdist_utils.matching.permutations import align, match, objective
from netdist_utils.units import canonical, permute, widths

__all__ = [
    "Barrier",
    "adjacency",
    "align",
    "average",
    "barrier",
    "canonical",
    "consensus",
    "elbow",
    "from_adjacency",
    "match",
    "objective",
    "path_slider",
    "permute",
    "sample_gaussian",
    "widths",
]
