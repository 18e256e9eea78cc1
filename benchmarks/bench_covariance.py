"""Chapter 3: clipping, moments and data, beside the source's ways.

The source copies the model for each rank, passes over the data once for each product of
activations, and sends each image through a pipeline of transforms in every epoch.
"""

from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from timing import close, compare, floor, grow, peak_gib, release, size
from torchvision import transforms

from netdist_utils import covariance, data, models, moments, training

CHAPTER = "3. Covariance universality"
WIDTHS = size([1024, 512, 256, 10], [64, 32, 16, 10])


def noise(n):
    """Images of noise: what is timed does not depend on what they show."""
    side = size(32, 8)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 1, side, side, generator=generator)
    return data.Split(x, torch.randint(10, (n,), generator=generator))


def turned():
    """An orthonormal basis of the inputs."""
    return torch.linalg.qr(
        torch.randn(WIDTHS[0], WIDTHS[0], generator=torch.Generator().manual_seed(0))
    )[0]


def networks(device="cpu"):
    pair = [training.start(lambda: models.mlp(WIDTHS, bias=False), seed) for seed in (0, 1)]
    return [net.to(device) for net in pair]


def copied(net, basis, split, ranks):
    """The source's way: a copied model for each rank."""
    accuracies = []
    for rank in ranks:
        copy, kept = models.clone(net), basis[:rank]
        copy[1].weight.data = net[1].weight @ kept.T @ kept
        accuracies.append(training.accuracy(copy, split))
    return torch.tensor(accuracies)


