"""Chapter 4: matching, mutual information and streamed statistics.

python benchmarks/bench_convergence.py
"""

import networkx as nx
import torch
from timing import peak_gib, seconds

from netdist_utils import convergence, models, training
from netdist_utils.moments import moments

generator = torch.Generator().manual_seed(0)
# The peak of memory first: it only ever rises.
nets = [
    training.start(lambda: models.convnet((3, 32, 32), [32, 48], padding=2, pool=2), seed)
    for seed in (0, 1)
]
for n in (1000, 4000):
    x = torch.randn(n, 3, 32, 32, generator=generator)
    peak = peak_gib(lambda x=x: moments(nets, x, [1, 4], batch_size=200))
    print(f"statistics of two networks over {n:,} images: peak memory {peak:.2f} GiB more")

acts = torch.randn(2, 1_000_000, 64, generator=generator).relu()
took = seconds(lambda: convergence.mutual_information(*acts, bins=10), 2)
print(f"mutual information, 64 x 64 units, 10^6 samples, 10 bins: {took:.2f} s")


def like_ours(n):
    """Correlations of noisy permuted copies: what a matching meets."""
    h = torch.randn(500, n, generator=generator)
    other = h[:, torch.randperm(n, generator=generator)]
    other = other + 0.7 * torch.randn(500, n, generator=generator)
    return torch.corrcoef(torch.cat([h, other], 1).T)[:n, n:]


large, small = like_ours(384), like_ours(96)
print(
    f"bipartite, 384 units: {1e3 * seconds(lambda: convergence.bipartite_match(large), 10):.1f} ms"
)


def by_networkx(matrix):
    graph = nx.Graph()
    for i, row in enumerate(matrix.tolist()):
        graph.add_weighted_edges_from((("a", i), ("b", j), v) for j, v in enumerate(row))
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    return sum(graph.edges[pair]["weight"] for pair in pairs)


found = {}
ours = seconds(lambda: convergence.bipartite_match(small), 20)
peer = seconds(lambda: found.update(total=by_networkx(small)), 1)
total = convergence.matched(small, convergence.bipartite_match(small)).sum()
print(f"96 units: {1e3 * ours:.2f} ms; networkx {peer:.1f} s, {peer / ours:.0f} times as long, "
      f"totals {float(total):.4f} and {found['total']:.4f}")  # fmt: skip
