"""Chapter 1: put the hidden units of two networks into the same order.

What is public stands in this list; the files beside it hold it.
"""

from netdist_utils.checks import guard as _guard
from netdist_utils.matching.barriers import (
    Barrier,
    average,
    barrier,
    consensus,
)
from netdist_utils.matching.cycles import cycle_consistent
from netdist_utils.matching.distributions import sample_gaussian, sample_slots
from netdist_utils.matching.figure import path_slider
from netdist_utils.matching.graphs import adjacency, elbow
from netdist_utils.matching.permutations import align, match, objective
from netdist_utils.matching.repair import repair
from netdist_utils.matching.swaps import match_by_loss
from netdist_utils.matching.transport import transport
from netdist_utils.units import canonical, permute, widths

__all__ = [
    "Barrier",
    "adjacency",
    "align",
    "average",
    "barrier",
    "canonical",
    "consensus",
    "cycle_consistent",
    "elbow",
    "match",
    "match_by_loss",
    "objective",
    "path_slider",
    "permute",
    "repair",
    "sample_gaussian",
    "sample_slots",
    "transport",
    "widths",
]

_guard(__name__)