def few_of(rank):
    """Ranks at which the source's way is timed."""
    return list(range(1, rank + 1, max(1, rank // 16)))


def layer_by_layer(pair, x, layers, batch_size=128):
    """The source's way: for each layer and each pair of networks a pass over the data."""
    found = []
    for layer in layers:
        for a in pair:
            for b in pair:
                total = 0
                for batch in x.split(batch_size):
                    acts = [models.outputs(net, batch, [layer])[layer] for net in (a, b)]
                    total = total + acts[0].T @ acts[1]
                found.append(total / len(x))
    return found


def rows():
    yield clipped()
    yield from measured()
    yield read()


def clipped():
    split, (net, _) = noise(size(4000, 100)), networks()
    basis = turned()
    ranks = few_of(WIDTHS[0])

    def ours(device="cpu"):
        moved = models.clone(net).to(device)
        return lambda: covariance.clip_curve(moved, 1, basis, split)

    return compare(
        chapter=CHAPTER,
        what="accuracy at each rank",
        size=f"{'-'.join(map(str, WIDTHS))}, {WIDTHS[0]:,} ranks, {len(split):,} images",
        against=f"a copied model for each rank: the source's way, from {len(ranks)} of them",
        ours=ours(),
        theirs=lambda: copied(net, basis, split, ranks),
        # One image whose two largest outputs are nearly equal may fall to either side.
        check=lambda a, b: close(a[[r - 1 for r in ranks]], b, 0.05, f"{len(ranks)} accuracies"),
        theirs_by=WIDTHS[0] / len(ranks),
        gpu=ours,
    )


def measured():
    split, layers = noise(size(10_000, 200)), [2, 4]

    def ours(device="cpu"):
        pair, x = networks(device), split.x.to(device)
        return lambda: moments.moments(pair, x, layers)

    def blocks(found):
        return [found.second(k, i, j) for k in layers for i in (0, 1) for j in (0, 1)]

    def check(a, b):
        for mine, other in zip(blocks(a), b, strict=True):
            words = close(mine, other, 1e-4, "all products of two layers of two networks")
        return words

    pair = networks()
    yield compare(
        chapter=CHAPTER,
        what="second moments in one pass",
        size=f"two networks {'-'.join(map(str, WIDTHS))}, two layers, {len(split):,} images",
        against="a pass for each layer and pair: the source's way",
        ours=ours(),
        theirs=lambda: layer_by_layer(pair, split.x, layers),
        check=check,
        gpu=ours,
    )


def read():
    """An epoch's images, shuffled, in batches: from one tensor, and through transforms."""
    whole, few = size(50_000, 500), size(2000, 100)
    pixels = np.random.default_rng(0).integers(0, 256, (few, 32, 32, 3), dtype=np.uint8)
    scaled = transforms.Normalize((0.5,) * 3, (0.5,) * 3)
    pipeline = transforms.Compose([transforms.ToTensor(), scaled, transforms.Grayscale()])

    def by_image():
        return torch.stack([pipeline(Image.fromarray(image)) for image in pixels])

    tensors = by_image()[torch.arange(whole) % few]

    def ours():
        order = torch.randperm(whole, generator=torch.Generator().manual_seed(0))
        for batch in order.split(128):
            last = tensors[batch]
        return order[-len(last) :], last

    def check(mine, theirs):
        order, batch = mine
        return close(batch, theirs[order % few], 0, "the last batch")

    return compare(
        chapter=CHAPTER,
        what="an epoch's images, gray and scaled",
        size=f"{whole:,} images of 32 x 32, prepared once before all epochs",
        against=f"torchvision {release('torchvision')}, transforms image by image: the source's "
        f"way, from {few:,} of them",
        ours=ours,
        theirs=by_image,
        check=check,
        theirs_by=whole / few,
    )


def growth():
    yield over_ranks()
    yield over_samples()


def over_ranks():
    split, (net, _) = noise(size(2000, 50)), networks()
    basis = turned()
    width, above = WIDTHS[1], sum(a * b for a, b in pairwise(WIDTHS[1:]))
    ranks = {}

    def ways(rank):
        few = ranks["now"] = few_of(rank)
        part = basis[:rank]
        return (
            lambda: covariance.clip_curve(net, 1, part, split),
            lambda: copied(net, part, split, few),
        )

    return grow(
        chapter=CHAPTER,
        what="accuracy at each rank",
        against="a copied model for each rank",
        axis="ranks",
        at=size([16, 64, 256, 1024], [8, 16]),
        ways=ways,
        check=lambda a, b: close(a[[r - 1 for r in ranks["now"]]], b, 0.05, "accuracies"),
        theirs_by=lambda rank: rank / len(few_of(rank)),
        # At each rank: one term for each output of the layer, then the layers above it.
        floor=lambda rank: floor(
            0, 2 * len(split) * (rank * (width + above) + rank * WIDTHS[0]), "single"
        ),
        floor_is="one term more at each rank, and the layers above it",
    )


def over_samples():
    pair, layers = networks(), [2, 4]
    both = 2 * sum(WIDTHS[1:3])
    forward = 2 * sum(a * b for a, b in pairwise(WIDTHS[:3]))
    splits = {n: noise(n) for n in size([500, 2000, 8000, 32_000], [50, 100])}

    def check(a, b):
        return close(a.second(2, 0, 1), b[1], 1e-4, "products of two networks")

    return grow(
        chapter=CHAPTER,
        what="second moments in one pass",
        against="a pass for each layer and pair",
        axis="images",
        at=list(splits),
        ways=lambda n: (
            lambda: moments.moments(pair, splits[n].x, layers),
            lambda: layer_by_layer(pair, splits[n].x, layers),
        ),
        check=check,
        theirs_to=size(8000, 100),
        # Images are read; both networks run; units of both are multiplied with each other.
        floor=lambda n: floor(
            4 * n * WIDTHS[0],
            2 * n * (forward + sum((2 * w) ** 2 for w in WIDTHS[1:3])),
            "single",
        ),
        floor_is=f"both networks run, and the products of their {both:,} units taken",
    )


def memory():
    split, (net, _) = noise(size(10_000, 100)), networks()
    basis = torch.eye(WIDTHS[0])
    what = f"accuracy at each of {WIDTHS[0]:,} ranks, {len(split):,} images"
    ranks = [1, 2, 3]  # memory does not grow with their number
    gib = peak_gib(lambda: covariance.clip_curve(net, 1, basis, split, ranks))
    yield {"chapter": CHAPTER, "what": what, "gib": gib}
