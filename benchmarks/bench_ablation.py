"""Chapter 2: all subnetworks at once, beside one forward pass each and one product over masks.

The source runs the network once for each subnetwork that it looks at.
"""

import torch
from scipy.linalg import hadamard
from timing import close, compare, floor, grow, peak_gib, release, repeated, size

from netdist_utils import ablation, data, models, training

CHAPTER = "2. Ablating a circle classifier"
SAMPLED = size(300, 20)  # subnetworks that the source's way is timed on
RECIPE = {"epochs": 20, "lr": 0.1, "progress": False}


def circle_network(units):
    points = data.circle(size(1000, 100), 0)
    return *training.fit_ensemble(lambda: models.mlp([2, units, 2]), points, [0], **RECIPE), points


def digits_network(units):
    train, test = data.digits().train, data.digits().test
    return *training.fit_ensemble(lambda: models.mlp([64, units, 10]), train, [0], **RECIPE), test


def some_masks(units):
    """Numbers of subnetworks, without repetition, and their masks (S, H)."""
    total = 2**units
    numbers = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:SAMPLED]
    return numbers, (numbers[:, None] >> torch.arange(units) & 1).float()


def one_pass_each(net, split, masks):
    """The source's way: the network is run with some units off, and its loss is taken."""
    copy, losses = models.clone(net), []
    for mask in masks:
        copy[3].weight.data = net[3].weight * mask
        losses.append(training.cross_entropy(copy, split))
    return torch.tensor(losses)


def by_product(net, points):
    """Losses of all subnetworks by one product over all masks, and softplus."""
    units = net[3].in_features
    sign = (2 * points.y - 1).float()
    # The margin of the right class is a sum over units; its loss is softplus of the other sign.
    weight, bias = net[3].weight[1] - net[3].weight[0], net[3].bias[1] - net[3].bias[0]
    terms = net[:3](points.x) * weight * sign[:, None]  # (N, H)
    masks = (torch.arange(2**units)[:, None] >> torch.arange(units) & 1).float()
    parts = [-(part @ terms.T + bias * sign) for part in masks.split(2**14)]
    return torch.cat([torch.nn.functional.softplus(part).mean(1) for part in parts])


def rows():
    units = size(20, 8)
    net, points = circle_network(units)
    numbers, masks = some_masks(units)
    shape = f"2-{units}-2, {2**units:,} subnetworks, {len(points):,} points"
    own = {"chapter": CHAPTER, "what": "losses of all subnetworks"}
    yield compare(
        **own,
        size=shape,
        against=f"a forward pass each: the source's way, from {len(masks)} of them",
        ours=lambda: ablation.all_losses(net, points),
        theirs=lambda: one_pass_each(net, points, masks),
        check=lambda a, b: close(a[numbers], b, 1e-5, f"{len(masks)} losses"),
        theirs_by=2**units / len(masks),
    )
    yield compare(
        **own,
        size=shape,
        against=f"one product over all masks, and softplus (torch {release('torch')})",
        ours=lambda: ablation.all_losses(net, points),
        theirs=lambda: by_product(net, points),
        check=lambda a, b: close(a, b, 1e-5, "all losses"),
    )
    yield on_digits(own)
    yield transformed()


def on_digits(own):
    """Ten classes: chapter 1's network."""
    units = size(15, 8)
    net, test = digits_network(units)
    numbers, masks = some_masks(units)
    return compare(
        **own,
        size=f"64-{units}-10, {2**units:,} subnetworks, {len(test):,} digits",
        against=f"a forward pass each: the source's way, from {len(masks)} of them",
        ours=lambda: ablation.all_losses(net, test),
        theirs=lambda: one_pass_each(net, test, masks),
        check=lambda a, b: close(a[numbers], b, 1e-5, f"{len(masks)} losses"),
        theirs_by=2**units / len(masks),
    )


def transformed():
    """The Walsh-Hadamard transform; SciPy has its matrix."""
    n, times = size(12, 6), size(100, 2)
    values = torch.randn(2**n, generator=torch.Generator().manual_seed(0)).double()
    matrix = hadamard(2**n, dtype=float)  # its signs count units that are off, ours those on
    signs = (-1.0) ** ablation.subset_sizes(n).numpy()
    return compare(
        chapter=CHAPTER,
        what="Walsh-Hadamard transform",
        size=f"{2**n:,} values",
        against=f"a product with SciPy's matrix, made before (SciPy {release('scipy')})",
        ours=repeated(lambda: ablation.walsh(values), times),
        ours_by=1 / times,
        theirs=lambda: signs * (matrix @ values.numpy()) / 2**n,
        check=lambda a, b: close(a, b, 1e-9, "all coefficients"),
    )


def growth():
    found = {}

    def ways(units):
        net, test = digits_network(units)
        found["numbers"], masks = some_masks(units)
        return lambda: ablation.all_losses(net, test), lambda: one_pass_each(net, test, masks)

    n_points = len(data.digits().test)
    yield grow(
        chapter=CHAPTER,
        what="losses of all subnetworks, ten classes",
        against="a forward pass each",
        axis="hidden units",
        at=size([9, 11, 13, 15, 17, 19], [6, 8]),
        ways=ways,
        check=lambda a, b: close(a[found["numbers"]], b, 1e-5, "losses"),
        theirs_by=lambda units: 2**units / min(SAMPLED, 2**units),
        # The table is written; of each subnetwork and point, ten products are added up.
        floor=lambda units: floor(8 * 2**units, 2 * 10 * n_points * 2**units),
        floor_is="the sum over ten classes for each subnetwork and digit",
    )


def memory():
    for units, (net, split) in {
        size(20, 8): circle_network(size(20, 8)),
        size(15, 7): digits_network(size(15, 7)),
    }.items():
        what = f"losses of all {2**units:,} subnetworks, {len(split):,} points"
        gib = peak_gib(lambda net=net, split=split: ablation.all_losses(net, split))
        yield {"chapter": CHAPTER, "what": what, "gib": gib}
