"""Chapter 4: matching units, mutual information and streamed statistics, beside the best peers."""

import networkx as nx
import numpy as np
import torch
from sklearn.metrics import mutual_info_score
from timing import close, compare, floor, grow, peak_gib, release, repeated, size

from netdist_utils import convergence, models, training
from netdist_utils.moments import moments

CHAPTER = "4. Convergent learning"
BINS = 10
FEWEST = size(1000, 20)  # images of which memory is measured, and then of four times as many
NETWORKX = f"networkx {release('networkx')}, max_weight_matching"


def like_ours(n):
    """Correlations of noisy permuted copies: what a matching meets."""
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(500, n, generator=generator)
    other = h[:, torch.randperm(n, generator=generator)]
    other = other + 0.7 * torch.randn(500, n, generator=generator)
    return torch.corrcoef(torch.cat([h, other], 1).T)[:n, n:]


def by_networkx(matrix):
    graph = nx.Graph()
    for i, row in enumerate(matrix.tolist()):
        graph.add_weighted_edges_from((("a", i), ("b", j), v) for j, v in enumerate(row))
    pairs = nx.max_weight_matching(graph, maxcardinality=True)
    return sum(graph.edges[pair]["weight"] for pair in pairs)


def same_total(matrix, match, total):
    ours = convergence.matched(matrix, match).sum()
    return close(ours, total, 1e-5, "the total of the matching")


def rows():
    matrix, times = like_ours(size(64, 8)), size(500, 2)
    yield compare(
        chapter=CHAPTER,
        what="units matched one to one",
        size=f"{len(matrix)} units",
        against=NETWORKX,
        ours=repeated(lambda: convergence.bipartite_match(matrix), times),
        theirs=lambda: by_networkx(matrix),
        check=lambda a, b: same_total(matrix, a, b),
        ours_by=1 / times,
    )
    yield informed()
    yield streamed()


def informed():
    """scikit-learn takes one pair of units, binned before, at a time."""
    units, n, few = size(64, 4), size(20_000, 200), size(64, 3)
    generator = torch.Generator().manual_seed(0)
    a, noise = torch.randn(2, n, units, generator=generator)
    b = a + noise
    inner = torch.arange(1, BINS) / BINS
    binned = [
        torch.searchsorted(torch.quantile(h, inner, dim=0).T.contiguous(), h.T.contiguous())
        for h in (a, b)
    ]
    left, right = (found.numpy() for found in binned)  # (units, n)
    bias = (BINS - 1) ** 2 / (2 * n)
    pairs = [(k % units, (7 * k) // units % units) for k in range(few)]

    def theirs():
        return [mutual_info_score(left[i], right[j]) - bias for i, j in pairs]

    return compare(
        chapter=CHAPTER,
        what="mutual information of all pairs",
        size=f"{units} x {units} units, {n:,} samples, {BINS} bins",
        against=f"scikit-learn {release('scikit-learn')}, mutual_info_score a pair, from {few} "
        "of them",
        ours=lambda: convergence.mutual_information(a, b, bins=BINS),
        theirs=theirs,
        check=lambda x, y: close([x[i, j] for i, j in pairs], y, 1e-6, f"{few} pairs"),
        theirs_by=units**2 / few,
    )


def convnets():
    def make():
        return models.convnet((3, 32, 32), [32, 48], padding=2, pool=2)

    return [training.start(make, seed) for seed in (0, 1)]


def images(n):
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def streamed():
    """Correlations of all channels, and NumPy's of activations that are kept whole."""
    nets, x, layer = convnets(), images(size(1000, 20)), 1

    def theirs():
        kept = [models.outputs(net, x, [layer])[layer].transpose(0, 1).flatten(1) for net in nets]
        return np.corrcoef(*(acts.numpy() for acts in kept))[: len(kept[0]), len(kept[0]) :]

    def ours(device="cpu"):
        pair, moved = [net.to(device) for net in convnets()], x.to(device)
        return lambda: moments(pair, moved, [layer], batch_size=200)[layer].correlation(0, 1)

    return compare(
        chapter=CHAPTER,
        what="correlations of channels, streamed",
        size=f"two convnets, 32 channels of 34 x 34 places, {len(x):,} images",
        against=f"NumPy {release('numpy')}, corrcoef of activations kept whole",
        ours=ours(),
        theirs=theirs,
        check=lambda a, b: close(a, b, 1e-4, "all correlations"),
        gpu=ours,
    )


def growth():
    matrices = {}

    def ways(n):
        matrix = matrices["now"] = like_ours(n)
        return lambda: convergence.bipartite_match(matrix), lambda: by_networkx(matrix)

    yield grow(
        chapter=CHAPTER,
        what="units matched one to one",
        against="networkx",
        axis="units",
        at=size([16, 32, 64, 128, 256, 512, 1024, 2048], [8, 16]),
        ways=ways,
        check=lambda a, b: same_total(matrices["now"], a, b),
        theirs_to=size(64, 16),
        floor=lambda n: floor(4 * n * n, n * n),
        floor_is="each entry of the matrix read once",
    )


def memory():
    for n in (FEWEST, 4 * FEWEST):
        x, nets = images(n), convnets()
        gib = peak_gib(lambda x=x, nets=nets: moments(nets, x, [1, 4], batch_size=200))
        what = f"statistics of two convnets over {n:,} images, 200 at once"
        what += "" if n == FEWEST else "; beyond the row above"
        yield {"chapter": CHAPTER, "what": what, "gib": gib}
